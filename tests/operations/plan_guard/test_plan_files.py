"""The plan guard with plan files of the real Terraform, and the comparison with what they were made from."""

import json
import shutil
from collections.abc import Callable

import pytest
from pydantic import JsonValue

from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.plan_guard.origin import Origin, get_origin_path
from operations.terraform.plan import PlanError
from operations.terraform.runner import Terraform, TerraformError
from tests.operations.plan_guard.plans.checkout import KEPT, SECRET, Checkout, skip_without_terraform
from tests.operations.plan_guard.plans.plan_json import SUBSCRIPTION

skip_without_terraform()


def test_a_plan_that_loses_nothing_may_be_applied(checkout: Checkout) -> None:
    checkout.synthesize(more={"input": "new"})
    assert checkout.plan_and_stamp() == 0
    report = checkout.judge()
    assert report.may_be_applied, report.format_text()
    assert report.title == "Plan of dev: 1 to create."
    assert f"SHA-256 of the plan file: {Origin.load(checkout.plan_file).plan_sha256}" in report.format_text()
    assert checkout.run_terraform("apply", "-input=false", str(checkout.plan_file)).returncode == 0


def test_a_replacement_is_refused_and_no_secret_is_shown(checkout: Checkout) -> None:
    checkout.synthesize("two")
    checkout.plan_and_stamp()
    report = checkout.judge()
    assert [loss.address for loss in report.refused] == [KEPT]
    assert SECRET in Terraform.for_stack(checkout.stack).show_plan(checkout.plan_file)
    assert SECRET not in report.format_text() + report.format_markdown()
    assert '~ input.kept: "one" -> "two"\n  known only after the apply: output\n' in report.format_text()
    assert checkout.judge(KEPT).may_be_applied


def test_a_destroy_is_refused(checkout: Checkout) -> None:
    checkout.plan_and_stamp("-destroy")
    assert [loss.address for loss in checkout.judge().refused] == ["terraform_data.changed", KEPT]


def test_a_removed_block_is_refused(checkout: Checkout) -> None:
    body = json.loads((checkout.stack / "cdk.tf.json").read_text())
    del body["resource"]["terraform_data"]["kept"]
    body["removed"] = {"from": KEPT, "lifecycle": {"destroy": False}}
    (checkout.stack / "cdk.tf.json").write_text(json.dumps(body))
    checkout.plan_and_stamp()
    report = checkout.judge()
    assert [(loss.address, loss.verb) for loss in report.refused] == [(KEPT, "forget")]


def test_what_many_resources_have_in_common_is_one_entry_and_named_blocks_are_paired(checkout: Checkout) -> None:
    blocks: list[JsonValue] = [{"name": name, "port": "22"} for name in ("in-a", "in-b", "in-c")]
    checkout.synthesize(more={"count": 40, "input": {"owner": "a", "blocks": blocks}})
    assert checkout.run_terraform("apply", "-input=false", "-auto-approve").returncode == 0
    changed: list[JsonValue] = [{"name": "in-c", "port": "*"}, *blocks[:2], {"name": "in-d", "port": "443"}]
    checkout.synthesize(more={"count": 40, "input": {"owner": "b", "blocks": changed}})
    assert checkout.plan_and_stamp() == 0
    lines = checkout.judge().format_text().splitlines()
    assert lines[lines.index("CHANGE 40 resources in the same way") :] == [
        "CHANGE 40 resources in the same way",
        "  40 terraform_data",
        '  ~ input.blocks[in-c].port: "22" -> "*"',
        "  + input.blocks[in-d]",
        '      name: "in-d", port: "443"',
        '  ~ input.owner: "a" -> "b"',
        "  known only after the apply: output",
    ]


def test_a_plan_that_only_refreshes_is_judged(checkout: Checkout) -> None:
    assert checkout.plan_and_stamp("-refresh-only") == 0
    assert checkout.judge().title == "Plan of dev: no resource changes."


