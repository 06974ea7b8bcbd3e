"""The command lines of the plan guard and of `make deploy`, and the Terraform that they ask for."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from operations.terraform.runner import Terraform, TerraformError
from tests.operations.plan_guard.plans.plan_json import plan, resource

DATABASE = "azurerm_postgresql_flexible_server.database_server"
KEPT = make_resource("azurerm_subnet.app", ["no-op"])


class TestCommand:
    """`python -m operations.plan_guard check --json`, and its exit codes."""

    @staticmethod
    def check(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "operations.plan_guard", "check", "--environment", "dev", *arguments]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)

    def test_refused_is_3_and_named_is_0(self, tmp_path: Path) -> None:
        shown = make_plan(make_resource(DATABASE, ["delete"]), timestamp=datetime.now(UTC).isoformat())
        comment = tmp_path / "comment.md"
        refused = self.check("--json", "-", "--markdown", comment, stdin=shown)
        assert refused.returncode == 3, refused.stderr
        assert "1 to destroy. REFUSED" in refused.stdout
        assert comment.read_text().startswith("## Plan of dev: 1 to destroy. REFUSED\n")
        assert self.check("--json", "-", "--allow-loss", DATABASE, stdin=shown).returncode == 0

    def test_what_cannot_be_judged_is_1(self, tmp_path: Path) -> None:
        for arguments in (
            ["--json", "-"],
            ["--json", tmp_path / "missing.json"],
            [tmp_path / "missing.tfplan", "--stacks", tmp_path],
        ):
            failed = self.check(*arguments)
            assert failed.returncode == 1, failed
            assert failed.stderr.startswith("plan guard: ")
            assert "Traceback" not in failed.stderr

    def test_bytes_that_are_no_text_are_an_error_too(self) -> None:
        command = [sys.executable, "-m", "operations.plan_guard", "check", "--environment", "dev", "--json", "-"]
        strict = os.environ | {"PYTHONIOENCODING": "utf-8:strict"}
        failed = subprocess.run(command, input=b"\xff\xfe\x00", env=strict, capture_output=True, check=False)
        assert failed.returncode == 1
        assert failed.stderr.startswith(b"plan guard: This is no output of `terraform show -json PLAN`")

    @pytest.mark.parametrize("hours", ["nan", "inf", "1e300", "a day", ""])
    def test_an_age_that_is_no_number_is_2(self, hours: str) -> None:
        failed = self.check("--json", "-", "--max-age-hours", hours, stdin=make_plan(KEPT))
        assert failed.returncode == 2
        assert f"{hours!r} is no number of hours" in failed.stderr

    def test_a_huge_plan_is_judged_and_its_comment_is_cut(self, tmp_path: Path) -> None:
        changed = (
            make_resource(f"azurerm_subnet.{at}", ["update"], {"a": "x" * 3000}, {"a": "y"}) for at in range(3000)
        )
        shown = make_plan(make_resource(DATABASE, ["delete"]), *changed, timestamp=datetime.now(UTC).isoformat())
        assert len(shown) > 9_000_000
        comment = tmp_path / "comment.md"
        judged = self.check("--json", "-", "--markdown", comment, stdin=shown)
        assert judged.returncode == 3, judged.stderr
        assert len(comment.read_bytes()) < 65_536
        assert f"{DATABASE} would be destroyed" in " ".join(comment.read_text().split())

    def test_the_age_is_a_choice(self) -> None:
        old = make_plan(KEPT, timestamp="2020-01-01T00:00:00Z")
        assert "hours old, and may be 24" in self.check("--json", "-", stdin=old).stdout
        assert self.check("--json", "-", "--max-age-hours", "1000000", stdin=old).returncode == 0


def test_a_stack_that_nobody_knows_is_named() -> None:
    failed = subprocess.run(
        [sys.executable, "-m", "operations.deploy", "prod"], capture_output=True, text=True, check=False
    )
    assert failed.returncode == 2
    assert "invalid choice: 'prod'" in failed.stderr
    assert all(stack in failed.stderr for stack in ("shared", "dev", "staging", "production"))


def test_make_deploy_runs_it_with_the_addresses_that_may_be_lost() -> None:
    dry = subprocess.run(
        ["/usr/bin/env", "make", "--dry-run", "deploy", "ENV=staging", "ALLOW_LOSS=a.b c.d"],
        capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert dry.stdout.splitlines()[-1] == (
        ".venv/bin/python -m operations.deploy \"staging\" --allow-loss 'a.b' --allow-loss 'c.d'"
    )


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "'tofu-of-the-test' does not run. Install one;"),
        ("no json", "'tofu-of-the-test' does not run. Install one;"),
        ('{"terraform_version": "1.10.5"}', "is needed; 'tofu-of-the-test' is 1.10.5."),
        ('{"terraform_version": "0.15.0-beta1"}', "is needed; 'tofu-of-the-test' is 0.15.0-beta1."),
        ('{"terraform_version": "1.11.0"}', None),
        ('{"terraform_version": "2.0.0"}', None),
    ],
)
def test_terraform_has_to_be_recent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str | None, message: str | None
) -> None:
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu-of-the-test")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "cdk.tf.json").write_text("{}")
    if answer:
        (tmp_path / "tofu-of-the-test").write_text(f"#!/bin/sh\necho '{answer}'\n")
        (tmp_path / "tofu-of-the-test").chmod(0o755)
    if message is None:
        assert Terraform.of(tmp_path).binary == "tofu-of-the-test"
        return
    with pytest.raises(TerraformError) as refused:
        Terraform.of(tmp_path)
    assert message in str(refused.value)


def test_a_stack_that_is_not_synthesized_is_named(tmp_path: Path) -> None:
    with pytest.raises(TerraformError, match="make synth ENV=dev"):
        Terraform.of(tmp_path / "dev")
