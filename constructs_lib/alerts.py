"""Who is told of what: one action group, and a row for everything that wakes somebody.

Each row names its page in docs/operations/runbook/, and the page's address ends the alert's description. Critical rows
(severity 0 and 1) are evaluated every minute, so that a person hears within two.
"""

from collections.abc import Iterable
from typing import Literal, NamedTuple

from cdktf_cdktf_provider_azurerm.monitor_action_group import (
    MonitorActionGroup,
    MonitorActionGroupEmailReceiver,
    MonitorActionGroupLogicAppReceiver,
)
from cdktf_cdktf_provider_azurerm.monitor_activity_log_alert import (
    MonitorActivityLogAlert,
    MonitorActivityLogAlertAction,
    MonitorActivityLogAlertCriteria,
    MonitorActivityLogAlertCriteriaResourceHealth,
    MonitorActivityLogAlertCriteriaServiceHealth,
)
from cdktf_cdktf_provider_azurerm.monitor_metric_alert import (
    MonitorMetricAlert,
    MonitorMetricAlertAction,
    MonitorMetricAlertApplicationInsightsWebTestLocationAvailabilityCriteria,
    MonitorMetricAlertCriteria,
    MonitorMetricAlertCriteriaDimension,
)
from cdktf_cdktf_provider_azurerm.monitor_scheduled_query_rules_alert_v2 import (
    MonitorScheduledQueryRulesAlertV2,
    MonitorScheduledQueryRulesAlertV2Action,
    MonitorScheduledQueryRulesAlertV2Criteria,
    MonitorScheduledQueryRulesAlertV2CriteriaFailingPeriods,
)

from constructs_lib.availability import Availability, TestName
from constructs_lib.cache import Cache
from constructs_lib.database import Database
from constructs_lib.observability import Observability
from constructs_lib.place import AzureStack, Capability
from constructs_lib.teams import Teams
from constructs_lib.web_app import WebApp
from environments.naming import LOCATION_NAMES, Location

Severity = Literal[0, 1, 2, 3]
"""0 critical, 1 error, 2 warning, 3 informational: Azure Monitor's own numbers."""
Target = Literal["app", "plan", "database", "cache", "api_insights"]


class MetricRow(NamedTuple):
    """A platform metric over a window. `dimension` narrows it: a name and the values that count."""

    name: str
    severity: Severity
    target: Target
    metric: str
    aggregation: Literal["Average", "Maximum", "Minimum", "Total", "Count"]
    operator: Literal["GreaterThan", "LessThan"]
    threshold: float
    what: str
    runbook: str
    dimension: tuple[str, tuple[str, ...]] | None = None
    window: Literal["PT5M", "PT1H"] = "PT5M"


class WebTestRow(NamedTuple):
    """A web test that fails from so many places at once."""

    name: str
    severity: Severity
    test: TestName
    places: int
    what: str
    runbook: str
    window: Literal["PT5M", "PT1H"] = "PT5M"


# One place that fails alone has trouble of its own: two of five at once are ours.
WEB_TEST_ROWS = (
    WebTestRow("api-down", 0, "api", 2, "The API does not answer.", "availability"),
    WebTestRow("admin-down", 1, "admin", 2, "The admin site does not answer.", "availability"),
    WebTestRow(
        "api-certificate", 2, "api-certificate", 1,
        "The API's certificate runs out within 30 days, or could not be checked.", "certificate-expiry", "PT1H",
    ),
    WebTestRow(
        "admin-certificate", 2, "admin-certificate", 1,
        "The admin site's certificate runs out within 30 days, or could not be checked.", "certificate-expiry", "PT1H",
    ),
)  # fmt: skip


class QueryRow(NamedTuple):
    """A query over the workspace. It returns rows only when something is wrong; one row is enough."""

    name: str
    severity: Severity
    query: str
    what: str
    runbook: str
    window: Literal["PT5M", "PT15M", "PT30M", "PT1H"] = "PT5M"


class ActivityRow(NamedTuple):
    """Something that somebody, or Azure, did to the environment's resources."""

    name: str
    operation: str
    what: str
    runbook: str
    status: Literal["Succeeded", "Failed"] = "Succeeded"


NAMESPACES: dict[Target, str] = {
    "app": "Microsoft.Web/sites",
    "plan": "Microsoft.Web/serverfarms",
    "database": "Microsoft.DBforPostgreSQL/flexibleServers",
    "cache": "Microsoft.Cache/redisEnterprise",
    "api_insights": "microsoft.insights/components",
}


