"""What operations/bootstrap.py decides, with small programs in place of Terraform and the Azure CLI.

test_bootstrap.py runs the whole script with the real Terraform. These tests cover what cannot happen there.
"""

import json
import os
from collections.abc import Generator
from pathlib import Path

import pytest
from pydantic import JsonValue

from operations import bootstrap
from operations.azure_cli import AzureCliError
from operations.bootstrap import Bootstrap, BootstrapError, CommandFailedError, StateAccount, read_state
from operations.terraform.runner import Terraform
from tests.operations.account import SUBSCRIPTION

# Answers the commands of a bootstrap. `remote.json` is the state in Azure, `applied.json` is the one that an apply
# writes, and a command fails if there is a file with its name, such as `fail-init`. With `interrupt-init` the caller
# gets a Ctrl-C while the command runs.
TERRAFORM = """#!/bin/sh
cd "$(dirname "$0")"
shift  # -chdir
echo "$*" >>commands.log
for argument in "$@"; do
  [ ! -e "interrupt-$argument" ] || { sleep 0.3; kill -INT $PPID; exit 1; }
  [ ! -e "fail-$argument" ] || { echo "the output of $1"; echo "the error of $1" >&2; exit 1; }
done
case "$*" in
  apply) cat applied.json >bootstrap.tfstate ;;
  "state pull") cat remote.json ;;
  *-migrate-state*) [ -e lose-state ] || cat bootstrap.tfstate >remote.json ;;
esac
"""
AZ = """#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >>az.log
case "$*" in
  "storage account list"*) cat account-id; [ ! -e fail-az ] || { echo "the error of az" >&2; exit 3; } ;;
  "ad signed-in-user"*) echo my-object-id ;;
esac
"""


def make_state(lineage: str = "one", resources: int = 2) -> str:
    resource: JsonValue = {"type": "terraform_data"}
    return json.dumps({"version": 4, "lineage": lineage, "serial": 1, "resources": [resource] * resources})


