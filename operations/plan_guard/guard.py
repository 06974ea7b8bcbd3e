"""The plan guard: it takes a plan, judges it, and returns a report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from operations.plan_guard.judge import MAXIMUM_AGE, StackTarget, find_mismatches, find_unexpected_losses
from operations.plan_guard.origin import Origin
from operations.plan_guard.report import Report
from operations.terraform.plan import Plan, read_plan
from operations.terraform.runner import Terraform


@dataclass(frozen=True)
class Guard:
    """Judges the plans of one stack."""

    target: StackTarget
    allowed: Sequence[str] = ()
    """The addresses that may be lost, exactly as the plan has them."""
    maximum_age: timedelta = MAXIMUM_AGE

    def judge_json(self, plan_json: str | bytes, *, now: datetime | None = None) -> Report:
        """Judge the output of `terraform show -json PLAN`.

        `now` is the time at which the plan's age is measured, by default the current time.

        Raises:
            PlanError: it is no plan, or an address is allowed that the plan does not lose.
        """
        plan = read_plan(plan_json)
        mismatches = find_mismatches(plan, self.target, now=now or datetime.now(UTC), maximum_age=self.maximum_age)
        return Report(
            stack=self.target.stack,
            plan=plan,
            refused=find_unexpected_losses(plan, self.target, self.allowed),
            mismatches=list(mismatches),
            notes=list(self._write_notes(plan)),
        )

    def judge_file(self, plan_file: Path, terraform: Terraform) -> Report:
        """Judge a plan file, and compare what it was made from with what there is now.

        Raises:
            PlanError: it is no plan, nobody has stamped it, or an address is allowed that the plan does not lose.
            TerraformError: the plan file or the state cannot be read.
        """
        origin = Origin.load(plan_file)
        current = Origin.determine(plan_file, terraform, state=terraform.read_state_head())
        report = self.judge_json(terraform.show_plan(plan_file))
        return replace(
            report,
            mismatches=[*origin.find_mismatches(current), *report.mismatches],
            notes=[f"Commit {origin.commit}.", f"SHA-256 of the plan file: {current.plan_sha256}", *report.notes],
        )

    def _write_notes(self, plan: Plan) -> Iterator[str]:
        if self.target.disposable:
            yield f"{self.target.stack} is disposable: it may lose everything."
        if self.allowed:
            yield f"Allowed to be lost: {', '.join(self.allowed)}."
        if plan.deferred_changes:
            addresses = ", ".join(deferred.resource_change.address for deferred in plan.deferred_changes)
            yield f"Terraform cannot plan these yet, so nothing is known of them: {addresses}. Plan again after it."
        elif not plan.complete and not plan.errored:
            yield "A part of a plan, by -target or deferral: plan again after it."
        for check in plan.failed_checks:
            yield f"A check of the code does not hold: {check}"