def metric_rows(*, tests: tuple[str, ...], connections: int) -> tuple[MetricRow, ...]:
    """The rows that watch a platform metric.

    Args:
        tests: The names of the web tests that count as availability.
        connections: How many database connections are too many.
    """
    return (
        MetricRow(
            "availability", 2, "api_insights", "availabilityResults/availabilityPercentage", "Average", "LessThan",
            99.9, "Fewer than 99.9 % of the last hour's tests of the API and the admin site succeeded.", "availability",
            ("availabilityResult/name", tests), "PT1H",
        ),
        MetricRow(
            "database-down", 0, "database", "is_db_alive", "Maximum", "LessThan", 1,
            "PostgreSQL does not answer.", "database-down",
        ),
        MetricRow(
            "slow-responses", 1, "app", "HttpResponseTime", "Average", "GreaterThan", 3,
            "The API's average response takes more than 3 seconds.", "slow-responses",
        ),
        MetricRow(
            "app-cpu", 2, "plan", "CpuPercentage", "Average", "GreaterThan", 80,
            "The plan's CPU is above 80 %.", "app-cpu",
        ),
        MetricRow(
            "app-memory", 2, "plan", "MemoryPercentage", "Average", "GreaterThan", 80,
            "The plan's memory is above 80 %.", "app-memory",
        ),
        MetricRow(
            "database-cpu", 2, "database", "cpu_percent", "Average", "GreaterThan", 80,
            "PostgreSQL's CPU is above 80 %.", "database-cpu",
        ),
        MetricRow(
            "database-memory", 2, "database", "memory_percent", "Average", "GreaterThan", 80,
            "PostgreSQL's memory is above 80 %.", "database-memory",
        ),
        MetricRow(
            "database-storage", 1, "database", "storage_percent", "Maximum", "GreaterThan", 80,
            "PostgreSQL's disk is more than 80 % full.", "database-storage",
        ),
        MetricRow(
            "database-connections", 1, "database", "active_connections", "Maximum", "GreaterThan", connections,
            f"PostgreSQL holds more than {connections} connections, 80 % of what its sku takes.",
            "database-connections",
        ),
        MetricRow(
            "cache-memory", 2, "cache", "usedmemorypercentage", "Maximum", "GreaterThan", 80,
            "Redis has used more than 80 % of its memory.", "cache-memory",
        ),
    )  # fmt: skip


def query_rows(role: str) -> tuple[QueryRow, ...]:
    """The rows that ask the workspace; `role` is the telemetry of the app, without its slot."""
    requests = f"AppRequests | where AppRoleName == '{role}'"
    return (
        QueryRow(
            "error-rate", 1,
            f"{requests} | summarize failed = countif(toint(ResultCode) >= 500), total = count() "
            "| where total >= 20 and failed * 100.0 / total > 5",
            "More than 5 % of the API's requests failed over five minutes.", "error-rate",
        ),
        QueryRow(
            "api-p95", 2,
            f"{requests} | summarize p95 = percentile(DurationMs, 95), total = count() "
            "| where total >= 20 and p95 > 1000",
            "One API request in twenty takes more than a second.", "slow-responses",
        ),
        QueryRow(
            "bid-p95", 1,
            f"{requests} and Name has 'bids' | summarize p95 = percentile(DurationMs, 95), total = count() "
            "| where total >= 20 and p95 > 500",
            "One bid update in twenty takes more than half a second.", "slow-bids",
        ),
        QueryRow(
            "daily-cap", 2,
            "_LogOperation | where Category == 'Ingestion' and Operation has 'Data collection stopped'",
            "The workspace has reached its daily cap: nothing more is recorded today.", "daily-cap", "PT15M",
        ),
        QueryRow(
            "vault-denied", 2,
            # azurerm asks for certificate contacts whenever it refreshes a vault, and goes on when it may not.
            "AzureDiagnostics | where ResourceProvider == 'MICROSOFT.KEYVAULT' and httpStatusCode_d == 403 "
            "and OperationName != 'CertificateContactsGet'",
            "Key Vault denied somebody access.", "vault-denied",
        ),
        QueryRow(
            "email-delivery", 2,
            "ACSEmailStatusUpdateOperational "
            "| where DeliveryStatus !in ('OutForDelivery', '') "
            "| summarize delivered = countif(DeliveryStatus in ('Delivered', 'Expanded')), total = count() "
            "| where total >= 20 and delivered * 100.0 / total < 95",
            "Fewer than 95 % of mails arrive.", "email-delivery", "PT1H",
        ),
    )  # fmt: skip


