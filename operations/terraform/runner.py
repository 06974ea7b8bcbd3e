"""Runs Terraform or OpenTofu in a folder with a synthesized stack."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, TypedDict

from operations.terraform.process import StopPolicy, start_process
from operations.terraform.state import StateHead, read_state_head

STACKS = Path("cdktf.out/stacks")
"""The folder in which `make synth` writes a folder for each stack."""

SYNTHESIZED = "cdk.tf.json"
"""The file of a stack's folder that holds its synthesized Terraform JSON."""

OLDEST = (1, 11)
"""The oldest version that can be used. It is the first with write-only arguments, which keep the database's first
password out of the plan and the state."""

QUIET = {"CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
"""No version check over the network, and no advice on which command to type next."""


class TerraformError(Exception):
    """Terraform cannot be used, or a command of it failed."""


class _Version(TypedDict):
    """A part of `terraform version -json`. OpenTofu uses the same name."""

    terraform_version: str


@dataclass(frozen=True)
class Run:
    """The result of one command."""

    code: int
    """The exit code."""
    output: str
    """Standard output and standard error, in the order in which they came."""
    seconds: float
    interrupted: bool = False
    """Whether this process got a signal that asks it to end, such as Ctrl-C, while the command ran."""


def choose_binary() -> str:
    """Return the command that TERRAFORM_BINARY_NAME names (cdktf uses the same variable), or `terraform`.

    It never falls back to OpenTofu: on a real state, changing the program has to be somebody's decision.
    """
    return os.environ.get("TERRAFORM_BINARY_NAME") or "terraform"


def find_terraform() -> str | None:
    """Return the path of any program that can be used where the state is disposable, or None if there is none.

    This is the one that TERRAFORM_BINARY_NAME names. If the variable is not set, it is `terraform` or else `tofu`.
    """
    name = os.environ.get("TERRAFORM_BINARY_NAME")
    return shutil.which(name) if name else shutil.which("terraform") or shutil.which("tofu")


def explain_unusable(binary: str) -> str | None:
    """Return a sentence that says why a command is no Terraform or OpenTofu to use, or None if it is one."""
    path = Path(shutil.which(binary) or binary)
    # It renames the program: https://github.com/hashicorp/setup-terraform/blob/main/lib/setup-terraform.js.
    if path.with_name(f"{path.name}-bin").exists():
        return (
            f"'{path}' is the wrapper of hashicorp/setup-terraform. It changes exit codes, and copies plans with their "
            "secrets into the outputs of the step. Set `terraform_wrapper: false` there."
        )
    try:
        command = [binary, "version", "-json"]
        answer = subprocess.run(command, env=os.environ | QUIET, capture_output=True, text=True, check=True)  # noqa: S603
        versions: _Version = json.loads(answer.stdout)
        version = versions["terraform_version"]
    except (OSError, subprocess.CalledProcessError, ValueError, KeyError, TypeError):
        return (
            f"Terraform or OpenTofu 1.11 or newer is needed, and '{binary}' does not run. "
            "Install one; TERRAFORM_BINARY_NAME=tofu names another."
        )
    if tuple(map(int, re.findall(r"\d+", version)[:2])) < OLDEST:
        return f"Terraform or OpenTofu 1.11 or newer is needed; '{binary}' is {version}."
    return None


def find_warnings(output: str) -> list[str]:
    """Return the warnings in what a command printed for people, each as Terraform has framed it, without colours."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", output)
    return [block for block in re.findall(r"^╷\n(?:│.*\n)+╵\n", plain, re.MULTILINE) if "│ Warning: " in block]


def find_variables() -> list[str]:
    """Return the environment variables that change what Terraform plans, each in a sentence.

    https://developer.hashicorp.com/terraform/cli/config/environment-variables
    """
    names = sorted(name for name in os.environ if name == "TF_WORKSPACE" or name.startswith("TF_CLI_ARGS"))
    return [f"{name} is set, and changes what Terraform plans. Unset it." for name in names if os.environ[name]]


def find_other_files(folder: Path) -> list[str]:
    """Return the files beside the synthesized one that Terraform would read too, each in a sentence.

    https://developer.hashicorp.com/terraform/language/files
    """
    patterns = ("*.tf", "*.tf.json", "*.tofu", "*.tofu.json", "*.tfvars", "*.tfvars.json")
    files = {file for pattern in patterns for file in folder.glob(pattern)} - {folder / SYNTHESIZED}
    return [f"{file} would become a part of the plan. Remove it." for file in sorted(files)]


@dataclass(frozen=True)
class Terraform:
    """Terraform or OpenTofu in one stack's folder."""

    folder: Path
    binary: str
    environment: Mapping[str, str] | None = field(default=None, repr=False)
    """All of the environment variables that Terraform gets. By default it gets those of this process."""
    stop_policy: StopPolicy = StopPolicy.LET_FINISH
    """What happens to Terraform when this process is interrupted."""

    @classmethod
    def for_stack(cls, folder: Path) -> Self:
        """Return Terraform for the folder of a synthesized stack, to be used on real Azure.

        Raises:
            TerraformError: Nothing was synthesized there, or Terraform is missing or older than 1.11.
        """
        if not (folder / SYNTHESIZED).is_file():
            raise TerraformError(f"There is no {folder / SYNTHESIZED}: make synth ENV={folder.name}")
        binary = choose_binary()
        if reasons := [*filter(None, [explain_unusable(binary)]), *find_variables()]:
            raise TerraformError("\n".join(reasons))
        return cls(folder, binary)

    def run(
        self, *arguments: str, on_line: Callable[[str], None] | None = None, stderr_to_terminal: bool = False
    ) -> Run:
        """Run a command, capture what it prints, and return the result whatever the exit code is.

        The command cannot ask anything, because its standard input is empty.

        Args:
            arguments: The command and its arguments, such as `"init", "-input=false"`.
            on_line: Gets each line of output as soon as it is printed.
            stderr_to_terminal: Print errors and warnings to this process's standard error instead of capturing them.
        """
        started = time.monotonic()
        lines: list[str] = []
        interrupted = threading.Event()
        with self._start(
            *arguments,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=None if stderr_to_terminal else subprocess.STDOUT,
            on_interrupt=interrupted.set,
        ) as process:
            for line in process.stdout or ():
                lines.append(line)
                if on_line:
                    on_line(line)
            process.wait()
        return Run(process.returncode, "".join(lines), time.monotonic() - started, interrupted.is_set())

    def run_in_terminal(self, *arguments: str) -> int:
        """Run a command that prints to the user's terminal and may ask there, and return its exit code.

        It needs the stop policy LET_FINISH: a process in a group of its own cannot read from the terminal.
        """
        with self._start(*arguments, stdin=None, stdout=None, stderr=None) as process:
            process.wait()
        return process.returncode

    def read_output(self, *arguments: str) -> str:
        """Run a command and return its standard output, without the warnings that go to standard error.

        Raises:
            TerraformError: The command failed. The message ends with what it printed to standard error.
        """
        with self.start(*arguments, stderr=subprocess.PIPE) as process:
            output, problems = process.communicate()
        if process.returncode:
            message = f"`{self.binary} {arguments[0]}` failed in {self.folder}, with {process.returncode}."
            raise TerraformError(f"{message}\n{problems}".rstrip())
        return output

    def show_plan(self, plan: Path) -> str:
        """Return a plan file as JSON, with its sensitive values in clear text.

        Raises:
            TerraformError: Terraform cannot read the file.
        """
        return self.read_output("show", "-json", str(plan.absolute()))

    def pull_state(self) -> str:
        """Return the state as JSON, as the backend has it now, or an empty text before the first apply.

        Raises:
            TerraformError: The state cannot be read.
        """
        return self.read_output("state", "pull")

    def read_state_head(self) -> StateHead | None:
        """Return what identifies the state now, or None before the first apply.

        Raises:
            TerraformError: The state cannot be read.
        """
        return read_state_head(self.pull_state())

    @contextlib.contextmanager
    def start(self, *arguments: str, stderr: int | None = subprocess.STDOUT) -> Generator[subprocess.Popen[str]]:
        """Run a command while the block runs, for the block to watch; its standard output is a pipe.

        When the block ends, a command that still runs is stopped as the stop policy says.
        """
        with self._start(*arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr) as process:
            yield process

    @contextlib.contextmanager
    def _start(
        self,
        *arguments: str,
        stdin: int | None,
        stdout: int | None,
        stderr: int | None,
        on_interrupt: Callable[[], None] = lambda: None,
    ) -> Generator[subprocess.Popen[str]]:
        environment = os.environ if self.environment is None else self.environment
        with start_process(
            [self.binary, f"-chdir={self.folder}", *arguments],
            environment={**environment, **QUIET},
            stop_policy=self.stop_policy,
            on_interrupt=on_interrupt,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
        ) as process:
            yield process
