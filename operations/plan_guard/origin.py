"""Where a plan file comes from: written down next to it when it is made, and compared before it is applied."""

import hashlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError

from operations.terraform.plan import PlanError
from operations.terraform.runner import Terraform
from operations.terraform.state import StateHead

CDK_JSON = "cdk.tf.json"
DIRTY = "-dirty"
"""What `read_commit` appends to the commit if a tracked file differs from it."""


class Origin(BaseModel):
    """What a plan file was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str
    commit: str
    """The commit that was checked out, with DIRTY appended if there were uncommitted changes."""
    synthesized_sha256: str
    """The SHA-256 of the stack's `cdk.tf.json`."""
    plan_sha256: str
    state: StateHead | None
    """Identifies the state; None before the first apply."""

    @classmethod
    def determine(cls, plan_file: Path, terraform: Terraform, *, state: StateHead | None) -> Self:
        """Return the origin that the plan file has if it was made right now.

        Args:
            plan_file: The plan file.
            terraform: Terraform in the folder of the stack.
            state: What `terraform.read_state_head()` returned before the plan was made.

        Raises:
            PlanError: this is no git checkout.
        """
        return cls(
            stack=terraform.folder.name,
            commit=read_commit(),
            synthesized_sha256=compute_sha256(terraform.folder / CDK_JSON),
            plan_sha256=compute_sha256(plan_file),
            state=state,
        )

    @classmethod
    def load(cls, plan_file: Path) -> Self:
        """Read the origin that was written down next to a plan file.

        Raises:
            PlanError: it is missing, or cannot be read.
        """
        file = get_origin_path(plan_file)
        try:
            return cls.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            raise PlanError(f"There is no {file}: `stamp` the plan file when it is made.") from None
        except (OSError, ValidationError):
            raise PlanError(f"{file} is not what `stamp` has written.") from None

    def save(self, plan_file: Path) -> None:
        """Write the origin down next to the plan file."""
        get_origin_path(plan_file).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def find_mismatches(self, current: "Origin") -> Iterator[str]:
        """Yield every reason, in a sentence, why a plan of this origin does not fit what there is now."""
        if self.stack != current.stack:
            yield f"The plan was made for {self.stack}, not for {current.stack}."
        if self.plan_sha256 != current.plan_sha256:
            yield "The plan file is not the one that was stamped: its SHA-256 differs."
        if self.commit.endswith(DIRTY):
            yield "The plan was made with uncommitted changes: commit them, and plan again."
        elif self.commit != current.commit:
            yield f"The plan was made from commit {self.commit}; {current.commit} is checked out."
        if self.synthesized_sha256 != current.synthesized_sha256:
            yield f"The plan was made from another {CDK_JSON} than the one that is synthesized now."
        if self.state != current.state:
            yield f"The state is not the one that was planned from: {self.state} then, {current.state} now."


def read_commit() -> str:
    """Return the commit that is checked out, with DIRTY appended if a tracked file differs from it.

    Raises:
        PlanError: this is no git checkout, or git is not installed.
    """
    command = ["git", "describe", "--always", "--abbrev=40", f"--dirty={DIRTY}", "--exclude=*"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        raise PlanError("The commit cannot be told: this is no git checkout, or git is not installed.") from None


def compute_sha256(file: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def get_origin_path(plan_file: Path) -> Path:
    """Return the path of the file in which a plan file's origin is written down."""
    return plan_file.with_name(f"{plan_file.name}.origin.json")
