"""Plan a stack, let the guard judge the plan, ask, and apply that very plan: `python -m operations.deploy STACK`.

Needs Terraform or OpenTofu 1.11 (TERRAFORM_BINARY_NAME=tofu names another than `terraform`), and rights on the stack's
state and resources. operations/preflight.py first checks as much of that as can be seen from here. The plan file holds
sensitive values in clear: it lies in a folder that only its maker can read, and is gone when the command ends.

Exit codes: 0 applied, or nothing to do; 3 refused by the guard; 2 the command is written wrongly; 1 anything else, also
an answer that is not the name.
"""

import argparse
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from environments import ENVIRONMENTS, SettingsError, load
from operations import preflight
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import SHARED, Place
from operations.plan_guard.origin import DIRTY, Origin, checked_out
from operations.terraform.plan import PlanError
from operations.terraform.runner import STACKS, Terraform, TerraformError

REFUSED = 3
LOCK_TIMEOUT = "-lock-timeout=10m"
"""A colleague's apply is waited for; docs/operations/runbook/state-unlock.md says what else may hold the lock."""

PARALLELISM = "-parallelism=30"
"""For the apply alone, whose time is the provider's waiting: production's 14 metric alerts wait 135 s each, its 8 locks
110 s each. A saved plan is not refreshed, so that its requests come slowly, and its writes, fewer than 200 in a whole
stack, fit into what Azure takes from one principal at once. A plan keeps Terraform's 10: it reads everything as fast as
it can, against a bucket of 250 reads and 25 more a second.
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

NO_CHANGES, CHANGES = 0, 2


def deploy(terraform: Terraform, guard: Guard, *, ask: Callable[[str], str]) -> int:
    """Plan, judge, ask and apply; the exit code.

    Raises:
        PlanError: an address that may be lost is not lost in the plan.
        TerraformError: Terraform failed.
    """
    stack = guard.place.stack
    print(f"Initializing {stack}.", flush=True)
    init = terraform.run("init", "-input=false", on_line=_tell, stderr_to_terminal=True)
    if init.code:
        raise TerraformError(
            f"`init` failed, with {init.code}; nothing was changed. "
            "scripts/bootstrap-state.sh makes the state's account."
        )
    with tempfile.TemporaryDirectory(prefix=f"plan-{stack}-") as folder:
        plan = Path(folder) / f"{stack}.tfplan"
        state = terraform.read_state_head()
        print(f"Planning {stack}.", flush=True)
        options = ["-input=false", "-detailed-exitcode", LOCK_TIMEOUT, f"-out={plan}"]
        outcome = terraform.run("plan", *options, on_line=_tell, stderr_to_terminal=True).code
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
        # The question may have been open for long.
        report = guard.judge_file(plan, terraform)
        if not report.nothing_lost:
            print(report.text())
            return REFUSED
        if code := terraform.run_in_terminal("apply", "-input=false", LOCK_TIMEOUT, PARALLELISM, str(plan)):
            raise TerraformError(
                f"`apply` ended with {code}. What it has made is in Azure and in the state: run this again. "
                "For `already exists`: docs/operations/runbook/already-exists.md"
            )
    print(f"{stack} is deployed.")
    return 0


def _tell(line: str) -> None:
    """Of what Terraform prints before there is a plan, what takes long; the guard's report is in place of the rest."""
    if "Acquiring state lock" in line:
        print("Waiting for the state's lock, 10 minutes at most: docs/operations/runbook/state-unlock.md", flush=True)
    elif "- Installing " in line or "Refreshing state..." in line:
        print(f"  {line.strip()}", flush=True)


def synthesize(stack: str) -> None:
    """Synthesize the stack, in a process of its own: a Ctrl-C that is meant for Terraform would end jsii's, too.

    Raises:
        PlanError: it failed, and has said why.
    """
    command = [sys.executable, "-m", "tools.synth", stack]
    if code := subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:  # noqa: S603
        raise PlanError(f"{stack} cannot be synthesized: `{' '.join(command[1:])}` failed, with {code}.")


def unready() -> list[str]:
    """All that keeps any stack from being deployed from here, in sentences."""
    found = preflight.missing()
    try:
        if checked_out().endswith(DIRTY):
            found.append("Tracked files differ from the commit: commit first, so that it says what was deployed.")
    except PlanError as error:
        found.append(str(error))
    return found


def _answer(question: str) -> str:
    """What somebody types; nothing where nobody is there to type."""
    try:
        return input(question)
    except EOFError:
        print()
        return ""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m operations.deploy", description="Deploy one stack, past the guard."
    )
    parser.add_argument("stack", choices=[SHARED, *ENVIRONMENTS], help="an environment, or `shared`")
    parser.add_argument(
        "--allow-loss", action="append", default=[], metavar="ADDRESS", help="may be lost; once for each address"
    )
    arguments = parser.parse_args()
    # Ended by another program or with its terminal, it removes the plan file all the same.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: sys.exit(1))
    if found := unready():
        print(preflight.in_words("deploy", found), file=sys.stderr)
        return 1
    try:
        place = Place.of(arguments.stack, load())
        synthesize(place.stack)
        return deploy(Terraform.for_stack(STACKS / place.stack), Guard(place, arguments.allow_loss), ask=_answer)
    except (PlanError, TerraformError, SettingsError) as error:
        print(f"deploy: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:  # never during an apply, which Terraform ends by itself
        print("\ndeploy: interrupted; nothing was changed.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
