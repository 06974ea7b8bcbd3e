"""Plan a stack, let the guard judge the plan, ask, and apply that very plan: `python -m scripts.deploy STACK`.

Needs Terraform or OpenTofu 1.11 (TERRAFORM_BINARY_NAME=tofu names another than `terraform`), and rights on the stack's
state and resources. The plan file holds sensitive values in clear: it lies in a folder that only its maker can read,
and is gone when the command ends.

Exit codes: 0 applied, or nothing to do; 3 refused by the guard; 1 anything else, also an answer that is not the name.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from environments import SettingsError, load
from scripts import synth
from scripts.plan_guard.guard import Guard
from scripts.plan_guard.judge import Place
from scripts.plan_guard.origin import Origin
from scripts.plan_guard.plan import PlanError
from scripts.plan_guard.terraform import STACKS, Terraform, TerraformError

REFUSED = 3
LOCK_TIMEOUT = "-lock-timeout=10m"
"""A colleague's apply is waited for; docs/operations/runbook/state-unlock.md says what else may hold the lock."""

NO_CHANGES, CHANGES = 0, 2


def deploy(terraform: Terraform, guard: Guard, *, ask: Callable[[str], str]) -> int:
    """Plan, judge, ask and apply; the exit code.

    Raises:
        PlanError: an address that may be lost is not lost in the plan.
        TerraformError: Terraform failed.
    """
    stack = guard.place.stack
    _done(terraform.run("init", "-input=false", quiet=True), "init")
    with tempfile.TemporaryDirectory(prefix=f"plan-{stack}-") as folder:
        plan = Path(folder) / f"{stack}.tfplan"
        state = terraform.state()
        print(f"Planning {stack}.", flush=True)
        outcome = terraform.run("plan", "-input=false", "-detailed-exitcode", LOCK_TIMEOUT, f"-out={plan}", quiet=True)
        if outcome == NO_CHANGES:
            print(f"{stack} is as it should be: nothing to apply.")
            return 0
        if not plan.exists():
            raise TerraformError(f"The plan of {stack} failed, with {outcome}; nothing was changed.")
        # A plan that prevent_destroy has stopped is written all the same: the guard says what it would have lost.
        Origin.of(plan, terraform, state=state).write(plan)
        report = guard.judge_file(plan, terraform)
        print(report.text(), flush=True)
        if not report.nothing_lost:
            return REFUSED
        if ask(f"\nApply this plan? Type {stack}: ").strip() != stack:
            print("Nothing was changed.")
            return 1
        _done(terraform.run("apply", "-input=false", LOCK_TIMEOUT, str(plan)), "apply")
    print(f"{stack} is deployed.")
    return 0


def _done(code: int, command: str) -> None:
    if code:
        raise TerraformError(f"`{command}` failed, with {code}.")


def _answer(question: str) -> str:
    """What somebody types; nothing where nobody is there to type."""
    try:
        return input(question)
    except EOFError:
        print()
        return ""


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.deploy", description="Deploy one stack, past the guard.")
    parser.add_argument("stack", help="an environment, or `shared`")
    parser.add_argument(
        "--allow-loss", action="append", default=[], metavar="ADDRESS", help="may be lost; once for each address"
    )
    arguments = parser.parse_args()
    try:
        place = Place.of(arguments.stack, load())
        synth.synthesize(STACKS.parent, only=place.stack)
        return deploy(Terraform.of(STACKS / place.stack), Guard(place, arguments.allow_loss), ask=_answer)
    except (PlanError, TerraformError, SettingsError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
