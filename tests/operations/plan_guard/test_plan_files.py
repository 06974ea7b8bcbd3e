"""The plan guard on plan files of the real Terraform, of stacks of `terraform_data`, and what they were made from."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.plan_guard.origin import Origin, origin_file
from operations.terraform.plan import PlanError
from operations.terraform.runner import Terraform, TerraformError
from tests.operations.plan_guard.plans.checkout import KEPT, SECRET, Checkout, skip_without_terraform
from tests.operations.plan_guard.plans.plan_json import SUBSCRIPTION

skip_without_terraform()


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    return Checkout.entered(tmp_path / "a checkout", monkeypatch)


def test_a_plan_that_loses_nothing_may_be_applied(checkout: Checkout) -> None:
    checkout.synthesize(more={"input": "new"})
    assert checkout.plan() == 0
    report = checkout.judge()
    assert report.nothing_lost, report.text()
    assert report.title == "Plan of dev: 1 to create."
    assert f"SHA-256 of the plan file: {Origin.beside(checkout.plan_file).plan_sha256}" in report.text()
    assert checkout.run("apply", "-input=false", str(checkout.plan_file)).returncode == 0


def test_a_replacement_is_refused_and_no_secret_is_shown(checkout: Checkout) -> None:
    checkout.synthesize("two")
    checkout.plan()
    report = checkout.judge()
    assert [each.resource.address for each in report.refused] == [KEPT]
    assert SECRET in Terraform.of(checkout.stack).show(checkout.plan_file)
    assert SECRET not in report.text() + report.markdown()
    # Terraform itself does not mark the copy in `output`.
    assert '"secret": (sensitive)' in report.text()
    assert checkout.judge(KEPT).nothing_lost


def test_a_destroy_and_a_removed_block_are_refused(checkout: Checkout) -> None:
    checkout.plan("-destroy")
    assert [each.resource.address for each in checkout.judge().refused] == ["terraform_data.changed", KEPT]

    body = json.loads((checkout.stack / "cdk.tf.json").read_text())
    del body["resource"]["terraform_data"]["kept"]
    body["removed"] = {"from": KEPT, "lifecycle": {"destroy": False}}
    (checkout.stack / "cdk.tf.json").write_text(json.dumps(body))
    checkout.plan()
    report = checkout.judge()
    assert [(each.resource.address, each.resource.verb) for each in report.refused] == [(KEPT, "forget")]


def test_what_is_imported_is_named(checkout: Checkout) -> None:
    checkout.synthesize(more={})
    (checkout.stack / "import.tf.json").write_text('{"import": {"to": "terraform_data.more", "id": "the-id"}}')
    assert checkout.plan() == 0
    report = checkout.judge()
    assert report.nothing_lost
    assert report.title == "Plan of dev: 1 to import."
    assert re.search(r"IMPORT: .*\n.*\n.*\n +terraform_data\.more +the-id\n?", report.text())


def test_prevent_destroy_stops_terraform_and_the_guard_says_what_it_would_have_lost(checkout: Checkout) -> None:
    checkout.synthesize("two", prevent_destroy=True)
    assert checkout.plan() == 1
    text = checkout.judge().text()
    assert "Terraform did not finish this plan" in text
    assert f"{KEPT} would be replaced" in text
    assert "--allow-loss" not in text


def _another_state(checkout: Checkout) -> None:
    checkout.synthesize(more={"input": "by a colleague"})
    checkout.run("apply", "-input=false", "-auto-approve")
    checkout.synthesize(more={"input": "new"})


def _another_plan(checkout: Checkout) -> None:
    origin = origin_file(checkout.plan_file).read_text()
    checkout.plan("-var=secret=another-battery-staple")
    origin_file(checkout.plan_file).write_text(origin)


SINCE: dict[str, tuple[Callable[[Checkout], object], str]] = {
    "commit": (lambda checkout: checkout.commit("another"), "The plan was made from commit "),
    "edit": (lambda checkout: (checkout.folder / "file").write_text("edited"), "-dirty is checked out."),
    "synthesized": (lambda checkout: checkout.synthesize("three"), "The plan was made from another cdk.tf.json"),
    "state": (_another_state, "The state is not the one that was planned from: serial "),
    "no state": (lambda checkout: (checkout.stack / "terraform.tfstate").unlink(), " then, None now."),
    "plan": (_another_plan, "The plan file is not the one that was stamped"),
}


@pytest.mark.parametrize(("happen", "message"), SINCE.values(), ids=SINCE)
def test_what_has_changed_since_the_plan_is_named(
    checkout: Checkout, happen: Callable[[Checkout], object], message: str
) -> None:
    checkout.synthesize(more={"input": "new"})
    checkout.plan()
    assert checkout.judge().nothing_lost
    happen(checkout)
    report = checkout.judge()
    assert not report.nothing_lost
    assert [message in each for each in report.mismatches] == [True]


def test_a_plan_with_uncommitted_changes_is_refused(checkout: Checkout) -> None:
    (checkout.folder / "file").write_text("edited")
    checkout.plan()
    assert checkout.judge().mismatches == ["The plan was made with uncommitted changes: commit them, and plan again."]


def test_a_plan_of_another_stack_is_refused(checkout: Checkout) -> None:
    checkout.plan()
    other = checkout.stack.with_name("staging")
    shutil.copytree(checkout.stack, other)
    report = Guard(StackTarget("staging", SUBSCRIPTION, disposable=False)).judge_file(
        checkout.plan_file, Terraform.of(other)
    )
    assert report.mismatches == [
        "The plan was made for dev, not for staging.",
        "The plan is of dev, not of staging: see the tag `environment`.",
    ]


def test_a_file_that_is_no_plan_is_an_error(checkout: Checkout) -> None:
    checkout.plan()
    checkout.plan_file.write_bytes(checkout.plan_file.read_bytes()[:1000])
    with pytest.raises(TerraformError, match="`terraform show` failed"):
        checkout.judge()


@pytest.mark.parametrize("written", [None, "", "{}", "no json"])
def test_a_plan_that_nobody_stamped_is_an_error(checkout: Checkout, written: str | None) -> None:
    checkout.plan()
    origin_file(checkout.plan_file).unlink()
    if written is not None:
        origin_file(checkout.plan_file).write_text(written)
    with pytest.raises(PlanError, match="stamp"):
        checkout.judge()
