"""The plan guard with plans that the real provider made. plans/README.md says how they were made."""

import re
from datetime import timedelta

import pytest

from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.plan_guard.report import Report
from operations.terraform.plan import read_plan
from tests.operations.plan_guard.plans.cut_plan import REDACTED
from tests.operations.plan_guard.plans.plan_json import RECORDED

PLACEHOLDER = "00000000-0000-0000-0000-000000000000"
SERVER = "azurerm_postgresql_flexible_server.database_server"
DATABASE = "azurerm_postgresql_flexible_server_database.database"
SERVER_LOCK = "azurerm_management_lock.database_server_lock_9303B5DF"
PLANS = (
    "changed-outside",
    "database-renamed",
    "database-replaced",
    "database-stopped",
    "protection-removed",
    "refreshed-only",
    "role-granted",
    "rule-added",
    "rule-described",
    "tag-everywhere",
)
GROUP, VAULT = "azurerm_network_security_group.network_app-nsg_145964A3", "azurerm_key_vault.key_vault"


def judge_recorded(name: str, *allowed: str, stack: str = "dev") -> Report:
    """Return what the guard reports about a recorded plan an hour after the plan was made."""
    plan_json = (RECORDED / f"{name}.json").read_text()
    now = read_plan(plan_json).timestamp + timedelta(hours=1)
    return Guard(StackTarget(stack, PLACEHOLDER, disposable=False), allowed).judge_json(plan_json, now=now)


def get_refused_addresses(report: Report) -> list[str]:
    return [loss.address for loss in report.refused]


def test_the_replacement_of_the_database_is_refused_and_says_why() -> None:
    report = judge_recorded("database-replaced")
    assert report.title == "Plan of dev: 4 to replace. REFUSED"
    assert get_refused_addresses(report) == [SERVER_LOCK, SERVER, DATABASE]
    assert report.mismatches == []
    text = report.format_text()
    assert f"REPLACE {SERVER}\n  because an attribute cannot be changed in place: geo_redundant_backup_enabled" in text
    consequences = text.split("REPLACE, since what it refers to is known only after the apply\n")[1].split("\n\n")[0]
    assert [line.rpartition(": ")[2] for line in consequences.splitlines()] == ["scope", "server_id", "server_id"]


def test_it_may_be_applied_if_every_address_is_allowed() -> None:
    assert judge_recorded("database-replaced", SERVER, DATABASE, SERVER_LOCK).may_be_applied
    assert get_refused_addresses(judge_recorded("database-replaced", SERVER, DATABASE)) == [SERVER_LOCK]


def test_a_plan_that_prevent_destroy_has_stopped_is_refused_and_names_the_loss() -> None:
    report = judge_recorded("database-stopped", SERVER)
    assert report.mismatches == [
        "Terraform did not finish this plan: it stopped at an error, as it does at prevent_destroy."
    ]
    assert get_refused_addresses(judge_recorded("database-stopped")) == [SERVER]


def test_a_new_name_replaces_the_server() -> None:
    report = judge_recorded("database-renamed")
    assert get_refused_addresses(report) == [SERVER]
    assert "cannot be changed in place: name\n" in report.format_text()


def test_locks_and_removed_blocks_are_refused() -> None:
    report = judge_recorded("protection-removed")
    assert get_refused_addresses(report) == [
        "azurerm_management_lock.key-vault_lock_D26D705B",
        "azurerm_storage_container.backups_container",
    ]
    text = report.format_text()
    assert "would be forgotten, and Terraform would no longer keep every blob in it" in " ".join(text.split())
    first = text.split("LOOK HERE FIRST")[1].split("\n\nDESTROY")[0]
    assert "azurerm_management_lock.key-vault_lock_D26D705B\n      - the lock goes; lock_level: CanNotDelete" in first


def test_a_sensitive_setting_changes_without_being_shown() -> None:
    text = judge_recorded("protection-removed").format_text()
    assert REDACTED in (RECORDED / "protection-removed.json").read_text()
    assert "~ app_settings.JWT_SECRET_KEY:" in text
    assert '"changed-by-the-plan"' in text


