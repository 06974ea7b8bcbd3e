"""Terraform, or OpenTofu, in the folder of a synthesized stack."""

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
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


@dataclass(frozen=True)
class Terraform:
    """The command that TERRAFORM_BINARY_NAME names, `terraform` by default, run in a stack's folder."""

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
        binary = os.environ.get("TERRAFORM_BINARY_NAME", "terraform")
        found = cls(folder, binary)
        try:
            answer: Version = json.loads(found.output("version", "-json"))
            version = answer["terraform_version"]
        except (OSError, TerraformError, ValueError, KeyError, TypeError):
            raise TerraformError(
                f"Terraform or OpenTofu 1.11 or newer is needed, and '{binary}' does not run. "
                "Install one; TERRAFORM_BINARY_NAME=tofu names another."
            ) from None
        if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
            raise TerraformError(f"Terraform or OpenTofu 1.11 or newer is needed; '{binary}' is {version}.")
        return found

    def run(self, *arguments: str, quiet: bool = False) -> int:
        """Run a command that speaks for itself, and give its exit code. `quiet` leaves only its errors."""
        stdout = subprocess.DEVNULL if quiet else None
        return self._run(*arguments, stdout=stdout).returncode

    def output(self, *arguments: str) -> str:
        """What a command prints; its errors go to the user.

        Raises:
            TerraformError: it failed.
        """
        process = self._run(*arguments, stdout=subprocess.PIPE)
        if process.returncode:
            raise TerraformError(f"`{self.binary} {arguments[0]}` failed in {self.folder}, with {process.returncode}.")
        return process.stdout

    def show(self, plan: Path) -> str:
        """A plan file as JSON, with its sensitive values in clear."""
        return self.output("show", "-json", str(plan.absolute()))

    def state(self) -> StateHead | None:
        """What identifies the state now; None before the first apply."""
        pulled = self.output("state", "pull")
        return StateHead.model_validate_json(pulled) if pulled.strip() else None

    def _run(self, *arguments: str, stdout: int | None) -> subprocess.CompletedProcess[str]:
        # No version check over the network, and no advice on what to type next.
        environment = os.environ | {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
        command = [self.binary, f"-chdir={self.folder}", *arguments]
        return subprocess.run(command, env=environment, stdout=stdout, text=True, check=False)  # noqa: S603
