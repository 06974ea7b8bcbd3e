"""Logs: one Log Analytics workspace, with one Application Insights for the API and one for the browser."""

from cdktf_cdktf_provider_azurerm.application_insights import ApplicationInsights
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace

from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.place import AzureStack, Capability
from constructs_lib.protection import protect
from environments.settings import ObservabilitySettings

LOG_WORKSPACES = "Microsoft.OperationalInsights/workspaces"
"""The Resource Manager type of a Log Analytics workspace."""


def add_log_workspace(owner: Capability, settings: ObservabilitySettings) -> LogAnalyticsWorkspace:
    """Add a workspace with a daily cap and a retention. It logs its own audit trail."""
    workspace = LogAnalyticsWorkspace(
        owner,
        "workspace",
        **owner.place.compose_arguments("log_analytics"),
        sku="PerGB2018",
        retention_in_days=settings.retention_days,
        daily_quota_gb=settings.daily_cap_gb,
        # Diagnostic settings and workspace-based Application Insights need no shared key.
        local_authentication_enabled=False,
    )
    protect(workspace, "log_workspace", place=owner.place)
    send_diagnostics(workspace, workspace)
    return workspace


class Observability(Capability):
    """The workspace (`workspace`), and Application Insights for the API (`api`) and the admin site (`browser`)."""

    def __init__(self, scope: AzureStack, id_: str, *, settings: ObservabilitySettings) -> None:
        super().__init__(scope, id_)
        self.workspace = add_log_workspace(self, settings)
        self.api = self._add_insights("api", settings)
        # Everybody can read the browser's connection string, so it must not lead to the API's telemetry.
        self.browser = self._add_insights("browser", settings)

    def _add_insights(self, role: str, settings: ObservabilitySettings) -> ApplicationInsights:
        return ApplicationInsights(
            self,
            role,
            **self.place.compose_arguments("application_insights", role),
            application_type="web",
            workspace_id=self.workspace.id,
            retention_in_days=settings.retention_days,
            daily_data_cap_in_gb=settings.daily_cap_gb,
        )
