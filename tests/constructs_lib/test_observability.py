"""Where everything is logged."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import all_of, built, environment, only
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(environment, "dev"),
    "production": partial(environment, "production"),
    "disposable": partial(environment, "dev", disposable=True),
}
WORKSPACE, INSIGHTS = "azurerm_log_analytics_workspace", "azurerm_application_insights"


@cache
def observability(variant: str) -> TerraformJson:
    return built("observability", lambda near: near.observability, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert observability(variant) == snapshot


def test_cap_and_retention_are_the_settings_own() -> None:
    """Guards against a bill without an upper end: -1, the provider's default, is no cap."""
    workspace = only(observability("production"), WORKSPACE)
    assert (workspace["daily_quota_gb"], workspace["retention_in_days"]) == (5, 90)


def test_browser_telemetry_is_apart_from_the_api_s() -> None:
    """Guards against the browser's connection string, public by nature, leading to the API's telemetry."""
    insights = all_of(observability("minimal"), INSIGHTS)
    assert set(insights) == {"observability/api", "observability/browser"}
    assert {each["workspace_id"] for each in insights.values()} == {
        "${azurerm_log_analytics_workspace.log_workspace.id}"
    }
