"""The Azure workbook that the person on call opens first. Each tile answers one question."""

import json
import uuid
from typing import Literal, NamedTuple

from cdktf_cdktf_provider_azurerm.application_insights_workbook import ApplicationInsightsWorkbook

from constructs_lib.observability import LOG_WORKSPACES, Observability
from constructs_lib.place import AzureStack, Capability


class Tile(NamedTuple):
    """A query of the workspace, and the form in which its result is shown."""

    title: str
    query: str
    chart: Literal["timechart", "table"] = "timechart"
    source: Literal["workspace", "activity log"] = "workspace"


def _query_metric(namespace: str, metric: str, aggregation: str = "avg(Average)") -> str:
    return (
        f"AzureMetrics | where ResourceProvider =~ '{namespace}' and MetricName == '{metric}' "
        f"| summarize {aggregation} by bin(TimeGenerated, 5m), Resource"
    )


# The SDK samples: a row of telemetry stands for as many requests as its ItemCount says.
TILES = (
    Tile("Requests a minute", "AppRequests | summarize sum(ItemCount) by bin(TimeGenerated, 1m), AppRoleName"),
    Tile(
        "Response time: p50, p95, p99 (ms)",
        "AppRequests | where ResultCode != '101' "
        "| summarize p50 = percentilew(DurationMs, ItemCount, 50), p95 = percentilew(DurationMs, ItemCount, 95), "
        "p99 = percentilew(DurationMs, ItemCount, 99) by bin(TimeGenerated, 5m)",
    ),
    Tile(
        "Errors",
        "AppRequests | where toint(ResultCode) >= 500 | summarize sum(ItemCount) by bin(TimeGenerated, 5m), Name",
    ),
    Tile(
        "Exceptions",
        "AppExceptions | summarize exceptions = sum(ItemCount) by ProblemId | top 20 by exceptions",
        "table",
    ),
    Tile("Active users", "AppPageViews | summarize dcount(UserId) by bin(TimeGenerated, 15m)"),
    Tile("App CPU (%)", _query_metric("MICROSOFT.WEB", "CpuPercentage")),
    Tile("App memory (%)", _query_metric("MICROSOFT.WEB", "MemoryPercentage")),
    Tile(
        "Dependencies: p95 (ms)",
        "AppDependencies | summarize percentilew(DurationMs, ItemCount, 95) by bin(TimeGenerated, 5m), DependencyType",
    ),
    Tile("Database CPU (%)", _query_metric("MICROSOFT.DBFORPOSTGRESQL", "cpu_percent")),
    Tile("Database storage (%)", _query_metric("MICROSOFT.DBFORPOSTGRESQL", "storage_percent", "max(Maximum)")),
    Tile("Database connections", _query_metric("MICROSOFT.DBFORPOSTGRESQL", "active_connections", "max(Maximum)")),
    Tile("Cache memory (%)", _query_metric("MICROSOFT.CACHE", "usedmemorypercentage", "max(Maximum)")),
    Tile(
        "Deployments",
        "AzureActivity | where OperationNameValue has_any ('slotsswap', 'sites/config/write') "
        "| project TimeGenerated, ResourceGroup, OperationNameValue, ActivityStatusValue, Caller "
        "| order by TimeGenerated desc",
        "table",
        "activity log",
    ),
    Tile(
        "Availability (%)",
        "AppAvailabilityResults | summarize 100.0 * countif(Success) / count() by bin(TimeGenerated, 15m), Name",
    ),
)  # fmt: skip


class Dashboard(Capability):
    """The workbook.

    Azure requires a GUID as its name. It is derived from subscription and resource group, so that it never changes.
    """

    def __init__(self, scope: AzureStack, id_: str, *, observability: Observability, activity_log_id: str) -> None:
        super().__init__(scope, id_)
        group = self.place.resource_group
        ApplicationInsightsWorkbook(
            self,
            "workbook",
            name=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self.place.account.subscription_id}/{group}/operations")),
            display_name=f"Operations ({self.place.names.environment})",
            location=self.place.location,
            resource_group_name=group,
            # azurerm accepts no capital letters here, and the workspace's own id contains some.
            source_id=self.place.compose_resource_id(LOG_WORKSPACES, self.place.names.compose("log_analytics")).lower(),
            category="workbook",
            data_json=json.dumps(
                _build_workbook({"workspace": observability.workspace.id, "activity log": activity_log_id})
            ),
            depends_on=[observability.workspace],
            tags=self.place.tags,
        )


def _build_workbook(sources: dict[str, str]) -> dict[str, object]:
    # https://learn.microsoft.com/azure/azure-monitor/visualize/workbooks-automate
    return {
        "version": "Notebook/1.0",
        "$schema": "https://github.com/Microsoft/Application-Insights-Workbooks/blob/master/schema/workbook.json",
        "items": [
            {
                "type": 3,
                "name": tile.title,
                "customWidth": "50",
                "content": {
                    "version": "KqlItem/1.0",
                    "title": tile.title,
                    "query": tile.query,
                    "timeContext": {"durationMs": 86_400_000},
                    "queryType": 0,
                    "resourceType": "microsoft.operationalinsights/workspaces",
                    "crossComponentResources": [sources[tile.source]],
                    "visualization": tile.chart,
                },
            }
            for tile in TILES
        ],
    }
