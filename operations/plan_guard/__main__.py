"""The command line of the plan guard, for people and for CI.

    terraform -chdir=cdktf.out/stacks/dev plan -out="$PWD/dev.tfplan"
    python -m operations.plan_guard stamp dev.tfplan --environment dev
    python -m operations.plan_guard check dev.tfplan --environment dev

Run `stamp` right after the plan was made: it writes down what the plan file was made from. Run `check` before the plan
is applied.

Exit codes: 0 the plan may be applied; 3 it is refused; 1 it cannot be judged; 2 the command line is wrong.
"""

import argparse
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from environments import SettingsError, load
from operations.output import discard_output
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import MAXIMUM_AGE, StackTarget
from operations.plan_guard.layout import get_terminal_width
from operations.plan_guard.origin import Origin
from operations.plan_guard.report import Report
from operations.terraform.plan import PlanError
from operations.terraform.runner import STACKS, Terraform, TerraformError

CANNOT_BE_JUDGED, REFUSED = 1, 3
JSON_ALONE = "Read from JSON alone: the commit, the state and the plan file itself were not compared."


class Arguments(argparse.Namespace):
    """The command line."""

    command: str
    plan: Path | None
    environment: str
    stacks: Path
    json: Path | None
    allow_loss: list[str]
    max_age_hours: timedelta
    markdown: Path | None


def parse_hours(text: str) -> timedelta:
    """Return a number of hours as a duration.

    Raises:
        argparse.ArgumentTypeError: the text is no number, or one that a duration cannot have.
    """
    try:
        return timedelta(hours=float(text))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours") from None


def parse_arguments() -> Arguments:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m operations.plan_guard", description="Say what a plan does, and refuse one that loses data."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    stamp = commands.add_parser("stamp", help="write down what a plan file was made from")
    stamp.add_argument("plan", type=Path, help="the plan file")
    check = commands.add_parser("check", help="say what a plan does; exit code 3 when it must not be applied")
    source = check.add_mutually_exclusive_group(required=True)
    source.add_argument("plan", type=Path, nargs="?", help="the plan file, stamped")
    source.add_argument(
        "--json", type=Path, help="instead: what `terraform show -json PLAN` has printed; - reads stdin"
    )
    check.add_argument(
        "--allow-loss", action="append", default=[], metavar="ADDRESS", help="may be lost; once for each address"
    )
    check.add_argument(
        "--max-age-hours", type=parse_hours, default=MAXIMUM_AGE, metavar="HOURS", help=f"default: {MAXIMUM_AGE}"
    )
    check.add_argument("--markdown", type=Path, metavar="FILE", help="write the report for a pull request's comment")
    for command in (stamp, check):
        command.add_argument("--environment", required=True, metavar="STACK", help="the environment, or `shared`")
        command.add_argument("--stacks", type=Path, default=STACKS, help="default: %(default)s")
    return parser.parse_args(namespace=Arguments())


def stamp_plan(plan_file: Path, terraform: Terraform) -> None:
    """Write down what a plan file was made from."""
    Origin.determine(plan_file, terraform, state=terraform.read_state_head()).save(plan_file)


def judge_plan(arguments: Arguments, target: StackTarget) -> Report:
    """Judge the plan file, or the JSON, that the command line names."""
    guard = Guard(target, arguments.allow_loss, arguments.max_age_hours)
    if arguments.plan:
        return guard.judge_file(arguments.plan, Terraform.for_stack(arguments.stacks / target.stack))
    source = str(arguments.json)
    plan_json = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    report = guard.judge_json(plan_json)
    return replace(report, notes=[JSON_ALONE, *report.notes])


def main() -> int:
    arguments = parse_arguments()
    try:
        target = StackTarget.from_settings(arguments.environment, load())
        if arguments.command == "stamp" and arguments.plan:
            stamp_plan(arguments.plan, Terraform.for_stack(arguments.stacks / target.stack))
            return 0
        report = judge_plan(arguments, target)
        if arguments.markdown:
            arguments.markdown.write_text(report.format_markdown(), encoding="utf-8")
    except (PlanError, TerraformError, SettingsError, OSError) as error:
        print(f"plan guard: {error}", file=sys.stderr)
        return CANNOT_BE_JUDGED
    try:
        print(report.format_text(get_terminal_width()), flush=True)
    except BrokenPipeError:
        discard_output()
    return 0 if report.may_be_applied else REFUSED


if __name__ == "__main__":
    sys.exit(main())
