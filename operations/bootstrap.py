"""Apply the shared stack for the first time, and move its state into the storage account that it creates.

    az login && scripts/bootstrap-state.sh

That script synthesizes the shared stack and runs this module, `python -m operations.bootstrap`. It needs Terraform or
OpenTofu 1.11 or newer (TERRAFORM_BINARY_NAME=tofu names another command than `terraform`), and the Azure CLI, logged in
as an Owner of the subscription. Terraform shows its plan and asks before it applies.

It can be run again at any time and after any interruption. Until the state has arrived in Azure, it is in
bootstrap.tfstate, next to the Makefile, and the next run continues from there. Once it has arrived, a run says so and
changes nothing.

Exit codes: 0 the state is in Azure; 130 interrupted by Ctrl-C, except during the apply; otherwise that of the command
that failed, or 1.
"""

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_fixed

from environments import SettingsError, load
from operations import azure_cli, preflight
from operations.azure_cli import AzureCliError
from operations.plan_guard.judge import SHARED
from operations.terraform.runner import STACKS, Run, Terraform, TerraformError

LOCAL_STATE = "bootstrap.tfstate"
OVERRIDE = "bootstrap_override.tf.json"
"""The file in the folder of the stack that replaces its backend with a local one.

Terraform merges a file of such a name into the others:
https://developer.hashicorp.com/terraform/language/files/override
"""

ROLE = "Storage Blob Data Contributor"

ATTEMPTS = 40
"""How often it tries to reach the state account, with a pause of 15 seconds after each attempt.

A new role assignment takes up to ten minutes to reach the account:
https://learn.microsoft.com/azure/role-based-access-control/troubleshooting#symptom---role-assignment-changes-are-not-being-detected
"""

DEFAULT_PAUSE_SECONDS = "15"
"""BOOTSTRAP_PAUSE_SECONDS sets another pause."""

PRIVATE_FILES = 0o077
"""The umask with which only the user can read the state: it contains keys that Azure exports."""


class BootstrapError(Exception):
    """The bootstrap cannot continue. The message says what somebody has to do."""

    def __init__(self, message: str, output: str = "") -> None:
        super().__init__(message)
        self.output = output
        """What Terraform printed, if the user has not seen it yet."""


class InitError(Exception):
    """`terraform init` failed. The text is what it printed."""


class CommandFailedError(Exception):
    """A command failed, and has told the user why."""

    def __init__(self, code: int) -> None:
        super().__init__(f"The command failed, with {code}.")
        self.code = code


