"""A plan in words, for a terminal and for a comment on a pull request."""

import itertools
import textwrap
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tabulate import tabulate

from operations.plan_guard.holders import PROTECTS, RECOVERY_ATTRIBUTES
from operations.plan_guard.judge import Loss
from operations.plan_guard.values import UNKNOWN, Difference, Redactor, visible_path
from operations.terraform.plan import Plan, ResourceChange, Verb

WIDTH = 120
COMMENT_LENGTH = 60_000
"""GitHub takes 65,536 characters a comment."""

FENCE = "~~~~~~"
"""No line of a report begins like this: addresses begin with a letter, and values are quoted."""


@dataclass(frozen=True)
class Report:
    """What the guard has found out about a plan."""

    stack: str
    plan: Plan
    refused: Sequence[Loss]
    """What would be lost, and nobody has named."""
    mismatches: Sequence[str]
    """Why the plan is not one to apply here and now."""
    notes: Sequence[str] = ()
    """Where the plan comes from, and what was not looked at."""

    @property
    def nothing_lost(self) -> bool:
        """Whether the plan may be applied."""
        return not self.refused and not self.mismatches

    @property
    def title(self) -> str:
        """The counts, and the verdict."""
        counts = [f"{len(found)} to {verb}" for verb in Verb if (found := self.plan.select(verb))]
        if imported := _imported(self.plan):
            counts.append(f"{len(imported)} to import")
        verdict = "" if self.nothing_lost else " REFUSED"
        return f"Plan of {self.stack}: {', '.join(counts) or 'no resource changes'}.{verdict}"

    def text(self) -> str:
        """The whole report, without a sensitive value."""
        return "\n".join([self.title, *self.notes, *self._body(), *self._refusal()])

    def markdown(self) -> str:
        """The whole report for GitHub, cut where a comment would be too long."""
        body = "\n".join(self._body()).strip()
        if len(body) > COMMENT_LENGTH:
            shown = body[:COMMENT_LENGTH].rsplit("\n", maxsplit=1)[0]
            body = f"{shown}\n... {len(body) - len(shown)} more characters: run the guard to read them"
        refusal = "\n".join(self._refusal()).strip()
        fenced = [f"{FENCE}text\n{part}\n{FENCE}" for part in (refusal, body) if part]
        return "\n\n".join([f"## {self.title}", *(f"- {note}" for note in self.notes), *fenced]) + "\n"

    def _body(self) -> Iterator[str]:
        """What happens, the worst first."""
        plan, redactor = self.plan, Redactor(self.plan)
        replaced = [_Changed(each, redactor) for each in plan.select(Verb.REPLACE)]
        changed = [_Changed(each, redactor) for each in plan.select(Verb.CHANGE)]
        yield from itertools.chain.from_iterable(each.in_detail() for each in replaced if not each.follows)
        yield from _following(replaced, "REPLACE, since what it refers to is known only after the apply")
        for verb, title in ((Verb.DESTROY, "DESTROY"), (Verb.FORGET, "FORGET: stays in Azure, leaves the state")):
            rows = [(each.title, each.reason) for each in plan.select(verb)]
            yield from _section(title, rows, "address", "why")
        protecting = [each for each in plan.select(*Verb) if each.type in PROTECTS]
        rows = [(each.title, _PROTECTION[verb]) for each in protecting if (verb := each.verb)]
        rows += itertools.chain.from_iterable(each.recovery() for each in changed)
        yield from _section("PROTECTION", rows, "address", "what happens")
        yield from itertools.chain.from_iterable(each.in_detail() for each in changed if not each.follows)
        yield from _following(changed, "CHANGE, since what it refers to is known only after the apply")
        yield from _section("CREATE", list(_created(plan)), "type", "number", "names")
        outputs = [(name, str(change.verb)) for name, change in plan.output_changes.items() if change.verb]
        yield from _section("OUTPUTS", outputs, "name", "what happens")
        yield from _section("IMPORT: is there already, and enters the state", _imported(plan), "address", "id")
        moved = [(each.previous_address, each.title) for each in plan.managed if each.previous_address]
        yield from _section("MOVED", moved, "from", "to")
        # What was merely changed is above, where the plan changes it back; the provider reports much else as changed.
        deleted = [(each.title,) for each in plan.resource_drift if each.verb is Verb.DESTROY]
        yield from _section("DELETED OUTSIDE OF TERRAFORM since the last apply", deleted, "address")

    def _refusal(self) -> Iterator[str]:
        if self.nothing_lost:
            return
        yield f"\nREFUSED: this plan must not be applied to {self.stack}."
        for reason in self.mismatches:
            yield _indented(reason)
        for resource, verb, lost in self.refused:
            yield _indented(f"{resource.title} would be {_GONE[verb]} {lost}.")
        if self.refused and not self.mismatches:  # else naming them would not help
            yield "If that is meant, name each address:"
            addresses = dict.fromkeys(each.resource.address for each in self.refused)
            yield from (f"  --allow-loss '{address}'" for address in addresses)


