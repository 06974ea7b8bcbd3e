"""The plan guard on real plans of the real provider; plans/README.md says how they were made."""

import re
from datetime import timedelta

import pytest

from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.plan_guard.report import Report
from operations.terraform.plan import read
from tests.operations.plan_guard.plans.cut_plan import REDACTED
from tests.operations.plan_guard.plans.plan_json import RECORDED

PLACEHOLDER = "00000000-0000-0000-0000-000000000000"
SERVER = "azurerm_postgresql_flexible_server.database_server"
DATABASE = "azurerm_postgresql_flexible_server_database.database"
SERVER_LOCK = "azurerm_management_lock.database_server_lock_9303B5DF"
PLANS = ("database-renamed", "database-replaced", "database-stopped", "protection-removed")


def recorded(name: str, *allowed: str, stack: str = "dev") -> Report:
    """What the guard made of a recorded plan an hour after it was made."""
    shown = (RECORDED / f"{name}.json").read_text()
    now = read(shown).timestamp + timedelta(hours=1)
    return Guard(StackTarget(stack, PLACEHOLDER, disposable=False), allowed).judge_json(shown, now=now)


def lost(report: Report) -> list[str]:
    return [each.resource.address for each in report.refused]


def test_the_replacement_of_the_database_is_refused_and_says_why() -> None:
    report = recorded("database-replaced")
    assert report.title == "Plan of dev: 4 to replace. REFUSED"
    assert lost(report) == [SERVER_LOCK, SERVER, DATABASE]
    assert report.mismatches == []
    text = report.text()
    assert f"REPLACE {SERVER}\n  because an attribute cannot be changed in place: geo_redundant_backup_enabled" in text
    following = text.split("REPLACE, since what it refers to is known only after the apply\n")[1].split("\n\n")[0]
    assert [line.split()[-1] for line in following.splitlines()[2:]] == ["scope", "server_id", "server_id"]


def test_it_goes_through_when_every_address_is_named() -> None:
    assert recorded("database-replaced", SERVER, DATABASE, SERVER_LOCK).nothing_lost
    assert lost(recorded("database-replaced", SERVER, DATABASE)) == [SERVER_LOCK]


def test_a_plan_that_prevent_destroy_has_stopped_says_what_it_would_have_lost() -> None:
    report = recorded("database-stopped", SERVER)
    assert report.mismatches == [
        "Terraform did not finish this plan: it stopped at an error, as it does at prevent_destroy."
    ]
    assert lost(recorded("database-stopped")) == [SERVER]


def test_another_name_is_another_server() -> None:
    report = recorded("database-renamed")
    assert lost(report) == [SERVER]
    assert "cannot be changed in place: name\n" in report.text()


def test_locks_and_removed_blocks_are_refused() -> None:
    report = recorded("protection-removed")
    assert lost(report) == [
        "azurerm_management_lock.key-vault_lock_D26D705B",
        "azurerm_storage_container.backups_container",
    ]
    text = report.text()
    assert "would be forgotten, and Terraform would no longer keep every blob in it" in " ".join(text.split())
    assert "no longer protected" in text


def test_a_sensitive_setting_changes_without_being_shown() -> None:
    text = recorded("protection-removed").text()
    assert REDACTED in (RECORDED / "protection-removed.json").read_text()
    assert "app_settings.JWT_SECRET_KEY  " in text
    assert '"changed-by-the-plan"' in text


@pytest.mark.parametrize("name", PLANS)
def test_no_sensitive_value_is_shown(name: str) -> None:
    report = recorded(name)
    assert REDACTED not in report.text() + report.markdown()


@pytest.mark.parametrize("name", PLANS)
def test_the_first_password_is_not_in_a_plan(name: str) -> None:
    shown = (RECORDED / f"{name}.json").read_text()
    sent = re.findall(r'"administrator_password_wo": (.*?),?\n', shown)
    assert bool(sent) == name.startswith("database")
    assert set(sent) <= {"null"}


@pytest.mark.parametrize("stack", ["staging", "production", "shared"])
@pytest.mark.parametrize("name", ["database-replaced", "protection-removed"])
def test_it_is_of_no_other_stack(name: str, stack: str) -> None:
    assert recorded(name, stack=stack).mismatches == [f"The plan is of dev, not of {stack}: see the tag `environment`."]


def test_every_recorded_plan_is_tested() -> None:
    assert {path.stem for path in RECORDED.glob("*.json")} == set(PLANS)
