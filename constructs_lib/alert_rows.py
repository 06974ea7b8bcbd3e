"""The alerts of the platform, one row each. `constructs_lib/alerts.py` turns the rows into Azure Monitor alert rules.

Three things are elsewhere. `alerts.py` adds the two alerts on Azure's own health reports, and computes how many
database connections are too many. `availability.py` says how early a certificate counts as running out.

Every row names its runbook page in `docs/operations/runbook/` (without `.md`). The index of alerts in
`docs/operations/README.md` lists every rule that is synthesized from these rows.

Severities are Azure Monitor's own numbers: 0 critical, 1 error, 2 warning, 3 informational. Rules of severity 0 and 1
are evaluated every minute, so that a person hears of the problem within two minutes.
"""

from dataclasses import dataclass
from typing import Literal

from constructs_lib.availability import TestName

Severity = Literal[0, 1, 2, 3]
"""0 critical, 1 error, 2 warning, 3 informational."""
Target = Literal["app", "plan", "database", "cache", "api_insights"]
"""The resource of the environment whose metric a rule watches."""

METRIC_NAMESPACES: dict[Target, str] = {
    "app": "Microsoft.Web/sites",
    "plan": "Microsoft.Web/serverfarms",
    "database": "Microsoft.DBforPostgreSQL/flexibleServers",
    "cache": "Microsoft.Cache/redisEnterprise",
    "api_insights": "microsoft.insights/components",
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
            name="slow-responses",
            severity=1,
            target="app",
            metric="HttpResponseTime",
            aggregation="Average",
            operator="GreaterThan",
            threshold=3,
            summary="The API's average response takes more than 3 seconds.",
            runbook="slow-responses",
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


# A single location that fails has a problem of its own. Two of the five at once mean that the problem is ours.
WEB_TEST_ROWS = (
    WebTestRow(
        name="api-down",
        severity=0,
        test="api",
        failed_locations=2,
        summary="The API does not answer.",
        runbook="availability",
    ),
    WebTestRow(
        name="admin-down",
        severity=1,
        test="admin",
        failed_locations=2,
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


def build_query_rows(role: str) -> tuple[QueryRow, ...]:
    """Return the alerts on queries of the workspace.

    Args:
        role: The app's role name in its telemetry. The deployment slot reports under another role name,
            so its requests are not counted.
    """
    requests = f"AppRequests | where AppRoleName == '{role}'"
    return (
        QueryRow(
            name="error-rate",
            severity=1,
            query=f"{requests} | summarize failed = countif(toint(ResultCode) >= 500), total = count() "
            "| where total >= 20 and failed * 100.0 / total > 5",
            summary="More than 5 % of the API's requests failed over five minutes.",
            runbook="error-rate",
        ),
        QueryRow(
            name="api-p95",
            severity=2,
            query=f"{requests} | summarize p95 = percentile(DurationMs, 95), total = count() "
            "| where total >= 20 and p95 > 1000",
            summary="One API request in twenty takes more than a second.",
            runbook="slow-responses",
        ),
        QueryRow(
            name="bid-p95",
            severity=1,
            query=f"{requests} and Name has 'bids' | summarize p95 = percentile(DurationMs, 95), total = count() "
            "| where total >= 20 and p95 > 500",
            summary="One bid update in twenty takes more than half a second.",
            runbook="slow-bids",
        ),
        QueryRow(
            name="daily-cap",
            severity=2,
            query="_LogOperation | where Category == 'Ingestion' and Operation has 'Data collection stopped'",
            window="PT15M",
            summary="The workspace has reached its daily cap: nothing more is recorded today.",
            runbook="daily-cap",
        ),
        QueryRow(
            name="vault-denied",
            severity=2,
            # azurerm asks for certificate contacts whenever it refreshes a vault, and continues if it is denied.
            query="AzureDiagnostics | where ResourceProvider == 'MICROSOFT.KEYVAULT' and httpStatusCode_d == 403 "
            "and OperationName != 'CertificateContactsGet'",
            summary="Key Vault denied somebody access.",
            runbook="vault-denied",
        ),
        QueryRow(
            name="email-delivery",
            severity=2,
            query="ACSEmailStatusUpdateOperational "
            "| where DeliveryStatus !in ('OutForDelivery', '') "
            "| summarize delivered = countif(DeliveryStatus in ('Delivered', 'Expanded')), total = count() "
            "| where total >= 20 and delivered * 100.0 / total < 95",
            window="PT1H",
            summary="Fewer than 95 % of mails arrive.",
            runbook="email-delivery",
        ),
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
