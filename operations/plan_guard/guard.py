"""The guard itself: a plan in, a report with its verdict out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from operations.plan_guard.judge import MAXIMUM_AGE, Place, mismatches, unexpected
from operations.plan_guard.origin import Origin
from operations.plan_guard.report import Report
from operations.terraform.plan import Plan, read_plan
from operations.terraform.runner import Terraform


@dataclass(frozen=True)
class Guard:
    """Judges the plans of one stack."""

    place: Place
    allowed: Sequence[str] = ()
    """The addresses that may be lost."""
    maximum_age: timedelta = MAXIMUM_AGE

    def judge_json(self, shown: str | bytes, *, now: datetime | None = None) -> Report:
        """Judge what `terraform show -json PLAN` has printed.

        Raises:
            PlanError: it is no plan, or an allowed address is not lost in it.
        """
        plan = read_plan(shown)
        return Report(
            stack=self.place.stack,
            plan=plan,
            refused=unexpected(plan, self.place, self.allowed),
            mismatches=list(mismatches(plan, self.place, now=now or datetime.now(UTC), maximum_age=self.maximum_age)),
            notes=list(self._notes(plan)),
        )

    def _notes(self, plan: Plan) -> Iterator[str]:
        if self.place.disposable:
            yield f"{self.place.stack} is disposable: it may lose everything."
        if self.allowed:
            yield f"Allowed to be lost: {', '.join(self.allowed)}."
        if not plan.complete and not plan.errored:
            yield "A part of a plan, by -target or deferral: plan again after it."

    def judge_file(self, plan_file: Path, terraform: Terraform) -> Report:
        """Judge a plan file, and compare what it was made from with what there is now.

        Raises:
            PlanError: it is no plan, nobody has stamped it, or an allowed address is not lost in it.
            TerraformError: it, or the state, cannot be read.
        """
        origin = Origin.beside(plan_file)
        now = Origin.of(plan_file, terraform, state=terraform.read_state_head())
        report = self.judge_json(terraform.show_plan(plan_file))
        return replace(
            report,
            mismatches=[*origin.mismatches(now), *report.mismatches],
            notes=[f"Commit {origin.commit}.", f"SHA-256 of the plan file: {now.plan_sha256}", *report.notes],
        )
