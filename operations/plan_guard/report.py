"""The guard's report: what a plan does and whether it may be applied, for a terminal and for a pull request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from operations.plan_guard.judge import Loss
from operations.plan_guard.layout import WIDTH, indent
from operations.plan_guard.sections import describe_first, describe_plan, list_imports
from operations.terraform.plan import Plan, Verb

COMMENT_LENGTH = 60_000
"""How many characters of a report fit into a comment, with its title and its notes. GitHub's limit is 65,536."""

FIRST = "LOOK HERE FIRST"
"""The heading above what is opened, granted, unlocked, or kept for a shorter time."""

COMMENT_WIDTH = 100
"""How many characters of a line GitHub shows beside each other in a code block. It does not break lines there."""

FENCE = "~~~~~~"
"""Starts and ends a code block in Markdown. No line of a report begins with it: addresses begin with a letter, and
values are quoted."""

WHAT_GOES = {
    Verb.REPLACE: "replaced, and with it would go",
    Verb.DESTROY: "destroyed, and with it would go",
    Verb.FORGET: "forgotten, and Terraform would no longer keep",
    Verb.CHANGE: "changed in place, and with it would go",
    None: "run, and with it could go",
}


@dataclass(frozen=True)
class Report:
    """What the guard has found out about a plan."""

    stack: str
    plan: Plan
    refused: Sequence[Loss]
    """What would be lost although nobody has allowed it."""
    mismatches: Sequence[str]
    """Why the plan must not be applied to this stack, or not now."""
    notes: Sequence[str] = ()
    """Where the plan comes from, and what was not checked."""

    @property
    def may_be_applied(self) -> bool:
        """Whether nothing is lost that nobody allowed, and the plan still fits the stack."""
        return not self.refused and not self.mismatches

    @property
    def title(self) -> str:
        """How many resources are changed in which way, and the verdict."""
        counts = [f"{len(resources)} to {verb}" for verb in Verb if (resources := self.plan.select(verb))]
        if imports := list_imports(self.plan):
            counts.append(f"{len(imports)} to import")
        verdict = "" if self.may_be_applied else " REFUSED"
        return f"Plan of {self.stack}: {', '.join(counts) or 'no resource changes'}.{verdict}"

    def format_text(self, width: int = WIDTH) -> str:
        """Return the whole report, without a sensitive value. `width` is the number of characters in a line."""
        first = list(describe_first(self.plan, width))
        heading = [f"\n{FIRST}"] if first else []
        rest = describe_plan(self.plan, width)
        return "\n".join([self.title, *self.notes, *heading, *first, *rest, *self._describe_refusal(width)])

    def format_markdown(self) -> str:
        """Return the report as a comment for GitHub, which is cut if it would be too long."""
        parts = {
            "": self._describe_refusal(COMMENT_WIDTH),
            f"### {FIRST}": describe_first(self.plan, COMMENT_WIDTH),
            "### ALL CHANGES": describe_plan(self.plan, COMMENT_WIDTH),
        }
        sections = [f"## {self.title}", *(f"- {note}" for note in self.notes)]
        left = COMMENT_LENGTH
        for heading, lines in parts.items():
            if text := "\n".join(lines).strip("\n"):
                shown = _cut(text, left)
                left = max(0, left - len(shown))
                sections += [heading] if heading else []
                sections.append(f"{FENCE}text\n{shown}\n{FENCE}")
        return "\n\n".join(sections) + "\n"

    def _describe_refusal(self, width: int) -> Iterator[str]:
        if self.may_be_applied:
            return
        yield f"\nREFUSED: this plan must not be applied to {self.stack}."
        for reason in self.mismatches:
            yield indent(reason, width)
        for loss in self.refused:
            yield indent(f"{loss.title} would be {WHAT_GOES[loss.verb]} {loss.lost}.", width)
        if self.refused and not self.mismatches:  # with a mismatch, allowing the losses would not help
            yield "If that is meant, name each address:"
            # A resource and its deposed object have the same address.
            for address in dict.fromkeys(loss.address for loss in self.refused):
                yield f"  --allow-loss '{address}'"


def _cut(body: str, length: int) -> str:
    """Return the text, cut after a whole line if it is longer than that."""
    if len(body) <= length:
        return body
    beginning = body[:length].rsplit("\n", maxsplit=1)[0]
    return f"{beginning}\n... {len(body) - len(beginning)} more characters: run the guard to read them"
