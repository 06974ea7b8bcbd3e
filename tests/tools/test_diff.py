"""tools/diff.py: what the working tree changes in the synthesized JSON, against a commit."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environments.project import copy_project, edit


def run_git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.org")
    command = [str(shutil.which("git")), *identity, *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture(name="checkout", scope="module")
def _checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Git checkout of the project on the branch main, with a changed number in production that is not committed."""
    folder = copy_project(tmp_path_factory.mktemp("checkout"))
    run_git(folder, "init", "--quiet", "--initial-branch=main")
    run_git(folder, "add", "--all")
    run_git(folder, "commit", "--quiet", "--message=before")
    edit(folder / "environments/production.py", "backup_retention_days=30", "backup_retention_days=35")
    return folder


def run_diff(checkout: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.diff", *arguments],
        cwd=checkout,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
def test_a_changed_setting_shows_in_its_stack_alone(checkout: Path) -> None:
    done = run_diff(checkout)
    assert (done.returncode, done.stderr) == (0, "")
    assert [line for line in done.stdout.splitlines() if line.startswith("+++")] == [
        "+++ now/stacks/production/cdk.tf.json"
    ]
    changed = [
        line.split() for line in done.stdout.splitlines() if line[:1] in {"+", "-"} and line[:3] not in {"+++", "---"}
    ]
    assert changed == [["-", '"backup_retention_days":', "30,"], ["+", '"backup_retention_days":', "35,"]]
    assert run_diff(checkout, "dev").stdout == "No change against main.\n"


@pytest.mark.slow
def test_an_unknown_stack_or_commit_is_told_in_a_line(checkout: Path) -> None:
    unknown_stack = run_diff(checkout, "stagging")
    assert (unknown_stack.returncode, unknown_stack.stdout) == (1, "")
    assert unknown_stack.stderr == "diff: main or the working tree has no stack 'stagging'.\n"
    unknown_commit = run_diff(checkout, "--base", "nowhere")
    assert unknown_commit.returncode != 0
    assert "nowhere" in unknown_commit.stderr
    assert "Traceback" not in unknown_commit.stderr
