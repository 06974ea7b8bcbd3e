"""What a report says about a plan, in a terminal and in a comment."""

import re

import pytest
from pydantic import JsonValue

from operations.plan_guard.report import COMMENT_LENGTH, FENCE
from operations.terraform.plan import REASONS
from tests.operations.plan_guard.plans.plan_json import judge, make_change, make_plan, make_resource

APP = "azurerm_linux_web_app.web_app"
DATABASE = "azurerm_postgresql_flexible_server.database_server"
SECRET = "correct-horse-battery"  # noqa: S105


def test_a_replacement_names_what_forces_it() -> None:
    replaced = make_resource(
        DATABASE,
        ["delete", "create"],
        {"id": "/subscriptions/1", "geo_redundant_backup_enabled": True, "sku_name": "a"},
        {"geo_redundant_backup_enabled": False, "sku_name": "b"},
        after_unknown={"id": True},
        replace_paths=[["geo_redundant_backup_enabled"]],
        action_reason="replace_because_cannot_update",
    )
    text = judge(make_plan(replaced)).format_text()
    assert "because an attribute cannot be changed in place: geo_redundant_backup_enabled\n" in text
    forcing = [line.split()[0] for line in text.splitlines() if line.endswith("forces the replacement")]
    assert forcing == ["geo_redundant_backup_enabled"]
    assert "Azure sets anew: id\n" in text
    assert '\n  sku_name                      "a"    "b"' in text


def test_a_key_of_a_sensitive_map_is_not_named_as_the_cause() -> None:
    replaced = make_resource(
        APP,
        ["delete", "create"],
        {"map": {SECRET: 1}},
        {"map": {}},
        before_sensitive={"map": True},
        replace_paths=[["map", SECRET], ["block", 0, "name"]],
    )
    text = judge(make_plan(replaced)).format_text()
    assert "map, block[0].name" in text
    assert SECRET not in text


@pytest.mark.parametrize("reason", [*REASONS, "replace_because_of_a_reason_of_tomorrow"])
def test_every_reason_is_given_in_words(reason: str) -> None:
    destroyed = make_resource("azurerm_subnet.it", ["delete"], action_reason=reason)
    text = judge(make_plan(destroyed)).format_text()
    assert REASONS.get(reason, reason) in text


def get_protection_section(text: str) -> str:
    return text.split("\nPROTECTION\n")[1].split("\n\n", maxsplit=1)[0]


def test_locks_and_policies_that_come_and_go_are_named() -> None:
    lock, policy = "azurerm_management_lock.lock", "azurerm_storage_container_immutability_policy.evidence"
    report = judge(make_plan(make_resource(lock, ["delete"]), make_resource(policy, ["create"])))
    protection = get_protection_section(report.format_text())
    assert lock in protection
    assert "no longer protected" in protection
    assert "is protected from now on" in protection


def test_a_shorter_backup_retention_is_named() -> None:
    before: dict[str, JsonValue] = {"backup_retention_days": 30, "sku": 1}
    after: dict[str, JsonValue] = {"backup_retention_days": 7, "sku": 2}
    report = judge(make_plan(make_resource(DATABASE, ["update"], before, after)))
    protection = get_protection_section(report.format_text())
    assert "backup_retention_days: 30 -> 7" in protection
    assert "sku" not in protection


def test_moves_outputs_and_drift_are_named() -> None:
    text = judge(
        make_plan(
            make_resource(APP, ["no-op"], previous_address="azurerm_linux_web_app.before"),
            output_changes={
                "token": make_change(["update"], SECRET, "x", before_sensitive=True, after_sensitive=True),
                "same": make_change(["no-op"], "x", "x"),
            },
            resource_drift=[
                make_resource("azurerm_management_lock.by_hand", ["delete"]),
                make_resource("azurerm_subnet.resized", ["update"]),
            ],
        )
    ).format_text()
    assert "azurerm_linux_web_app.before  azurerm_linux_web_app.web_app" in text
    assert "token   change" in text
    assert "same" not in text
    deleted = text.split("\nDELETED OUTSIDE OF TERRAFORM")[1]
    assert "azurerm_management_lock.by_hand" in deleted
    assert "azurerm_subnet.resized" not in deleted
    assert SECRET not in text


def test_a_large_plan_begins_with_its_counts_and_stays_readable() -> None:
    records = [make_resource(f"azurerm_dns_txt_record.record_{number}", ["create"]) for number in range(300)]
    subnets = [make_resource(f"azurerm_subnet.subnet_{number}", ["create"]) for number in range(200)]
    text = judge(make_plan(*records, *subnets, make_resource("azurerm_subnet.gone", ["delete"]))).format_text()
    assert text.startswith("Plan of dev: 1 to destroy, 500 to create.\n")
    assert re.search(r"azurerm_dns_txt_record +300 ", text)
    assert text.index("azurerm_subnet.gone") < text.index("CREATE")
    assert len(text.splitlines()) < 200
    assert all(len(line) <= 140 for line in text.splitlines())


def test_a_plan_without_changes_says_so() -> None:
    assert judge(make_plan(make_resource(APP, ["no-op"]))).format_text() == "Plan of dev: no resource changes."


def test_a_comment_begins_with_the_refusal_and_no_value_ends_its_code_block() -> None:
    value = f"{FENCE}\n@everyone <img src=x> | `"
    changed = make_resource(APP, ["update"], {"a": "x"}, {"a": value})
    comment = judge(make_plan(make_resource(DATABASE, ["delete"]), changed)).format_markdown()
    lines = comment.splitlines()
    assert lines[0] == "## Plan of dev: 1 to destroy, 1 to change. REFUSED"
    assert comment.index("would be destroyed") < comment.index("CHANGE")
    assert [line for line in lines if line.startswith(FENCE)] == [f"{FENCE}text", FENCE] * 2


def test_a_long_comment_is_cut_between_lines_and_keeps_the_refusal() -> None:
    changed = [make_resource(f"{APP}_{number}", ["update"], {"a": "x" * 60}, {"a": "y" * 60}) for number in range(2000)]
    comment = judge(make_plan(make_resource(DATABASE, ["delete"]), *changed)).format_markdown()
    assert COMMENT_LENGTH - 1000 < len(comment) < 65_536
    assert f"--allow-loss '{DATABASE}'" in comment
    assert comment.endswith(f" more characters: run the guard to read them\n{FENCE}\n")
