"""The log workspace and Application Insights."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(make_environment, "dev"),
    "production": partial(make_environment, "production"),
    "disposable": partial(make_environment, "dev", disposable=True),
}
WORKSPACE, INSIGHTS = "azurerm_log_analytics_workspace", "azurerm_application_insights"


@cache
def synthesize_observability(variant: str) -> TerraformJson:
    return synthesize_construct("observability", lambda neighbours: neighbours.observability, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_observability(variant) == snapshot


def test_cap_and_retention_are_the_settings() -> None:
    """Guards against an unlimited bill: -1, the provider's default, is no cap."""
    workspace = find_one(synthesize_observability("production"), WORKSPACE)
    assert (workspace["daily_quota_gb"], workspace["retention_in_days"]) == (5, 90)


def test_browser_telemetry_is_separate_from_the_api_s() -> None:
    """Guards against a browser's connection string, which everybody can read, that leads to the API's telemetry."""
    insights = find_all(synthesize_observability("minimal"), INSIGHTS)
    assert set(insights) == {"observability/api", "observability/browser"}
    assert {component["workspace_id"] for component in insights.values()} == {
        "${azurerm_log_analytics_workspace.log_workspace.id}"
    }
