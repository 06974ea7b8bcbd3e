"""The alerts of the platform, one row each. `constructs_lib/alerts.py` turns the rows into Azure Monitor alert rules.

Three things are elsewhere. `alerts.py` adds the alert on Azure's Service Health, and computes how many database
connections are too many. `availability.py` says how early a certificate counts as running out.

Every row names its runbook page in `docs/operations/runbook/` (without `.md`). The index of alerts in
`docs/operations/README.md` lists every rule that is synthesized from these rows.

Severities are Azure Monitor's own numbers: 0 critical, 1 error, 2 warning, 3 informational. Rules on metrics with
severity 0 or 1 are evaluated every minute, so that a person hears of the problem within two minutes. Rules on queries
are evaluated every five minutes: a query that runs every minute may use only a part of the language, and logs arrive
minutes late anyway. https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-types#log-alerts
"""

from dataclasses import dataclass
from typing import Literal

from constructs_lib.availability import TestName

Severity = Literal[0, 1, 2, 3]
"""0 critical, 1 error, 2 warning, 3 informational."""
Target = Literal["app", "plan", "database", "cache", "api_insights", "edge", "teams"]
"""The resource of the environment whose metric a rule watches."""

METRIC_NAMESPACES: dict[Target, str] = {
    "app": "Microsoft.Web/sites",
    "plan": "Microsoft.Web/serverfarms",
    "database": "Microsoft.DBforPostgreSQL/flexibleServers",
    "cache": "Microsoft.Cache/redisEnterprise",
    "api_insights": "microsoft.insights/components",
    "edge": "Microsoft.Cdn/profiles",
    "teams": "Microsoft.Logic/workflows",
}


@dataclass(frozen=True, kw_only=True)
class Dimension:
    """A dimension of a metric, and the values of the dimension that count."""

    name: str
    values: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class MetricRow:
    """An alert on a platform metric, aggregated over a window."""

    name: str
    severity: Severity
    target: Target
    metric: str
    aggregation: Literal["Average", "Maximum", "Minimum", "Total", "Count"]
    operator: Literal["GreaterThan", "LessThan"]
    threshold: float
    summary: str
    runbook: str
    dimension: Dimension | None = None
    """Counts only these values of one dimension; None counts everything."""
    mail_only: bool = False
    """Whether the alert goes by mail alone, because it is about what posts the others to Teams."""
    window: Literal["PT5M", "PT1H"] = "PT5M"


@dataclass(frozen=True, kw_only=True)
class WebTestRow:
    """An alert on a web test that fails from several locations at once."""

    name: str
    severity: Severity
    test: TestName
    failed_locations: int
    """How many locations must fail at the same time."""
    summary: str
    runbook: str
    window: Literal["PT5M", "PT1H"] = "PT5M"


@dataclass(frozen=True, kw_only=True)
class QueryRow:
    """An alert on a query of the Log Analytics workspace. The query returns rows only if something is wrong.

    One returned row raises the alert.
    """

    name: str
    severity: Severity
    query: str
    summary: str
    runbook: str
    window: Literal["PT5M", "PT15M", "PT30M", "PT1H"] = "PT5M"


@dataclass(frozen=True, kw_only=True)
class ActivityRow:
    """An alert on an operation in the activity log: something that a person or Azure did to a resource."""

    name: str
    operation: str
    status: Literal["Succeeded", "Failed"] = "Succeeded"
    summary: str
    runbook: str


@dataclass(frozen=True, kw_only=True)
class HealthRow:
    """An alert on Azure's own report about a resource's health.

    https://learn.microsoft.com/azure/service-health/resource-health-overview
    """

    name: str
    target: Target
    summary: str
    runbook: str


