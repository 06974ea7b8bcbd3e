"""operations/deploy.py with the real Terraform: it applies the plan that the guard has judged, or nothing."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import TypedDict

import pytest
from pydantic import JsonValue

from operations import deploy
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.terraform.plan import PlanError
from operations.terraform.runner import Terraform, TerraformError
from tests.operations.plan_guard.plans.checkout import KEPT, SECRET, Checkout, skip_without_terraform
from tests.operations.plan_guard.plans.plan_json import SUBSCRIPTION

skip_without_terraform()
NEW: JsonValue = {"input": "new"}
# Stands before the real Terraform: writes each command down, and runs it.
RECORDER = """#!/bin/sh
echo "$*" >>"$COMMANDS"
exec "$REAL_TERRAFORM" "$@"
"""


ROOT = Path(__file__).parents[2]
# The command in a checkout that needs no synth and no Azure.
COMMAND = """
import sys
sys.path.insert(0, sys.argv[1])
from operations import deploy
deploy.unready = list
deploy.synthesize = lambda stack: None
sys.argv[1:] = ["dev"]
sys.exit(deploy.main())
"""


@contextlib.contextmanager
def held(state: Path) -> Generator[None]:
    """Hold a local state's lock, as the Terraform of a colleague does."""
    told = {"ID": "1d6f", "Operation": "OperationTypeApply", "Who": "a colleague", "Created": "2026-11-23T04:00:00Z"}
    state.with_name(f".{state.name}.lock.info").write_text(json.dumps(told))
    with state.open("r+") as opened:
        fcntl.lockf(opened, fcntl.LOCK_EX)
        yield


class StateResource(TypedDict):
    name: str


class State(TypedDict):
    serial: int
    resources: list[StateResource]


