"""Run Checkov over the synthesized stacks and apply the exceptions that constructs have recorded.

    python -m tools.run_checkov           fails if no exception covers a failure, or if no failure needs an exception
    python -m tools.run_checkov --list    lists the exceptions and does not run Checkov

`constructs_lib.checkov_exceptions.except_check` records an exception in the `//` block of the resource that needs it.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import NotRequired, TypedDict

from tabulate import tabulate

STACKS = Path("cdktf.out/stacks")

# In JSON with an indent of two, the column of a key says whether it is a top-level key, a resource type or a name.
_TOP_LEVEL_KEY = re.compile(r'  "(?P<name>[^"]+)":')
_TYPE_KEY = re.compile(r'    "(?P<name>[^"]+)": \{')
_NAME_KEY = re.compile(r'      "(?P<name>[^"]+)": \{')


class Comment(TypedDict):
    """The `//` block of a resource: what except_check() wrote. cdktf writes its own metadata there too."""

    checkov: NotRequired[dict[str, str]]


CommentedResource = TypedDict("CommentedResource", {"//": NotRequired[Comment]})


class ScannedStack(TypedDict):
    """The part of a cdk.tf.json that holds exceptions."""

    resource: NotRequired[dict[str, dict[str, CommentedResource]]]


class Record(TypedDict):
    """The result of one rule for one resource, as Checkov reports it."""

    check_id: str
    check_name: str
    file_path: str  # from the scanned folder, with a leading slash
    file_line_range: tuple[int, int]


class Results(TypedDict):
    """Checkov's results, by outcome."""

    passed_checks: list[Record]
    failed_checks: list[Record]


@dataclass(frozen=True, order=True)
class Finding:
    """A rule and the resource that it concerns. A failure and its exception have both in common."""

    stack: str
    resource: str
    check: str
    text: str = field(compare=False)  # the rule's name in a failure, the reason in an exception


@dataclass(frozen=True)
class Scan:
    """The rules that passed and those that failed."""

    passed: list[Finding]
    failed: list[Finding]


def read_exceptions(stacks: Path) -> list[Finding]:
    """Return the exceptions that constructs have recorded on the resources under `stacks`."""
    exceptions: list[Finding] = []
    for file in sorted(stacks.glob("*/cdk.tf.json")):
        synthesized: ScannedStack = json.loads(file.read_text(encoding="utf-8"))
        for resource_type, resources in synthesized.get("resource", {}).items():
            for name, resource in resources.items():
                for check, reason in resource.get("//", {}).get("checkov", {}).items():
                    exceptions.append(Finding(file.parent.name, f"{resource_type}.{name}", check, reason))
    return exceptions


def scan(stacks: Path) -> Scan:
    """Run Checkov over every cdk.tf.json under `stacks`.

    Raises:
        CalledProcessError: Checkov crashed.
    """
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "stacks"
        for file in stacks.glob("*/cdk.tf.json"):
            synthesized = json.loads(file.read_text(encoding="utf-8"))
            # Checkov 3.3 cannot parse a file that has `required_version`, and silently skips it. No rule for Azure
            # reads the settings of Terraform itself.
            del synthesized["terraform"]
            (folder / file.parent.name).mkdir(parents=True)
            (folder / file.parent.name / file.name).write_text(json.dumps(synthesized, indent=2), encoding="utf-8")
        # A clean environment: the user's configuration cannot skip a rule, and no API key uploads anything.
        process = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "checkov.main", "--directory", folder, "--framework", "terraform_json",
             "--output", "json", "--compact", "--soft-fail", "--skip-download"],
            env={"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"},
            capture_output=True,  # without a terminal there is no progress bar
            text=True,
            check=False,
        )  # fmt: skip
        sys.stderr.write(process.stderr)
        process.check_returncode()
        report: dict[str, Results] = json.loads(process.stdout)
        results = report.get("results", Results(passed_checks=[], failed_checks=[]))  # empty if nothing was scanned
        return Scan(
            list(locate_findings(folder, results["passed_checks"])),
            list(locate_findings(folder, results["failed_checks"])),
        )


def locate_findings(stacks: Path, records: Iterable[Record]) -> Iterator[Finding]:
    """Find the resource of each record by its line, because rules in Python name a resource without its type."""
    files = {
        file.parent.name: read_addresses(file.read_text(encoding="utf-8")) for file in stacks.glob("*/cdk.tf.json")
    }
    for record in records:
        stack = Path(record["file_path"]).parent.name
        yield Finding(stack, files[stack][record["file_line_range"][0]], record["check_id"], record["check_name"])


def read_addresses(stack_json: str) -> dict[int, str]:
    """Return the address of each resource by the line on which it starts. The first line is 1."""
    addresses: dict[int, str] = {}
    top_level = resource_type = ""
    for number, line in enumerate(stack_json.splitlines(), start=1):
        if key := _TOP_LEVEL_KEY.match(line):
            top_level = key["name"]
        elif key := _TYPE_KEY.match(line):
            resource_type = key["name"]
        elif top_level == "resource" and (key := _NAME_KEY.match(line)):
            addresses[number] = f"{resource_type}.{key['name']}"
    return addresses


def tabulate_findings(findings: Iterable[Finding]) -> str:
    """Return a table of findings. Those that differ only in the stack share a line."""
    stacks: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for finding in sorted(findings):
        stacks[finding.resource, finding.check, finding.text].append(finding.stack)
    rows = [(resource, check, text, ", ".join(names)) for (resource, check, text), names in stacks.items()]
    return tabulate(rows, headers=("resource", "check", "reason or rule", "stacks"), maxcolwidths=[None, None, 60, 40])


def check(stacks: Path) -> int:
    """Print what is wrong, and return the exit code: 1 if anything is."""
    results, exceptions = scan(stacks), read_exceptions(stacks)
    expected = {file.parent.name for file in stacks.glob("*/cdk.tf.json")} or {str(stacks)}
    missed = expected - {finding.stack for finding in results.passed + results.failed}
    unexcepted = set(results.failed) - set(exceptions)
    unneeded = set(exceptions) - set(results.failed)
    if missed:  # Checkov silently skips what it cannot read
        print("Checkov scanned nothing in:", *sorted(missed), sep="\n  ")
    if unexcepted:
        print(f"Checkov: {len(unexcepted)} failed checks\n\n{tabulate_findings(unexcepted)}\n")
    if unneeded:
        print(f"{len(unneeded)} exceptions that no failed check needs: remove them\n\n{tabulate_findings(unneeded)}\n")
    print(f"Checkov: {len(results.passed)} passed, {len(unexcepted)} failed, {len(exceptions)} excepted")
    return 1 if missed or unexcepted or unneeded else 0


def main() -> None:
    parser = argparse.ArgumentParser(description="Run Checkov over the synthesized stacks.")
    parser.add_argument("--list", action="store_true", help="list the exceptions instead")
    parser.add_argument("stacks", type=Path, nargs="?", default=STACKS, help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.list:
        print(tabulate_findings(read_exceptions(arguments.stacks)))
    else:
        sys.exit(check(arguments.stacks))


if __name__ == "__main__":
    main()
