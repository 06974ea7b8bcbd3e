"""operations/deploy.py with the real Terraform: it applies exactly the plan that the guard has judged, or nothing."""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from functools import partial
from pathlib import Path

import pytest
from pydantic import JsonValue

from environments import load
from operations import deploy
from operations.evidence import POLICY
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.terraform.plan import PlanError
from operations.terraform.runner import Terraform, TerraformError
from tests.operations.plan_guard.plans.checkout import KEPT, SECRET, Checkout, skip_without_terraform
from tests.operations.plan_guard.plans.plan_json import SUBSCRIPTION
from tests.operations.state_file import StateFile

skip_without_terraform()
NEW: JsonValue = {"input": "new"}
# Writes down each command, and runs it with the real Terraform.
RECORDER = """#!/bin/sh
echo "$*" >>"$COMMANDS"
exec "$REAL_TERRAFORM" "$@"
"""
ROOT = Path(__file__).parents[2]
# Runs the command without the checks and the synth, which need a whole checkout and Azure.
COMMAND = """
import sys
sys.path.insert(0, sys.argv[1])
from environments import load
from operations import deploy
from operations.evidence import POLICY
deploy.find_obstacles = lambda stack, plan_only: []
deploy.synthesize = lambda stack: None
sys.argv[1:] = ["dev"]
sys.exit(deploy.main())
"""


@contextlib.contextmanager
def hold_lock(state: Path) -> Generator[None]:
    """Hold the lock of a local state, as the Terraform of a colleague would."""
    lock = {"ID": "1d6f", "Operation": "OperationTypeApply", "Who": "a colleague", "Created": "2026-11-23T04:00:00Z"}
    state.with_name(f".{state.name}.lock.info").write_text(json.dumps(lock))
    with state.open("r+") as opened:
        fcntl.lockf(opened, fcntl.LOCK_EX)
        yield


class Deployment:
    """Runs `deploy` in a checkout, and answers its question."""

    def __init__(self, checkout: Checkout) -> None:
        self.checkout = checkout
        self.questions: list[str] = []

    def run(self, *allowed: str, answer: str = "dev", ask: Callable[[str], str] | None = None) -> int:
        def type_answer(question: str) -> str:
            self.questions.append(question)
            return answer

        guard = Guard(StackTarget("dev", SUBSCRIPTION, disposable=False), allowed)
        return deploy.deploy(Terraform.for_stack(self.checkout.stack), guard, ask=ask or type_answer)

    def preview(self, *allowed: str) -> int:
        guard = Guard(StackTarget("dev", SUBSCRIPTION, disposable=False), allowed)
        return deploy.preview(Terraform.for_stack(self.checkout.stack), guard)

    def read_state(self) -> StateFile:
        return json.loads((self.checkout.stack / "terraform.tfstate").read_text())

    def list_resources(self) -> set[str]:
        return {resource["name"] for resource in self.read_state()["resources"]}


@pytest.fixture(name="deployment")
def _deployment(checkout: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Deployment:
    plans = tmp_path / "plans"
    plans.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(plans))
    return Deployment(checkout)


