"""Run Checkov over the synthesized stacks and apply the exceptions that constructs have recorded.

    python -m tools.run_checkov           fails on what no exception covers, and on exceptions that nothing needs
    python -m tools.run_checkov --list    lists the exceptions, without running Checkov

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

# In JSON with an indent of two, a top-level key, a resource type and a resource's name are told by their columns.
_TOP_LEVEL_KEY = re.compile(r'  "(?P<name>[^"]+)":')
_TYPE_KEY = re.compile(r'    "(?P<name>[^"]+)": \{')
_NAME_KEY = re.compile(r'      "(?P<name>[^"]+)": \{')


class Comment(TypedDict):
    """What the `//` block of a resource carries: here what except_check() wrote, beside cdktf's own metadata."""

    checkov: NotRequired[dict[str, str]]


Resource = TypedDict("Resource", {"//": NotRequired[Comment]})


class StackJson(TypedDict):
    """The part of a cdk.tf.json that holds exceptions."""

    resource: NotRequired[dict[str, dict[str, Resource]]]


class Record(TypedDict):
    """One result of one rule on one resource, as Checkov reports it."""

    check_id: str
    check_name: str
    file_path: str  # from the scanned folder, with a leading slash
    file_line_range: tuple[int, int]


class Results(TypedDict):
    """What Checkov found, by outcome."""

    passed_checks: list[Record]
    failed_checks: list[Record]


@dataclass(frozen=True, order=True)
class Finding:
    """A rule and the resource that it concerns: what a failure and its exception have in common."""

    stack: str
    resource: str
    check: str
    text: str = field(compare=False)  # the rule's name in a failure, the reason in an exception


@dataclass(frozen=True)
class Scan:
    """What Checkov found."""

    passed: list[Finding]
    failed: list[Finding]


def exceptions(stacks: Path) -> list[Finding]:
    """The exceptions that the resources under `stacks` carry."""
    found: list[Finding] = []
    for file in sorted(stacks.glob("*/cdk.tf.json")):
        synthesized: StackJson = json.loads(file.read_text(encoding="utf-8"))
        for resource_type, resources in synthesized.get("resource", {}).items():
            for name, resource in resources.items():
                for check, reason in resource.get("//", {}).get("checkov", {}).items():
                    found.append(Finding(file.parent.name, f"{resource_type}.{name}", check, reason))
    return found


def scan(stacks: Path) -> Scan:
    """Run Checkov over every cdk.tf.json under `stacks`; raises CalledProcessError when it crashes."""
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home) / "stacks"
        for file in stacks.glob("*/cdk.tf.json"):
            synthesized = json.loads(file.read_text(encoding="utf-8"))
            # Checkov 3.3 cannot parse a file that has `required_version`, and passes over it. No rule of Azure's reads
            # the settings of Terraform itself.
            del synthesized["terraform"]
            (folder / file.parent.name).mkdir(parents=True)
            (folder / file.parent.name / file.name).write_text(json.dumps(synthesized, indent=2), encoding="utf-8")
        # An environment of its own: no configuration or skipped rule of the user's, and no upload with an API key.
        process = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "checkov.main", "--directory", folder, "--framework", "terraform_json",
             "--output", "json", "--compact", "--soft-fail", "--skip-download"],
            env={"PATH": os.environ["PATH"], "HOME": home, "LANG": "C.UTF-8"},
            capture_output=True,  # not a terminal: no progress bar
            text=True,
            check=False,
        )  # fmt: skip
        sys.stderr.write(process.stderr)
        process.check_returncode()
        report: dict[str, Results] = json.loads(process.stdout)
        results = report.get("results", Results(passed_checks=[], failed_checks=[]))  # none, when nothing was scanned
        return Scan(list(findings(folder, results["passed_checks"])), list(findings(folder, results["failed_checks"])))


def findings(stacks: Path, records: Iterable[Record]) -> Iterator[Finding]:
    """What Checkov's records concern, by their lines: rules written in Python name a resource without its type."""
    files = {file.parent.name: addresses(file.read_text(encoding="utf-8")) for file in stacks.glob("*/cdk.tf.json")}
    for record in records:
        stack = Path(record["file_path"]).parent.name
        yield Finding(stack, files[stack][record["file_line_range"][0]], record["check_id"], record["check_name"])


def addresses(stack_json: str) -> dict[int, str]:
    """The address of each resource by the line on which it starts, counted from 1."""
    found: dict[int, str] = {}
    top_level = resource_type = ""
    for number, line in enumerate(stack_json.splitlines(), start=1):
        if key := _TOP_LEVEL_KEY.match(line):
            top_level = key["name"]
        elif key := _TYPE_KEY.match(line):
            resource_type = key["name"]
        elif top_level == "resource" and (key := _NAME_KEY.match(line)):
            found[number] = f"{resource_type}.{key['name']}"
    return found


def grouped(listed: Iterable[Finding]) -> str:
    """A table of findings, those that differ in nothing but the stack on one line."""
    stacks: defaultdict[tuple[str, str, str], list[str]] = defaultdict(list)
    for finding in sorted(listed):
        stacks[finding.resource, finding.check, finding.text].append(finding.stack)
    rows = [(resource, check, text, ", ".join(of)) for (resource, check, text), of in stacks.items()]
    return tabulate(rows, headers=("resource", "check", "reason or rule", "stacks"), maxcolwidths=[None, None, 60, 40])


def check(stacks: Path) -> int:
    """Print what is wrong, if anything; the exit code."""
    found, excepted = scan(stacks), exceptions(stacks)
    given = {file.parent.name for file in stacks.glob("*/cdk.tf.json")} or {str(stacks)}
    missed = given - {finding.stack for finding in found.passed + found.failed}
    unexcepted, unneeded = set(found.failed) - set(excepted), set(excepted) - set(found.failed)
    if missed:  # Checkov passes in silence over what it cannot read
        print("Checkov scanned nothing in:", *sorted(missed), sep="\n  ")
    if unexcepted:
        print(f"Checkov: {len(unexcepted)} failed checks\n\n{grouped(unexcepted)}\n")
    if unneeded:
        print(f"{len(unneeded)} exceptions that no failed check needs: remove them\n\n{grouped(unneeded)}\n")
    print(f"Checkov: {len(found.passed)} passed, {len(unexcepted)} failed, {len(excepted)} excepted")
    return 1 if missed or unexcepted or unneeded else 0


def main() -> None:
    parser = argparse.ArgumentParser(description="Run Checkov over the synthesized stacks.")
    parser.add_argument("--list", action="store_true", help="list the exceptions instead")
    parser.add_argument("stacks", type=Path, nargs="?", default=STACKS, help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.list:
        print(grouped(exceptions(arguments.stacks)))
    else:
        sys.exit(check(arguments.stacks))


if __name__ == "__main__":
    main()
