"""A git checkout with a stack that needs no Azure, for tests that run the real Terraform."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Self

import pytest
from pydantic import JsonValue

from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.plan_guard.origin import Origin
from operations.plan_guard.report import Report
from operations.terraform.runner import Terraform
from tests.operations.plan_guard.plans.plan_json import SUBSCRIPTION

SECRET = "correct-horse-battery"  # noqa: S105
KEPT = "terraform_data.kept"
"""The address of the resource that another value of `kept` replaces."""


def skip_without_terraform() -> None:
    """Skip the module that calls this if there is no Terraform."""
    if shutil.which(os.environ.get("TERRAFORM_BINARY_NAME", "terraform")) is None:
        pytest.skip("needs Terraform or OpenTofu on PATH", allow_module_level=True)


class Checkout:
    """A git checkout with one synthesized stack, dev, whose resources need no provider."""

    def __init__(self, folder: Path) -> None:
        """Describe the checkout in this folder. `create` makes a new one."""
        self.folder = folder
        self.stack = folder / "cdktf.out/stacks/dev"
        self.plan_file = folder / "dev.tfplan"

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Make a checkout with a commit, in which the stack has been applied."""
        checkout = cls(folder)
        checkout.stack.mkdir(parents=True)
        (folder / ".gitignore").write_text("cdktf.out/\n*.tfplan\n*.origin.json\n")
        checkout.run_git("init", "--quiet")
        checkout.commit("the first")
        checkout.synthesize()
        checkout.run_terraform("init", "-input=false")
        checkout.run_terraform("apply", "-input=false", "-auto-approve")
        return checkout

    def copy(self, folder: Path) -> "Checkout":
        """Copy the checkout to another folder."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return type(self)(folder)

    def run_git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=a test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        environment = {name: value for name, value in os.environ.items() if name != "GIT_DIR"}
        subprocess.run(
            ["git", *identity, *arguments],  # noqa: S607
            cwd=self.folder,
            env=environment,
            check=True,
            capture_output=True,
        )

    def commit(self, text: str) -> None:
        """Write a text into the tracked file, and commit it."""
        (self.folder / "file").write_text(text)
        self.run_git("add", ".")
        self.run_git("commit", "--quiet", "--message", text)

    def synthesize(
        self, kept: str = "one", *, prevent_destroy: bool = False, more: JsonValue = None, slow: str = ""
    ) -> None:
        """Write the stack.

        Args:
            kept: Another value than before replaces the resource KEPT.
            prevent_destroy: Whether Terraform refuses to replace that resource.
            more: The body of one more resource.
            slow: A command that runs while another resource is created.
        """
        resource: dict[str, JsonValue] = {
            "kept": {"triggers_replace": kept, "lifecycle": {"prevent_destroy": prevent_destroy}},
            "changed": {"input": {"kept": kept, "secret": "${var.secret}"}},
        }
        if more is not None:
            resource["more"] = more
        if slow:
            resource["slow"] = {"provisioner": {"local-exec": {"command": slow}}}
        body: JsonValue = {
            "variable": {"secret": {"sensitive": True, "default": SECRET}},
            "resource": {"terraform_data": resource},
            "output": {"environment": {"value": "dev"}},
        }
        (self.stack / "cdk.tf.json").write_text(json.dumps(body))

    def run_terraform(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [Terraform.for_stack(self.stack).binary, f"-chdir={self.stack}", *arguments]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    def plan_and_stamp(self, *arguments: str) -> int:
        """Make a plan file, write down where it comes from, and return the exit code of the plan."""
        code = self.run_terraform("plan", "-input=false", f"-out={self.plan_file}", *arguments).returncode
        terraform = Terraform.for_stack(self.stack)
        Origin.determine(self.plan_file, terraform, state=terraform.read_state_head()).save(self.plan_file)
        return code

    def judge(self, *allowed: str) -> Report:
        """Let the guard judge the plan file."""
        target = StackTarget("dev", SUBSCRIPTION, disposable=False)
        return Guard(target, allowed).judge_file(self.plan_file, Terraform.for_stack(self.stack))