class Deployment:
    """A checkout, and what is typed there."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.asked: list[str] = []

    def run(self, *allowed: str, answer: str = "dev", ask: Callable[[str], str] | None = None) -> int:
        def typed(question: str) -> str:
            self.asked.append(question)
            return answer

        guard = Guard(StackTarget("dev", SUBSCRIPTION, disposable=False), allowed)
        return deploy.deploy(Terraform.of(self.checkout.stack), guard, ask=ask or typed)

    def state(self) -> State:
        return json.loads((self.checkout.stack / "terraform.tfstate").read_text())

    def there(self) -> set[str]:
        return {each["name"] for each in self.state()["resources"]}


@pytest.fixture(name="deployment")
def _deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    plans = tmp_path / "plans"
    plans.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(plans))
    return Deployment(Checkout.entered(tmp_path / "a checkout", monkeypatch))


def test_the_plan_that_was_shown_is_applied(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    recorder, commands = tmp_path / "recorder", tmp_path / "commands"
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)
    deployment.checkout.synthesize(more=NEW)
    monkeypatch.setenv("REAL_TERRAFORM", Terraform.of(deployment.checkout.stack).binary)
    monkeypatch.setenv("COMMANDS", str(commands))
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", str(recorder))

    assert deployment.run() == 0
    assert deployment.there() == {"kept", "changed", "more"}
    assert deployment.asked == ["\nApply this plan? Type dev: "]
    out = capfd.readouterr().out
    assert out.index("Plan of dev: 1 to create.") < out.index("Apply complete! Resources: 1 added")
    assert out.endswith("dev is deployed.\n")
    assert SECRET not in out

    ran = [line.split("/stacks/dev ")[1].split() for line in commands.read_text().splitlines() if "/stacks/" in line]
    assert [line[0] for line in ran] == ["init", "state", "plan", "state", "show", "state", "show", "apply"]
    plan, apply = ran[2], ran[7]
    assert f"-out={apply[-1]}" in plan
    assert "-lock-timeout=10m" in plan
    assert "-lock-timeout=10m" in apply
    assert "-auto-approve" not in apply
    assert "-parallelism=30" in apply
    assert not any(argument.startswith("-parallelism") for argument in plan)


@pytest.mark.parametrize("answer", ["", "yes", "production", "de", "devx"])
def test_any_other_answer_changes_nothing(deployment: Deployment, answer: str) -> None:
    deployment.checkout.synthesize(more=NEW)
    before = deployment.state()
    assert deployment.run(answer=answer) == 1
    assert deployment.state() == before


def test_a_loss_is_refused_without_a_question(deployment: Deployment, capfd: pytest.CaptureFixture[str]) -> None:
    deployment.checkout.synthesize("two")
    before = deployment.state()
    assert deployment.run() == 3
    assert deployment.asked == []
    assert deployment.state() == before
    assert f"--allow-loss '{KEPT}'" in capfd.readouterr().out


def test_a_loss_that_is_named_is_asked_for_and_applied(deployment: Deployment) -> None:
    deployment.checkout.synthesize("two")
    assert deployment.run(KEPT) == 0
    assert len(deployment.asked) == 1
    assert '"two"' in json.dumps(deployment.state())


def test_an_address_that_is_not_lost_changes_nothing(deployment: Deployment) -> None:
    deployment.checkout.synthesize(more=NEW)
    before = deployment.state()
    with pytest.raises(PlanError, match=f"the plan does not lose it: {KEPT}"):
        deployment.run(KEPT)
    assert deployment.state() == before


def test_prevent_destroy_is_refused_in_the_guards_words_too(
    deployment: Deployment, capfd: pytest.CaptureFixture[str]
) -> None:
    deployment.checkout.synthesize("two", prevent_destroy=True)
    assert deployment.run(KEPT) == 3
    captured = capfd.readouterr()
    assert "Instance cannot be destroyed" in captured.err
    assert "Terraform did not finish this plan" in captured.out


def test_a_stack_that_is_as_it_should_be_asks_nothing(
    deployment: Deployment, capfd: pytest.CaptureFixture[str]
) -> None:
    assert deployment.run() == 0
    assert deployment.asked == []
    assert capfd.readouterr().out.endswith("dev is as it should be: nothing to apply.\n")


def test_a_plan_that_fails_changes_nothing(deployment: Deployment) -> None:
    deployment.checkout.synthesize(more={"input": "${nothing.of_the_kind}"})
    before = deployment.state()
    with pytest.raises(TerraformError, match=r"The plan of dev failed|`init` failed"):
        deployment.run()
    assert deployment.state() == before


def _a_colleague_applies(checkout: Checkout) -> None:
    checkout.run("apply", "-input=false", "-auto-approve")


def _somebody_synthesizes(checkout: Checkout) -> None:
    checkout.synthesize("three")


def _somebody_commits(checkout: Checkout) -> None:
    checkout.commit("another")


@pytest.mark.parametrize(
    ("happen", "message"),
    [
        (_a_colleague_applies, "The state is not the one that was planned from"),
        (_somebody_synthesizes, "The plan was made from another cdk.tf.json"),
        (_somebody_commits, "The plan was made from commit"),
    ],
)
def test_what_happens_during_the_question_makes_the_plan_stale(
    deployment: Deployment, capfd: pytest.CaptureFixture[str], happen: Callable[[Checkout], None], message: str
) -> None:
    deployment.checkout.synthesize(more=NEW)
    serials: list[int] = []

    def ask(_: str) -> str:
        happen(deployment.checkout)
        serials.append(deployment.state()["serial"])
        return "dev"

    assert deployment.run(ask=ask) == 3
    assert message in " ".join(capfd.readouterr().out.split())
    assert [deployment.state()["serial"]] == serials


def test_a_held_lock_is_waited_for_and_said(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    deployment.checkout.synthesize(more=NEW)
    monkeypatch.setattr(deploy, "LOCK_TIMEOUT", "-lock-timeout=1s")
    before = deployment.state()
    refused = pytest.raises(TerraformError, match="The plan of dev failed, with 1; nothing was changed")
    with held(deployment.checkout.stack / "terraform.tfstate"), refused:
        deployment.run()
    captured = capfd.readouterr()
    assert "Waiting for the state's lock, 10 minutes at most: docs/operations/runbook/state-unlock.md\n" in captured.out
    assert "Who:       a colleague" in captured.err
    assert deployment.asked == []
    assert deployment.state() == before


@contextlib.contextmanager
def deploying(folder: Path) -> Generator[subprocess.Popen[str]]:
    """The command itself, in a process group of its own, as in a terminal; the plan's folder in `folder`."""
    command = [sys.executable, "-u", "-c", COMMAND, ROOT]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command,
        env=os.environ | {"TMPDIR": str(folder)},
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        text=True,
        start_new_session=True,
    ) as process:
        yield process


