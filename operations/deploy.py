"""Plan a stack, let the guard judge the plan, ask, and apply exactly that plan: `python -m operations.deploy STACK`.

It needs Terraform or OpenTofu 1.11 or newer (TERRAFORM_BINARY_NAME=tofu names another command than `terraform`), and
rights on the stack's state and resources. operations/preflight.py first checks as much of this as it can.

With `--plan-only` it stops after the guard's report: it asks nothing, applies nothing and locks nothing, and the
checkout may have uncommitted changes.

The plan file contains sensitive values in clear text. It is in a folder that only its owner can read, and is deleted
when the command ends.

Exit codes: 0 applied, planned, or nothing to do; 3 refused by the guard; 2 the command line is wrong; 1 everything
else, also an answer that is not the name of the stack.
"""

import argparse
import contextlib
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from dataclasses import replace
from pathlib import Path

from environments import ENVIRONMENTS, Environment, SettingsError, load
from operations import preflight
from operations.evidence import find_evidence_problems
from operations.output import discard_output
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import SHARED, StackTarget
from operations.plan_guard.layout import get_terminal_width
from operations.plan_guard.live import find_outdated_images
from operations.plan_guard.origin import DIRTY, Origin, read_commit
from operations.terraform.plan import PlanError, read_plan
from operations.terraform.runner import STACKS, Terraform, TerraformError, find_other_files, find_warnings
from operations.terraform.state import read_state_head

REFUSED = 3
LOCK_TIMEOUT = "-lock-timeout=10m"
"""Wait so long for a colleague's apply. docs/operations/runbook/state-unlock.md says what else may hold the lock."""

PARALLELISM = "-parallelism=30"
"""How many resources Terraform applies at the same time. It is an option of the apply only.

An apply spends its time waiting in the provider: production's 14 metric alerts wait 135 s each, its 8 locks 110 s each.
A saved plan is not refreshed, so an apply reads little at once, and its writes, fewer than 200 in a whole stack, fit
into what Azure accepts from one principal at once. A plan keeps Terraform's default of 10, because it reads everything
as fast as it can, and Azure allows 250 reads at once and 25 more each second.
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
"""

NO_LOCK = "-lock=false"
"""Plan without the state's lock: nobody has to wait for a plan that will not be applied."""


def preview(terraform: Terraform, guard: Guard, *, environment: Environment | None = None) -> int:
    """Plan, print what the guard says about the plan, and return the exit code. Nothing is changed or locked.

    Raises:
        PlanError: an address is allowed to be lost that the plan does not lose.
        TerraformError: Terraform failed.
    """
    stack = guard.target.stack
    _initialize(terraform, stack)
    _check_evidence(terraform.pull_state(), environment)
    with _make_plan(terraform, stack, NO_LOCK) as plan_file:
        if plan_file is None:
            return 0
        # The origin of the plan does not matter, because nobody applies it.
        report = guard.judge_json(terraform.show_plan(plan_file))
    print(f"{report.format_text(get_terminal_width())}\nNothing was changed.")
    return 0 if report.may_be_applied else REFUSED


def deploy(
    terraform: Terraform, guard: Guard, *, ask: Callable[[str], str], environment: Environment | None = None
) -> int:
    """Plan, judge, ask and apply, and return the exit code.

    Args:
        terraform: Terraform in the folder of the synthesized stack.
        guard: Judges the plan.
        ask: Gets a question and returns the answer. The plan is applied only if that is the name of the stack.
        environment: The environment's settings; None for the shared stack.

    Raises:
        PlanError: an address is allowed to be lost that the plan does not lose.
        TerraformError: Terraform failed.
    """
    stack = guard.target.stack
    _initialize(terraform, stack)
    content = terraform.pull_state()
    _check_evidence(content, environment)
    state = read_state_head(content)
    with _make_plan(terraform, stack, LOCK_TIMEOUT) as plan_file:
        if plan_file is None:
            return 0
        Origin.determine(plan_file, terraform, state=state).save(plan_file)
        report = guard.judge_file(plan_file, terraform)
        print(report.format_text(get_terminal_width()), flush=True)
        if not report.may_be_applied:
            return REFUSED
        if ask(f"\nApply this plan? Type {stack}: ").strip() != stack:
            print("Nothing was changed.")
            return 1
        # The answer may have taken a long time, so judge the plan once more.
        report = guard.judge_file(plan_file, terraform)
        outdated = list(find_outdated_images(report.plan, terraform))
        report = replace(report, mismatches=[*report.mismatches, *outdated])
        if not report.may_be_applied:
            print(report.format_text(get_terminal_width()))
            return REFUSED
        _apply(terraform, plan_file)
    print(f"{stack} is deployed.")
    return 0


