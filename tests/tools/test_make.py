"""The Makefile: `make` alone lists the targets, and targets check what they are given."""

import os
import re
import subprocess
from pathlib import Path

import pytest

# `make test` runs these tests, and sets variables for a make below it. A newcomer's shell has none of them.
NEWCOMER = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
NOT_FOR_PEOPLE = {"help", "setup", "setup-dev", "setup-check"}


def test_make_alone_prints_a_line_for_every_target() -> None:
    printed = subprocess.run(["/usr/bin/env", "make"], env=NEWCOMER, capture_output=True, text=True, check=True).stdout
    targets = dict(re.findall(r"^make (\S+) +(.+)$", printed, re.MULTILINE))
    phony = re.findall(r"^\.PHONY: (.+)$", Path("Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(targets) == {target for line in phony for target in line.split()} - NOT_FOR_PEOPLE
    assert len(targets) == len(printed.splitlines())
    assert all(len(line) <= 100 for line in printed.splitlines())


def test_the_path_of_a_start_up_file_is_no_stack() -> None:
    for value, argument in {"staging": ' "staging"', "/etc/shinit": "", "~/.shrc": "", "": ""}.items():
        dry = subprocess.run(
            ["/usr/bin/env", "make", "--dry-run", "synth"],
            env=NEWCOMER | {"ENV": value},
            capture_output=True,
            text=True,
            check=True,
        )
        assert dry.stdout.splitlines()[-1].rstrip() == f".venv/bin/python -m tools.synth{argument}"


@pytest.mark.parametrize("target", ["plan", "deploy"])
def test_a_target_for_one_stack_asks_for_it(target: str) -> None:
    refused = subprocess.run(
        ["/usr/bin/env", "make", "--dry-run", target],
        env={name: value for name, value in NEWCOMER.items() if name != "ENV"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert f"ENV is missing: make {target} ENV=staging" in refused.stderr
