"""The sections of a report: everything that a plan does, the worst first."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from operations.plan_guard.changes import ChangedResource, Entry, group_changes
from operations.plan_guard.dangers import DangerFinder, describe_dangers
from operations.plan_guard.differences import Absent, Difference
from operations.plan_guard.layout import format_section, indent, list_addresses
from operations.plan_guard.redaction import Redactor, Value
from operations.plan_guard.wording import format_difference
from operations.terraform.plan import Plan, ResourceChange, Verb

READ_ANEW = "READ ANEW: not set in the code, and not as after the last apply"


def describe_first(plan: Plan, width: int) -> Iterator[str]:
    """Yield what the plan opens, grants, unlocks or keeps for a shorter time, without a sensitive value."""
    yield from describe_dangers(list(DangerFinder(plan, Redactor(plan)).find_dangers()), width)


def describe_plan(plan: Plan, width: int) -> Iterator[str]:
    """Yield everything that the plan does, section by section, without a sensitive value."""
    redactor = Redactor(plan)
    replaced = [ChangedResource(resource, redactor) for resource in plan.select(Verb.REPLACE)]
    changed = [ChangedResource(resource, redactor) for resource in plan.select(Verb.CHANGE)]
    for resource in replaced:
        if not resource.is_consequence:
            yield from _describe_replacement(resource, width)
    yield from _list_consequences("REPLACE, since what it refers to is known only after the apply", replaced, width)
    yield from _list_reasons("DESTROY", plan.select(Verb.DESTROY), width)
    yield from _list_reasons("FORGET: stays in Azure, leaves the state", plan.select(Verb.FORGET), width)
    for entry in group_changes([resource for resource in changed if not resource.is_consequence]):
        addresses = [resource.title for resource in entry.resources]
        if len(addresses) == 1:
            yield f"\nCHANGE {addresses[0]}"
        else:
            yield f"\nCHANGE {len(addresses)} resources in the same way"
            yield from (indent(line, width) for line in list_addresses(addresses))
        yield from _describe_entry(entry, width, level=1)
    yield from _list_consequences("CHANGE, since what it refers to is known only after the apply", changed, width)
    yield from _list_creations(plan, width)
    yield from _list_outputs(plan, width)
    imports = [f"{address}: {id_}" for address, id_ in list_imports(plan)]
    yield from format_section("IMPORT: is there already, and enters the state", imports, width)
    moves = [f"{item.previous_address} -> {item.title}" for item in plan.managed if item.previous_address]
    yield from format_section("MOVED", moves, width)
    yield from _describe_drift(plan, redactor, width)


def list_imports(plan: Plan) -> list[tuple[str, str]]:
    """Return the address and the ID of every resource that an `import` block takes into the state."""
    return [(resource.title, resource.change.importing.id) for resource in plan.managed if resource.change.importing]


def _describe_replacement(replaced: ChangedResource, width: int) -> Iterator[str]:
    """Yield the lines that say why it is replaced, what changes, and which attributes Azure sets anew."""
    yield f"\nREPLACE {replaced.title}"
    reason = f"because {replaced.resource.reason or 'Terraform does not say why'}"
    paths = replaced.forcing_paths
    yield indent(f"{reason}: {', '.join(paths)}" if paths else reason, width)
    set_anew: list[str] = []
    for difference in replaced.differences:
        forces = replaced.is_forced_by(difference.path)
        if not forces and difference.is_known_after_apply:
            set_anew.append(difference.attribute)
            continue
        note = "  (forces the replacement)" if forces else ""
        yield from _describe_difference(difference, replaced.resource.type, width, note=note)
    if set_anew:
        yield indent(f"Azure sets anew: {', '.join(set_anew)}", width)


def _describe_entry(entry: Entry, width: int, *, level: int) -> Iterator[str]:
    """Yield the lines about what differs in a resource, or in many in the same way."""
    unknown = [difference.attribute for difference in entry.differences if difference.is_known_after_apply]
    for difference in entry.differences:
        if not difference.is_known_after_apply:
            yield from _describe_difference(difference, entry.resources[0].resource.type, width, level=level)
    if unknown:
        yield indent(f"known only after the apply: {', '.join(unknown)}", width, level=level)
    if entry.shared:
        attributes = ", ".join(difference.attribute for difference in entry.shared)
        yield indent(f"and, as in other resources: {attributes}", width, level=level)


def _describe_difference(
    difference: Difference, type_: str, width: int, *, level: int = 1, note: str = ""
) -> Iterator[str]:
    first, *rest = format_difference(difference, type_)
    yield indent(f"{first}{note}", width, level=level)
    yield from (indent(line, width, level=level + 2) for line in rest)


def _list_consequences(title: str, resources: Sequence[ChangedResource], width: int) -> Iterator[str]:
    lines = [
        f"{resource.title}: {', '.join(cause.attribute for cause in resource.causes)}"
        for resource in resources
        if resource.is_consequence
    ]
    yield from format_section(title, lines, width)


def _list_reasons(title: str, resources: Sequence[ResourceChange], width: int) -> Iterator[str]:
    lines = [f"{resource.title}: {resource.reason}" if resource.reason else resource.title for resource in resources]
    yield from format_section(title, lines, width)


def _list_creations(plan: Plan, width: int) -> Iterator[str]:
    """Yield the creations by type: there may be hundreds, and the diff of the pull request has every one of them."""
    names_by_type: defaultdict[str, list[str]] = defaultdict(list)
    for resource in plan.select(Verb.CREATE):
        names_by_type[resource.type].append(resource.title.removeprefix(f"{resource.type}."))
    lines = [f"{len(names)} {type_}: {', '.join(names)}" for type_, names in sorted(names_by_type.items())]
    yield from format_section("CREATE", lines, width)


def _list_outputs(plan: Plan, width: int) -> Iterator[str]:
    names_by_verb: defaultdict[Verb, list[str]] = defaultdict(list)
    for name, change in plan.output_changes.items():
        if change.verb:
            names_by_verb[change.verb].append(name)
    yield from format_section(
        "OUTPUTS", [f"{verb}: {', '.join(names)}" for verb, names in names_by_verb.items()], width
    )


def _describe_drift(plan: Plan, redactor: Redactor, width: int) -> Iterator[str]:
    """Yield what somebody has changed or deleted without Terraform since the last apply.

    Terraform's own text shows of a usual plan only what may have caused a change:
    https://github.com/hashicorp/terraform/blob/main/internal/command/jsonformat/plan.go. The provider also reports as
    changed what it has only read for the first time, so what the code does not set is named in one line.
    """
    deleted = [resource.title for resource in plan.resource_drift if resource.verb is Verb.DESTROY]
    yield from format_section("DELETED OUTSIDE OF TERRAFORM since the last apply", deleted, width)
    drifted = [ChangedResource(item, redactor) for item in plan.resource_drift if item.verb is Verb.CHANGE]
    read_anew: list[str] = []
    for resource in drifted:
        differences = [item for item in resource.differences if not (_is_zero(item.old) and _is_zero(item.new))]
        rest = [item for item in differences if not _is_set_in_code(plan, resource, item)]
        resource.differences = [item for item in differences if item not in rest]
        if rest:
            read_anew.append(f"{resource.title}: {', '.join(dict.fromkeys(str(item.path[0]) for item in rest))}")
    entries = list(group_changes([resource for resource in drifted if resource.differences]))
    if entries:
        yield "\nCHANGED OUTSIDE OF TERRAFORM since the last apply"
    for entry in entries:
        yield from (indent(line, width) for line in list_addresses(item.title for item in entry.resources))
        yield from _describe_entry(entry, width, level=2)
    yield from format_section(READ_ANEW, read_anew, width)


def _is_set_in_code(plan: Plan, resource: ChangedResource, difference: Difference) -> bool:
    path = difference.path
    return not path or plan.configuration.has_argument(resource.resource.address, str(path[0]))


def _is_zero(value: Value | Absent) -> bool:
    """Return whether the provider's SDK may read a value as null the next time, or null as this value."""
    return value is None or value in ("", 0, [], {})
