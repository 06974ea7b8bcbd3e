"""What Azure Monitor has for each resource type: the log categories, whether metrics can be exported, and metrics.

The pages below https://learn.microsoft.com/azure/azure-monitor/reference/ have one table for each type, such as
supported-logs/microsoft-cdn-profiles-logs and supported-metrics/microsoft-web-sites-metrics. Microsoft generates them.
The column "DS Export" says whether a metric can go to a workspace through a diagnostic setting.
"""

from collections.abc import Mapping
from typing import NamedTuple

from rehearsal.stand_in.ids import SUBSCRIPTION_TYPE


class Diagnostics(NamedTuple):
    """What a diagnostic setting of a type can send."""

    logs: frozenset[str]
    has_metrics: bool = True


def _make(*logs: str, has_metrics: bool = True) -> Diagnostics:
    return Diagnostics(frozenset(logs), has_metrics)


_APP_SERVICE = _make(
    "AppServiceAntivirusScanAuditLogs",
    "AppServiceAppLogs",
    "AppServiceAuditLogs",
    "AppServiceAuthenticationLogs",
    "AppServiceConsoleLogs",
    "AppServiceFileAuditLogs",
    "AppServiceHTTPLogs",
    "AppServiceIPSecAuditLogs",
    "AppServicePlatformLogs",
    "FunctionAppLogs",
    "WorkflowRuntime",
)
_DIAGNOSTICS: Mapping[str, Diagnostics] = {
    type_.lower(): diagnostics
    for type_, diagnostics in {
        "Microsoft.Cache/redisEnterprise": _make(),
        "Microsoft.Cache/redisEnterprise/databases": _make("ConnectionEvents", has_metrics=False),
        "Microsoft.Cdn/profiles": _make(
            "AzureCdnAccessLog",
            "FrontDoorAccessLog",
            "FrontDoorHealthProbeLog",
            "FrontDoorWebApplicationFirewallLog",
            "WebApplicationFirewallLogs",
        ),
        "Microsoft.App/managedEnvironments": _make(
            "AppEnvSessionConsoleLogs",
            "AppEnvSessionLifeCycleLogs",
            "AppEnvSessionPoolEventLogs",
            "AppEnvSpringAppConsoleLogs",
            "ContainerAppConsoleLogs",
            "ContainerAppHTTPLogs",
            "ContainerAppSystemLogs",
        ),
        "Microsoft.Communication/communicationServices": _make(
            "EmailSendMailOperational", "EmailStatusUpdateOperational", "EmailUserEngagementOperational", "Usage"
        ),
        "Microsoft.ContainerRegistry/registries": _make(
            "ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents"
        ),
        "Microsoft.DBforPostgreSQL/flexibleServers": _make(
            "PostgreSQLFlexDatabaseXacts",
            "PostgreSQLFlexPGBouncer",
            "PostgreSQLFlexQueryStoreRuntime",
            "PostgreSQLFlexQueryStoreWaitStats",
            "PostgreSQLFlexSessions",
            "PostgreSQLFlexTableStats",
            "PostgreSQLLogs",
        ),
        "Microsoft.Insights/autoscaleSettings": _make("AutoscaleEvaluations", "AutoscaleScaleActions"),
        "Microsoft.KeyVault/vaults": _make("AuditEvent", "AzurePolicyEvaluationDetails"),
        "Microsoft.Logic/workflows": _make("WorkflowRuntime"),
        "Microsoft.Network/networkSecurityGroups": _make(
            "NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter", has_metrics=False
        ),
        "Microsoft.Network/virtualNetworks": _make("VMProtectionAlerts"),
        "Microsoft.OperationalInsights/workspaces": _make("Audit", "SummaryLogs"),
        SUBSCRIPTION_TYPE: _make(
            "Administrative",
            "Alert",
            "Autoscale",
            "Policy",
            "Recommendation",
            "ResourceHealth",
            "Security",
            "ServiceHealth",
            has_metrics=False,
        ),
        "Microsoft.Storage/storageAccounts": _make(),
        "Microsoft.Storage/storageAccounts/blobServices": _make("StorageDelete", "StorageRead", "StorageWrite"),
        "Microsoft.Web/serverFarms": _make(),
        "Microsoft.Web/sites": _APP_SERVICE,
        "Microsoft.Web/sites/slots": _APP_SERVICE,
    }.items()
}
_METRIC_CATEGORIES: Mapping[str, frozenset[str]] = {
    "microsoft.storage/storageaccounts": frozenset({"Transaction", "Capacity"}),
    "microsoft.storage/storageaccounts/blobservices": frozenset({"Transaction", "Capacity"}),
}
_ALL_METRICS = frozenset({"AllMetrics"})


