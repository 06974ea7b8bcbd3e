"""The plan guard, for people and for CI.

    terraform -chdir=cdktf.out/stacks/dev plan -out="$PWD/dev.tfplan"
    python -m operations.plan_guard stamp dev.tfplan --environment dev
    python -m operations.plan_guard check dev.tfplan --environment dev

`stamp` writes down what the plan file was made from, right after it was made; `check` runs before it is applied.
Exit codes: 0 nothing lost; 3 refused; 1 the plan cannot be judged; 2 the command is written wrongly.
"""

import argparse
import sys
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from environments import SettingsError, load
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import MAXIMUM_AGE, Place
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


def hours(text: str) -> timedelta:
    """An age, from its hours.

    Raises:
        argparse.ArgumentTypeError: it is no number, or none that a clock knows.
    """
    try:
        return timedelta(hours=float(text))
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(f"{text!r} is no number of hours") from None


def parse() -> Arguments:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m operations.plan_guard", description="Say what a plan does, and refuse one that loses data."
    )
    commands = parser.add_subparsers(dest="command", required=True)
    stamp = commands.add_parser("stamp", help="write down what a plan file was made from")
    stamp.add_argument("plan", type=Path, help="the plan file")
    check = commands.add_parser("check", help="say what a plan does; exit code 3 when it must not be applied")
    what = check.add_mutually_exclusive_group(required=True)
    what.add_argument("plan", type=Path, nargs="?", help="the plan file, stamped")
    what.add_argument("--json", type=Path, help="instead: what `terraform show -json PLAN` has printed; - reads stdin")
    check.add_argument(
        "--allow-loss", action="append", default=[], metavar="ADDRESS", help="may be lost; once for each address"
    )
    check.add_argument(
        "--max-age-hours", type=hours, default=MAXIMUM_AGE, metavar="HOURS", help=f"default: {MAXIMUM_AGE}"
    )
    check.add_argument("--markdown", type=Path, metavar="FILE", help="write the report for a pull request's comment")
    for command in (stamp, check):
        command.add_argument("--environment", required=True, metavar="STACK", help="the environment, or `shared`")
        command.add_argument("--stacks", type=Path, default=STACKS, help="default: %(default)s")
    return parser.parse_args(namespace=Arguments())


def check(arguments: Arguments, place: Place) -> Report:
    """The report that the command line asks for."""
    guard = Guard(place, arguments.allow_loss, arguments.max_age_hours)
    if arguments.plan:
        return guard.judge_file(arguments.plan, Terraform.for_stack(arguments.stacks / place.stack))
    shown = sys.stdin.buffer.read() if str(arguments.json) == "-" else Path(str(arguments.json)).read_bytes()
    report = guard.judge_json(shown)
    return replace(report, notes=[JSON_ALONE, *report.notes])


def main() -> int:
    arguments = parse()
    try:
        place = Place.of(arguments.environment, load())
        if arguments.command == "stamp" and arguments.plan:
            terraform = Terraform.for_stack(arguments.stacks / place.stack)
            Origin.of(arguments.plan, terraform, state=terraform.read_state_head()).write(arguments.plan)
            return 0
        report = check(arguments, place)
        if arguments.markdown:
            arguments.markdown.write_text(report.markdown(), encoding="utf-8")
    except (PlanError, TerraformError, SettingsError, OSError) as error:
        print(f"plan guard: {error}", file=sys.stderr)
        return CANNOT_BE_JUDGED
    print(report.text())
    return 0 if report.nothing_lost else REFUSED


if __name__ == "__main__":
    sys.exit(main())
