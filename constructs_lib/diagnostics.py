"""Diagnostic settings: the log and metric categories of each resource type, all of them sent to the workspace.

The settings name categories instead of the group `allLogs`, because not every resource type has category groups:
https://learn.microsoft.com/azure/azure-monitor/reference/logs-index
"""

from collections.abc import Sequence
from typing import NamedTuple

from cdktf import TerraformResource
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.monitor_diagnostic_setting import (
    MonitorDiagnosticSetting,
    MonitorDiagnosticSettingEnabledLog,
    MonitorDiagnosticSettingEnabledMetric,
)
from constructs import Construct


class Categories(NamedTuple):
    """The categories that one Resource Manager type can send."""

    logs: Sequence[str] = ()
    metrics: Sequence[str] = ("AllMetrics",)
    child: str = ""
    """The child of the resource that the diagnostic setting belongs to; empty for the resource itself."""


# AppServiceIPSecAuditLogs is left out: it logs every request that matches an access restriction. Behind Front Door that
# is every request, which AppServiceHTTPLogs has too.
APP_SERVICE = Categories(
    (
        "AppServiceAppLogs",
        "AppServiceAuditLogs",
        "AppServiceConsoleLogs",
        "AppServiceHTTPLogs",
        "AppServicePlatformLogs",
    )
)
ACTIVITY_LOG = Categories(
    (
        "Administrative",
        "Alert",
        "Autoscale",
        "Policy",
        "Recommendation",
        "ResourceHealth",
        "Security",
        "ServiceHealth",
    ),
    metrics=(),
)
CATEGORIES: dict[str, Categories] = {
    "azurerm_cdn_frontdoor_profile": Categories(
        ("FrontDoorAccessLog", "FrontDoorHealthProbeLog", "FrontDoorWebApplicationFirewallLog")
    ),
    "azurerm_communication_service": Categories(
        ("EmailSendMailOperational", "EmailStatusUpdateOperational", "EmailUserEngagementOperational", "Usage")
    ),
    "azurerm_container_app_environment": Categories(("ContainerAppConsoleLogs", "ContainerAppSystemLogs"), metrics=()),
    "azurerm_container_registry": Categories(("ContainerRegistryLoginEvents", "ContainerRegistryRepositoryEvents")),
    "azurerm_key_vault": Categories(("AuditEvent", "AzurePolicyEvaluationDetails")),
    "azurerm_linux_web_app": APP_SERVICE,
    "azurerm_linux_web_app_slot": APP_SERVICE,
    "azurerm_log_analytics_workspace": Categories(("Audit",)),
    "azurerm_logic_app_workflow": Categories(("WorkflowRuntime",)),
    "azurerm_managed_redis": Categories(("ConnectionEvents",), metrics=(), child="/databases/default"),
    "azurerm_monitor_autoscale_setting": Categories(("AutoscaleEvaluations", "AutoscaleScaleActions")),
    "azurerm_network_security_group": Categories(
        ("NetworkSecurityGroupEvent", "NetworkSecurityGroupRuleCounter"), metrics=()
    ),
    # The two categories of the query store are left out: nothing fills them while `pg_qs.query_capture_mode` is none.
    "azurerm_postgresql_flexible_server": Categories(
        (
            "PostgreSQLLogs",
            "PostgreSQLFlexDatabaseXacts",
            "PostgreSQLFlexSessions",
            "PostgreSQLFlexTableStats",
        )
    ),
    "azurerm_service_plan": Categories(),
    "azurerm_storage_account": Categories(
        ("StorageDelete", "StorageRead", "StorageWrite"), metrics=("Transaction",), child="/blobServices/default"
    ),
    "azurerm_virtual_network": Categories(("VMProtectionAlerts",)),
}


def send_diagnostics(resource: TerraformResource, workspace: LogAnalyticsWorkspace) -> None:
    """Send every log and metric that the resource's type has to the workspace.

    Raises:
        KeyError: The type is not in `CATEGORIES`.
    """
    categories = CATEGORIES[resource.terraform_resource_type]
    target = resource.get_string_attribute("id") + categories.child
    add_diagnostic_setting(resource, "diagnostics", target=target, categories=categories, workspace=workspace)


def add_diagnostic_setting(
    scope: Construct, id_: str, *, target: str, categories: Categories, workspace: LogAnalyticsWorkspace
) -> None:
    """Add a diagnostic setting to the resource with the Resource Manager id `target`."""
    MonitorDiagnosticSetting(
        scope,
        id_,
        name="to-log-analytics",
        target_resource_id=target,
        log_analytics_workspace_id=workspace.id,
        enabled_log=[MonitorDiagnosticSettingEnabledLog(category=category) for category in categories.logs] or None,
        enabled_metric=[MonitorDiagnosticSettingEnabledMetric(category=category) for category in categories.metrics]
        or None,
    )
