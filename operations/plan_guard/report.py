"""The guard's report: what a plan does and whether it may be applied, for a terminal and for a pull request."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from operations.plan_guard.judge import Loss
from operations.plan_guard.layout import format_paragraph
from operations.plan_guard.sections import describe_plan, list_imports
from operations.terraform.plan import Plan, Verb

COMMENT_LENGTH = 60_000
"""How many characters of a report fit into a comment, with its title and its notes. GitHub's limit is 65,536."""

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

    def format_text(self) -> str:
        """Return the whole report, without a sensitive value."""
        return "\n".join([self.title, *self.notes, *describe_plan(self.plan), *self._describe_refusal()])

    def format_markdown(self) -> str:
        """Return the report as a comment for GitHub, which is cut if it would be too long."""
        refusal = "\n".join(self._describe_refusal()).strip()
        body = _cut("\n".join(describe_plan(self.plan)).strip())
        notes = [f"- {note}" for note in self.notes]
        code_blocks = [f"{FENCE}text\n{part}\n{FENCE}" for part in (refusal, body) if part]
        return "\n\n".join([f"## {self.title}", *notes, *code_blocks]) + "\n"

    def _describe_refusal(self) -> Iterator[str]:
        if self.may_be_applied:
            return
        yield f"\nREFUSED: this plan must not be applied to {self.stack}."
        for reason in self.mismatches:
            yield format_paragraph(reason)
        for loss in self.refused:
            yield format_paragraph(f"{loss.title} would be {WHAT_GOES[loss.verb]} {loss.lost}.")
        if self.refused and not self.mismatches:  # with a mismatch, allowing the losses would not help
            yield "If that is meant, name each address:"
            # A resource and its deposed object have the same address.
            for address in dict.fromkeys(loss.address for loss in self.refused):
                yield f"  --allow-loss '{address}'"


def _cut(body: str) -> str:
    """Return the text, cut after a whole line if it is longer than COMMENT_LENGTH."""
    if len(body) <= COMMENT_LENGTH:
        return body
    beginning = body[:COMMENT_LENGTH].rsplit("\n", maxsplit=1)[0]
    return f"{beginning}\n... {len(body) - len(beginning)} more characters: run the guard to read them"