def build_metric_rows(*, tests: tuple[str, ...], connections: int) -> tuple[MetricRow, ...]:
    """Return the alerts on platform metrics.

    Args:
        tests: The names of the web tests that count towards availability.
        connections: The alert fires above this number of database connections.
    """
    return (
        MetricRow(
            name="availability",
            severity=2,
            target="api_insights",
            metric="availabilityResults/availabilityPercentage",
            aggregation="Average",
            operator="LessThan",
            threshold=99.9,
            dimension=Dimension(name="availabilityResult/name", values=tests),
            window="PT1H",
            summary="Fewer than 99.9 % of the last hour's tests of the API and the admin site succeeded.",
            runbook="availability",
        ),
        MetricRow(
            name="database-down",
            severity=0,
            target="database",
            metric="is_db_alive",
            aggregation="Maximum",
            operator="LessThan",
            threshold=1,
            summary="PostgreSQL does not answer.",
            runbook="database-down",
        ),
        MetricRow(
            name="server-errors",
            severity=1,
            target="app",
            metric="Http5xx",
            aggregation="Total",
            operator="GreaterThan",
            threshold=10,
            summary="The API answered more than 10 requests with a status of 500 or above in five minutes.",
            runbook="error-rate",
        ),
        MetricRow(
            name="app-cpu",
            severity=2,
            target="plan",
            metric="CpuPercentage",
            aggregation="Average",
            operator="GreaterThan",
            threshold=80,
            summary="The plan's CPU is above 80 %.",
            runbook="app-cpu",
        ),
        MetricRow(
            name="app-memory",
            severity=2,
            target="plan",
            metric="MemoryPercentage",
            aggregation="Average",
            operator="GreaterThan",
            threshold=80,
            summary="The plan's memory is above 80 %.",
            runbook="app-memory",
        ),
        MetricRow(
            name="database-cpu",
            severity=2,
            target="database",
            metric="cpu_percent",
            aggregation="Average",
            operator="GreaterThan",
            threshold=80,
            summary="PostgreSQL's CPU is above 80 %.",
            runbook="database-cpu",
        ),
        MetricRow(
            name="database-memory",
            severity=2,
            target="database",
            metric="memory_percent",
            aggregation="Average",
            operator="GreaterThan",
            threshold=80,
            summary="PostgreSQL's memory is above 80 %.",
            runbook="database-memory",
        ),
        MetricRow(
            name="database-storage",
            severity=1,
            target="database",
            metric="storage_percent",
            aggregation="Maximum",
            operator="GreaterThan",
            threshold=80,
            summary="PostgreSQL's disk is more than 80 % full.",
            runbook="database-storage",
        ),
        MetricRow(
            name="database-connections",
            severity=1,
            target="database",
            metric="active_connections",
            aggregation="Maximum",
            operator="GreaterThan",
            threshold=connections,
            summary=f"PostgreSQL holds more than {connections} connections, 80 % of what its sku takes.",
            runbook="database-connections",
        ),
        MetricRow(
            name="cache-memory",
            severity=2,
            target="cache",
            metric="usedmemorypercentage",
            aggregation="Maximum",
            operator="GreaterThan",
            threshold=80,
            summary="Redis has used more than 80 % of its memory.",
            runbook="cache-memory",
        ),
    )


EDGE_ROWS = (
    MetricRow(
        name="edge-errors",
        severity=1,
        target="edge",
        metric="RequestCount",
        aggregation="Total",
        operator="GreaterThan",
        threshold=20,
        dimension=Dimension(name="HttpStatusGroup", values=("5XX",)),
        summary="Front Door answered more than 20 requests with a status of 500 or above in five minutes.",
        runbook="error-rate",
    ),
)
"""The alerts of an environment with Front Door. It also answers requests that never reach the app."""

TEAMS_ROWS = (
    MetricRow(
        name="teams-failing",
        severity=2,
        target="teams",
        metric="RunsFailed",
        aggregation="Total",
        operator="GreaterThan",
        threshold=0,
        summary="The Logic App could not post an alert to Teams.",
        runbook="teams-failing",
        mail_only=True,
    ),
)
"""The alerts of an environment that posts to Teams."""

# A single location that fails has a problem of its own. Microsoft advises to alert on two fewer than there are:
# https://learn.microsoft.com/azure/azure-monitor/app/availability#alerts
WEB_TEST_ROWS = (
    WebTestRow(
        name="api-down",
        severity=0,
        test="api",
        failed_locations=3,
        summary="The API does not answer.",
        runbook="availability",
    ),
    WebTestRow(
        name="admin-down",
        severity=1,
        test="admin",
        failed_locations=3,
        summary="The admin site does not answer.",
        runbook="availability",
    ),
    WebTestRow(
        name="api-certificate",
        severity=2,
        test="api-certificate",
        failed_locations=1,
        window="PT1H",
        summary="The API's certificate runs out within 30 days, or could not be checked.",
        runbook="certificate-expiry",
    ),
    WebTestRow(
        name="admin-certificate",
        severity=2,
        test="admin-certificate",
        failed_locations=1,
        window="PT1H",
        summary="The admin site's certificate runs out within 30 days, or could not be checked.",
        runbook="certificate-expiry",
    ),
)