@pytest.mark.parametrize("name", PLANS)
def test_no_sensitive_value_is_shown(name: str) -> None:
    report = judge_recorded(name)
    assert REDACTED not in report.format_text() + report.format_markdown()


@pytest.mark.parametrize("name", PLANS)
def test_the_first_password_is_not_in_a_plan(name: str) -> None:
    plan_json = (RECORDED / f"{name}.json").read_text()
    passwords = re.findall(r'"administrator_password_wo": (.*?),?\n', plan_json)
    assert bool(passwords) == (SERVER in plan_json and name.startswith("database"))
    assert set(passwords) <= {"null"}


@pytest.mark.parametrize("stack", ["staging", "production", "shared"])
@pytest.mark.parametrize("name", ["database-replaced", "protection-removed"])
def test_a_recorded_plan_of_dev_is_refused_for_every_other_stack(name: str, stack: str) -> None:
    assert judge_recorded(name, stack=stack).mismatches == [
        f"The plan is of dev, not of {stack}: see the tag `environment`."
    ]


def get_first(report: Report) -> str:
    """Return what stands under the first heading, on one line."""
    return " ".join(report.format_text().split("\nLOOK HERE FIRST\n")[1].split("\n\nCHANGE", maxsplit=1)[0].split())


def test_a_new_security_rule_is_named_first_with_everything_that_matters() -> None:
    report = judge_recorded("rule-added")
    assert get_first(report) == (
        f"Opened to the network {GROUP} + security_rule[allow-everything]: "
        "Inbound Allow any protocol from Internet to * all ports, priority 105"
    )
    assert report.format_text().count("security_rule[") == 2, "no other rule is named"


def test_a_new_description_is_one_line() -> None:
    lines = judge_recorded("rule-described").format_text().splitlines()
    assert lines[1:4] == [
        "",
        f"CHANGE {GROUP}",
        '  ~ security_rule[allow-postgresql].description: "10.10.0.0/24 to 10.10.1.0/24" -> "the app to the database"',
    ]
    assert "LOOK HERE FIRST" not in lines


def test_a_role_assignment_names_role_principal_and_scope() -> None:
    text = judge_recorded("role-granted").format_text()
    assert (
        f"    azurerm_role_assignment.extra_role\n"
        f"      + Owner to data.azurerm_user_assigned_identity.api-identity on {VAULT}\n"
    ) in text


def test_a_changed_tag_is_one_entry_and_hides_nothing() -> None:
    report = judge_recorded("tag-everywhere")
    text = report.format_text()
    assert get_first(report).endswith(f'{VAULT} ~ network_acls.default_action: "Deny" -> "Allow"')
    assert text.count("cost_center") == 2
    assert "CHANGE 8 resources in the same way\n" in text
    assert len(text.splitlines()) <= 20


@pytest.mark.parametrize(
    ("name", "consequence"),
    [("changed-outside", "this plan changes the resource too"), ("refreshed-only", "this plan leaves it so")],
)
def test_what_was_changed_outside_of_terraform_is_told(name: str, consequence: str) -> None:
    report = judge_recorded(name)
    first = get_first(report)
    assert f"{VAULT} (outside of Terraform; {consequence})" in first
    assert "+ security_rule[by-hand]: Inbound Allow Tcp from Internet to 10.10.1.0/24 port 10000, priority" in first
    outside = report.format_text().split("CHANGED OUTSIDE OF TERRAFORM since the last apply\n")[1].split("\n\n")
    assert f'  {VAULT}\n    ~ network_acls.default_action: "Deny" -> "Allow"' in outside[0]
    assert f"  {GROUP}\n    + security_rule[by-hand]\n" in outside[0]
    assert outside[1].splitlines()[1:] == ["  azurerm_virtual_network.network_vnet_BCBC8A9D: subnet"]
    assert report.may_be_applied


def test_every_recorded_plan_is_tested() -> None:
    assert {path.stem for path in RECORDED.glob("*.json")} == set(PLANS)
