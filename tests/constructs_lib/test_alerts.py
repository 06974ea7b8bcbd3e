"""Alerts: every rule reaches a person, names an existing runbook page, and has the right threshold."""

import json
import re
from functools import cache, partial
from pathlib import Path
from typing import get_args

import pytest
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from syrupy.assertion import SnapshotAssertion

from constructs_lib.alert_rows import (
    ACTIVITY_ROWS,
    EDGE_ROWS,
    HEALTH_ROWS,
    TEAMS_ROWS,
    WEB_TEST_ROWS,
    build_metric_rows,
    build_query_rows,
)
from constructs_lib.alerts import ActionGroup, watch_service_health
from constructs_lib.database import MAX_CONNECTIONS
from constructs_lib.place import AzureStack
from environments.settings import DatabaseSettings
from tests.constructs_lib.neighbours import (
    find_all,
    find_one,
    make_environment,
    synthesize_construct,
    synthesize_in_shared,
)
from tests.support import TerraformJson, load_platform

VARIANTS = {
    "minimal": partial(make_environment, "dev", alerts={"teams": False, "pages": True}),
    "teams": partial(make_environment, "dev", alerts={"teams": True, "pages": True}),
    "quiet": partial(make_environment, "dev", alerts={"pages": False, "emails": ("testers@augeo.example",)}),
    "front-door": partial(
        make_environment,
        "dev",
        alerts={"pages": True},
        front_door={"api_requests_a_minute": 600, "sign_in_requests_a_minute": 10},
    ),
}
QUERY_ROWS = build_query_rows(app="app", role="augeo-api")
METRIC = "azurerm_monitor_metric_alert"
QUERY = "azurerm_monitor_scheduled_query_rules_alert_v2"
ACTIVITY = "azurerm_monitor_activity_log_alert"
ROOT = Path(__file__).parents[2]
PAGE = re.compile(r" Runbook: https://github\.com/[^/ ]+/[^/ ]+/blob/main/(docs/operations/runbook/[a-z-]+\.md)$")
# The subjects that must be watched (docs/design.md, Decisions), and the rules that watch each of them.
REQUIRED = {
    "error rate": {"error-rate", "server-errors"},
    "telemetry": {"telemetry-silent"},
    "container that does not start": {"container-start"},
    "health as Azure reports it": {"app-health", "cache-health", "database-health"},
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
def synthesize_alerts(variant: str = "minimal") -> TerraformJson:
    if variant == "service-health":
        return synthesize_in_shared("alerts", add_service_health_alert)
    return synthesize_construct("alerts", lambda neighbours: neighbours.alerts, VARIANTS[variant]())


def add_service_health_alert(stack: AzureStack, _: LogAnalyticsWorkspace) -> None:
    watch_service_health(ActionGroup(stack, "alerts", teams=None), locations=["eastus2", "centralus"])


def list_rules(variant: str = "minimal") -> dict[str, TerraformJson]:
    body = synthesize_alerts(variant)
    return {rule["name"]: rule for type_ in (METRIC, QUERY, ACTIVITY) for rule in find_all(body, type_).values()}


@pytest.mark.parametrize("variant", [*VARIANTS, "service-health"])
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_alerts(variant) == snapshot


def test_every_required_subject_is_watched() -> None:
    """Guards against a required subject that no rule watches."""
    missing = {subject: names - list_rules().keys() for subject, names in REQUIRED.items()}
    assert {subject: names for subject, names in missing.items() if names} == {}


def test_every_row_becomes_a_rule() -> None:
    """Guards against a row from which no rule is built."""
    metrics = build_metric_rows(tests=("api-dev", "admin-dev"), connections=28)
    rows = (*metrics, *WEB_TEST_ROWS, *QUERY_ROWS, *ACTIVITY_ROWS, *HEALTH_ROWS)
    names = [row.name for row in rows]
    assert len(names) == len(set(names))
    assert set(names) == list_rules().keys()
    assert list_rules("front-door").keys() - set(names) == {row.name for row in EDGE_ROWS}
    assert list_rules("teams").keys() - set(names) == {row.name for row in TEAMS_ROWS}


def test_every_rule_reaches_the_action_group() -> None:
    """Guards against a rule that fires in the portal only, and notifies nobody."""
    group = "${azurerm_monitor_action_group.alerts/action-group/group.id}"
    for name, rule in list_rules().items():
        assert group in str(rule["action"]), name


def test_every_rule_ends_in_the_address_of_a_page_that_exists() -> None:
    """Guards against an alert at night whose link leads nowhere."""
    for name, rule in list_rules().items():
        page = PAGE.search(rule["description"])
        assert page, f"{name} names no runbook page"
        assert (ROOT / page[1]).is_file(), f"{name} names {page[1]}, which does not exist"


def test_critical_metrics_are_evaluated_every_minute() -> None:
    """Guards against an outage that a person hears of only after more than two minutes."""
    rules = find_all(synthesize_alerts(), METRIC).values()
    frequencies = {rule["name"]: rule["frequency"] for rule in rules if rule["severity"] <= 1}
    assert {"api-down", "database-down", "server-errors"} <= frequencies.keys()
    assert set(frequencies.values()) == {"PT1M"}


def test_columns_have_the_types_of_their_tables() -> None:
    """Guards against a union in which a column appears twice, once for each type, and is never filled."""
    tables = json.loads((ROOT / "tools/kql/tables.json").read_text(encoding="utf-8"))
    for row in QUERY_ROWS:
        for schema, table in re.findall(r"datatable\(([^)]*)\)\[\]\), (\w+)", row.query):
            columns = dict(column.split(": ") for column in schema.split(", "))
            # AzureDiagnostics gets a column when a value for it arrives, and its name ends in the type: _s, _d.
            known = tables[table] | ({"requestUri_s": "string"} if table == "AzureDiagnostics" else {})
            assert columns.items() <= known.items(), (row.name, table)


def test_queries_are_not_evaluated_every_minute() -> None:
    """Guards against a rule that Azure refuses, because its query uses more than such a rule may."""
    assert {rule["evaluation_frequency"] for rule in find_all(synthesize_alerts(), QUERY).values()} == {"PT5M"}


def test_queries_survive_a_table_that_does_not_exist_yet() -> None:
    """Guards against a rule that Azure turns off after a week, because its query fails."""
    for row in QUERY_ROWS:
        tables = set(re.findall(r"\b(?:App|ACS|Azure)\w+(?=\s*(?:\||$|,))", row.query))
        fuzzy = set(re.findall(r"union isfuzzy=true \(datatable\([^)]*\)\[\]\), (\w+)", row.query))
        assert tables <= fuzzy, row.name


def test_what_wakes_people_needs_no_telemetry_of_the_application() -> None:
    """Guards against an alert on errors that can never fire: the published application reports nothing."""
    for name in ("error-rate", "slow-responses"):
        (row,) = (row for row in QUERY_ROWS if row.name == name)
        assert "AppServiceHTTPLogs" in row.query
        assert "AppRequests" not in row.query
        assert "ScStatus != 101" in row.query, "a WebSocket takes as long as it is open"
        assert "!startswith '/health/'" in row.query, "probes would hide the failures of users"


def test_a_test_environment_wakes_nobody_and_mails_its_own_people() -> None:
    """Guards against people who no longer read alerts, because dev sends the same ones as production."""
    body = synthesize_alerts("quiet")
    assert min(rule["severity"] for type_ in (METRIC, QUERY) for rule in find_all(body, type_).values()) == 2
    (receiver,) = find_one(body, "azurerm_monitor_action_group")["email_receiver"]
    assert receiver["email_address"] == "testers@augeo.example"


def test_a_failing_logic_app_is_told_by_mail_alone() -> None:
    """Guards against a circle: the alert about the Logic App would start the Logic App, which fails again."""
    rule = list_rules("teams")["teams-failing"]
    (action,) = rule["action"]
    assert action["action_group_id"] == "${azurerm_monitor_action_group.alerts/action-group/mail.id}"
    mail = find_all(synthesize_alerts("teams"), "azurerm_monitor_action_group")["alerts/action-group/mail"]
    assert not mail.get("logic_app_receiver")
    (denied,) = (row for row in QUERY_ROWS if row.name == "vault-denied")
    assert "requestUri_s !has 'teams-webhook-url'" in denied.query


def test_a_web_test_counts_when_three_of_five_places_fail() -> None:
    """Guards against an alert about the network of one or two places."""
    counts = {row.name: row.failed_locations for row in WEB_TEST_ROWS}
    assert (counts["api-down"], counts["admin-down"]) == (3, 3)


def test_metric_windows_are_no_shorter_than_their_frequency() -> None:
    """Guards against minutes that no evaluation covers."""
    minutes = {"PT1M": 1, "PT5M": 5, "PT15M": 15, "PT30M": 30, "PT1H": 60}
    body = synthesize_alerts()
    for rule in find_all(body, METRIC).values():
        assert minutes[rule["window_size"]] >= minutes[rule["frequency"]], rule["name"]
    for rule in find_all(body, QUERY).values():
        assert minutes[rule["window_duration"]] >= minutes[rule["evaluation_frequency"]], rule["name"]


def test_thresholds_are_the_required_ones() -> None:
    """Guards against a mistyped number. The thresholds are written here by hand, not read from the rows."""
    metrics = {
        rule["name"]: (criteria["operator"], criteria["threshold"])
        for rule in find_all(synthesize_alerts(), METRIC).values()
        for criteria in rule.get("criteria", [])
    }
    assert metrics["availability"] == ("LessThan", 99.9)
    assert metrics["server-errors"] == ("GreaterThan", 10)
    for name in ("app-cpu", "app-memory", "database-storage", "cache-memory"):
        assert metrics[name] == ("GreaterThan", 80)
    queries = {rule["name"]: rule["criteria"][0]["query"] for rule in find_all(synthesize_alerts(), QUERY).values()}
    few = "(failed >= 3 and failed * 2 > total)"
    assert queries["error-rate"].endswith(f"where (total >= 20 and failed * 100.0 / total > 5) or {few}")
    assert queries["slow-responses"].endswith("total >= 20 and average > 3000")
    assert queries["api-p95"].endswith("p95 > 1000")
    assert queries["bid-p95"].endswith("p95 > 500")
    assert queries["email-delivery"].endswith("* 100.0 / total < 95")


def test_release_under_test_raises_no_alert() -> None:
    """Guards against alerts on the slot's telemetry, in which a smoke test of a release may leave failures."""
    for row in QUERY_ROWS:
        if "AppRequests" in row.query:
            assert "AppRoleName == 'augeo-api'" in row.query, row.name
        if "AppServiceHTTPLogs" in row.query:
            assert "_ResourceId endswith '/sites/app'" in row.query, row.name


def test_every_sku_has_its_connections() -> None:
    """Guards against a sku that the settings allow and `MAX_CONNECTIONS` lacks: synth would raise a KeyError."""
    skus = get_args(DatabaseSettings.model_fields["sku"].annotation)
    assert set(skus) == set(MAX_CONNECTIONS)


def test_teams_gets_the_common_alert_schema() -> None:
    """Guards against a Logic App that gets a schema which it cannot read."""
    group = find_all(synthesize_alerts("teams"), "azurerm_monitor_action_group")["alerts/action-group/group"]
    (receiver,) = group["logic_app_receiver"]
    assert receiver["use_common_alert_schema"] is True
    assert receiver["resource_id"] == "${azurerm_logic_app_workflow.teams/workflow.id}"
    assert not find_one(synthesize_alerts(), "azurerm_monitor_action_group").get("logic_app_receiver")


def test_service_health_names_regions_as_azure_does() -> None:
    """Guards against a name such as `eastus2`, which Azure accepts and never matches, and against a missing page."""
    rule = find_one(synthesize_alerts("service-health"), ACTIVITY)
    assert rule["criteria"]["service_health"]["locations"] == ["Global", "Central US", "East US 2"]
    assert (ROOT / "docs/operations/runbook/service-health.md").is_file()
    assert rule["description"].endswith("/docs/operations/runbook/service-health.md")


@pytest.mark.parametrize("variant", ["minimal", "front-door", "service-health"])
def test_people_are_mailed(variant: str) -> None:
    """Guards against an action group without a person, and one whose short name exceeds Azure's 12 characters."""
    group = find_one(synthesize_alerts(variant), "azurerm_monitor_action_group")
    assert [receiver["email_address"] for receiver in group["email_receiver"]] == list(
        load_platform().shared.account.alert_emails
    )
    assert len(group["short_name"]) <= 12