ACCESS_ROWS = (
    ActivityRow(
        "role-granted", "Microsoft.Authorization/roleAssignments/write", "Somebody was given a role.", "access-changed"
    ),
    ActivityRow(
        "role-removed", "Microsoft.Authorization/roleAssignments/delete", "Somebody lost a role.", "access-changed"
    ),
    ActivityRow("lock-removed", "Microsoft.Authorization/locks/delete", "A lock was removed.", "access-changed"),
    ActivityRow(
        "storage-changed", "Microsoft.Storage/storageAccounts/write",
        "A storage account, or its firewall, was changed.", "access-changed",
    ),
)  # fmt: skip
ACTIVITY_ROWS = (
    ActivityRow(
        "failed-swap", "Microsoft.Web/sites/slots/slotsswap/action",
        "A swap of the slot into production failed.", "failed-deployment", "Failed",
    ),
    ActivityRow(
        "failed-configuration", "Microsoft.Web/sites/config/write",
        "A deployment could not set the app's image.", "failed-deployment", "Failed",
    ),
    ActivityRow(
        "failed-slot-configuration", "Microsoft.Web/sites/slots/config/write",
        "A deployment could not set the slot's image.", "failed-deployment", "Failed",
    ),
    *ACCESS_ROWS,
    ActivityRow(
        "network-rules-changed", "Microsoft.Network/networkSecurityGroups/write",
        "A network security group was changed.", "access-changed",
    ),
    ActivityRow(
        "network-rule-changed", "Microsoft.Network/networkSecurityGroups/securityRules/write",
        "A network security rule was changed.", "access-changed",
    ),
    ActivityRow(
        "vault-changed", "Microsoft.KeyVault/vaults/write", "The vault, or its firewall, was changed.", "access-changed"
    ),
)  # fmt: skip
SHARED_ACTIVITY_ROWS = (
    *ACCESS_ROWS,
    ActivityRow(
        "trust-changed", "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        "Whom a CI identity trusts was changed.", "access-changed",
    ),
    ActivityRow(
        "registry-changed", "Microsoft.ContainerRegistry/registries/write", "The registry was changed.",
        "access-changed",
    ),
)  # fmt: skip


class ActionGroup(Capability):
    """Whom alerts go to (`group`): the account's mail addresses, and Teams if there is a Logic App for it."""

    def __init__(self, scope: AzureStack | Capability, id_: str, *, teams: Teams | None) -> None:
        super().__init__(scope, id_)
        self.group = MonitorActionGroup(
            self,
            "group",
            name=self.place.names.compose("action_group"),
            # Azure takes 12 characters.
            short_name=f"{self.place.account.workload[:5]}-{self.place.names.environment}",
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            email_receiver=[
                MonitorActionGroupEmailReceiver(name=address, email_address=address, use_common_alert_schema=True)
                for address in self.place.account.alert_emails
            ],
            logic_app_receiver=[
                MonitorActionGroupLogicAppReceiver(
                    name="teams",
                    resource_id=teams.workflow.id,
                    callback_url=teams.trigger.callback_url,
                    use_common_alert_schema=True,
                )
            ]
            if teams
            else None,
        )

    def describe(self, what: str, runbook: str) -> str:
        """An alert's description: what happened, and the address of the page that says what to do."""
        repository = self.place.account.github_repository
        return f"{what} Runbook: https://github.com/{repository}/blob/main/docs/operations/runbook/{runbook}.md"

    def watch(self, rows: Iterable[ActivityRow], target: str) -> None:
        """Tell the group of these operations on `target`, a Resource Manager id."""
        for row in rows:
            self.watch_activity(
                row.name,
                target,
                self.describe(row.what, row.runbook),
                MonitorActivityLogAlertCriteria(
                    category="Administrative", operation_name=row.operation, statuses=[row.status]
                ),
            )

    def watch_activity(
        self, name: str, target: str, description: str, criteria: MonitorActivityLogAlertCriteria
    ) -> None:
        """Tell the group of what the activity log says of `target`, a Resource Manager id."""
        MonitorActivityLogAlert(
            self,
            name,
            name=name,
            location="global",
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            scopes=[target],
            description=description,
            criteria=criteria,
            action=[MonitorActivityLogAlertAction(action_group_id=self.group.id)],
        )