class StateContent(BaseModel):
    """The parts of a state that tell whether another state is a copy of it."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True)

    lineage: str = ""
    """Stays the same as long as the state exists, in whatever backend."""
    resources: tuple[JsonValue, ...] = ()


def read_state(text: str, source: str) -> StateContent | None:
    """Read a state from its JSON. Return None if the text is empty, or if the state has no resources.

    Raises:
        BootstrapError: the text is no state. The message names its source.
    """
    if not text.strip():
        return None
    try:
        state = StateContent.model_validate_json(text)
    except ValidationError:
        raise BootstrapError(f"what {source} contains is no state of Terraform.") from None
    return state if state.resources else None


@dataclass(frozen=True)
class StateAccount:
    """The storage account that holds the state."""

    subscription_id: str
    name: str

    def find_id(self) -> str | None:
        """Return the resource ID of the account, or None if it does not exist yet."""
        return azure_cli.find_storage_account(self.subscription_id, self.name)

    def grant_access(self) -> None:
        """Give the user who is logged in the right to read and write state.

        The account has no keys, so even an Owner of the subscription needs a data role.
        """
        user = azure_cli.get_signed_in_user()
        print(f"Granting you {ROLE} on {self.name}.", flush=True)
        azure_cli.assign_role_to_user(self.subscription_id, role=ROLE, user=user, scope=self.find_id() or "")


@dataclass(frozen=True)
class Bootstrap:
    """Brings the shared stack into Azure, and its state after it."""

    terraform: Terraform
    account: StateAccount
    local_state: Path
    """The absolute path of the file that holds the state until it has arrived in Azure."""
    pause_seconds: float

    def run(self) -> None:
        """Continue from wherever an earlier run has ended.

        Raises:
            BootstrapError: somebody has to do something first.
            CommandFailedError: Terraform failed, or the user did not want to apply.
            AzureCliError: the Azure CLI failed.
            TerraformError: Terraform could not read the state.
        """
        local = self._read_local_state()
        if self._is_state_in_azure(local):
            self._remove_local_files()
            print(f"The state of the shared stack is in {self.account.name} already; nothing to do.")
            return
        applied = self._apply()
        self.account.grant_access()
        self._wait_for_access()
        moved = self._move_state()
        if moved is None or moved.lineage != applied.lineage or len(moved.resources) != len(applied.resources):
            raise BootstrapError(
                f"the state in {self.account.name} is not the one that was moved; "
                f"the original is in {self.local_state}.backup."
            )
        self._remove_local_files()
        print(f"Done: {len(moved.resources)} resources; the state of the shared stack is in {self.account.name}.")

    def _is_state_in_azure(self, local: StateContent | None) -> bool:
        """Return whether an earlier run has moved the state already.

        Raises:
            BootstrapError: what is in Azure does not fit what is here, so that a person has to decide.
        """
        account_id = self.account.find_id()
        if account_id is None:
            return False
        try:
            self._init_in_azure()
        except InitError as error:
            if local is None:
                raise BootstrapError(
                    f"{self.account.name} exists, and its state cannot be read. You need {ROLE} on it: "
                    f"az role assignment create --role '{ROLE}' --assignee YOU --scope {account_id}",
                    output=str(error),
                ) from None
            # An earlier run has created the account, and may have been interrupted before the user had access to it.
            return False
        remote = self._read_remote_state()
        if remote is None and local is None:
            raise BootstrapError(
                f"{self.account.name} exists, but there is no state of it, neither in it nor here. "
                "Is somebody else bootstrapping? Otherwise import what exists (terraform import), or delete it."
            )
        # A run that was interrupted after the move leaves both states. The local one may be deleted only if it is a
        # copy of the other.
        if remote and local and remote.lineage != local.lineage:
            raise BootstrapError(
                f"there is a state in {self.account.name} and another one in {self.local_state}. "
                "Look at both; remove the one that is wrong."
            )
        return remote is not None

    def _apply(self) -> StateContent:
        print(f"Applying the shared stack, with its state in {self.local_state.name}.", flush=True)
        self._init_locally()
        if code := self.terraform.run_in_terminal("apply"):
            raise CommandFailedError(code)
        applied = self._read_local_state()
        if applied is None:
            raise BootstrapError("nothing was applied.")
        return applied

    def _wait_for_access(self) -> None:
        def report(attempt: RetryCallState) -> None:
            print(
                f"The state account does not let you in yet (attempt {attempt.attempt_number} of {ATTEMPTS}); "
                f"trying again in {self.pause_seconds:g} s.",
                flush=True,
            )

        retrying = Retrying(
            retry=retry_if_exception_type(InitError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_fixed(self.pause_seconds),
            before_sleep=report,
            reraise=True,
        )
        try:
            retrying(self._init_in_azure)
        except InitError as error:
            raise BootstrapError(
                f"{self.account.name} does not let you in; the state is safe in {self.local_state}. Run this again.",
                output=str(error),
            ) from None

    def _move_state(self) -> StateContent | None:
        """Move the local state into the account, and return the state that is there afterwards."""
        remote = self._read_remote_state()
        if remote is not None:
            # Never overwrite it: an earlier run has moved it while this run had no access, and it may be newer.
            return remote
        print(f"Moving the state into {self.account.name}.", flush=True)
        self._init_locally()  # tells Terraform where the state comes from
        self._remove_override()
        migration = ("init", "-input=false", "-no-color", "-migrate-state", "-force-copy")
        if self.terraform.run(*migration, stderr_to_terminal=True).code:
            raise BootstrapError(
                f"the state could not be moved to {self.account.name}; it is safe in {self.local_state}. "
                "Run this again."
            )
        return self._read_remote_state()

    def _init_in_azure(self) -> None:
        """Initialize Terraform with the backend that the stack declares, which is the state account.

        Raises:
            InitError: Terraform cannot reach it.
            KeyboardInterrupt: the user pressed Ctrl-C. Terraform has ended by itself.
        """
        self._remove_override()
        init = self._init()
        if init.code:
            raise InitError(init.output)

    def _init_locally(self) -> None:
        """Initialize Terraform with the local state.

        Raises:
            CommandFailedError: Terraform failed, and has printed why.
            KeyboardInterrupt: the user pressed Ctrl-C. Terraform has ended by itself.
        """
        backend = {"terraform": {"backend": {"local": {"path": str(self.local_state)}}}}
        self._override.write_text(json.dumps(backend), encoding="utf-8")
        init = self._init(stderr_to_terminal=True)
        if init.code:
            raise CommandFailedError(init.code)

    def _init(self, *, stderr_to_terminal: bool = False) -> Run:
        init = self.terraform.run(
            "init", "-input=false", "-no-color", "-reconfigure", stderr_to_terminal=stderr_to_terminal
        )
        if init.interrupted:
            raise KeyboardInterrupt
        return init

    def _read_local_state(self) -> StateContent | None:
        if not self.local_state.is_file():
            return None
        return read_state(self.local_state.read_text(encoding="utf-8"), str(self.local_state))

    def _read_remote_state(self) -> StateContent | None:
        return read_state(self.terraform.pull_state(), self.account.name)

    @property
    def _override(self) -> Path:
        return self.terraform.folder / OVERRIDE

    def _remove_override(self) -> None:
        self._override.unlink(missing_ok=True)

    def _remove_local_files(self) -> None:
        """Delete the local state, and Terraform's backups of it."""
        self._remove_override()
        self.local_state.unlink(missing_ok=True)
        for file in self.local_state.parent.glob(f"{self.local_state.name}.*"):
            file.unlink()


