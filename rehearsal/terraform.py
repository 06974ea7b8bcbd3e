"""Running Terraform or OpenTofu on a synthesized stack."""

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from rehearsal.stand_in.model import Json

PARALLELISM = 60
"""Most of the provider's time is waiting for Azure to settle, which costs nothing to do side by side."""

_FOREIGN = ("ARM_", "TF_", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy")
"""What a user's environment may hold that would lead Terraform elsewhere."""
_OURS = ("HTTPS_PROXY", "SSL_CERT_FILE")
"""What leads Terraform here, and would lead it away from a registry."""
_KEPT = ("TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")
"""Where the provider may be found."""


@dataclass(frozen=True)
class Run:
    """What came of one command."""

    code: int
    output: str
    """Standard output and standard error."""
    seconds: float


def find() -> str | None:
    """Terraform, or OpenTofu; TERRAFORM_BINARY_NAME, as cdktf has it, decides."""
    named = os.environ.get("TERRAFORM_BINARY_NAME")
    return shutil.which(named) if named else shutil.which("terraform") or shutil.which("tofu")


@dataclass(frozen=True)
class Terraform:
    """Terraform in one stack's folder."""

    binary: str
    folder: Path
    environment: Mapping[str, str]

    def run(self, *arguments: str, on_line: Callable[[str], None] | None = None) -> Run:
        """Run a command to its end, whatever comes of it; `on_line` sees each line of output as it comes."""
        started = time.monotonic()
        lines: list[str] = []
        with running(self.start(*arguments)) as process:
            for line in process.stdout or ():
                lines.append(line)
                if on_line:
                    on_line(line)
            process.wait()
        return Run(process.returncode, "".join(lines), time.monotonic() - started)

    def start(self, *arguments: str, stderr: int = subprocess.STDOUT) -> subprocess.Popen[str]:
        """Start a command in a process group of its own, so that `kill` reaches the provider too."""
        environment = {
            name: value for name, value in os.environ.items() if name in _KEPT or not name.startswith(_FOREIGN)
        }
        environment |= {"TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "TF_INPUT": "0"} | dict(self.environment)
        return subprocess.Popen(  # noqa: S603  Terraform, as found above
            [self.binary, f"-chdir={self.folder}", *arguments],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def init(self, *arguments: str) -> Run:
        """Install the provider, then reach the backend.

        Two steps, because the provider may have to come from a registry, through the user's own proxy, and the backend
        is reached through the rehearsal's.
        """
        if not (self.folder / ".terraform.lock.hcl").exists():
            own = {name: value for name, value in self.environment.items() if name not in _OURS}
            installed = Terraform(self.binary, self.folder, own | _proxies()).run("init", "-no-color", "-backend=false")
            if installed.code:
                return installed
        return self.run("init", "-no-color", *arguments)

    def plan(self, *arguments: str, out: str = "plan.tfplan") -> Run:
        """Plan into a file; code 2 where there are changes."""
        return self.run(
            "plan", "-no-color", "-detailed-exitcode", f"-out={out}", f"-parallelism={PARALLELISM}", *arguments
        )

    def apply(self, *arguments: str, on_line: Callable[[str], None] | None = None) -> Run:
        """Apply, with a line of JSON for every event."""
        return self.run("apply", "-json", "-auto-approve", f"-parallelism={PARALLELISM}", *arguments, on_line=on_line)

    def destroy(self, *arguments: str, on_line: Callable[[str], None] | None = None) -> Run:
        """Destroy everything, with a line of JSON for every event."""
        return self.run("destroy", "-json", "-auto-approve", f"-parallelism={PARALLELISM}", *arguments, on_line=on_line)

    def show(self, plan: str = "plan.tfplan") -> str:
        """The plan as JSON."""
        return self._read("show", "-json", plan)

    def state(self) -> Json:
        """The state as the backend has it."""
        return json.loads(self._read("state", "pull"))

    def _read(self, *arguments: str) -> str:
        """Standard output alone: a warning must not get into JSON."""
        with running(self.start(*arguments, stderr=subprocess.PIPE)) as process:
            output, problems = process.communicate()
        if process.returncode:
            raise RuntimeError(problems)
        return output


def _proxies() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if name.lower() in ("http_proxy", "https_proxy", "no_proxy")
    }


def kill(process: subprocess.Popen[str]) -> None:
    """`kill -9` for Terraform and the providers that it started, where they still run."""
    with process:  # waits, and closes its pipes
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


@contextlib.contextmanager
def running(process: subprocess.Popen[str]) -> Generator[subprocess.Popen[str]]:
    """Kill it when the block ends, if it has not ended by itself: Ctrl-C does not reach its process group."""
    try:
        yield process
    finally:
        kill(process)


def events(output: str) -> Iterator[Json]:
    """The events that `apply -json` printed."""
    for line in output.splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def errors(output: str) -> list[str]:
    """The errors among them, in Terraform's words."""
    found = (event.get("diagnostic", {}) for event in events(output))
    return [f"{each['summary']} {each.get('detail', '')}".strip() for each in found if each.get("severity") == "error"]


class StateLock(NamedTuple):
    """Whose run holds a state, as Terraform tells one that has waited for it in vain."""

    id: str
    holder: str


def state_lock(output: str) -> StateLock | None:
    """The lock that a run was told of; None where it was told of none."""
    id_, holder = re.search(r"ID:\s+(\S+)", output), re.search(r"Who:\s+(\S+)", output)
    return StateLock(id_[1], holder[1]) if id_ and holder else None


def provider_missing(run: Run) -> bool:
    """True where `init` failed because the provider is nowhere to be had."""
    signs = (
        "Failed to query available provider packages",
        "Failed to resolve provider packages",  # OpenTofu
        "no available releases match",
        "Failed to install provider",
    )
    return run.code != 0 and any(sign in run.output for sign in signs)
