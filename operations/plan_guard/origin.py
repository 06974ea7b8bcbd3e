"""What a plan file was made from, written down beside it, and compared before it is applied."""

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


def sha256(file: Path) -> str:
    """A file's SHA-256, in hexadecimal."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def checked_out() -> str:
    """The commit that is checked out, with DIRTY behind it where a tracked file differs from it.

    Raises:
        PlanError: this is no git checkout.
    """
    command = ["git", "describe", "--always", "--abbrev=40", f"--dirty={DIRTY}", "--exclude=*"]
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        raise PlanError("The commit cannot be told: this is no git checkout, or git is not installed.") from None


class Origin(BaseModel):
    """What a plan file was made from."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stack: str
    commit: str
    synthesized_sha256: str
    plan_sha256: str
    state: StateHead | None

    @classmethod
    def of(cls, plan: Path, terraform: Terraform, *, state: StateHead | None) -> Self:
        """What the plan file is made from, right after it was made; `state` is what `read_state_head` said before."""
        return cls(
            stack=terraform.folder.name,
            commit=checked_out(),
            synthesized_sha256=sha256(terraform.folder / CDK_JSON),
            plan_sha256=sha256(plan),
            state=state,
        )

    @classmethod
    def beside(cls, plan: Path) -> Self:
        """What was written down beside a plan file.

        Raises:
            PlanError: it is missing, or cannot be read.
        """
        file = origin_file(plan)
        try:
            return cls.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            raise PlanError(f"There is no {file}: `stamp` the plan file when it is made.") from None
        except (OSError, ValidationError):
            raise PlanError(f"{file} is not what `stamp` has written.") from None

    def write(self, plan: Path) -> None:
        """Write it beside the plan file."""
        origin_file(plan).write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    def mismatches(self, now: "Origin") -> Iterator[str]:
        """Why a plan of this origin is not to be applied to what there is now."""
        if self.stack != now.stack:
            yield f"The plan was made for {self.stack}, not for {now.stack}."
        if self.plan_sha256 != now.plan_sha256:
            yield "The plan file is not the one that was stamped: its SHA-256 differs."
        if self.commit.endswith(DIRTY):
            yield "The plan was made with uncommitted changes: commit them, and plan again."
        elif self.commit != now.commit:
            yield f"The plan was made from commit {self.commit}; {now.commit} is checked out."
        if self.synthesized_sha256 != now.synthesized_sha256:
            yield f"The plan was made from another {CDK_JSON} than the one that is synthesized now."
        if self.state != now.state:
            yield f"The state is not the one that was planned from: {self.state} then, {now.state} now."


def origin_file(plan: Path) -> Path:
    """Where the origin of a plan file is written down."""
    return plan.with_name(f"{plan.name}.origin.json")
