"""A checkout with a stack that needs no Azure, for what runs the real Terraform."""

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


def skip_without_terraform() -> None:
    """Skip the module that calls this, with one line, where there is no Terraform."""
    if shutil.which(os.environ.get("TERRAFORM_BINARY_NAME", "terraform")) is None:
        pytest.skip("needs Terraform or OpenTofu on PATH", allow_module_level=True)


class Checkout:
    """A git checkout with one synthesized stack, dev, that needs no provider and no Azure."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.stack = folder / "cdktf.out/stacks/dev"
        self.stack.mkdir(parents=True)
        self.plan_file = folder / "dev.tfplan"
        (folder / ".gitignore").write_text("cdktf.out/\n*.tfplan\n*.origin.json\n")
        self.git("init", "--quiet")
        self.commit("the first")
        self.synthesize()
        self.run("init", "-input=false")
        self.run("apply", "-input=false", "-auto-approve")

    @classmethod
    def entered(cls, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Self:
        """A checkout that is the working directory until the test ends."""
        folder.mkdir()
        monkeypatch.chdir(folder)
        monkeypatch.delenv("GIT_DIR", raising=False)
        return cls(folder)

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=a test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
        subprocess.run(["git", *identity, *arguments], cwd=self.folder, check=True, capture_output=True)  # noqa: S607

    def commit(self, text: str) -> None:
        (self.folder / "file").write_text(text)
        self.git("add", ".")
        self.git("commit", "--quiet", "--message", text)

    def synthesize(
        self, kept: str = "one", *, prevent_destroy: bool = False, more: JsonValue = None, slow: str = ""
    ) -> None:
        """Write the stack; another `kept` replaces that resource, and `slow` is a command that makes another one."""
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

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [Terraform.of(self.stack).binary, f"-chdir={self.stack}", *arguments],
            check=False, capture_output=True, text=True,
        )  # fmt: skip

    def make_plan(self, *arguments: str) -> int:
        """Plan, and stamp the plan file."""
        code = self.run("plan", "-input=false", f"-out={self.plan_file}", *arguments).returncode
        terraform = Terraform.of(self.stack)
        Origin.of(self.plan_file, terraform, state=terraform.state()).write(self.plan_file)
        return code

    def judge(self, *allowed: str) -> Report:
        place = StackTarget("dev", SUBSCRIPTION, disposable=False)
        return Guard(place, allowed).judge_file(self.plan_file, Terraform.of(self.stack))
