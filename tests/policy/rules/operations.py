"""Who pays, who is told, and what is written down: tags, diagnostics, alerts, budget."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from constructs_lib.diagnostics import CATEGORIES, Categories
from environments.naming import LOCATION_NAMES
from tests.policy.rule import Problem, Stack, at, binding, listed, rule, wrong
from tests.support import SynthesizedResource

# Why a type has no diagnostic setting. https://learn.microsoft.com/azure/azure-monitor/reference/logs-index
CHILD = "it is part of another resource, whose setting covers it"
RULE = "it only says what others do; the Activity Log has its changes"
METRICS = "it has metrics alone, which Azure Monitor keeps for 93 days anyway"
NO_DIAGNOSTICS = {
    "azurerm_application_insights": "it is workspace-based: its tables are the workspace's",
    "azurerm_app_service_certificate_binding": CHILD,
    "azurerm_app_service_custom_hostname_binding": CHILD,
    "azurerm_app_service_managed_certificate": CHILD,
    "azurerm_application_insights_standard_web_test": "its results are in Application Insights",
    "azurerm_application_insights_workbook": RULE,
    "azurerm_cdn_frontdoor_custom_domain": CHILD,
    "azurerm_cdn_frontdoor_custom_domain_association": CHILD,
    "azurerm_cdn_frontdoor_endpoint": CHILD,
    "azurerm_cdn_frontdoor_firewall_policy": "what it blocks is in the profile's FrontDoorWebApplicationFirewallLog",
    "azurerm_cdn_frontdoor_origin": CHILD,
    "azurerm_cdn_frontdoor_origin_group": CHILD,
    "azurerm_cdn_frontdoor_route": CHILD,
    "azurerm_cdn_frontdoor_security_policy": CHILD,
    "azurerm_communication_service_email_domain_association": CHILD,
    "azurerm_consumption_budget_resource_group": RULE,
    "azurerm_dns_cname_record": CHILD,
    "azurerm_dns_ns_record": CHILD,
    "azurerm_dns_txt_record": CHILD,
    "azurerm_dns_zone": METRICS,
    "azurerm_email_communication_service": "its mails are in the Communication Service's logs",
    "azurerm_email_communication_service_domain": CHILD,
    "azurerm_email_communication_service_domain_sender_username": CHILD,
    "azurerm_federated_identity_credential": CHILD,
    "azurerm_logic_app_action_custom": CHILD,
    "azurerm_logic_app_trigger_http_request": CHILD,
    "azurerm_management_lock": RULE,
    "azurerm_monitor_action_group": RULE,
    "azurerm_monitor_activity_log_alert": RULE,
    "azurerm_monitor_diagnostic_setting": RULE,
    "azurerm_monitor_metric_alert": RULE,
    "azurerm_monitor_scheduled_query_rules_alert_v2": RULE,
    "azurerm_postgresql_flexible_server_active_directory_administrator": CHILD,
    "azurerm_postgresql_flexible_server_configuration": CHILD,
    "azurerm_postgresql_flexible_server_database": CHILD,
    "azurerm_private_dns_zone": METRICS,
    "azurerm_private_dns_zone_virtual_network_link": CHILD,
    "azurerm_private_endpoint": METRICS,
    "azurerm_resource_group": "its changes are in the Activity Log",
    "azurerm_role_assignment": RULE,
    "azurerm_role_definition": RULE,
    "azurerm_static_web_app_custom_domain": CHILD,
    "azurerm_storage_container": CHILD,
    "azurerm_storage_container_immutability_policy": CHILD,
    "azurerm_storage_management_policy": CHILD,
    "azurerm_subnet": CHILD,
    "azurerm_subnet_network_security_group_association": CHILD,
    "azurerm_user_assigned_identity": "its sign-ins are in Entra's logs",
}
ON_THE_PARENT = {"azurerm_managed_redis": Categories()}
"""What has its logs on a child, and its metrics on itself."""
ACTIVITY_LOG = ("Administrative", "Alert", "Policy", "ResourceHealth", "Security", "ServiceHealth")
# By name of the server parameter, a pattern for its value.
DATABASE_LOGS = {
    "connection_throttle.enable": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_min_duration_statement": "[0-9]+",
    "pgaudit.log": "(?i).*ddl.*role.*",
    "shared_preload_libraries": ".*pgaudit.*",
}
QUERY_ALERT = "azurerm_monitor_scheduled_query_rules_alert_v2"
ALERT_TYPES = ("azurerm_monitor_activity_log_alert", "azurerm_monitor_metric_alert", QUERY_ALERT)
NOTIFICATIONS = {(80, "Actual"), (100, "Actual"), (100, "Forecasted")}


def metric(
    namespace: str, name: str, operator: str, threshold: float | None = None
) -> Callable[[SynthesizedResource], bool]:
    """A metric alert on this; any threshold where none is given, because it depends on the sku."""

    def watches(alert: SynthesizedResource) -> bool:
        criteria = at(alert.body, "criteria")
        return (
            at(criteria, "metric_namespace") == namespace
            and at(criteria, "metric_name") == name
            and at(criteria, "operator") == operator
            and threshold in (None, at(criteria, "threshold"))
        )

    return watches


def query(*parts: str) -> Callable[[SynthesizedResource], bool]:
    """An alert on a query that holds all these parts."""
    return lambda alert: all(part in str(at(alert.body, "criteria.query")) for part in parts)


def operation(name: str, status: str = "Succeeded") -> Callable[[SynthesizedResource], bool]:
    """An alert on an operation in the Activity Log with this outcome."""
    return lambda alert: (
        at(alert.body, "criteria.operation_name") == name and status in listed(alert.body, "criteria.statuses")
    )


def category(name: str) -> Callable[[SynthesizedResource], bool]:
    """An alert on a category of the Activity Log."""
    return lambda alert: at(alert.body, "criteria.category") == name


class Watched(NamedTuple):
    """Something that somebody is told of, and how to know the alert that does it."""

    what: str
    by: Callable[[SynthesizedResource], bool]


PLAN, APP = "Microsoft.Web/serverfarms", "Microsoft.Web/sites"
POSTGRESQL, REDIS = "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.Cache/redisEnterprise"
# Issue 3, section 3, item 9, in its order.
WATCHED = (
    Watched("error rate > 5 % over 5 minutes", query("AppRequests", ">= 500", "> 5")),
    Watched("average response > 3 s", metric(APP, "HttpResponseTime", "GreaterThan", 3)),
    Watched("p95 of the API > 1 s", query("percentile(DurationMs, 95)", "p95 > 1000")),
    Watched("p95 of bid updates > 500 ms", query("has 'bids'", "percentile(DurationMs, 95)", "p95 > 500")),
    Watched("CPU > 80 %", metric(PLAN, "CpuPercentage", "GreaterThan", 80)),
    Watched("memory > 80 %", metric(PLAN, "MemoryPercentage", "GreaterThan", 80)),
    Watched("database storage > 80 %", metric(POSTGRESQL, "storage_percent", "GreaterThan", 80)),
    Watched("database connections", metric(POSTGRESQL, "active_connections", "GreaterThan")),
    Watched("replication and HA state", category("ResourceHealth")),
    Watched("database does not answer", metric(POSTGRESQL, "is_db_alive", "LessThan", 1)),
    Watched("Redis memory > 80 %", metric(REDIS, "usedmemorypercentage", "GreaterThan", 80)),
    Watched("failed swap", operation("Microsoft.Web/sites/slots/slotsswap/action", "Failed")),
    Watched("failed deployment", operation("Microsoft.Web/sites/config/write", "Failed")),
    Watched("failed deployment to the slot", operation("Microsoft.Web/sites/slots/config/write", "Failed")),
    Watched(
        "availability < 99.9 %",
        metric("microsoft.insights/components", "availabilityResults/availabilityPercentage", "LessThan", 99.9),
    ),
    Watched("daily cap reached", query("_LogOperation", "Data collection stopped")),
    Watched("Key Vault denied access", query("MICROSOFT.KEYVAULT", "403")),
    Watched("e-mail delivery < 95 %", query("DeliveryStatus", "< 95")),
    Watched("a role granted", operation("Microsoft.Authorization/roleAssignments/write")),
    Watched("a role removed", operation("Microsoft.Authorization/roleAssignments/delete")),
    Watched("a lock removed", operation("Microsoft.Authorization/locks/delete")),
    Watched("network rules changed", operation("Microsoft.Network/networkSecurityGroups/write")),
    Watched("a network rule changed", operation("Microsoft.Network/networkSecurityGroups/securityRules/write")),
    Watched("the vault's firewall changed", operation("Microsoft.KeyVault/vaults/write")),
    Watched("an account's firewall changed", operation("Microsoft.Storage/storageAccounts/write")),
)


@rule()
def tags_are_complete(stack: Stack) -> Iterator[Problem]:
    """Costs are split by tags, and whoever finds a resource sees whose it is. The provider knows which types take them.

    https://learn.microsoft.com/azure/cloud-adoption-framework/ready/azure-best-practices/resource-tagging
    """
    account = stack.platform.shared.account
    wanted = {
        "owner": account.owner_tag,
        "cost-center": account.cost_center_tag,
        "repository": account.github_repository,
    }
    environments = {stack.name} if stack.environment else {"shared", *stack.platform.environments}
    for resource in stack.of():
        if not hasattr(binding(resource.type), "tags"):
            continue
        for tag, value in wanted.items():
            if at(resource.body, f"tags.{tag}") != value:
                yield wrong(resource, f"tags.{tag}", f'must be "{value}"')
        if at(resource.body, "tags.environment") not in environments:
            yield wrong(resource, "tags.environment", f"must be one of {sorted(environments)}")


@rule("azurerm_monitor_diagnostic_setting")
def everything_is_logged(stack: Stack) -> Iterator[Problem]:
    """Every type either sends all its categories, from where they sit, or has a reason not to (issue 3, item 8).

    https://learn.microsoft.com/azure/azure-monitor/essentials/diagnostic-settings
    """
    settings = {str(each.body["target_resource_id"]): each for each in stack.of("azurerm_monitor_diagnostic_setting")}
    for resource in stack.of():
        if (resource.type in CATEGORIES) == (resource.type in NO_DIAGNOSTICS):
            right = "must be either in CATEGORIES or in NO_DIAGNOSTICS, with a reason"
            yield Problem(resource.address, "type", resource.type, right)
        for categories in filter(None, (CATEGORIES.get(resource.type), ON_THE_PARENT.get(resource.type))):
            target = f"${{{resource.type}.{resource.name}.id}}{categories.child}"
            setting = settings.get(target)
            if setting is None:
                yield Problem(resource.address, "diagnostic setting", None, f"must be one with the target {target}")
                continue
            for block, wanted in (("enabled_log", categories.logs), ("enabled_metric", categories.metrics)):
                if [at(each, "category") for each in listed(setting.body, block)] != list(wanted):
                    yield wrong(setting, block, f"must be the categories {list(wanted)}")


@rule("azurerm_monitor_diagnostic_setting")
def logs_go_to_the_own_workspace(stack: Stack) -> Iterator[Problem]:
    """One place to look, kept as long as the settings say; another stack's workspace would not outlive its owner.

    https://learn.microsoft.com/azure/azure-monitor/logs/workspace-design, issue 3 section 3, item 8.
    """
    for setting in stack.of("azurerm_monitor_diagnostic_setting"):
        workspace = stack.named(setting.body["log_analytics_workspace_id"])
        if workspace is None or workspace.type != "azurerm_log_analytics_workspace":
            yield wrong(setting, "log_analytics_workspace_id", "must be this stack's workspace")
    for insights in stack.of("azurerm_application_insights"):
        if stack.named(at(insights.body, "workspace_id")) is None:
            yield wrong(insights, "workspace_id", "must be this stack's workspace")


@rule("azurerm_postgresql_flexible_server_configuration")
def the_database_writes_down_who_did_what(stack: Stack) -> Iterator[Problem]:
    """Connections, slow statements, changes of schema and of roles are logged, and guessing is slowed down.

    https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-audit, issue 3 section 3, item 4.
    """
    for server in stack.of("azurerm_postgresql_flexible_server"):
        written = {
            str(each.body["name"]): str(each.body["value"])
            for each in stack.of("azurerm_postgresql_flexible_server_configuration")
        }
        for name, wanted in DATABASE_LOGS.items():
            if not re.fullmatch(wanted, written.get(name, "")):
                yield Problem(server.address, name, written.get(name), f"must match {wanted}, by a server parameter")


@rule("azurerm_monitor_diagnostic_setting")
def the_activity_log_is_kept(stack: Stack) -> Iterator[Problem]:
    """Azure forgets who changed what after 90 days; the shared stack exports it for the subscription (issue 3).

    https://learn.microsoft.com/azure/azure-monitor/platform/activity-log
    """
    if stack.environment is not None:
        return
    target = f"/subscriptions/{stack.platform.shared.account.subscription_id}"
    exported = [
        at(each, "category")
        for setting in stack.of("azurerm_monitor_diagnostic_setting")
        if setting.body["target_resource_id"] == target
        for each in listed(setting.body, "enabled_log")
    ]
    for name in ACTIVITY_LOG:
        if name not in exported:
            yield Problem(f"{stack.name}: {target}", "enabled_log", exported, f"must export {name}")


@rule(*ALERT_TYPES)
def everything_asked_for_is_watched(stack: Stack) -> Iterator[Problem]:
    """What `WATCHED` lists raises an alert in every environment, by what it watches, not by what it is called.

    Issue 3, section 3, item 9.
    """
    if stack.environment is None:
        return
    alerts = [each for each in stack.of(*ALERT_TYPES) if at(each.body, "enabled") is not False]
    for watched in WATCHED:
        if not any(watched.by(alert) for alert in alerts):
            yield Problem(f"{stack.name}: alerts", watched.what, None, "must be watched by an enabled alert")


@rule("azurerm_monitor_activity_log_alert")
def service_health_is_watched_once(stack: Stack) -> Iterator[Problem]:
    """Service Health speaks of the subscription: an alert in every environment would tell the same again and again.

    https://learn.microsoft.com/azure/service-health/alerts-activity-log-service-notifications-portal
    """
    alerts = [each for each in stack.of("azurerm_monitor_activity_log_alert") if category("ServiceHealth")(each)]
    if len(alerts) != (stack.environment is None):
        right = "must be 0 in an environment, and 1 in the shared stack"
        yield Problem(f"{stack.name}: alerts", "Service Health", len(alerts), right)
    regions = {LOCATION_NAMES[each.location] for each in stack.platform.environments.values()}
    for alert in alerts:
        missing = regions - set(map(str, listed(alert.body, "criteria.service_health.locations")))
        if missing:
            yield wrong(alert, "criteria.service_health.locations", f"must name {sorted(missing)} as well")
        if alert.body["scopes"] != [f"/subscriptions/{stack.platform.shared.account.subscription_id}"]:
            yield wrong(alert, "scopes", "must be the subscription")


@rule("azurerm_application_insights_standard_web_test", "azurerm_monitor_metric_alert")
def certificates_are_watched(stack: Stack) -> Iterator[Problem]:
    """The standard web test checks how long a certificate is good for; an alert on that test tells 30 days before.

    https://learn.microsoft.com/azure/azure-monitor/app/availability, issue 3 section 3, item 9.
    """
    block = "application_insights_web_test_location_availability_criteria.web_test_id"
    alerted = [stack.named(at(each.body, block)) for each in stack.of("azurerm_monitor_metric_alert")]
    tests = list(stack.of("azurerm_application_insights_standard_web_test"))
    for page in sorted({str(at(each.body, "request.url")) for each in tests}):
        watching = [
            each
            for each in tests
            if at(each.body, "request.url") == page
            and at(each.body, "validation_rules.ssl_cert_remaining_lifetime") == 30
            and each in alerted
        ]
        if not watching:
            yield Problem(f"{stack.name}: {page}", "certificate", None, "must have a test for 30 days, with an alert")


@rule(*ALERT_TYPES, "azurerm_monitor_action_group")
def alerts_reach_somebody(stack: Stack) -> Iterator[Problem]:
    """An alert that reaches nobody is none: it goes to the action group, and that to the account's addresses and Teams.

    The card in Teams renders the common schema. https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups
    """
    account, environment = stack.platform.shared.account, stack.environment
    for alert in stack.of(*ALERT_TYPES):
        path = "action.action_groups.0" if alert.type == QUERY_ALERT else "action.0.action_group_id"
        group = stack.named(at(alert.body, path))
        if group is None or group.type != "azurerm_monitor_action_group":
            yield wrong(alert, path, "must be this stack's action group")
    for group in stack.of("azurerm_monitor_action_group"):
        mails, teams = listed(group.body, "email_receiver"), listed(group.body, "logic_app_receiver")
        if [at(each, "email_address") for each in mails] != list(account.alert_emails):
            yield wrong(group, "email_receiver", f"must be {list(account.alert_emails)}")
        if bool(teams) != (environment is not None and environment.alerts.teams):
            yield wrong(group, "logic_app_receiver", "must be there exactly where the settings have alerts in Teams")
        for receivers in (mails, teams):
            if not all(at(each, "use_common_alert_schema") for each in receivers):
                yield Problem(group.address, "use_common_alert_schema", receivers, "must be true for each")


@rule(*ALERT_TYPES)
def alerts_watch_their_own(stack: Stack) -> Iterator[Problem]:
    """An alert speaks of its stack alone; only the shared one speaks of the subscription (design section 4).

    https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-types
    """
    whole = f"/subscriptions/{stack.platform.shared.account.subscription_id}"
    if stack.environment:
        whole += f"/resourceGroups/{stack.platform.names(stack.environment).compose('resource_group')}"
    for alert in stack.of(*ALERT_TYPES):
        for index, scope in enumerate(listed(alert.body, "scopes")):
            if scope != whole and stack.named(scope) is None:
                yield wrong(alert, f"scopes.{index}", f"must be a resource of this stack, or {whole}")


@rule(*ALERT_TYPES)
def alerts_name_their_runbook(stack: Stack) -> Iterator[Problem]:
    """Whoever is woken at night reads what to do in the message itself (design section 1; issue 3, item 9)."""
    repository = re.escape(stack.platform.shared.account.github_repository)
    page = re.compile(rf"Runbook: https://github\.com/{repository}/blob/main/docs/operations/runbook/[\w-]+\.md$")
    for alert in stack.of(*ALERT_TYPES):
        if not page.search(str(at(alert.body, "description"))):
            yield wrong(alert, "description", "must end with the address of a runbook page")


@rule("azurerm_monitor_metric_alert", QUERY_ALERT)
def critical_alerts_are_evaluated_every_minute(stack: Stack) -> Iterator[Problem]:
    """A person hears within 2 minutes of what is critical, severity 0 or 1 (design section 1; issue 3, item 9)."""
    for alert in stack.of("azurerm_monitor_metric_alert", QUERY_ALERT):
        frequency = "evaluation_frequency" if alert.type == QUERY_ALERT else "frequency"
        if at(alert.body, "severity") in (0, 1) and at(alert.body, frequency) != "PT1M":
            yield wrong(alert, frequency, 'must be "PT1M": it is critical')


@rule("azurerm_consumption_budget_resource_group")
def money_is_watched(stack: Stack) -> Iterator[Problem]:
    """Mail at 80 % and 100 % spent, and at 100 % foreseen; the start is a constant first of a month (design section 5).

    https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-acm-create-budgets
    """
    addresses = list(stack.platform.shared.account.alert_emails)
    budgets = list(stack.of("azurerm_consumption_budget_resource_group"))
    if stack.environment and len(budgets) != 1:
        yield Problem(f"{stack.name}: azurerm_consumption_budget_resource_group", "count", len(budgets), "must be 1")
    for budget in budgets:
        if stack.environment and at(budget.body, "amount") != stack.environment.budget.monthly_usd:
            yield wrong(budget, "amount", f"must be {stack.environment.budget.monthly_usd}, as the settings say")
        if not re.fullmatch(r"20\d\d-(0[1-9]|1[0-2])-01T00:00:00Z", str(at(budget.body, "time_period.start_date"))):
            yield wrong(budget, "time_period.start_date", "must be the first of a month, as a constant")
        told = {
            (at(each, "threshold"), at(each, "threshold_type"))
            for each in listed(budget.body, "notification")
            if at(each, "enabled") is not False and at(each, "contact_emails") == addresses
        }
        if told != NOTIFICATIONS:
            yield wrong(budget, "notification", f"must mail {addresses} at {sorted(NOTIFICATIONS)}")
