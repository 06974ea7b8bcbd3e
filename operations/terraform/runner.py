"""Terraform, or OpenTofu, in the folder of a synthesized stack."""

import contextlib
import json
import os
import re
import signal
import subprocess
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Self, TypedDict

from pydantic import BaseModel, ConfigDict

STACKS = Path("cdktf.out/stacks")
OLDEST = (1, 11)
"""The first with write-only arguments, which keep the database's first password out of plan and state."""


class TerraformError(Exception):
    """Terraform cannot be used, or has failed; it has said why itself, or the message does."""


class Version(TypedDict):
    """A part of `terraform version -json`, which OpenTofu answers under the same name."""

    terraform_version: str


class StateHead(BaseModel):
    """What identifies a state: every write of it counts the serial up."""

    model_config = ConfigDict(frozen=True)

    lineage: str
    serial: int

    def __str__(self) -> str:
        return f"serial {self.serial} of {self.lineage}"


def chosen() -> str:
    """The command that TERRAFORM_BINARY_NAME names, as for cdktf; `terraform` by default."""
    return os.environ.get("TERRAFORM_BINARY_NAME") or "terraform"


def unusable(binary: str) -> str | None:
    """Why this command is no Terraform to use, in a sentence; None where it is one."""
    try:
        command = [binary, "version", "-json"]
        shown = subprocess.run(command, env=_environment(), capture_output=True, text=True, check=True)  # noqa: S603
        answer: Version = json.loads(shown.stdout)
        version = answer["terraform_version"]
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError, TypeError):
        return (
            f"Terraform or OpenTofu 1.11 or newer is needed, and '{binary}' does not run. "
            "Install one; TERRAFORM_BINARY_NAME=tofu names another."
        )
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
        return f"Terraform or OpenTofu 1.11 or newer is needed; '{binary}' is {version}."
    return None


@dataclass(frozen=True)
class Terraform:
    """Terraform in a stack's folder."""

    folder: Path
    binary: str

    @classmethod
    def of(cls, folder: Path) -> Self:
        """Terraform for this folder.

        Raises:
            TerraformError: nothing was synthesized there, or Terraform is missing or older than 1.11.
        """
        if not (folder / "cdk.tf.json").is_file():
            raise TerraformError(f"There is no {folder / 'cdk.tf.json'}: make synth ENV={folder.name}")
        found = cls(folder, chosen())
        if reason := unusable(found.binary):
            raise TerraformError(reason)
        return found

    def run(self, *arguments: str, on_line: Callable[[str], None] | None = None) -> int:
        """Run a command that speaks for itself, and give its exit code.

        With `on_line`, that gets what the command prints, line by line, instead of the user, who gets its errors.
        """
        with self._running(*arguments, stdout=subprocess.PIPE if on_line else None) as process:
            if on_line and process.stdout:
                for line in process.stdout:
                    on_line(line)
        return process.returncode

    def output(self, *arguments: str) -> str:
        """What a command prints; its errors go to the user.

        Raises:
            TerraformError: it failed.
        """
        with self._running(*arguments, stdout=subprocess.PIPE) as process:
            shown, _ = process.communicate()
        if process.returncode:
            raise TerraformError(f"`{self.binary} {arguments[0]}` failed in {self.folder}, with {process.returncode}.")
        return shown

    def show(self, plan: Path) -> str:
        """A plan file as JSON, with its sensitive values in clear."""
        return self.output("show", "-json", str(plan.absolute()))

    def state(self) -> StateHead | None:
        """What identifies the state now; None before the first apply."""
        pulled = self.output("state", "pull")
        return StateHead.model_validate_json(pulled) if pulled.strip() else None

    @contextlib.contextmanager
    def _running(self, *arguments: str, stdout: int | None) -> Generator[subprocess.Popen[str]]:
        """Let Terraform end as it sees fit: a killed apply leaves the state locked, and without what was being made.

        A terminal sends Ctrl-C to Terraform as well. SIGTERM, with which a CI job is ended, comes here alone and is
        handed on. A closed terminal's SIGHUP would kill Terraform: it inherits that this is ignored, and gets SIGTERM.
        """
        command = [self.binary, f"-chdir={self.folder}", *arguments]

        def end(_number: int, _frame: FrameType | None) -> None:
            # The kernel and the shell both send one, and Terraform exits at once when it is told twice.
            signal.signal(signal.SIGHUP, signal.SIG_IGN)
            process.terminate()

        with (
            _handling({signal.SIGHUP: signal.SIG_IGN}),
            subprocess.Popen(command, env=_environment(), stdout=stdout, text=True) as process,  # noqa: S603
            _handling({signal.SIGINT: signal.SIG_IGN, signal.SIGTERM: end, signal.SIGHUP: end}),
        ):
            yield process
            process.wait()


def _environment() -> dict[str, str]:
    """No version check over the network, and no advice on what to type next."""
    return os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}


Handler = Callable[[int, FrameType | None], None] | signal.Handlers


@contextlib.contextmanager
def _handling(handlers: Mapping[signal.Signals, Handler]) -> Generator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