class Workplace:
    """A folder with the two programs, and a bootstrap that runs them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.local_state = folder / "bootstrap.tfstate"
        self.override = folder / "stack" / "bootstrap_override.tf.json"
        self.override.parent.mkdir()
        for name, script in (("terraform", TERRAFORM), ("az", AZ)):
            (folder / name).write_text(script)
            (folder / name).chmod(0o755)
        self.write("account-id")
        self.write("remote.json")
        self.write("applied.json", make_state())

    def write(self, name: str, text: str = "") -> None:
        (self.folder / name).write_text(text)

    def run(self) -> None:
        terraform = Terraform(self.folder / "stack", str(self.folder / "terraform"))
        account = StateAccount(SUBSCRIPTION, "theaccount")
        Bootstrap(terraform, account, self.local_state, pause_seconds=0).run()

    def read_commands(self) -> list[str]:
        return (self.folder / "commands.log").read_text().splitlines()

    def read_az_log(self) -> str:
        return (self.folder / "az.log").read_text()


@pytest.fixture(name="workplace")
def _workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Workplace:
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return Workplace(tmp_path)


def test_the_commands_of_a_whole_run(workplace: Workplace, capfd: pytest.CaptureFixture[str]) -> None:
    workplace.run()
    init = "init -input=false -no-color"
    assert workplace.read_commands() == [
        f"{init} -reconfigure",
        "apply",
        f"{init} -reconfigure",
        "state pull",
        f"{init} -reconfigure",
        f"{init} -migrate-state -force-copy",
        "state pull",
    ]
    assert "--assignee-object-id my-object-id --assignee-principal-type User" in workplace.read_az_log()
    assert capfd.readouterr().out.splitlines() == [
        "Applying the shared stack, with its state in bootstrap.tfstate.",
        "Granting you Storage Blob Data Contributor on theaccount.",
        "Moving the state into theaccount.",
        "Done: 2 resources; the state of the shared stack is in theaccount.",
    ]
    assert not workplace.local_state.exists()
    assert not workplace.override.exists()


def test_it_gives_up_when_the_account_never_lets_the_user_in(
    workplace: Workplace, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(bootstrap, "ATTEMPTS", 3)
    workplace.write("account-id", "/the/account")
    workplace.local_state.write_text(make_state())
    let_in_only_locally = TERRAFORM.replace(
        "case ",
        'case "$1" in init) [ -e stack/bootstrap_override.tf.json ] || { echo no access; exit 1; } ;; esac\ncase ',
    )
    workplace.write("terraform", let_in_only_locally)
    with pytest.raises(
        BootstrapError, match=r"does not let you in; the state is safe in .*Run this again\."
    ) as failure:
        workplace.run()
    assert failure.value.output == "no access\n"
    waits = [line for line in capfd.readouterr().out.splitlines() if "does not let you in yet" in line]
    assert waits == [
        f"The state account does not let you in yet (attempt {attempt} of 3); trying again in 0 s."
        for attempt in (1, 2)
    ]
    assert workplace.local_state.exists()


@pytest.mark.parametrize("account_id", ["", "/an/id"], ids=["before the apply", "while the state account is asked"])
def test_ctrl_c_during_an_init_ends_the_run(workplace: Workplace, account_id: str) -> None:
    """Guards against a Ctrl-C that is taken for a refusal, after which forty attempts would follow."""
    workplace.write("account-id", account_id)
    workplace.write("interrupt-init")
    with pytest.raises(KeyboardInterrupt):
        workplace.run()
    assert workplace.read_commands() == ["init -input=false -no-color -reconfigure"]


def test_a_move_that_fails_keeps_the_local_state(workplace: Workplace) -> None:
    workplace.write("fail--migrate-state")
    with pytest.raises(BootstrapError, match=r"could not be moved to theaccount; it is safe in .*bootstrap\.tfstate"):
        workplace.run()
    assert workplace.local_state.exists()


@pytest.mark.parametrize(
    "remote", ["", make_state(lineage="another"), make_state(resources=1)], ids=["none", "another", "incomplete"]
)
def test_a_state_that_did_not_arrive_whole_keeps_the_local_state(workplace: Workplace, remote: str) -> None:
    workplace.write("lose-state")
    workplace.write("remote.json", remote)
    with pytest.raises(BootstrapError, match=r"is not the one that was moved; the original is in .*tfstate\.backup"):
        workplace.run()
    assert workplace.local_state.exists()


@pytest.mark.parametrize("applied", ["", make_state(resources=0)], ids=["no state", "no resources"])
def test_an_apply_that_created_nothing_is_an_error(workplace: Workplace, applied: str) -> None:
    workplace.write("applied.json", applied)
    with pytest.raises(BootstrapError, match="nothing was applied"):
        workplace.run()
    assert "role assignment" not in workplace.read_az_log()


@pytest.mark.parametrize("command", ["-reconfigure", "apply"])
def test_a_command_that_fails_ends_the_run_with_its_exit_code(workplace: Workplace, command: str) -> None:
    workplace.write(f"fail-{command}")
    with pytest.raises(CommandFailedError) as failure:
        workplace.run()
    assert failure.value.code == 1


def test_an_error_of_the_azure_cli_ends_the_run_before_anything_is_done(
    workplace: Workplace, capfd: pytest.CaptureFixture[str]
) -> None:
    workplace.write("fail-az")
    with pytest.raises(AzureCliError) as failure:
        workplace.run()
    assert failure.value.code == 3
    assert "the error of az" in capfd.readouterr().err
    assert not (workplace.folder / "commands.log").exists()


def test_a_local_state_that_is_no_state_is_an_error_and_not_repeated(workplace: Workplace) -> None:
    workplace.local_state.write_text('{"lineage": ["a key"]}')
    with pytest.raises(BootstrapError, match="is no state of Terraform") as failure:
        workplace.run()
    assert "a key" not in str(failure.value)
    assert not (workplace.folder / "commands.log").exists()


@pytest.mark.parametrize("text", ["", "\n", "{}", make_state(resources=0)])
def test_a_state_without_resources_is_none(text: str) -> None:
    assert read_state(text, "a file") is None


@pytest.mark.parametrize(("text", "seconds"), [("", 15), ("0", 0), ("0.5", 0.5)])
def test_the_pause_can_be_set(monkeypatch: pytest.MonkeyPatch, text: str, seconds: float) -> None:
    monkeypatch.setenv("BOOTSTRAP_PAUSE_SECONDS", text)
    assert bootstrap.read_pause_seconds() == seconds


def test_a_pause_that_is_no_number_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOOTSTRAP_PAUSE_SECONDS", "a while")
    with pytest.raises(BootstrapError, match="'a while', which is no number of seconds"):
        bootstrap.read_pause_seconds()


class TestExitCode:
    """What `main` prints and returns for each kind of failure."""

    @pytest.fixture(autouse=True)
    def _nothing_missing(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
        """Synthesize a stack, and put the umask back that `main` sets."""
        stack = tmp_path / "shared"
        stack.mkdir()
        (stack / "cdk.tf.json").write_text("{}")
        terraform = tmp_path / "terraform-of-the-test"
        terraform.write_text('#!/bin/sh\necho \'{"terraform_version": "1.11.0"}\'\n')
        terraform.chmod(0o755)
        monkeypatch.setenv("TERRAFORM_BINARY_NAME", str(terraform))
        monkeypatch.setattr(bootstrap, "STACKS", tmp_path)

        def find_nothing(*, needs_azure_cli: bool, makes_trust: bool) -> list[str]:
            assert needs_azure_cli
            assert makes_trust
            return []

        monkeypatch.setattr(bootstrap.preflight, "find_missing", find_nothing)
        before = os.umask(0o022)
        yield
        os.umask(before)

    @pytest.mark.parametrize(
        ("error", "code", "message"),
        [
            (BootstrapError("do something."), 1, "bootstrap: do something.\n"),
            (BootstrapError("do something.", output="the cause\n\n"), 1, "the cause\nbootstrap: do something.\n"),
            (CommandFailedError(7), 7, ""),
            (AzureCliError("", 3), 3, ""),
            (KeyboardInterrupt(), 130, "\nbootstrap: interrupted; run this again.\n"),
        ],
    )
    def test_a_failure(
        self,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        error: BaseException,
        code: int,
        message: str,
    ) -> None:
        def fail(_: Bootstrap) -> None:
            raise error

        monkeypatch.setattr(Bootstrap, "run", fail)
        assert bootstrap.main() == code
        assert capsys.readouterr().err == message

    def test_only_the_user_can_read_what_it_writes(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        def write(_: Bootstrap) -> None:
            (tmp_path / "written").touch()

        monkeypatch.setattr(Bootstrap, "run", write)
        assert bootstrap.main() == 0
        assert (tmp_path / "written").stat().st_mode & 0o777 == 0o600
