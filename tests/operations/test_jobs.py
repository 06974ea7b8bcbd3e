"""python -m operations.jobs, with an `az` that answers as Resource Manager does and records what it is asked."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

IMAGE = f"craugeosharedx7k2.azurecr.io/augeo-api@sha256:{'a' * 64}"
LIVE = f"craugeosharedx7k2.azurecr.io/augeo-api@sha256:{'b' * 64}"
JOB = {
    "properties": {
        "template": {
            "containers": [
                {
                    "name": "console",
                    "image": "mcr.microsoft.com/placeholder",
                    "command": ["python", ".azure/job.py", "console"],
                    "resources": {"cpu": 0.5, "memory": "1Gi", "ephemeralStorage": "2Gi"},
                    "env": [{"name": "VAULT_URI", "value": "https://kv.vault.azure.net/"}],
                }
            ]
        }
    }
}
AZ = """#!{python}
import json, os, pathlib, sys
folder = pathlib.Path({folder!r})
arguments = sys.argv[1:]
with (folder / "calls").open("a") as calls:
    calls.write(json.dumps(arguments) + "\\n")
if arguments[:2] == ["containerapp", "job"]:
    print((folder / "log").read_text(), end="")
    sys.exit()
url = arguments[arguments.index("--url") + 1]
if "/config/web" in url:
    print(json.dumps({{"properties": {{"linuxFxVersion": (folder / "live").read_text()}}}}))
elif "/start?" in url:
    (folder / "started").write_text(sys.stdin.read())
    print(json.dumps({{"name": "run-1"}}))
elif "/executions/" in url:
    states = (folder / "states").read_text().split()
    (folder / "states").write_text(" ".join(states[1:] or states))
    print(json.dumps({{"properties": {{"status": states[0]}}}}))
elif "/jobs/" in url:
    print((folder / "job").read_text())
"""


class Azure:
    """What the recorded `az` answers, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.set("job", json.dumps(JOB))
        self.set("live", f"DOCKER|{LIVE}")
        self.set("log", "")
        self.set("states", "Running Succeeded")
        az = folder / "az"
        az.write_text(AZ.format(python=sys.executable, folder=str(folder)))
        az.chmod(0o755)

    def set(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)

    def run(self, *arguments: str, environment: str = "dev") -> subprocess.CompletedProcess[str]:
        path = f"{self.folder}:{os.environ['PATH']}"
        command = [sys.executable, "-m", "operations.jobs", environment, *arguments]
        return subprocess.run(
            command, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False, timeout=60
        )

    def read_started(self) -> dict[str, Any]:
        """Return the container of the request that started a job."""
        (container,) = json.loads((self.folder / "started").read_text())["containers"]
        return container


@pytest.fixture
def azure(tmp_path: Path) -> Azure:
    return Azure(tmp_path)


def test_a_command_runs_with_the_live_image_and_gives_its_exit_code(azure: Azure) -> None:
    azure.set("log", "3 rows\njob: ended with 7\n")
    completed = azure.run("console", "--", "psql", "-c", "select 1")
    assert completed.returncode == 7, completed.stderr
    assert (
        completed.stdout == f"run-1: started with {LIVE}\nrun-1: Running\n3 rows\njob: ended with 7\nrun-1: Succeeded\n"
    )
    container = azure.read_started()
    assert container["image"] == LIVE
    assert container["args"] == ["psql", "-c", "select 1"]
    assert container["command"] == ["python", ".azure/job.py", "console"]
    assert container["env"] == [{"name": "VAULT_URI", "value": "https://kv.vault.azure.net/"}]
    assert "/jobs/caj-augeo-console-dev-eus2/start?" in (azure.folder / "calls").read_text()


def test_writes_and_scripts_are_asked_for(azure: Azure, tmp_path: Path) -> None:
    script = tmp_path / "count.sh"
    script.write_text("#!/bin/sh\necho $1\n")
    assert azure.run("console", "--write", "--script", str(script), "--", "bids").returncode == 0
    container = azure.read_started()
    assert container["args"] == ["bids"]
    assert [variable["name"] for variable in container["env"]] == ["VAULT_URI", "CONSOLE_WRITE", "CONSOLE_SCRIPT"]


def test_a_migration_runs_the_image_of_the_release(azure: Azure) -> None:
    azure.set("log", "job: done\n")
    assert azure.run("migrate", "--image", IMAGE).returncode == 0
    assert azure.read_started()["image"] == IMAGE
    assert "config/web" not in (azure.folder / "calls").read_text()


@pytest.mark.parametrize("state", ["Failed", "Stopped", "Degraded"])
def test_a_job_that_fails_is_told(azure: Azure, state: str) -> None:
    azure.set("states", f"Running {state}")
    completed = azure.run("migrate", "--image", IMAGE)
    assert completed.returncode == 1
    assert completed.stdout.endswith(f"run-1: {state}\n")
    assert "ContainerAppConsoleLogs" in completed.stderr


@pytest.mark.parametrize(
    ("arguments", "live", "message"),
    [
        (("migrate", "--image", "cr.azurecr.io/augeo-api:latest"), "", "an image is named by its digest"),
        (("migrate",), "DOCKER|cr.azurecr.io/augeo-api:bootstrap", "The API runs cr.azurecr.io/augeo-api:bootstrap: "),
        (("console", "--script", "/nowhere"), "", "/nowhere: No such file or directory"),
        (("console", "--script", "README.md"), "", "README.md must begin with #!"),
        (("console",), "", "console needs a command after --, or --script"),
    ],
)
def test_what_cannot_be_started_is_told_before_azure_is_asked(
    azure: Azure, arguments: tuple[str, ...], live: str, message: str
) -> None:
    azure.set("live", live)
    completed = azure.run(*arguments)
    assert completed.returncode in (1, 2)
    assert message in completed.stderr
    assert not (azure.folder / "started").exists()