def read_table(name: str, **columns: str) -> str:
    """Return a query that reads a table which may not exist yet, with the types of the columns that are used.

    Azure creates a table with its first row. A rule whose query fails for a week is turned off:
    https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-troubleshoot-log. With `isfuzzy`, a table that does
    not exist is left out of the union, and the empty one gives the columns.
    """
    schema = ", ".join(f"{column}: {type_}" for column, type_ in columns.items())
    return f"union isfuzzy=true (datatable(TimeGenerated: datetime, {schema})[]), {name}"


def build_query_rows(*, app: str, role: str) -> tuple[QueryRow, ...]:
    """Return the alerts on queries of the workspace.

    What wakes people is based on what App Service itself records. The application's own telemetry is used where it says
    more, and one alert watches whether there is any.

    Args:
        app: The name of the web app. The deployment slot is another resource, so its requests are not counted.
        role: The app's role name in its telemetry. The deployment slot reports under another role name.
    """
    requests = read_table(
        "AppServiceHTTPLogs", _ResourceId="string", CsUriStem="string", ScStatus="int", TimeTaken="int"
    )
    # A WebSocket is one request that takes as long as it is open, and a long poll waits on purpose. Health checks are
    # up to 750 requests in five minutes, and would hide the failures of users.
    served = (
        f"{requests} | where _ResourceId endswith '/sites/{app}' and ScStatus != 101 "
        "and CsUriStem !startswith '/health/' and CsUriStem !startswith '/socket.io'"
    )
    telemetry = read_table(
        "AppRequests", AppRoleName="string", Name="string", ResultCode="string", DurationMs="real", ItemCount="int"
    )
    # A row stands for as many requests as its ItemCount says: the SDK samples.
    reported = f"{telemetry} | where AppRoleName == '{role}' and ResultCode != '101' and Name !has 'health'"
    p95 = "summarize p95 = percentilew(DurationMs, ItemCount, 95), total = sum(ItemCount)"
    return (
        QueryRow(
            name="error-rate",
            severity=1,
            query=f"{served} | summarize failed = countif(ScStatus >= 500), total = count() "
            "| where (total >= 20 and failed * 100.0 / total > 5) or (failed >= 3 and failed * 2 > total)",
            window="PT15M",
            summary="More than 5 % of the API's requests failed over 15 minutes, or half of a few.",
            runbook="error-rate",
        ),
        QueryRow(
            name="slow-responses",
            severity=1,
            query=f"{served} | summarize average = avg(TimeTaken), total = count() "
            "| where total >= 20 and average > 3000",
            window="PT15M",
            summary="The API's average response takes more than 3 seconds.",
            runbook="slow-responses",
        ),
        QueryRow(
            name="api-p95",
            severity=2,
            query=f"{reported} | {p95} | where total >= 20 and p95 > 1000",
            summary="One API request in twenty takes more than a second.",
            runbook="slow-responses",
        ),
        QueryRow(
            name="bid-p95",
            severity=1,
            query=f"{reported} and Name has 'bids' | {p95} | where total >= 20 and p95 > 500",
            summary="One bid update in twenty takes more than half a second.",
            runbook="slow-bids",
        ),
        QueryRow(
            name="telemetry-silent",
            severity=2,
            query=f"let served = toscalar({served} | count); let reported = toscalar({reported} | count); "
            "print served = served, reported = reported | where served >= 100 and reported == 0",
            window="PT1H",
            summary="The API serves requests, and reports none of them to Application Insights.",
            runbook="telemetry-silent",
        ),
        QueryRow(
            name="container-start",
            severity=1,
            query=f"{read_table('AppServicePlatformLogs', _ResourceId='string', Message='string')} "
            f"| where _ResourceId contains '/sites/{app}' "
            "and Message has_any ('failing site start', 'failed to start')",
            window="PT15M",
            summary="The API's container, or the slot's, does not start.",
            runbook="container-start",
        ),
        QueryRow(
            name="daily-cap",
            severity=2,
            # https://learn.microsoft.com/azure/azure-monitor/logs/daily-cap#alert-when-daily-cap-is-reached
            query="_LogOperation | where Category =~ 'Ingestion' and Detail has 'OverQuota'",
            window="PT15M",
            summary="The workspace has reached its daily cap: nothing more is recorded today.",
            runbook="daily-cap",
        ),
        QueryRow(
            name="vault-denied",
            severity=2,
            # azurerm asks for certificate contacts whenever it refreshes a vault, and continues if it is denied. The
            # Logic App reads its secret whenever an alert fires. This alert would fire once more because of itself, so
            # `teams-failing` watches the Logic App.
            query=read_table(
                "AzureDiagnostics",
                ResourceProvider="string",
                OperationName="string",
                httpStatusCode_d="real",
                requestUri_s="string",
            )
            + " | where ResourceProvider == 'MICROSOFT.KEYVAULT' and httpStatusCode_d == 403 "
            "and OperationName != 'CertificateContactsGet' and requestUri_s !has 'teams-webhook-url'",
            summary="Key Vault denied somebody access.",
            runbook="vault-denied",
        ),
        QueryRow(
            name="email-delivery",
            severity=2,
            query=f"{read_table('ACSEmailStatusUpdateOperational', DeliveryStatus='string')} "
            "| where DeliveryStatus !in ('OutForDelivery', '') "
            "| summarize delivered = countif(DeliveryStatus in ('Delivered', 'Expanded')), total = count() "
            "| where total >= 20 and delivered * 100.0 / total < 95",
            window="PT1H",
            summary="Fewer than 95 % of mails arrive.",
            runbook="email-delivery",
        ),
    )


