"""The command lines of `make deploy` and operations/deploy.py. They need no Terraform."""

import os
import subprocess
import sys


def test_an_unknown_stack_is_2_and_the_stacks_are_named() -> None:
    failed = subprocess.run(
        [sys.executable, "-m", "operations.deploy", "prod"], capture_output=True, text=True, check=False
    )
    assert failed.returncode == 2
    assert "invalid choice: 'prod'" in failed.stderr
    assert all(stack in failed.stderr for stack in ("shared", "dev", "staging", "production"))


def test_make_deploy_passes_on_the_stack_and_the_allowed_addresses() -> None:
    dry_run = subprocess.run(
        ["/usr/bin/env", "make", "--dry-run", "deploy", "ENV=staging", "ALLOW_LOSS=a.b c.d"],
        capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert dry_run.stdout.splitlines()[-1] == (
        ".venv/bin/python -m operations.deploy \"staging\" --allow-loss 'a.b' --allow-loss 'c.d'"
    )


def test_make_plan_only_plans() -> None:
    dry_run = subprocess.run(
        ["/usr/bin/env", "make", "--dry-run", "plan", "ENV=staging"],
        capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert dry_run.stdout.splitlines()[-1] == '.venv/bin/python -m operations.deploy "staging" --plan-only'
