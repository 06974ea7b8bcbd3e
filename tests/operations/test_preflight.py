"""operations/preflight.py: all that is missing is said at once, and nothing where nothing is."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from environments.settings import Account
from operations import preflight
from tests.operations.account import FILLED_IN, SUBSCRIPTION, TENANT

NOBODY = "00000000-0000-0000-0000-000000000000"
# Writes down what it is asked, and gives a tenant, as `az account get-access-token --query tenant` does.
AZ = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/az.log"
{}
"""


class Machine:
    """A machine with programs of our choice, and the settings of somebody's account."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.az(f"echo {TENANT}")
        self.terraform('{"terraform_version": "1.11.0"}')
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu-of-the-test")
        for name in preflight.OTHER_LOGINS:
            monkeypatch.delenv(name, raising=False)
        self.set(**FILLED_IN)
        self.origin("")

    def set(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def az(self, script: str) -> None:
        self._program("az", AZ.format(script))

    def terraform(self, answer: str) -> None:
        self._program("tofu-of-the-test", f"#!/bin/sh\necho '{answer}'\n")

    def origin(self, url: str) -> None:
        self._program("git", f"#!/bin/sh\necho '{url}'\n")

    def asked(self) -> list[str]:
        log = self.folder / "az.log"
        return log.read_text().splitlines() if log.exists() else []

    def _program(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)


@pytest.fixture(name="machine")
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_where_all_is_in_place_nothing_is_said(machine: Machine) -> None:
    assert preflight.find_missing() == []
    assert machine.asked() == [f"account get-access-token --subscription {SUBSCRIPTION} --query tenant --output tsv"]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("", "is needed, and 'tofu-of-the-test' does not run. Install one;"),
        ('{"terraform_version": "1.10.5"}', "1.11 or newer is needed; 'tofu-of-the-test' is 1.10.5."),
    ],
)
def test_terraform_has_to_be_recent(machine: Machine, answer: str, message: str) -> None:
    machine.terraform(answer)
    assert [message in each for each in preflight.find_missing()] == [True]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1",
            f"no token for {SUBSCRIPTION}: Please run 'az login' to setup account. (az login --tenant {TENANT})",
        ),
        (
            "printf 'ERROR: AADSTS700082: The refresh token has expired.\\nTrace ID: 1\\n' >&2; exit 1",
            "AADSTS700082: The refresh token has expired. (az login",
        ),
        (
            "printf 'WARNING: A new release is there.\\nERROR: No subscription found.\\n' >&2; exit 1",
            f"no token for {SUBSCRIPTION}: No subscription found. (az login",
        ),
        ("exit 1", f"no token for {SUBSCRIPTION}: it ended with 1. (az login"),
        (
            "echo 44444444-4444-4444-4444-444444444444",
            f"The subscription {SUBSCRIPTION} is of the tenant 44444444-4444-4444-4444-444444444444, not of {TENANT}.",
        ),
    ],
)
def test_the_login_has_to_reach_the_subscription(machine: Machine, script: str, message: str) -> None:
    machine.az(script)
    assert [message in each for each in preflight.find_missing()] == [True]


def test_without_the_azure_cli_it_is_named(machine: Machine) -> None:
    (machine.folder / "az").unlink()
    machine.set(PATH=str(machine.folder))
    assert preflight.find_missing() == [
        "The Azure CLI is needed: https://learn.microsoft.com/cli/azure/install-azure-cli"
    ]


@pytest.mark.parametrize("variable", preflight.OTHER_LOGINS)
def test_who_logs_in_without_the_azure_cli_needs_none(machine: Machine, variable: str) -> None:
    machine.set(**{variable: "true"})
    assert preflight.find_missing() == []
    assert machine.asked() == []
    assert preflight.find_missing(needs_azure_cli=True) == []
    assert len(machine.asked()) == 1
    machine.set(**{variable: "false"})
    assert preflight.find_missing() == []
    assert len(machine.asked()) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subscription_id", NOBODY),
        ("tenant_id", NOBODY),
        ("domain", "augeo.example"),
        ("alert_emails", "me@augeo.org,oncall@augeo.example"),
        ("super_admin_email", "admin@augeo.example"),
        ("database_admins_object_id", NOBODY),
    ],
)
def test_a_placeholder_is_named(machine: Machine, field: str, value: str) -> None:
    assert field in Account.model_fields
    machine.set(**{f"AUGEO_{field.upper()}": value})
    assert f"These are still placeholders: {field}. Fill them in in environments/shared.py." in preflight.find_missing()


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ("https://github.com/Augeo/platform.git", False),
        ("git@github.com:augeo/platform.git", False),
        ("ssh://git@github.com/augeo/platform", False),
        ("https://git.augeo.org/augeo/infrastructure.git", False),
        ("https://github.com/somebody/platform", True),
        ("git@github.com:augeo/infrastructure.git", True),
    ],
)
def test_a_checkout_of_another_repository_than_the_trusted_one_is_told(
    machine: Machine, origin: str, told: bool
) -> None:
    machine.set(AUGEO_GITHUB_REPOSITORY="augeo/platform")
    machine.origin(origin)
    assert ["whose workflows Azure would trust" in each for each in preflight.find_missing()] == [True] * told


def test_all_that_is_wrong_is_said_at_once_before_anything_is_planned(machine: Machine) -> None:
    """A fresh clone, on a machine that has nothing."""
    unfilled = {name: value for name, value in os.environ.items() if name not in FILLED_IN}
    written = Path("cdktf.out/stacks/dev/cdk.tf.json")
    before = written.stat().st_mtime_ns if written.exists() else None
    refused = subprocess.run(
        [sys.executable, "-m", "operations.deploy", "dev"],
        env=unfilled | {"PATH": "/nowhere", "TERRAFORM_BINARY_NAME": "none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("deploy: before Azure is reached,\n- Terraform or OpenTofu 1.11")
    named = "subscription_id, tenant_id, domain, alert_emails, super_admin_email, database_admins_object_id"
    for words in (
        "'none' does not run",
        "The Azure CLI is needed",
        f"These are still placeholders: {named}.",
        "git is not installed",
    ):
        assert words in refused.stderr
    assert before == (written.stat().st_mtime_ns if written.exists() else None)
    assert machine.asked() == []


def test_bad_settings_are_said_beside_what_else_is_missing(machine: Machine) -> None:
    machine.terraform("")
    machine.set(AUGEO_SUBSCRIPTION_ID="mine", AUGEO_DOMAIN="no domain")
    refused = subprocess.run(
        [sys.executable, "-m", "operations.preflight", "cdktf diff"], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("cdktf diff: before Azure is reached,\n- Terraform or OpenTofu 1.11")
    assert "subscription_id = 'mine'" in refused.stderr
    assert "domain = 'no domain'" in refused.stderr
    assert "Traceback" not in refused.stderr