_GONE = {
    Verb.REPLACE: "replaced, and with it would go",
    Verb.DESTROY: "destroyed, and with it would go",
    Verb.FORGET: "forgotten, and Terraform would no longer keep",
}
_PROTECTION = {
    Verb.CREATE: "is protected from now on",
    Verb.CHANGE: "the protection changes",
    Verb.REPLACE: "unprotected while it is replaced",
    Verb.DESTROY: "no longer protected",
    Verb.FORGET: "stays, and Terraform no longer sees to it",
}


class _Changed:
    """A resource that is changed or replaced, and what of it."""

    def __init__(self, resource: ResourceChange, redactor: Redactor) -> None:
        change = resource.change
        self.resource = resource
        self.rows = redactor.differences(change)
        self.forcing = list(dict.fromkeys(visible_path(path, change) for path in change.replace_paths))

    @property
    def causes(self) -> list[Difference]:
        """The attributes that make it happen: those that force a replacement, or all that change."""
        if self.resource.verb is Verb.REPLACE:
            return [row for row in self.rows if self._forces(row)]
        return self.rows

    @property
    def follows(self) -> bool:
        """Whether it only follows something else: what makes it happen is known after that."""
        return bool(self.causes) and all(row.new == UNKNOWN for row in self.causes)

    def recovery(self) -> Iterator[tuple[str, str]]:
        """The changes of what can be brought back after a bad day."""
        beginnings = RECOVERY_ATTRIBUTES.get(self.resource.type, ())
        for row in self.rows:
            if row.attribute.startswith(beginnings):
                yield self.resource.title, f"{row.attribute}: {row.old} -> {row.new}"

    def in_detail(self) -> Iterator[str]:
        """Why, what changes, and what Azure sets anew."""
        verb = self.resource.verb
        yield f"\n{str(verb).upper()} {self.resource.title}"
        if verb is Verb.REPLACE:
            why = f"because {self.resource.reason or 'Terraform does not say why'}"
            yield _indented(f"{why}: {', '.join(self.forcing)}" if self.forcing else why)
            told = [row for row in self.rows if row.new != UNKNOWN or self._forces(row)]
            rows = [(*row, "forces the replacement" if self._forces(row) else "") for row in told]
            yield from _table(rows, "attribute", "old", "new", "")
            if anew := [row.attribute for row in self.rows if row not in told]:
                yield _indented(f"Azure sets anew: {', '.join(anew)}")
        else:
            yield from _table(self.rows, "attribute", "old", "new")

    def _forces(self, row: Difference) -> bool:
        """Whether this attribute, or one above it, forces the replacement."""
        return any(f"{row.attribute}.".startswith((f"{path}.", f"{path}[")) for path in self.forcing)


def _following(found: list[_Changed], title: str) -> Iterator[str]:
    rows = [(each.resource.title, ", ".join(row.attribute for row in each.causes)) for each in found if each.follows]
    yield from _section(title, rows, "address", "refers by")


def _imported(plan: Plan) -> list[tuple[str, str]]:
    return [(each.title, each.change.importing.id) for each in plan.managed if each.change.importing]


def _created(plan: Plan) -> Iterator[tuple[str, int, str]]:
    """By type: nobody reads a hundred creations one by one, and each is in the pull request's diff."""
    by_type: defaultdict[str, list[str]] = defaultdict(list)
    for each in plan.select(Verb.CREATE):
        by_type[each.type].append(each.title.removeprefix(f"{each.type}."))
    for type_, names in sorted(by_type.items()):
        yield type_, len(names), textwrap.fill(", ".join(names), WIDTH // 2, break_long_words=False)


def _section(title: str, rows: Sequence[Sequence[object]], *headers: str) -> Iterator[str]:
    if rows:
        yield f"\n{title}"
        yield from _table(rows, *headers)


def _table(rows: Sequence[Sequence[object]], *headers: str) -> Iterator[str]:
    if rows:
        # Values are text: tabulate would write "1.10" as 1.1.
        yield textwrap.indent(tabulate(rows, headers=headers, disable_numparse=True), "  ")


def _indented(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
