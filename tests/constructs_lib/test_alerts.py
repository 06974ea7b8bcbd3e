"""Alerts: a row that reaches nobody, or names no page, is found here and not at night."""

import re
from functools import cache, partial
from pathlib import Path
from typing import get_args

import pytest
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from syrupy.assertion import SnapshotAssertion

from constructs_lib.alert_rows import ACTIVITY_ROWS, WEB_TEST_ROWS, build_metric_rows, build_query_rows
from constructs_lib.alerts import ActionGroup, watch_service_health
from constructs_lib.database import MAX_CONNECTIONS
from constructs_lib.place import AzureStack
from environments.settings import DatabaseSettings
from tests.constructs_lib.neighbours import all_of, built, built_shared, environment, only
from tests.support import TerraformJson, platform

VARIANTS = {
    "minimal": partial(environment, "dev", alerts={"teams": False}),
    "teams": partial(environment, "dev", alerts={"teams": True}),
}
METRIC = "azurerm_monitor_metric_alert"
QUERY = "azurerm_monitor_scheduled_query_rules_alert_v2"
ACTIVITY = "azurerm_monitor_activity_log_alert"
ROOT = Path(__file__).parents[2]
PAGE = re.compile(r" Runbook: https://github\.com/[^/ ]+/[^/ ]+/blob/main/(docs/operations/runbook/[a-z-]+\.md)$")
# Issue 3, section 3, row 9: by the subject, the rules that watch it.
ASKED = {
    "error rate": {"error-rate"},
    "average response": {"slow-responses"},
    "p95 of the API": {"api-p95"},
    "p95 of bid updates": {"bid-p95"},
    "CPU": {"app-cpu", "database-cpu"},
    "memory": {"app-memory", "database-memory"},
    "database storage": {"database-storage"},
    "connections": {"database-connections"},
    "replication and HA state": {"database-health"},
    "Redis memory": {"cache-memory"},
    "failed deployment": {"failed-swap", "failed-configuration"},
    "availability": {"availability", "api-down", "admin-down"},
    "certificate expiry": {"api-certificate", "admin-certificate"},
    "daily cap": {"daily-cap"},
    "Key Vault denied access": {"vault-denied"},
    "e-mail delivery": {"email-delivery"},
    "changes of roles": {"role-granted", "role-removed"},
    "changes of locks": {"lock-removed"},
    "changes of network rules": {"network-rules-changed", "network-rule-changed"},
}


@cache
def alerts(variant: str = "minimal") -> TerraformJson:
    if variant == "service-health":
        return built_shared("alerts", service_health)
    return built("alerts", lambda near: near.alerts, VARIANTS[variant]())


def service_health(stack: AzureStack, _: LogAnalyticsWorkspace) -> None:
    watch_service_health(ActionGroup(stack, "alerts", teams=None), locations=["eastus2", "centralus"])


def rules() -> dict[str, TerraformJson]:
    body = alerts()
    return {each["name"]: each for type_ in (METRIC, QUERY, ACTIVITY) for each in all_of(body, type_).values()}


@pytest.mark.parametrize("variant", [*VARIANTS, "service-health"])
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert alerts(variant) == snapshot


def test_everything_asked_for_is_watched() -> None:
    """Guards against a subject of issue 3 that nobody hears of."""
    assert {subject: names - rules().keys() for subject, names in ASKED.items() if names - rules().keys()} == {}


def test_every_row_becomes_a_rule() -> None:
    """Guards against a row that is written and never built."""
    metrics = build_metric_rows(tests=("api-dev", "admin-dev"), connections=28)
    rows = (*metrics, *WEB_TEST_ROWS, *build_query_rows("augeo-api"), *ACTIVITY_ROWS)
    names = [row.name for row in rows]
    assert len(names) == len(set(names))
    assert set(names) <= rules().keys()


def test_every_rule_reaches_the_action_group() -> None:
    """Guards against a rule that turns red in the portal alone."""
    group = "${azurerm_monitor_action_group.alerts/action-group/group.id}"
    for name, rule in rules().items():
        assert group in str(rule["action"]), name