def find_diagnostics(type_: str) -> Diagnostics | None:
    """Return what diagnostic settings of a type can send, or None if the type has none.

    Static Web Apps have none, although they have metrics: https://github.com/MicrosoftDocs/azure-docs/issues/95804.
    """
    return _DIAGNOSTICS.get(type_.lower())


def list_metric_categories(type_: str) -> frozenset[str]:
    """Return the categories of metrics that diagnostic settings of a type can send."""
    diagnostics = find_diagnostics(type_)
    if diagnostics is None or not diagnostics.has_metrics:
        return frozenset()
    return _METRIC_CATEGORIES.get(type_.lower(), _ALL_METRICS)


class Metric(NamedTuple):
    """A metric as its table describes it."""

    aggregations: frozenset[str]
    dimensions: frozenset[str] = frozenset()
    grain_minutes: int = 1
    """The finest time grain. A window cannot be shorter."""


_ANY = frozenset({"Average", "Maximum", "Minimum"})
_AVERAGE = frozenset({"Average"})
_TOTAL = frozenset({"Total"})
_INSTANCE = frozenset({"Instance"})
_STORAGE_CALL = frozenset({"GeoType", "ApiName", "Authentication"})
_TEST = frozenset({"availabilityResult/name", "availabilityResult/location"})
_METRICS: Mapping[str, Mapping[str, Metric]] = {
    "microsoft.cache/redisenterprise": {
        "usedmemorypercentage": Metric(frozenset({"Maximum"}), frozenset({"InstanceId"}), grain_minutes=5),
    },
    "microsoft.cdn/profiles": {
        "Percentage5XX": Metric(_AVERAGE, frozenset({"ClientCountry", "ClientRegion", "Endpoint"})),
        "RequestCount": Metric(
            _TOTAL, frozenset({"ClientCountry", "ClientRegion", "Endpoint", "HttpStatus", "HttpStatusGroup"})
        ),
    },
    "microsoft.dbforpostgresql/flexibleservers": {
        name: Metric(_ANY)
        for name in ("active_connections", "cpu_percent", "is_db_alive", "memory_percent", "storage_percent")
    },
    "microsoft.insights/components": {
        "availabilityResults/availabilityPercentage": Metric(_AVERAGE, _TEST),
    },
    "microsoft.logic/workflows": {name: Metric(_TOTAL) for name in ("RunsFailed", "RunsStarted", "RunsSucceeded")},
    # https://learn.microsoft.com/azure/azure-monitor/reference/supported-metrics/microsoft-storage-storageaccounts-metrics
    "microsoft.storage/storageaccounts": {
        "Availability": Metric(_ANY, _STORAGE_CALL),
        "Egress": Metric(_ANY | _TOTAL, _STORAGE_CALL),
        "Ingress": Metric(_ANY | _TOTAL, _STORAGE_CALL),
        "SuccessE2ELatency": Metric(_ANY, _STORAGE_CALL),
        "SuccessServerLatency": Metric(_ANY, _STORAGE_CALL),
        "Transactions": Metric(_TOTAL, _STORAGE_CALL | {"ResponseType", "TransactionType"}),
        "UsedCapacity": Metric(_AVERAGE, grain_minutes=60),
    },
    "microsoft.web/serverfarms": {
        name: Metric(_AVERAGE, _INSTANCE) for name in ("CpuPercentage", "HttpQueueLength", "MemoryPercentage")
    },
    "microsoft.web/sites": {
        "HealthCheckStatus": Metric(_AVERAGE, _INSTANCE, grain_minutes=5),
        "Http5xx": Metric(_TOTAL, _INSTANCE),
        "HttpResponseTime": Metric(_AVERAGE, _INSTANCE),
        "Requests": Metric(_TOTAL, _INSTANCE),
    },
}


def find_metric(namespace: str, name: str) -> Metric | None:
    """Return the metric of a namespace (a resource type), or None if the rehearsal does not know it."""
    return _METRICS.get(namespace.lower(), {}).get(name)
