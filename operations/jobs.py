"""Runs a job inside an environment's network, follows its log, and gives its exit code.

    python -m operations.jobs ENV migrate --image REGISTRY/augeo-api@sha256:...
    python -m operations.jobs ENV console [--write] [--script FILE] [--image ...] -- COMMAND...

Without --image, a job runs the image that the API runs now. backend/.azure/job.py is what runs there. Azure's Activity
Log records who started a job and when, and the run itself keeps the command and the image:

    az containerapp job execution list -g GROUP -n JOB --query "[].{name:name, status:properties.status}"

Exit codes: the command's own; 1 the job failed or could not be started; 130 Ctrl-C: the job goes on.
"""

import argparse
import base64
import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, cast

from pydantic import JsonValue
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from environments import ENVIRONMENTS, Environment, Platform, SettingsError, load
from operations import azure_cli

VERSION = "api-version=2025-07-01"
WEB_VERSION = "api-version=2023-12-01"
ENDED = frozenset({"Succeeded", "Failed", "Stopped", "Degraded"})
POLL_SECONDS = 5
LARGEST_SCRIPT = 32 * 1024
"""In bytes. The script travels in a variable of the container."""
EXIT_CODE = re.compile(r"job: ended with (\d+)")
"""The last line of job.py. Azure itself does not say with which code a container ended."""
Json = Mapping[str, JsonValue]


class JobError(Exception):
    """A job cannot be started, or not be followed. The message says why."""


class Run(NamedTuple):
    """What one run of a job changes in the job's template."""

    image: str
    arguments: tuple[str, ...] = ()
    variables: Mapping[str, str] = {}


class JobRunner:
    """Starts and follows the jobs of one environment."""

    def __init__(self, environment: Environment, platform: Platform) -> None:
        """Raises JobError if the environment has no jobs."""
        if environment.jobs is None:
            raise JobError(f"{environment.name} has no jobs: its setting `jobs` is None.")
        names = platform.make_names(environment)
        self._names = names
        self._group = names.compose("resource_group")
        subscription = platform.shared.account.subscription_id
        self._root = f"/subscriptions/{subscription}/resourceGroups/{self._group}/providers"
        self._minutes = {"migrate": environment.jobs.migrate_minutes, "console": environment.jobs.console_minutes}

    def find_live_image(self) -> str:
        """Return the image that the API runs, with its digest.

        Raises:
            JobError: It runs a tag, which can be moved.
            AzureCliError: Azure does not answer.
        """
        app = f"{self._root}/Microsoft.Web/sites/{self._names.compose('web_app')}"
        config = azure_cli.get_resource(f"{app}/config/web?{WEB_VERSION}")
        image = str(cast(Json, config["properties"]).get("linuxFxVersion", "")).removeprefix("DOCKER|")
        return check_image(image, "The API runs")

    def start(self, job: str, run: Run) -> str:
        """Start a job, and return the name of the execution.

        Raises:
            AzureCliError: Azure refuses.
        """
        path = self._compose_path(job)
        properties = cast(Json, azure_cli.get_resource(f"{path}?{VERSION}")["properties"])
        template = cast(Json, properties["template"])
        (container,) = cast(Sequence[Json], template["containers"])
        kept = {name: container[name] for name in ("name", "command", "resources") if name in container}
        variables = [*cast(Sequence[JsonValue], container.get("env") or [])]
        variables += [{"name": name, "value": value} for name, value in run.variables.items()]
        changed = {"image": run.image, "args": list(run.arguments), "env": variables}
        started = azure_cli.post_resource(f"{path}/start?{VERSION}", {"containers": [kept | changed]})
        return str(started["name"])

    def follow(self, job: str, execution: str) -> int:
        """Print the log until the execution ends, and return its exit code."""
        name, code = self._names.compose("container_app_job", job), None
        status = self._wait(job, execution, until=ENDED | {"Running"})
        print(f"{execution}: {status}", flush=True)
        for line in azure_cli.follow_job(self._group, name, execution=execution, container=job):
            print(line, flush=True)
            if match := EXIT_CODE.search(line):
                code = int(match[1])
        status = self._wait(job, execution, until=ENDED)
        print(f"{execution}: {status}", flush=True)
        if code is None:
            print("The whole log: ContainerAppConsoleLogs, in some minutes.", file=sys.stderr)
        return code if code is not None else int(status != "Succeeded")

    def _wait(self, job: str, execution: str, *, until: frozenset[str]) -> str:
        """Return the execution's status when it is one of these. Raises JobError after the job's time limit."""

        def read_status() -> str:
            answer = azure_cli.get_resource(f"{self._compose_path(job)}/executions/{execution}?{VERSION}")
            return str(cast(Json, answer["properties"]).get("status", "Unknown"))

        waiting = Retrying(
            retry=retry_if_result(lambda status: status not in until),
            wait=wait_fixed(POLL_SECONDS),
            stop=stop_after_delay((self._minutes[job] + 10) * 60),
            retry_error_callback=lambda _: "",
        )
        status = str(waiting(read_status))
        if not status:
            raise JobError(f"{execution} has not ended {self._minutes[job] + 10} minutes after its start.")
        return status

    def _compose_path(self, job: str) -> str:
        return f"{self._root}/Microsoft.App/jobs/{self._names.compose('container_app_job', job)}"