def test_every_rule_ends_in_the_address_of_a_page_that_exists() -> None:
    """Guards against an alert at night whose link leads nowhere."""
    for name, rule in rules().items():
        found = PAGE.search(rule["description"])
        assert found, f"{name} names no runbook page"
        assert (ROOT / found[1]).is_file(), f"{name} names {found[1]}, which does not exist"


def test_critical_rules_are_evaluated_every_minute() -> None:
    """Guards against an outage that a person hears of after more than two minutes."""
    body = alerts()
    frequencies = {
        each["name"]: each.get("frequency", each.get("evaluation_frequency"))
        for type_ in (METRIC, QUERY)
        for each in all_of(body, type_).values()
        if each["severity"] <= 1
    }
    assert {"api-down", "database-down", "error-rate", "bid-p95", "slow-responses"} <= frequencies.keys()
    assert set(frequencies.values()) == {"PT1M"}


def test_metric_windows_are_no_shorter_than_their_frequency() -> None:
    """Guards against minutes that no evaluation looks at."""
    minutes = {"PT1M": 1, "PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60}
    body = alerts()
    for each in all_of(body, METRIC).values():
        assert minutes[each["window_size"]] >= minutes[each["frequency"]], each["name"]
    for each in all_of(body, QUERY).values():
        assert minutes[each["window_duration"]] >= minutes[each["evaluation_frequency"]], each["name"]


def test_thresholds_are_the_ones_asked_for() -> None:
    """Guards against a slip of a zero: these numbers are issue 3's."""
    metrics = {
        each["name"]: (criteria["operator"], criteria["threshold"])
        for each in all_of(alerts(), METRIC).values()
        for criteria in each.get("criteria", [])
    }
    assert metrics["availability"] == ("LessThan", 99.9)
    assert metrics["slow-responses"] == ("GreaterThan", 3)
    for name in ("app-cpu", "app-memory", "database-storage", "cache-memory"):
        assert metrics[name] == ("GreaterThan", 80)
    queries = {each["name"]: each["criteria"][0]["query"] for each in all_of(alerts(), QUERY).values()}
    assert queries["error-rate"].endswith("failed * 100.0 / total > 5")
    assert queries["api-p95"].endswith("p95 > 1000")
    assert queries["bid-p95"].endswith("p95 > 500")
    assert queries["email-delivery"].endswith("* 100.0 / total < 95")


def test_release_under_test_raises_no_alert() -> None:
    """Guards against the slot's telemetry, which a smoke test fills with failures, counting as production's."""
    for row in build_query_rows("augeo-api"):
        if "AppRequests" in row.query:
            assert "AppRoleName == 'augeo-api'" in row.query, row.name


def test_every_sku_has_its_connections() -> None:
    """Guards against a KeyError for a sku that the settings allow, which would be a traceback in synth."""
    skus = get_args(DatabaseSettings.model_fields["sku"].annotation)
    assert set(skus) == set(MAX_CONNECTIONS)


def test_teams_is_told_in_the_common_schema() -> None:
    """Guards against a Logic App that is sent another schema than the one it reads."""
    group = only(alerts("teams"), "azurerm_monitor_action_group")
    (receiver,) = group["logic_app_receiver"]
    assert receiver["use_common_alert_schema"] is True
    assert receiver["resource_id"] == "${azurerm_logic_app_workflow.teams/workflow.id}"
    assert not only(alerts(), "azurerm_monitor_action_group").get("logic_app_receiver")


def test_service_health_names_regions_as_azure_does() -> None:
    """Guards against `eastus2`, which the alert takes and never matches, and against a page that does not exist."""
    rule = only(alerts("service-health"), ACTIVITY)
    assert rule["criteria"]["service_health"]["locations"] == ["Global", "Central US", "East US 2"]
    assert (ROOT / "docs/operations/runbook/service-health.md").is_file()
    assert rule["description"].endswith("/docs/operations/runbook/service-health.md")


@pytest.mark.parametrize("variant", [*VARIANTS, "service-health"])
def test_people_are_mailed(variant: str) -> None:
    """Guards against an action group without a person; its short name may have 12 characters."""
    group = only(alerts(variant), "azurerm_monitor_action_group")
    assert [each["email_address"] for each in group["email_receiver"]] == list(platform().shared.account.alert_emails)
    assert len(group["short_name"]) <= 12