def test_an_imported_resource_is_named(checkout: Checkout) -> None:
    checkout.synthesize(more={})
    (checkout.stack / "import.tf.json").write_text('{"import": {"to": "terraform_data.more", "id": "the-id"}}')
    assert checkout.plan_and_stamp() == 0
    report = checkout.judge()
    assert report.may_be_applied
    assert report.title == "Plan of dev: 1 to import."
    assert "\nIMPORT: is there already, and enters the state\n  terraform_data.more: the-id" in report.format_text()


def test_prevent_destroy_stops_terraform_and_the_guard_names_what_would_have_been_lost(checkout: Checkout) -> None:
    checkout.synthesize("two", prevent_destroy=True)
    assert checkout.plan_and_stamp() == 1
    text = checkout.judge().format_text()
    assert "Terraform did not finish this plan" in text
    assert f"{KEPT} would be replaced" in text
    assert "--allow-loss" not in text


def change_state(checkout: Checkout) -> None:
    checkout.synthesize(more={"input": "by a colleague"})
    checkout.run_terraform("apply", "-input=false", "-auto-approve")
    checkout.synthesize(more={"input": "new"})


def replace_plan_file(checkout: Checkout) -> None:
    origin = get_origin_path(checkout.plan_file).read_text()
    checkout.plan_and_stamp("-var=secret=another-battery-staple")
    get_origin_path(checkout.plan_file).write_text(origin)


CHANGES: dict[str, tuple[Callable[[Checkout], object], str]] = {
    "commit": (lambda checkout: checkout.commit("another"), "The plan was made from commit "),
    "edit": (lambda checkout: (checkout.folder / "file").write_text("edited"), "-dirty is checked out."),
    "synthesized": (lambda checkout: checkout.synthesize("three"), "The plan was made from another cdk.tf.json"),
    "state": (change_state, "The state is not the one that was planned from: serial "),
    "no state": (lambda checkout: (checkout.stack / "terraform.tfstate").unlink(), " then, None now."),
    "plan": (replace_plan_file, "The plan file is not the one that was stamped"),
}


@pytest.mark.parametrize(("make_change", "message"), CHANGES.values(), ids=CHANGES)
def test_everything_that_has_changed_since_the_plan_is_named(
    checkout: Checkout, make_change: Callable[[Checkout], object], message: str
) -> None:
    checkout.synthesize(more={"input": "new"})
    checkout.plan_and_stamp()
    assert checkout.judge().may_be_applied
    make_change(checkout)
    report = checkout.judge()
    assert not report.may_be_applied
    assert [message in mismatch for mismatch in report.mismatches] == [True]


def test_a_plan_with_uncommitted_changes_is_refused(checkout: Checkout) -> None:
    (checkout.folder / "file").write_text("edited")
    checkout.plan_and_stamp()
    assert checkout.judge().mismatches == ["The plan was made with uncommitted changes: commit them, and plan again."]


def test_a_plan_of_another_stack_is_refused(checkout: Checkout) -> None:
    checkout.plan_and_stamp()
    other = checkout.stack.with_name("staging")
    shutil.copytree(checkout.stack, other)
    target = StackTarget("staging", SUBSCRIPTION, disposable=False)
    report = Guard(target).judge_file(checkout.plan_file, Terraform.for_stack(other))
    assert report.mismatches == [
        "The plan was made for dev, not for staging.",
        "The plan is of dev, not of staging: see the tag `environment`.",
    ]


def test_a_file_that_is_no_plan_is_an_error(checkout: Checkout) -> None:
    checkout.plan_and_stamp()
    checkout.plan_file.write_bytes(checkout.plan_file.read_bytes()[:1000])
    with pytest.raises(TerraformError, match="`terraform show` failed"):
        checkout.judge()


@pytest.mark.parametrize("origin", [None, "", "{}", "no json"])
def test_a_plan_without_a_valid_stamp_is_an_error(checkout: Checkout, origin: str | None) -> None:
    checkout.plan_and_stamp()
    get_origin_path(checkout.plan_file).unlink()
    if origin is not None:
        get_origin_path(checkout.plan_file).write_text(origin)
    with pytest.raises(PlanError, match="stamp"):
        checkout.judge()