def until(process: subprocess.Popen[str], words: str) -> None:
    """Read on until the command has said this."""
    assert any(words in line for line in process.stdout or ())


@pytest.mark.parametrize(
    ("number", "send"),
    [(signal.SIGINT, os.killpg), (signal.SIGHUP, os.killpg), (signal.SIGTERM, os.kill)],
    ids=["ctrl-c", "closed terminal", "end of a CI job"],
)
def test_an_apply_is_ended_by_terraform_and_not_killed(
    deployment: Deployment, tmp_path: Path, number: signal.Signals, send: Callable[[int, int], None]
) -> None:
    """Ctrl-C and a hang-up reach every process of the terminal's group, a SIGTERM only the one that it names."""
    deployment.checkout.synthesize(slow="trap '' INT; sleep 2", more={"input": "${terraform_data.slow.id}"})
    with deploying(tmp_path / "plans") as process:
        assert process.stdin
        process.stdin.write("dev\n")
        process.stdin.flush()
        until(process, "terraform_data.slow: Provisioning with")
        send(process.pid, number)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    assert "Gracefully shutting down..." in output + errors
    assert "`apply` ended with 1. What it has made is in Azure and in the state: run this again." in errors
    assert "Traceback" not in errors
    assert "slow" in deployment.there()
    assert "more" not in deployment.there()
    assert list((tmp_path / "plans").iterdir()) == []


# Says how often it is told to end.
TOLD = """#!/bin/sh
trap 'echo told' TERM
echo ready
for _ in 1 2 3 4 5; do sleep 0.1; done
"""


def test_a_second_hang_up_is_not_handed_on(tmp_path: Path) -> None:
    """The kernel sends one, and the shell another; told twice, Terraform exits at once."""
    told = tmp_path / "told"
    told.write_text(TOLD)
    told.chmod(0o755)
    heard: list[str] = []

    def hear(line: str) -> None:
        heard.append(line.strip())
        os.kill(os.getpid(), signal.SIGHUP)

    before = signal.getsignal(signal.SIGHUP)
    assert Terraform(tmp_path, str(told)).run("apply", on_line=hear) == 0
    assert heard == ["ready", "told"]
    assert signal.getsignal(signal.SIGHUP) == before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_ended_at_the_question_nothing_is_changed_and_no_plan_is_left(
    deployment: Deployment, tmp_path: Path, number: signal.Signals
) -> None:
    deployment.checkout.synthesize(more=NEW)
    before = deployment.state()
    with deploying(tmp_path / "plans") as process:
        until(process, "Plan of dev: 1 to create.")
        os.kill(process.pid, number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert deployment.state() == before
    assert list((tmp_path / "plans").iterdir()) == []


def test_no_plan_file_is_left(deployment: Deployment, tmp_path: Path) -> None:
    deployment.checkout.synthesize(more=NEW)
    assert deployment.run(answer="") == 1
    assert deployment.run() == 0
    assert list((tmp_path / "plans").iterdir()) == []


def test_the_plan_file_is_its_makers_alone(deployment: Deployment, tmp_path: Path) -> None:
    deployment.checkout.synthesize(more=NEW)
    modes: list[int] = []

    def look(_: str) -> str:
        modes.extend(folder.stat().st_mode & 0o777 for folder in (tmp_path / "plans").iterdir())
        return ""

    deployment.run(ask=look)
    assert modes == [0o700]
