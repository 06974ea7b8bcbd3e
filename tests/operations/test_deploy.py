"""scripts/deploy.py with the real Terraform: it applies the plan that the guard has judged, or nothing."""

import json
from pathlib import Path
from typing import TypedDict

import pytest
from pydantic import JsonValue

from scripts import deploy
from scripts.plan_guard.guard import Guard
from scripts.plan_guard.judge import Place
from scripts.plan_guard.plan import PlanError
from scripts.plan_guard.terraform import Terraform, TerraformError
from tests.operations.plans.checkout import KEPT, SECRET, Checkout, skip_without_terraform
from tests.operations.plans.made import SUBSCRIPTION

skip_without_terraform()
NEW: JsonValue = {"input": "new"}
# Stands before the real Terraform: writes each command down, and runs it.
RECORDER = """#!/bin/sh
echo "$*" >>"$COMMANDS"
exec "$REAL_TERRAFORM" "$@"
"""


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

    def run(self, *allowed: str, answer: str = "dev") -> int:
        def ask(question: str) -> str:
            self.asked.append(question)
            return answer

        guard = Guard(Place("dev", SUBSCRIPTION, disposable=False), allowed)
        return deploy.deploy(Terraform.of(self.checkout.stack), guard, ask=ask)

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

    ran = [line.split("/stacks/dev ")[1].split() for line in commands.read_text().splitlines()]
    assert [line[0] for line in ran] == ["version", "init", "state", "plan", "state", "show", "apply"]
    plan, apply = ran[3], ran[6]
    assert f"-out={apply[-1]}" in plan
    assert "-lock-timeout=10m" in plan
    assert "-lock-timeout=10m" in apply
    assert "-auto-approve" not in apply


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


def test_a_state_that_changes_during_the_question_is_not_overwritten(deployment: Deployment) -> None:
    deployment.checkout.synthesize(more=NEW)

    def a_colleague_applies(_: str) -> str:
        deployment.checkout.run("apply", "-input=false", "-auto-approve")
        return "dev"

    guard = Guard(Place("dev", SUBSCRIPTION, disposable=False))
    with pytest.raises(TerraformError, match="`apply` failed"):
        deploy.deploy(Terraform.of(deployment.checkout.stack), guard, ask=a_colleague_applies)


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

    deploy.deploy(
        Terraform.of(deployment.checkout.stack), Guard(Place("dev", SUBSCRIPTION, disposable=False)), ask=look
    )
    assert modes == [0o700]
