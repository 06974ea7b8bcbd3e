"""The sections of a report: everything that a plan does, the worst first."""

import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence

from operations.plan_guard.differences import UNKNOWN, Difference, find_differences
from operations.plan_guard.holders import PROTECTS, RECOVERY_ATTRIBUTES
from operations.plan_guard.layout import WIDTH, format_paragraph, format_section, format_table
from operations.plan_guard.redaction import Redactor, format_visible_path
from operations.terraform.plan import Plan, ResourceChange, Verb

PROTECTION = {
    Verb.CREATE: "is protected from now on",
    Verb.CHANGE: "the protection changes",
    Verb.REPLACE: "unprotected while it is replaced",
    Verb.DESTROY: "no longer protected",
    Verb.FORGET: "stays, and Terraform no longer sees to it",
}
"""What a plan does to the protection that a lock or an immutability policy gives."""


class ChangedResource:
    """A resource that is changed in place or replaced, with its differences."""

    def __init__(self, resource: ResourceChange, redactor: Redactor) -> None:
        """Compare the values of the resource before and after."""
        change = resource.change
        self.resource = resource
        self.differences = list(find_differences(*redactor.redact(change)))
        # Two paths may be the same once what is sensitive is cut off. A dict keeps the order.
        visible_paths = (format_visible_path(path, change) for path in change.replace_paths)
        self.forcing_paths = list(dict.fromkeys(visible_paths))

    @property
    def causes(self) -> list[Difference]:
        """The differences that cause the change: those that force a replacement; else all of them."""
        if self.resource.verb is Verb.REPLACE:
            return [difference for difference in self.differences if self._forces_replacement(difference)]
        return self.differences

    @property
    def is_consequence(self) -> bool:
        """Whether it changes only because it refers to another resource: no cause is known before the apply."""
        return bool(self.causes) and all(cause.new == UNKNOWN for cause in self.causes)

    def list_recovery_changes(self) -> Iterator[tuple[str, str]]:
        """Yield the differences that change what can be recovered, as rows of the section PROTECTION."""
        prefixes = RECOVERY_ATTRIBUTES.get(self.resource.type, ())
        for attribute, old, new in self.differences:
            if attribute.startswith(prefixes):
                yield self.resource.title, f"{attribute}: {old} -> {new}"

    def describe_replacement(self) -> Iterator[str]:
        """Yield the lines that say why it is replaced, what changes, and which attributes Azure sets anew."""
        yield f"\nREPLACE {self.resource.title}"
        reason = f"because {self.resource.reason or 'Terraform does not say why'}"
        yield format_paragraph(f"{reason}: {', '.join(self.forcing_paths)}" if self.forcing_paths else reason)
        rows: list[tuple[str, str, str, str]] = []
        set_anew: list[str] = []
        for difference in self.differences:
            forces = self._forces_replacement(difference)
            if forces or difference.new != UNKNOWN:
                note = "forces the replacement" if forces else ""
                rows.append((difference.attribute, difference.old, difference.new, note))
            else:
                set_anew.append(difference.attribute)
        yield from format_table(rows, "attribute", "old", "new", "")
        if set_anew:
            yield format_paragraph(f"Azure sets anew: {', '.join(set_anew)}")

    def describe_change(self) -> Iterator[str]:
        """Yield the lines that say what is changed in place."""
        yield f"\nCHANGE {self.resource.title}"
        yield from format_table(self.differences, "attribute", "old", "new")

    def _forces_replacement(self, difference: Difference) -> bool:
        """Return whether this attribute, or one above it, forces the replacement."""
        attribute = f"{difference.attribute}."
        return any(attribute.startswith((f"{path}.", f"{path}[")) for path in self.forcing_paths)


def describe_plan(plan: Plan) -> Iterator[str]:
    """Yield everything that the plan does, section by section, without a sensitive value."""
    redactor = Redactor(plan)
    replaced = [ChangedResource(resource, redactor) for resource in plan.select(Verb.REPLACE)]
    changed = [ChangedResource(resource, redactor) for resource in plan.select(Verb.CHANGE)]
    for resource in replaced:
        if not resource.is_consequence:
            yield from resource.describe_replacement()
    yield from _list_consequences("REPLACE, since what it refers to is known only after the apply", replaced)
    yield from _list_reasons("DESTROY", plan.select(Verb.DESTROY))
    yield from _list_reasons("FORGET: stays in Azure, leaves the state", plan.select(Verb.FORGET))
    yield from _list_protection(plan, changed)
    for resource in changed:
        if not resource.is_consequence:
            yield from resource.describe_change()
    yield from _list_consequences("CHANGE, since what it refers to is known only after the apply", changed)
    yield from _list_creations(plan)
    yield from _list_outputs(plan)
    yield from format_section("IMPORT: is there already, and enters the state", list_imports(plan), "address", "id")
    yield from _list_moves(plan)
    yield from _list_deleted_outside(plan)


def list_imports(plan: Plan) -> list[tuple[str, str]]:
    """Return the address and the ID of every resource that an `import` block takes into the state."""
    return [(resource.title, resource.change.importing.id) for resource in plan.managed if resource.change.importing]


def _list_consequences(title: str, resources: Sequence[ChangedResource]) -> Iterator[str]:
    rows = [
        (consequence.resource.title, ", ".join(cause.attribute for cause in consequence.causes))
        for consequence in resources
        if consequence.is_consequence
    ]
    yield from format_section(title, rows, "address", "refers by")


def _list_reasons(title: str, resources: Sequence[ResourceChange]) -> Iterator[str]:
    rows = [(resource.title, resource.reason) for resource in resources]
    yield from format_section(title, rows, "address", "why")


def _list_protection(plan: Plan, changed: Sequence[ChangedResource]) -> Iterator[str]:
    """Yield the section about locks and policies that come, change or go, and about what can be recovered."""
    rows = [
        (resource.title, PROTECTION[verb])
        for resource in plan.select(*Verb)
        if resource.type in PROTECTS and (verb := resource.verb)
    ]
    for resource in changed:
        rows += resource.list_recovery_changes()
    yield from format_section("PROTECTION", rows, "address", "what happens")


def _list_creations(plan: Plan) -> Iterator[str]:
    """Yield the creations by type: there may be hundreds, and the diff of the pull request has every one of them."""
    names_by_type: defaultdict[str, list[str]] = defaultdict(list)
    for resource in plan.select(Verb.CREATE):
        names_by_type[resource.type].append(resource.title.removeprefix(f"{resource.type}."))
    rows = [
        (type_, len(names), textwrap.fill(", ".join(names), WIDTH // 2, break_long_words=False))
        for type_, names in sorted(names_by_type.items())
    ]
    yield from format_section("CREATE", rows, "type", "number", "names")


def _list_outputs(plan: Plan) -> Iterator[str]:
    rows = [(name, str(change.verb)) for name, change in plan.output_changes.items() if change.verb]
    yield from format_section("OUTPUTS", rows, "name", "what happens")


def _list_moves(plan: Plan) -> Iterator[str]:
    rows = [(resource.previous_address, resource.title) for resource in plan.managed if resource.previous_address]
    yield from format_section("MOVED", rows, "from", "to")


def _list_deleted_outside(plan: Plan) -> Iterator[str]:
    """Yield what somebody has deleted without Terraform.

    What somebody has changed is left out: the plan changes it back, so it is in the section CHANGE. And the provider
    reports many attributes as changed that nobody has touched.
    """
    rows = [(resource.title,) for resource in plan.resource_drift if resource.verb is Verb.DESTROY]
    yield from format_section("DELETED OUTSIDE OF TERRAFORM since the last apply", rows, "address")