class Alerts(Capability):
    """Every rule of an environment, and its action group. `teams` is the Logic App that posts to Teams, or None."""

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        teams: Teams | None,
        web_app: WebApp,
        database: Database,
        cache: Cache,
        observability: Observability,
        availability: Availability,
    ) -> None:
        super().__init__(scope, id_)
        self._group = ActionGroup(self, "action-group", teams=teams)
        self.action_group = self._group.group
        self._targets: dict[Target, str] = {
            "app": web_app.app.id,
            "plan": web_app.plan.id,
            "database": database.server.id,
            "cache": cache.redis.id,
            "api_insights": observability.api.id,
        }
        for row in metric_rows(
            tests=(availability.name("api"), availability.name("admin")),
            connections=round(0.8 * database.connection_limit),
        ):
            self._metric_alert(row)
        for row in WEB_TEST_ROWS:
            self._web_test_alert(row, availability, observability)
        for row in query_rows(web_app.telemetry_role):
            self._query_alert(row, observability)
        self._group.watch(ACTIVITY_ROWS, self.place.resource_group_id)
        # A failover to the standby, and a standby that is gone, show as the server's health.
        self._group.watch_activity(
            "database-health",
            database.server.id,
            self._group.describe("Azure reports the database server, or its standby, unhealthy.", "database-failover"),
            MonitorActivityLogAlertCriteria(
                category="ResourceHealth",
                resource_health=MonitorActivityLogAlertCriteriaResourceHealth(
                    current=["Degraded", "Unavailable"],
                    previous=["Available", "Unknown"],
                    reason=["PlatformInitiated", "Unknown", "UserInitiated"],
                ),
            ),
        )

    def _metric_alert(self, row: MetricRow) -> None:
        MonitorMetricAlert(
            self,
            row.name,
            name=row.name,
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            scopes=[self._targets[row.target]],
            description=self._group.describe(row.what, row.runbook),
            severity=row.severity,
            frequency=_frequency(row.severity),
            window_size=row.window,
            auto_mitigate=True,
            criteria=[
                MonitorMetricAlertCriteria(
                    metric_namespace=NAMESPACES[row.target],
                    metric_name=row.metric,
                    aggregation=row.aggregation,
                    operator=row.operator,
                    threshold=row.threshold,
                    dimension=[
                        MonitorMetricAlertCriteriaDimension(
                            name=row.dimension[0],
                            operator="Include",
                            values=list(row.dimension[1]),
                        )
                    ]
                    if row.dimension
                    else None,
                )
            ],
            action=[MonitorMetricAlertAction(action_group_id=self.action_group.id)],
        )

    def _query_alert(self, row: QueryRow, observability: Observability) -> None:
        MonitorScheduledQueryRulesAlertV2(
            self,
            row.name,
            name=row.name,
            location=self.place.location,
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            scopes=[observability.workspace.id],
            display_name=row.name,
            description=self._group.describe(row.what, row.runbook),
            severity=row.severity,
            evaluation_frequency=_frequency(row.severity),
            window_duration=row.window,
            auto_mitigation_enabled=True,
            # The tables appear with their first row, long after the rule.
            skip_query_validation=True,
            criteria=[
                MonitorScheduledQueryRulesAlertV2Criteria(
                    query=row.query,
                    time_aggregation_method="Count",
                    operator="GreaterThan",
                    threshold=0,
                    failing_periods=MonitorScheduledQueryRulesAlertV2CriteriaFailingPeriods(
                        minimum_failing_periods_to_trigger_alert=1, number_of_evaluation_periods=1
                    ),
                )
            ],
            action=MonitorScheduledQueryRulesAlertV2Action(action_groups=[self.action_group.id]),
        )

    def _web_test_alert(self, row: WebTestRow, availability: Availability, observability: Observability) -> None:
        test = availability.tests[row.test]
        MonitorMetricAlert(
            self,
            row.name,
            name=row.name,
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            scopes=[test.id, observability.api.id],
            description=self._group.describe(row.what, row.runbook),
            severity=row.severity,
            frequency=_frequency(row.severity),
            window_size=row.window,
            auto_mitigate=True,
            application_insights_web_test_location_availability_criteria=(
                MonitorMetricAlertApplicationInsightsWebTestLocationAvailabilityCriteria(
                    web_test_id=test.id, component_id=observability.api.id, failed_location_count=row.places
                )
            ),
            action=[MonitorMetricAlertAction(action_group_id=self.action_group.id)],
        )


def watch_service_health(group: ActionGroup, *, locations: Iterable[Location]) -> None:
    """Tell the group of trouble and maintenance in these regions: once a subscription, or it is told of each twice."""
    group.watch_activity(
        "service-health",
        group.place.subscription_id,
        group.describe("Azure reports trouble or maintenance in a region of ours.", "service-health"),
        MonitorActivityLogAlertCriteria(
            category="ServiceHealth",
            service_health=MonitorActivityLogAlertCriteriaServiceHealth(
                events=["Incident", "Maintenance", "Security", "ActionRequired"],
                locations=["Global", *sorted(LOCATION_NAMES[location] for location in locations)],
            ),
        ),
    )


def _frequency(severity: Severity) -> str:
    return "PT1M" if severity <= 1 else "PT5M"
