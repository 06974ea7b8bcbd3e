"""tools/run_checkov.py: how exceptions cover Checkov's failures, with invented results and with Checkov itself."""

import json
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tools import run_checkov
from tools.run_checkov import Finding, Scan

UPLOADS = "azurerm_storage_account.uploads"
CHECKOV_PYTHON = Path(".venv-check/bin/python")

needs_checkov = pytest.mark.skipif(
    not CHECKOV_PYTHON.exists(), reason="Checkov is not installed: `make setup-check`, or `make check`, which runs all"
)


def make_storage(excepted: dict[str, str] | None = None, **arguments: object) -> dict[str, object]:
    comment: dict[str, object] = {"metadata": {"path": "dev/uploads"}, "checkov": excepted or {}}
    return {"//": comment, "name": "uploads", "account_tier": "Standard", "min_tls_version": "TLS1_2"} | arguments


def write(stacks: Path, stack: str, **resources: Mapping[str, object]) -> None:
    (stacks / stack).mkdir(parents=True)
    synthesized: dict[str, object] = {
        "output": {"id": {"value": {"uploads": {}}}},
        "resource": resources,
        "terraform": {"required_version": ">= 1.11"},  # Checkov cannot parse this, so it must not see it
    }
    (stacks / stack / "cdk.tf.json").write_text(json.dumps(synthesized, indent=2), encoding="utf-8")


def make_failure(stack: str = "dev", check: str = "CKV_AZURE_1", resource: str = UPLOADS) -> Finding:
    return Finding(stack, resource, check, f"the rule {check}")


def run_check(
    stacks: Path, monkeypatch: pytest.MonkeyPatch, *, failed: list[Finding], passed: list[Finding] | None = None
) -> int:
    def scan(_: Path) -> Scan:
        return Scan(passed=passed or [], failed=failed)

    monkeypatch.setattr(run_checkov, "scan", scan)
    return run_checkov.check(stacks)


def test_a_failure_that_is_excepted_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "dev", azurerm_storage_account={"uploads": make_storage({"CKV_AZURE_1": "because"})})
    assert run_check(tmp_path, monkeypatch, failed=[make_failure()]) == 0


@pytest.mark.parametrize(
    ("excepted_in", "excepted"),
    [
        ("azurerm_storage_account.uploads", "CKV_AZURE_2"),  # another rule
        ("azurerm_storage_account.evidence", "CKV_AZURE_1"),  # another resource
        ("azurerm_storage_container.uploads", "CKV_AZURE_1"),  # another type, of the same name
    ],
)
def test_an_exception_covers_one_rule_on_one_resource(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    excepted_in: str,
    excepted: str,
) -> None:
    resources = {
        "azurerm_storage_container": {"uploads": make_storage()},
        "azurerm_storage_account": {"uploads": make_storage(), "evidence": make_storage()},
    }
    resource_type, name = excepted_in.split(".")
    resources[resource_type][name] = make_storage({excepted: "because"})
    write(tmp_path, "dev", **resources)
    assert run_check(tmp_path, monkeypatch, failed=[make_failure()]) == 1
    out = capsys.readouterr().out
    assert "1 failed checks" in out
    assert "azurerm_storage_account.uploads  CKV_AZURE_1  the rule CKV_AZURE_1  dev" in out
    assert "1 exceptions that no failed check needs: remove them" in out
    assert f"{excepted_in} " in out


def test_an_exception_in_one_stack_is_none_in_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, "dev", azurerm_storage_account={"uploads": make_storage({"CKV_AZURE_1": "because"})})
    write(tmp_path, "staging", azurerm_storage_account={"uploads": make_storage()})
    failed = [make_failure(stack) for stack in ("dev", "staging")]
    assert run_check(tmp_path, monkeypatch, failed=failed) == 1
    assert run_check(tmp_path, monkeypatch, failed=failed[:1], passed=failed[1:]) == 0


def test_a_stack_that_checkov_did_not_read_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "dev", azurerm_storage_account={"uploads": make_storage()})
    write(tmp_path, "staging", azurerm_storage_account={"uploads": make_storage()})
    assert run_check(tmp_path, monkeypatch, failed=[], passed=[make_failure()]) == 1
    assert "scanned nothing in:\n  staging\n" in capsys.readouterr().out


def test_no_stack_at_all_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run_check(tmp_path, monkeypatch, failed=[]) == 1


def test_equal_exceptions_of_several_stacks_share_a_line() -> None:
    excepted = [Finding(stack, UPLOADS, "CKV_AZURE_1", "because") for stack in ("dev", "shared")]
    assert run_checkov.tabulate_findings(excepted).splitlines()[2:] == [
        "azurerm_storage_account.uploads  CKV_AZURE_1  because           dev, shared"
    ]


@pytest.mark.slow
@needs_checkov
def test_checkov_itself_tells_good_from_bad(tmp_path: Path) -> None:
    """Checkov's framework `terraform` silently finds nothing in cdktf's JSON. `terraform_json` must find the faults."""
    app = {"https_only": True, "site_config": {"ftps_state": "Disabled", "http2_enabled": True}}
    bad_app = {"https_only": False, "site_config": {"ftps_state": "AllAllowed", "http2_enabled": False}}
    write(
        tmp_path,
        "dev",
        azurerm_linux_web_app={"bad": bad_app, "good": app},
        azurerm_storage_account={
            "bad": make_storage(min_tls_version="TLS1_0"),
            "excepted": make_storage({"CKV_AZURE_44": "to be seen excepted"}, min_tls_version="TLS1_0"),
            "good": make_storage({"CKV_AZURE_44": "to be seen unneeded"}),
        },
    )
    done = subprocess.run(
        [CHECKOV_PYTHON, "-m", "tools.run_checkov", tmp_path], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (1, "")
    failed, unneeded = done.stdout.split("exceptions that no failed check needs")
    table = re.findall(r"^(azurerm_\S+) +(CKV2?_AZURE_\d+) ", failed, re.MULTILINE)
    rules = {"CKV_AZURE_14": "https", "CKV_AZURE_18": "http2", "CKV_AZURE_78": "ftps", "CKV_AZURE_44": "tls"}
    assert sorted((resource, rules[rule]) for resource, rule in table if rule in rules) == [
        ("azurerm_linux_web_app.bad", "ftps"),
        ("azurerm_linux_web_app.bad", "http2"),
        ("azurerm_linux_web_app.bad", "https"),
        ("azurerm_storage_account.bad", "tls"),
    ]
    assert re.findall(r"^azurerm_\S+ +CKV\S+", unneeded, re.MULTILINE) == ["azurerm_storage_account.good  CKV_AZURE_44"]