def check_image(image: str, where: str) -> str:
    """Return an image's address. Raises JobError if it does not end in a digest."""
    if not re.fullmatch(r"[^@\s]+@sha256:[0-9a-f]{64}", image):
        raise JobError(
            f"{where} {image or 'no image'}: an image is named by its digest, REGISTRY/NAME@sha256:..., because a tag "
            "can be moved. Name it with --image."
        )
    return image


def encode_script(file: Path) -> str:
    """Return a script as the console's variable CONSOLE_SCRIPT has it.

    Raises:
        JobError: It cannot be read, is too large, or does not say what runs it.
    """
    try:
        script = file.read_bytes()
    except OSError as error:
        raise JobError(f"{file}: {error.strerror}") from None
    if not script.startswith(b"#!"):
        raise JobError(f"{file} must begin with #!, and the program that runs it: #!/bin/sh")
    if len(script) > LARGEST_SCRIPT:
        raise JobError(f"{file} has {len(script)} bytes: at most {LARGEST_SCRIPT} can be sent. Put it into the image.")
    return base64.b64encode(script).decode()


def parse_arguments(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Return the arguments, with what comes after `--` in `command`."""
    parser = argparse.ArgumentParser(
        prog="python -m operations.jobs", description="Run a job inside an environment's network, and follow it."
    )
    parser.add_argument("environment", choices=list(ENVIRONMENTS))
    jobs = parser.add_subparsers(dest="job", required=True)
    migrate = jobs.add_parser("migrate", help="bring the database to the image's revision")
    console = jobs.add_parser("console", help="run one command: console -- psql -c 'select 1'")
    for job in (migrate, console):
        job.add_argument("--image", help="REGISTRY/NAME@sha256:...; default: the image that the API runs")
    console.add_argument("--write", action="store_true", help="allow transactions to write")
    console.add_argument("--script", type=Path, help="a script to run; what comes after -- are its arguments")
    console.add_argument("command", nargs="*", metavar="-- COMMAND", help="what to run inside the network")
    found = parser.parse_args(arguments)
    if found.job == "console" and not (found.command or found.script):
        parser.error("console needs a command after --, or --script")
    return found


def run_job(arguments: argparse.Namespace) -> int:
    """Run what the arguments ask for, and return its exit code.

    Raises:
        JobError: It cannot be started.
        AzureCliError: Azure refuses.
        SettingsError: The settings are wrong.
    """
    platform = load()
    runner = JobRunner(platform.environments[arguments.environment], platform)
    variables: dict[str, str] = {}
    if arguments.job == "console":
        variables |= {"CONSOLE_WRITE": "1"} if arguments.write else {}
        variables |= {"CONSOLE_SCRIPT": encode_script(arguments.script)} if arguments.script else {}
    image = check_image(arguments.image, "--image is") if arguments.image else runner.find_live_image()
    execution = runner.start(arguments.job, Run(image, tuple(getattr(arguments, "command", ())), variables))
    print(f"{execution}: started with {image}", flush=True)
    return runner.follow(arguments.job, execution)


def main() -> int:
    arguments = parse_arguments()
    try:
        return run_job(arguments)
    except (JobError, SettingsError, azure_cli.AzureCliError) as error:
        print(f"jobs: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\njobs: interrupted; the job itself goes on.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
