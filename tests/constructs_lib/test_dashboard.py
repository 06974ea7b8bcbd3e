"""The Azure workbook."""

import uuid
from functools import partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.dashboard import TILES, Dashboard
from environments import Environment
from tests.constructs_lib.neighbours import Neighbours, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {"minimal": partial(make_environment, "dev")}
ACTIVITY_LOG = "/subscriptions/0/resourceGroups/rg-shared/providers/Microsoft.OperationalInsights/workspaces/log-shared"
WORKBOOK = "azurerm_application_insights_workbook"
# What the workbook must show (docs/design.md, Decisions), and a part of the query that shows it.
REQUIRED = {
    "request rate": "AppRequests | summarize sum(ItemCount)",
    "p50": "percentilew(DurationMs, ItemCount, 50)",
    "p95": "percentilew(DurationMs, ItemCount, 95)",
    "p99": "percentilew(DurationMs, ItemCount, 99)",
    "errors": "ResultCode) >= 500",
    "active users": "dcount(UserId)",
    "CPU": "CpuPercentage",
    "memory": "MemoryPercentage",
    "dependencies": "AppDependencies",
    "database": "MICROSOFT.DBFORPOSTGRESQL",
    "cache": "MICROSOFT.CACHE",
    "deployments": "slotsswap",
}


def synthesize_dashboard(settings: Environment) -> TerraformJson:
    def make(neighbours: Neighbours) -> None:
        Dashboard(neighbours.stack, "dashboard", observability=neighbours.observability, activity_log_id=ACTIVITY_LOG)

    return synthesize_construct("dashboard", make, settings)


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_dashboard(VARIANTS[variant]()) == snapshot


def test_it_shows_what_is_required() -> None:
    """Guards against a lost tile, and against a workbook that is not JSON: the portal would show an empty page."""
    workbook = find_one(synthesize_dashboard(make_environment("dev")), WORKBOOK)["data_json"]["(json)"]
    assert workbook["version"] == "Notebook/1.0"
    queries = [item["content"]["query"] for item in workbook["items"]]
    assert len(queries) == len(TILES)
    assert [subject for subject, part in REQUIRED.items() if not any(part in query for query in queries)] == []


def test_deployments_are_read_where_the_activity_log_goes() -> None:
    """Guards against an empty tile: the shared stack exports the activity log to its own workspace."""
    workbook = find_one(synthesize_dashboard(make_environment("dev")), WORKBOOK)["data_json"]["(json)"]
    sources = {
        tuple(item["content"]["crossComponentResources"]): "AzureActivity" in item["content"]["query"]
        for item in workbook["items"]
    }
    assert sources == {("${azurerm_log_analytics_workspace.log_workspace.id}",): False, (ACTIVITY_LOG,): True}


def test_its_name_is_a_constant_guid() -> None:
    """Guards against a random name, which would replace the workbook at every apply, and against equal names."""
    names = [
        find_one(synthesize_dashboard(make_environment(name)), WORKBOOK)["name"] for name in ("dev", "dev", "staging")
    ]
    assert [str(uuid.UUID(name)) for name in names] == names
    assert names[0] == names[1] != names[2]