HEALTH_ROWS = (
    # A failover to the standby, and a lost standby, are a change of the server's health.
    HealthRow(
        name="database-health",
        target="database",
        summary="Azure reports the database server, or its standby, unhealthy.",
        runbook="database-failover",
    ),
    HealthRow(
        name="app-health", target="app", summary="Azure reports the web app unhealthy.", runbook="resource-health"
    ),
    HealthRow(name="cache-health", target="cache", summary="Azure reports Redis unhealthy.", runbook="resource-health"),
)

ACCESS_ROWS = (
    ActivityRow(
        name="role-granted",
        operation="Microsoft.Authorization/roleAssignments/write",
        summary="Somebody was given a role.",
        runbook="access-changed",
    ),
    ActivityRow(
        name="role-removed",
        operation="Microsoft.Authorization/roleAssignments/delete",
        summary="Somebody lost a role.",
        runbook="access-changed",
    ),
    ActivityRow(
        name="lock-removed",
        operation="Microsoft.Authorization/locks/delete",
        summary="A lock was removed.",
        runbook="access-changed",
    ),
    ActivityRow(
        name="storage-changed",
        operation="Microsoft.Storage/storageAccounts/write",
        summary="A storage account, or its firewall, was changed.",
        runbook="access-changed",
    ),
)
"""Changes of access that are watched both in the environments' resource groups and in the shared one."""

ACTIVITY_ROWS = (
    ActivityRow(
        name="failed-swap",
        operation="Microsoft.Web/sites/slots/slotsswap/action",
        status="Failed",
        summary="A swap of the slot into production failed.",
        runbook="failed-deployment",
    ),
    ActivityRow(
        name="failed-configuration",
        operation="Microsoft.Web/sites/config/write",
        status="Failed",
        summary="A deployment could not set the app's image.",
        runbook="failed-deployment",
    ),
    ActivityRow(
        name="failed-slot-configuration",
        operation="Microsoft.Web/sites/slots/config/write",
        status="Failed",
        summary="A deployment could not set the slot's image.",
        runbook="failed-deployment",
    ),
    *ACCESS_ROWS,
    ActivityRow(
        name="network-rules-changed",
        operation="Microsoft.Network/networkSecurityGroups/write",
        summary="A network security group was changed.",
        runbook="access-changed",
    ),
    ActivityRow(
        name="network-rule-changed",
        operation="Microsoft.Network/networkSecurityGroups/securityRules/write",
        summary="A network security rule was changed.",
        runbook="access-changed",
    ),
    ActivityRow(
        name="vault-changed",
        operation="Microsoft.KeyVault/vaults/write",
        summary="The vault, or its firewall, was changed.",
        runbook="access-changed",
    ),
)
"""What is watched in each environment's resource group."""

SHARED_ACTIVITY_ROWS = (
    *ACCESS_ROWS,
    ActivityRow(
        name="trust-changed",
        operation="Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/write",
        summary="Whom a CI identity trusts was changed.",
        runbook="access-changed",
    ),
    ActivityRow(
        name="delegation-changed",
        operation="Microsoft.Network/dnsZones/NS/write",
        summary="An NS record was changed, so another server may answer for an environment's names.",
        runbook="access-changed",
    ),
    ActivityRow(
        name="registry-changed",
        operation="Microsoft.ContainerRegistry/registries/write",
        summary="The registry was changed.",
        runbook="access-changed",
    ),
)
"""What is watched in the shared stack's resource group."""
