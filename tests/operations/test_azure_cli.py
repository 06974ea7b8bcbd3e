"""operations/azure_cli.py with a small program in place of `az`. test_preflight.py covers the token and its errors."""

import os
from pathlib import Path

import pytest

from operations import azure_cli
from operations.azure_cli import AzureCliError
from tests.operations.account import SUBSCRIPTION

# Writes down its arguments, prints the file `answer`, and fails if there is a file `fail`.
AZ = """#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >>az.log
cat answer
[ ! -e fail ] || { echo "not allowed" >&2; exit 3; }
"""


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the folder of the program."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "az").write_text(AZ)
    (tmp_path / "az").chmod(0o755)
    (tmp_path / "answer").touch()
    return tmp_path


@pytest.mark.parametrize(("answer", "account_id"), [("", None), ("/the/account\n", "/the/account")])
def test_a_storage_account_is_found_by_its_name(folder: Path, answer: str, account_id: str | None) -> None:
    (folder / "answer").write_text(answer)
    assert azure_cli.find_storage_account(SUBSCRIPTION, "theaccount") == account_id
    assert (folder / "az.log").read_text() == (
        f"storage account list --subscription {SUBSCRIPTION} --query [?name=='theaccount'].id --output tsv\n"
    )


def test_the_signed_in_user(folder: Path) -> None:
    (folder / "answer").write_text("my-object-id\n")
    assert azure_cli.get_signed_in_user() == "my-object-id"
    assert (folder / "az.log").read_text() == "ad signed-in-user show --query id --output tsv\n"


def test_a_role_assignment(folder: Path) -> None:
    azure_cli.assign_role_to_user(SUBSCRIPTION, role="A Role", user="me", scope="/the/account")
    assert (folder / "az.log").read_text() == (
        f"role assignment create --subscription {SUBSCRIPTION} --role A Role --assignee-object-id me "
        "--assignee-principal-type User --scope /the/account --output none\n"
    )


def test_an_error_goes_to_the_terminal(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (folder / "fail").touch()
    with pytest.raises(AzureCliError) as failure:
        azure_cli.get_signed_in_user()
    assert failure.value.code == 3
    assert capfd.readouterr().err == "not allowed\n"


def test_a_missing_azure_cli_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(AzureCliError, match="The Azure CLI is needed: https"):
        azure_cli.get_signed_in_user()