def _initialize(terraform: Terraform, stack: str) -> None:
    if strangers := find_other_files(terraform.folder):
        raise TerraformError("\n".join(strangers))
    print(f"Initializing {stack}.", flush=True)
    init = terraform.run("init", "-input=false", on_line=_print_long_wait, stderr_to_terminal=True)
    if init.code:
        raise TerraformError(
            f"`init` failed, with {init.code}; nothing was changed. "
            "scripts/bootstrap-state.sh makes the state's account."
        )


def _check_evidence(state: str, environment: Environment | None) -> None:
    """Raise TerraformError if the apply would end at a locked immutability policy."""
    if environment and (problems := list(find_evidence_problems(state, environment))):
        raise TerraformError("\n".join(problems))


@contextlib.contextmanager
def _make_plan(terraform: Terraform, stack: str, lock_option: str) -> Generator[Path | None]:
    """Plan, and give the plan file to the block; None if there is nothing to apply, which the user is told.

    Only its owner can read the folder of the plan file. It is deleted when the block ends.
    """
    print(f"Planning {stack}.", flush=True)
    with tempfile.TemporaryDirectory(prefix=f"plan-{stack}-") as folder:
        plan_file = Path(folder) / f"{stack}.tfplan"
        options = ["-input=false", lock_option, f"-out={plan_file}"]
        plan = terraform.run("plan", *options, on_line=_print_long_wait, stderr_to_terminal=True)
        print(*find_warnings(plan.output), sep="\n", end="", flush=True)
        # Terraform also writes a plan that prevent_destroy has stopped. The guard says what it would have lost.
        if not plan_file.exists():
            raise TerraformError(f"The plan of {stack} failed, with {plan.code}; nothing was changed.")
        # The plan itself says whether there is anything to apply. An exit code passes through wrappers.
        made = read_plan(terraform.show_plan(plan_file))
        if not made.has_changes and not made.errored:
            print(f"{stack} is as it should be: nothing to apply.")
            yield None
            return
        yield plan_file


def _apply(terraform: Terraform, plan_file: Path) -> None:
    if code := terraform.run_in_terminal("apply", "-input=false", LOCK_TIMEOUT, PARALLELISM, str(plan_file)):
        raise TerraformError(
            f"`apply` ended with {code}. What it has made is in Azure and in the state: run this again. "
            "For `already exists`: docs/operations/runbook/already-exists.md"
        )


def _print_long_wait(line: str) -> None:
    """Until there is a plan, print only the lines that explain a long wait. The guard's report replaces the others."""
    if "Acquiring state lock" in line:
        print("Waiting for the state's lock, 10 minutes at most: docs/operations/runbook/state-unlock.md", flush=True)
    elif "- Installing " in line or "Refreshing state..." in line:
        print(f"  {line.strip()}", flush=True)


def synthesize(stack: str) -> None:
    """Synthesize the stack in a process of its own. In this process, a Ctrl-C meant for Terraform would also end jsii.

    Raises:
        PlanError: it failed, and has printed why.
    """
    command = [sys.executable, "-m", "tools.synth", stack]
    if code := subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:  # noqa: S603
        raise PlanError(f"{stack} cannot be synthesized: `{' '.join(command[1:])}` failed, with {code}.")


def find_obstacles(stack: str, *, plan_only: bool = False) -> list[str]:
    """Return everything that prevents a deployment from this checkout, or only a plan, in sentences."""
    obstacles = preflight.find_missing(makes_trust=stack == SHARED and not plan_only)
    if plan_only:
        return obstacles
    try:
        if read_commit().endswith(DIRTY):
            obstacles.append("Tracked files differ from the commit: commit first, so that it says what was deployed.")
    except PlanError as error:
        obstacles.append(str(error))
    return obstacles


def _ask_in_terminal(question: str) -> str:
    """Return what the user types, or an empty text if there is no terminal."""
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
    parser.add_argument("--plan-only", action="store_true", help="stop after the guard's report, and change nothing")
    arguments = parser.parse_args()
    # An exit by sys.exit deletes the plan file, also if another program ends this one or its terminal is closed.
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda _number, _frame: sys.exit(1))
    command = "plan" if arguments.plan_only else "deploy"
    if obstacles := find_obstacles(arguments.stack, plan_only=arguments.plan_only):
        print(preflight.format_missing(command, obstacles), file=sys.stderr)
        return 1
    try:
        platform = load()
        target = StackTarget.from_settings(arguments.stack, platform)
        environment = platform.environments.get(arguments.stack)
        synthesize(target.stack)
        terraform = Terraform.for_stack(STACKS / target.stack)
        guard = Guard(target, arguments.allow_loss)
        if arguments.plan_only:
            return preview(terraform, guard, environment=environment)
        return deploy(terraform, guard, ask=_ask_in_terminal, environment=environment)
    except (PlanError, TerraformError, SettingsError) as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # It does not come while Terraform applies: Terraform prints that by itself.
        discard_output()
        return 1
    except KeyboardInterrupt:  # It does not come while Terraform runs: Terraform ends by itself then.
        print(f"\n{command}: interrupted; nothing was changed.", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