def read_pause_seconds() -> float:
    """Return the pause between two attempts to reach the state account, in seconds.

    Raises:
        BootstrapError: BOOTSTRAP_PAUSE_SECONDS is no number.
    """
    text = os.environ.get("BOOTSTRAP_PAUSE_SECONDS") or DEFAULT_PAUSE_SECONDS
    try:
        return float(text)
    except ValueError:
        raise BootstrapError(f"BOOTSTRAP_PAUSE_SECONDS is {text!r}, which is no number of seconds.") from None


def main() -> int:
    os.umask(PRIVATE_FILES)
    if missing := preflight.find_missing(needs_azure_cli=True, makes_trust=True):
        print(preflight.format_missing("bootstrap", missing), file=sys.stderr)
        return 1
    try:
        shared = load().shared
        account = StateAccount(shared.account.subscription_id, shared.names.compose("storage", "state"))
        terraform = Terraform.for_stack(STACKS / SHARED)
        Bootstrap(terraform, account, Path.cwd() / LOCAL_STATE, read_pause_seconds()).run()
    except BootstrapError as error:
        if error.output:
            print(error.output.rstrip(), file=sys.stderr)
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    except (TerraformError, SettingsError) as error:
        print(f"bootstrap: {error}", file=sys.stderr)
        return 1
    except (AzureCliError, CommandFailedError) as error:
        return error.code
    except KeyboardInterrupt:  # It does not come during an apply: Terraform ends that by itself.
        print("\nbootstrap: interrupted; run this again.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
