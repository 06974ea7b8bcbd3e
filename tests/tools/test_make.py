"""`make` alone tells a newcomer what there is."""

import os
import re
import subprocess
from pathlib import Path

# `make test` runs these tests, and what it hands on to a make below it is not what a newcomer has.
NEWCOMER = {name: value for name, value in os.environ.items() if name not in {"MAKEFLAGS", "MAKELEVEL", "MFLAGS"}}
NOT_FOR_PEOPLE = {"help", "setup", "setup-dev", "setup-check"}


def test_make_alone_prints_every_target_in_a_line() -> None:
    printed = subprocess.run(["/usr/bin/env", "make"], env=NEWCOMER, capture_output=True, text=True, check=True).stdout
    told = dict(re.findall(r"^make (\S+) +(.+)$", printed, re.MULTILINE))
    phony = re.findall(r"^\.PHONY: (.+)$", Path("Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert set(told) == {target for line in phony for target in line.split()} - NOT_FOR_PEOPLE
    assert len(told) == len(printed.splitlines())
    assert all(len(line) <= 100 for line in printed.splitlines())


def test_a_shells_start_up_file_is_no_stack() -> None:
    for given, asked_for in {"staging": ' "staging"', "/etc/shinit": "", "~/.shrc": "", "": ""}.items():
        dry = subprocess.run(
            ["/usr/bin/env", "make", "--dry-run", "synth"],
            env=NEWCOMER | {"ENV": given},
            capture_output=True,
            text=True,
            check=True,
        )
        assert dry.stdout.splitlines()[-1].rstrip() == f".venv/bin/python -m tools.synth{asked_for}"


def test_deploy_asks_for_the_stack() -> None:
    refused = subprocess.run(
        ["/usr/bin/env", "make", "--dry-run", "deploy"],
        env={name: value for name, value in NEWCOMER.items() if name != "ENV"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "ENV is missing: make deploy ENV=staging" in refused.stderr