def test_exactly_the_plan_that_was_shown_is_applied(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    recorder, commands = tmp_path / "recorder", tmp_path / "commands"
    recorder.write_text(RECORDER)
    recorder.chmod(0o755)
    deployment.checkout.synthesize(more=NEW)
    monkeypatch.setenv("REAL_TERRAFORM", Terraform.for_stack(deployment.checkout.stack).binary)
    monkeypatch.setenv("COMMANDS", str(commands))
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", str(recorder))

    assert deployment.run() == 0
    assert deployment.list_resources() == {"kept", "changed", "more"}
    assert deployment.questions == ["\nApply this plan? Type dev: "]
    out = capfd.readouterr().out
    assert out.index("Plan of dev: 1 to create.") < out.index("Apply complete! Resources: 1 added")
    assert out.endswith("dev is deployed.\n")
    assert SECRET not in out

    lines = [line for line in commands.read_text().splitlines() if "/stacks/" in line]
    arguments = [line.split("/stacks/dev ")[1].split() for line in lines]
    commands_run = " ".join(words[0] for words in arguments)
    assert commands_run == "init state plan show state show state show apply"
    plan, apply = arguments[2], arguments[8]
    assert f"-out={apply[-1]}" in plan
    assert "-lock-timeout=10m" in plan
    assert "-lock-timeout=10m" in apply
    assert "-auto-approve" not in apply
    assert "-parallelism=30" in apply
    assert not any(argument.startswith("-parallelism") for argument in plan)


@pytest.mark.parametrize("answer", ["", "yes", "production", "de", "devx"])
def test_any_other_answer_changes_nothing(deployment: Deployment, answer: str) -> None:
    deployment.checkout.synthesize(more=NEW)
    before = deployment.read_state()
    assert deployment.run(answer=answer) == 1
    assert deployment.read_state() == before


def test_a_loss_is_refused_without_a_question(deployment: Deployment, capfd: pytest.CaptureFixture[str]) -> None:
    deployment.checkout.synthesize("two")
    before = deployment.read_state()
    assert deployment.run() == 3
    assert deployment.questions == []
    assert deployment.read_state() == before
    assert f"--allow-loss '{KEPT}'" in capfd.readouterr().out


def test_an_allowed_loss_is_asked_about_and_applied(deployment: Deployment) -> None:
    deployment.checkout.synthesize("two")
    assert deployment.run(KEPT) == 0
    assert len(deployment.questions) == 1
    assert '"two"' in json.dumps(deployment.read_state())


def test_an_allowed_address_that_is_not_lost_changes_nothing(deployment: Deployment) -> None:
    deployment.checkout.synthesize(more=NEW)
    before = deployment.read_state()
    with pytest.raises(PlanError, match=f"the plan does not lose it: {KEPT}"):
        deployment.run(KEPT)
    assert deployment.read_state() == before


def test_a_plan_that_prevent_destroy_stops_is_refused_by_the_guard_too(
    deployment: Deployment, capfd: pytest.CaptureFixture[str]
) -> None:
    deployment.checkout.synthesize("two", prevent_destroy=True)
    assert deployment.run(KEPT) == 3
    captured = capfd.readouterr()
    assert "Instance cannot be destroyed" in captured.err
    assert "Terraform did not finish this plan" in captured.out


def test_without_changes_nothing_is_asked(deployment: Deployment, capfd: pytest.CaptureFixture[str]) -> None:
    assert deployment.run() == 0
    assert deployment.questions == []
    assert capfd.readouterr().out.endswith("dev is as it should be: nothing to apply.\n")


def test_the_plan_and_not_the_exit_code_says_whether_there_are_changes(
    deployment: Deployment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Guards against wrappers, which lose an exit code of 2."""
    wrapper = tmp_path / "wrapped"
    wrapper.write_text('#!/bin/sh\n"$REAL_TERRAFORM" "$@"\nexit 0\n')
    wrapper.chmod(0o755)
    monkeypatch.setenv("REAL_TERRAFORM", Terraform.for_stack(deployment.checkout.stack).binary)
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", str(wrapper))
    deployment.checkout.synthesize(more=NEW)
    assert deployment.run() == 0
    assert "more" in deployment.list_resources()


def test_an_output_alone_is_deployed(deployment: Deployment, capfd: pytest.CaptureFixture[str]) -> None:
    body = json.loads((deployment.checkout.stack / "cdk.tf.json").read_text())
    body["output"]["other"] = {"value": "new"}
    (deployment.checkout.stack / "cdk.tf.json").write_text(json.dumps(body))
    assert deployment.run() == 0
    assert "no resource changes" in capfd.readouterr().out


def test_warnings_and_failed_checks_are_shown(deployment: Deployment, capfd: pytest.CaptureFixture[str]) -> None:
    body = json.loads((deployment.checkout.stack / "cdk.tf.json").read_text())
    assertion = {"condition": "${terraform_data.changed.id == null}", "error_message": "It ends in a week."}
    body["check"] = {"certificate": {"assert": [assertion]}}
    (deployment.checkout.stack / "cdk.tf.json").write_text(json.dumps(body))
    deployment.preview()
    assert "Warning: Check block assertion failed" in capfd.readouterr().out


@pytest.mark.parametrize("name", ["stray.tf", "more.tf.json", "terraform.tfvars", "a.auto.tfvars.json", "x.tofu"])
def test_a_file_that_would_become_a_part_of_the_plan_is_refused(deployment: Deployment, name: str) -> None:
    (deployment.checkout.stack / name).write_text("")
    with pytest.raises(TerraformError, match=f"{name} would become a part of the plan. Remove it."):
        deployment.run()


@pytest.mark.parametrize("name", ["TF_WORKSPACE", "TF_CLI_ARGS", "TF_CLI_ARGS_plan"])
def test_a_variable_that_changes_what_is_planned_is_refused(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "-destroy")
    with pytest.raises(TerraformError, match=f"{name} is set, and changes what Terraform plans"):
        deployment.run()


def test_a_preview_reports_and_changes_nothing(deployment: Deployment, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither a colleague's lock nor changes that are not committed stop a preview."""
    deployment.checkout.synthesize(more=NEW)
    (deployment.checkout.folder / "file").write_text("not committed")
    before = deployment.read_state()
    with hold_lock(deployment.checkout.stack / "terraform.tfstate"):
        assert deployment.preview() == 0
    assert deployment.read_state() == before
    out = capfd.readouterr().out
    assert "Plan of dev: 1 to create." in out
    assert out.endswith("\nNothing was changed.\n")


def test_a_preview_of_a_loss_is_refused(deployment: Deployment, capfd: pytest.CaptureFixture[str]) -> None:
    deployment.checkout.synthesize("two")
    before = deployment.read_state()
    assert deployment.preview() == 3
    assert deployment.read_state() == before
    assert f"--allow-loss '{KEPT}'" in capfd.readouterr().out
    assert deployment.preview(KEPT) == 0


def test_a_preview_without_changes_says_so(deployment: Deployment, capfd: pytest.CaptureFixture[str]) -> None:
    assert deployment.preview() == 0
    assert capfd.readouterr().out.endswith("dev is as it should be: nothing to apply.\n")


def test_a_plan_that_fails_changes_nothing(deployment: Deployment) -> None:
    deployment.checkout.synthesize(more={"input": "${nothing.of_the_kind}"})
    before = deployment.read_state()
    with pytest.raises(TerraformError, match=r"The plan of dev failed|`init` failed"):
        deployment.run()
    assert deployment.read_state() == before


def let_a_colleague_apply(checkout: Checkout) -> None:
    checkout.run_terraform("apply", "-input=false", "-auto-approve")


def synthesize_again(checkout: Checkout) -> None:
    checkout.synthesize("three")


def commit_again(checkout: Checkout) -> None:
    checkout.commit("another")


@pytest.mark.parametrize(
    ("make_change", "message"),
    [
        (let_a_colleague_apply, "The state is not the one that was planned from"),
        (synthesize_again, "The plan was made from another cdk.tf.json"),
        (commit_again, "The plan was made from commit"),
    ],
)
def test_a_change_during_the_question_makes_the_plan_stale(
    deployment: Deployment, capfd: pytest.CaptureFixture[str], make_change: Callable[[Checkout], None], message: str
) -> None:
    deployment.checkout.synthesize(more=NEW)
    serials: list[int] = []

    def ask(_: str) -> str:
        make_change(deployment.checkout)
        serials.append(deployment.read_state()["serial"])
        return "dev"

    assert deployment.run(ask=ask) == 3
    assert message in " ".join(capfd.readouterr().out.split())
    assert [deployment.read_state()["serial"]] == serials


def test_it_waits_for_a_lock_and_says_so(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    deployment.checkout.synthesize(more=NEW)
    monkeypatch.setattr(deploy, "LOCK_TIMEOUT", "-lock-timeout=1s")
    before = deployment.read_state()
    refused = pytest.raises(TerraformError, match="The plan of dev failed, with 1; nothing was changed")
    with hold_lock(deployment.checkout.stack / "terraform.tfstate"), refused:
        deployment.run()
    captured = capfd.readouterr()
    assert "Waiting for the state's lock, 10 minutes at most: docs/operations/runbook/state-unlock.md\n" in captured.out
    assert "Who:       a colleague" in captured.err
    assert deployment.questions == []
    assert deployment.read_state() == before


@contextlib.contextmanager
def start_command(folder: Path) -> Generator[subprocess.Popen[str]]:
    """Run the command in a process group of its own, as a terminal does. It makes its temporary folders in `folder`."""
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


def wait_for_words(process: subprocess.Popen[str], words: str) -> None:
    """Read what the command prints until it prints these words."""
    assert any(words in line for line in process.stdout or ())


@pytest.mark.parametrize(
    ("number", "send"),
    [(signal.SIGINT, os.killpg), (signal.SIGHUP, os.killpg), (signal.SIGTERM, os.kill)],
    ids=["ctrl-c", "closed terminal", "end of a CI job"],
)
def test_terraform_ends_an_interrupted_apply_by_itself(
    deployment: Deployment, tmp_path: Path, number: signal.Signals, send: Callable[[int, int], None]
) -> None:
    """Ctrl-C and SIGHUP reach every process in the group of the terminal. SIGTERM reaches only the command itself."""
    # Terraform prints the command too, so the word that the test waits for is not in it as it stands.
    program = "trap '' INT; echo rea''dy; sleep 2"
    deployment.checkout.synthesize(slow=program, more={"input": "${terraform_data.slow.id}"})
    with start_command(tmp_path / "plans") as process:
        assert process.stdin
        process.stdin.write("dev\n")
        process.stdin.flush()
        # From here on Ctrl-C does not end the program that Terraform runs.
        wait_for_words(process, "ready")
        send(process.pid, number)
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 1, errors
    assert "Gracefully shutting down..." in output + errors
    assert "`apply` ended with 1. What it has made is in Azure and in the state: run this again." in errors
    assert "Traceback" not in errors
    assert "slow" in deployment.list_resources()
    assert "more" not in deployment.list_resources()
    assert list((tmp_path / "plans").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGTERM])
def test_an_end_at_the_question_changes_nothing_and_leaves_no_plan(
    deployment: Deployment, tmp_path: Path, number: signal.Signals
) -> None:
    deployment.checkout.synthesize(more=NEW)
    before = deployment.read_state()
    with start_command(tmp_path / "plans") as process:
        wait_for_words(process, "Plan of dev: 1 to create.")
        os.kill(process.pid, number)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "Traceback" not in errors
    assert deployment.read_state() == before
    assert list((tmp_path / "plans").iterdir()) == []


def test_no_plan_file_is_left(deployment: Deployment, tmp_path: Path) -> None:
    deployment.checkout.synthesize(more=NEW)
    assert deployment.run(answer="") == 1
    assert deployment.run() == 0
    assert list((tmp_path / "plans").iterdir()) == []


def test_only_its_owner_can_read_the_folder_of_the_plan_file(deployment: Deployment, tmp_path: Path) -> None:
    deployment.checkout.synthesize(more=NEW)
    modes: list[int] = []

    def read_modes(_: str) -> str:
        modes.extend(folder.stat().st_mode & 0o777 for folder in (tmp_path / "plans").iterdir())
        return ""

    deployment.run(ask=read_modes)
    assert modes == [0o700]


def test_nothing_is_planned_while_evidence_is_locked_for_another_time(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Guards against an apply that makes half of its changes, and ends at the policy."""
    state = Terraform.for_stack(deployment.checkout.stack).pull_state()
    policy = {"immutability_period_in_days": 30, "locked": True}
    resource = {"type": POLICY, "name": "evidence", "mode": "managed", "instances": [{"attributes": policy}]}
    content = json.dumps(json.loads(state) | {"resources": [resource]})

    def pull_state(_: Terraform) -> str:
        return content

    monkeypatch.setattr(Terraform, "pull_state", pull_state)
    terraform, guard = (
        Terraform.for_stack(deployment.checkout.stack),
        Guard(StackTarget("dev", SUBSCRIPTION, disposable=False)),
    )
    for run in (deploy.preview, partial(deploy.deploy, ask=input)):
        with pytest.raises(TerraformError, match="evidence is kept for 30 days by a locked policy"):
            run(terraform, guard, environment=load().environments["dev"])
    assert "Planning dev." not in capfd.readouterr().out


@pytest.mark.parametrize(
    ("stack", "plan_only", "makes_trust"), [("shared", False, True), ("shared", True, False), ("dev", False, False)]
)
def test_only_a_deployment_of_shared_makes_trust(
    monkeypatch: pytest.MonkeyPatch, stack: str, plan_only: bool, makes_trust: bool
) -> None:
    """Guards against federated credentials for GitHub environments that have no rules."""

    def find_missing(**asked: bool) -> list[str]:
        return [f"{asked}"]

    monkeypatch.setattr(deploy.preflight, "find_missing", find_missing)
    assert deploy.find_obstacles(stack, plan_only=plan_only)[0] == f"{{'makes_trust': {makes_trust}}}"
