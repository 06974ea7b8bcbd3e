"""The command `python -m operations.plan_guard check --json`, and its exit codes."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.operations.plan_guard.plans.plan_json import make_plan, make_resource

DATABASE = "azurerm_postgresql_flexible_server.database_server"
UNCHANGED = make_resource("azurerm_subnet.app", ["no-op"])


def check(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "operations.plan_guard", "check", "--environment", "dev", *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)


def test_a_refused_plan_is_3_and_an_allowed_loss_is_0(tmp_path: Path) -> None:
    plan_json = make_plan(make_resource(DATABASE, ["delete"]), timestamp=datetime.now(UTC).isoformat())
    comment = tmp_path / "comment.md"
    refused = check("--json", "-", "--markdown", comment, stdin=plan_json)
    assert refused.returncode == 3, refused.stderr
    assert "1 to destroy. REFUSED" in refused.stdout
    assert comment.read_text().startswith("## Plan of dev: 1 to destroy. REFUSED\n")
    assert check("--json", "-", "--allow-loss", DATABASE, stdin=plan_json).returncode == 0


def test_a_plan_that_cannot_be_judged_is_1(tmp_path: Path) -> None:
    for arguments in (
        ["--json", "-"],
        ["--json", tmp_path / "missing.json"],
        [tmp_path / "missing.tfplan", "--stacks", tmp_path],
    ):
        failed = check(*arguments)
        assert failed.returncode == 1, failed
        assert failed.stderr.startswith("plan guard: ")
        assert "Traceback" not in failed.stderr


def test_bytes_that_are_no_text_are_1() -> None:
    command = [sys.executable, "-m", "operations.plan_guard", "check", "--environment", "dev", "--json", "-"]
    strict = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
    failed = subprocess.run(command, input=b"\xff\xfe\x00", env=strict, capture_output=True, check=False)
    assert failed.returncode == 1
    assert failed.stderr.startswith(b"plan guard: This is no output of `terraform show -json PLAN`")


def test_a_reader_that_goes_away_changes_no_exit_code_and_ends_in_no_traceback() -> None:
    plan_json = make_plan(make_resource(DATABASE, ["delete"]), timestamp=datetime.now(UTC).isoformat())
    command = [sys.executable, "-m", "operations.plan_guard", "check", "--environment", "dev", "--json", "-"]
    read_end, write_end = os.pipe()
    os.close(read_end)
    with os.fdopen(write_end, "w") as closed:
        failed = subprocess.run(command, input=plan_json, stdout=closed, stderr=subprocess.PIPE, text=True, check=False)
    assert failed.returncode == 3
    assert failed.stderr == ""


@pytest.mark.parametrize("hours", ["nan", "inf", "1e300", "a day", ""])
def test_an_age_that_is_no_number_is_2(hours: str) -> None:
    failed = check("--json", "-", "--max-age-hours", hours, stdin=make_plan(UNCHANGED))
    assert failed.returncode == 2
    assert f"{hours!r} is no number of hours" in failed.stderr


def test_a_huge_plan_is_judged_and_its_comment_is_cut(tmp_path: Path) -> None:
    changed = (
        make_resource(f"azurerm_subnet.{number}", ["update"], {"a": "x" * 3000}, {"a": "y"}) for number in range(3000)
    )
    plan_json = make_plan(make_resource(DATABASE, ["delete"]), *changed, timestamp=datetime.now(UTC).isoformat())
    assert len(plan_json) > 9_000_000
    comment = tmp_path / "comment.md"
    refused = check("--json", "-", "--markdown", comment, stdin=plan_json)
    assert refused.returncode == 3, refused.stderr
    assert len(comment.read_bytes()) < 65_536
    assert f"{DATABASE} would be destroyed" in " ".join(comment.read_text().split())


def test_the_maximum_age_can_be_chosen() -> None:
    old = make_plan(UNCHANGED, timestamp="2020-01-01T00:00:00Z")
    assert "hours old, and may be 24" in check("--json", "-", stdin=old).stdout
    assert check("--json", "-", "--max-age-hours", "1000000", stdin=old).returncode == 0
