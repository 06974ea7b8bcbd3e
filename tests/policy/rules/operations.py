"""What people need to run the platform: tags, diagnostic settings, alerts and budgets."""

import re
from collections.abc import Callable, Iterator
from typing import NamedTuple

from constructs_lib.budget import FIRST_OF_THE_MONTH
from constructs_lib.diagnostics import CATEGORIES, Categories
from environments.naming import LOCATION_NAMES
from tests.policy.rule import Stack, Violation, get_list, get_value, load_binding, rule
from tests.support import SynthesizedResource

CHILD = "it is part of another resource, whose setting covers it"
CONFIGURATION = "it only says what others do; the Activity Log has its changes"
METRICS = "it has metrics alone, which Azure Monitor keeps for 93 days anyway"
NO_DIAGNOSTICS = {
    "azurerm_application_insights": "it is workspace-based: its tables are the workspace's",
    "azurerm_app_service_certificate_binding": CHILD,
    "azurerm_app_service_custom_hostname_binding": CHILD,
    "azurerm_app_service_managed_certificate": CHILD,
    "azurerm_application_insights_standard_web_test": "its results are in Application Insights",
    "azurerm_application_insights_workbook": CONFIGURATION,
    "azurerm_cdn_frontdoor_custom_domain": CHILD,
    "azurerm_cdn_frontdoor_custom_domain_association": CHILD,
    "azurerm_cdn_frontdoor_endpoint": CHILD,
    "azurerm_cdn_frontdoor_firewall_policy": "what it blocks is in the profile's FrontDoorWebApplicationFirewallLog",
    "azurerm_cdn_frontdoor_origin": CHILD,
    "azurerm_cdn_frontdoor_origin_group": CHILD,
    "azurerm_cdn_frontdoor_route": CHILD,
    "azurerm_cdn_frontdoor_security_policy": CHILD,
    "azurerm_communication_service_email_domain_association": CHILD,
    "azurerm_consumption_budget_resource_group": CONFIGURATION,
    "azurerm_container_app_job": "its output and its events are in the logs of its environment",
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
    "azurerm_management_lock": CONFIGURATION,
    "azurerm_monitor_action_group": CONFIGURATION,
    "azurerm_monitor_activity_log_alert": CONFIGURATION,
    "azurerm_monitor_diagnostic_setting": CONFIGURATION,
    "azurerm_monitor_metric_alert": CONFIGURATION,
    "azurerm_monitor_scheduled_query_rules_alert_v2": CONFIGURATION,
    "azurerm_postgresql_flexible_server_active_directory_administrator": CHILD,
    "azurerm_postgresql_flexible_server_configuration": CHILD,
    "azurerm_postgresql_flexible_server_database": CHILD,
    "azurerm_private_dns_zone": METRICS,
    "azurerm_private_dns_zone_virtual_network_link": CHILD,
    "azurerm_private_endpoint": METRICS,
    "azurerm_resource_group": "its changes are in the Activity Log",
    "azurerm_role_assignment": CONFIGURATION,
    "azurerm_role_definition": CONFIGURATION,
    "azurerm_static_web_app": "Azure takes no diagnostic setting for it",
    "azurerm_static_web_app_custom_domain": CHILD,
    "azurerm_storage_container": CHILD,
    "azurerm_storage_container_immutability_policy": CHILD,
    "azurerm_storage_management_policy": CHILD,
    "azurerm_subnet": CHILD,
    "azurerm_subnet_network_security_group_association": CHILD,
    "azurerm_user_assigned_identity": "its sign-ins are in Entra's logs",
}
"""Why a type has no diagnostic setting. https://learn.microsoft.com/azure/azure-monitor/reference/logs-index"""
ON_THE_PARENT = {"azurerm_managed_redis": Categories()}
"""Types whose logs are on a child resource, and whose metrics are on the resource itself."""
ACTIVITY_LOG = ("Administrative", "Alert", "Policy", "ResourceHealth", "Security", "ServiceHealth")
DATABASE_LOGS = {
    "connection_throttle.enable": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_min_duration_statement": "[0-9]+",
    "pgaudit.log": "(?i).*ddl.*role.*",
    "shared_preload_libraries": ".*pgaudit.*",
}
"""By name of the server parameter: a pattern for its value."""
QUERY_ALERT = "azurerm_monitor_scheduled_query_rules_alert_v2"
ALERT_TYPES = ("azurerm_monitor_activity_log_alert", "azurerm_monitor_metric_alert", QUERY_ALERT)
NOTIFICATIONS = {(80, "Actual"), (100, "Actual"), (100, "Forecasted")}
AlertFilter = Callable[[SynthesizedResource], bool]


def watches_metric(namespace: str, name: str, operator: str, threshold: float | None = None) -> AlertFilter:
    """Return a filter for alerts on a metric.

    Args:
        namespace: The metric's namespace.
        name: The metric's name.
        operator: How the metric is compared with the threshold.
        threshold: The threshold; None for any, where it depends on the sku.
    """

    def matches(alert: SynthesizedResource) -> bool:
        criteria = get_value(alert.body, "criteria")
        return (
            get_value(criteria, "metric_namespace") == namespace
            and get_value(criteria, "metric_name") == name
            and get_value(criteria, "operator") == operator
            and threshold in (None, get_value(criteria, "threshold"))
        )

    return matches


def watches_query(*parts: str) -> AlertFilter:
    """Return a filter for alerts on a query that contains all of these parts."""
    return lambda alert: all(part in str(get_value(alert.body, "criteria.query")) for part in parts)


def watches_operation(name: str, status: str = "Succeeded") -> AlertFilter:
    """Return a filter for alerts on an operation in the Activity Log with this outcome."""
    return lambda alert: (
        get_value(alert.body, "criteria.operation_name") == name and status in get_list(alert.body, "criteria.statuses")
    )


def watches_category(name: str) -> AlertFilter:
    """Return a filter for alerts on a category of the Activity Log."""
    return lambda alert: get_value(alert.body, "criteria.category") == name


class Subject(NamedTuple):
    """Something that must raise an alert, and a filter that finds the alert."""

    name: str
    is_watched_by: AlertFilter


PLAN, APP = "Microsoft.Web/serverfarms", "Microsoft.Web/sites"
POSTGRESQL, REDIS = "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.Cache/redisEnterprise"
WATCHED = (
    Subject("error rate > 5 %", watches_query("AppServiceHTTPLogs", "ScStatus >= 500", "> 5")),
    Subject("errors, as a metric", watches_metric(APP, "Http5xx", "GreaterThan", 10)),
    Subject("average response > 3 s", watches_query("AppServiceHTTPLogs", "avg(TimeTaken)", "> 3000")),
    Subject("p95 of the API > 1 s", watches_query("percentilew(DurationMs, ItemCount, 95)", "p95 > 1000")),
    Subject(
        "p95 of bid updates > 500 ms", watches_query("has 'bids'", "percentilew(DurationMs, ItemCount, 95)", "> 500")
    ),
    Subject("no telemetry", watches_query("AppServiceHTTPLogs", "AppRequests", "reported == 0")),
    Subject("a container that does not start", watches_query("AppServicePlatformLogs", "failing site start")),
    Subject("CPU > 80 %", watches_metric(PLAN, "CpuPercentage", "GreaterThan", 80)),
    Subject("memory > 80 %", watches_metric(PLAN, "MemoryPercentage", "GreaterThan", 80)),
    Subject("database storage > 80 %", watches_metric(POSTGRESQL, "storage_percent", "GreaterThan", 80)),
    Subject("database connections", watches_metric(POSTGRESQL, "active_connections", "GreaterThan")),
    Subject("replication and HA state", watches_category("ResourceHealth")),
    Subject("database does not answer", watches_metric(POSTGRESQL, "is_db_alive", "LessThan", 1)),
    Subject("Redis memory > 80 %", watches_metric(REDIS, "usedmemorypercentage", "GreaterThan", 80)),
    Subject("failed swap", watches_operation("Microsoft.Web/sites/slots/slotsswap/action", "Failed")),
    Subject("failed deployment", watches_operation("Microsoft.Web/sites/config/write", "Failed")),
    Subject("failed deployment to the slot", watches_operation("Microsoft.Web/sites/slots/config/write", "Failed")),
    Subject(
        "availability < 99.9 %",
        watches_metric("microsoft.insights/components", "availabilityResults/availabilityPercentage", "LessThan", 99.9),
    ),
    Subject("daily cap reached", watches_query("_LogOperation", "OverQuota")),
    Subject("Key Vault denied access", watches_query("MICROSOFT.KEYVAULT", "403")),
    Subject("e-mail delivery < 95 %", watches_query("DeliveryStatus", "< 95")),
    Subject("a role granted", watches_operation("Microsoft.Authorization/roleAssignments/write")),
    Subject("a role removed", watches_operation("Microsoft.Authorization/roleAssignments/delete")),
    Subject("a lock removed", watches_operation("Microsoft.Authorization/locks/delete")),
    Subject("network rules changed", watches_operation("Microsoft.Network/networkSecurityGroups/write")),
    Subject("a network rule changed", watches_operation("Microsoft.Network/networkSecurityGroups/securityRules/write")),
    Subject("the vault's firewall changed", watches_operation("Microsoft.KeyVault/vaults/write")),
    Subject("an account's firewall changed", watches_operation("Microsoft.Storage/storageAccounts/write")),
)
"""What every environment must have an alert for. docs/design.md#decisions has the same list in words."""


@rule()
def tags_are_complete(stack: Stack) -> Iterator[Violation]:
    """Every resource whose type has tags bears all four.

    Costs are split by tags, and a tag says whose a resource is. docs/design.md#decisions, "Names and tags";
    https://learn.microsoft.com/azure/cloud-adoption-framework/ready/azure-best-practices/resource-tagging
    """
    account = stack.platform.shared.account
    tags = {
        "owner": account.owner_tag,
        "cost-center": account.cost_center_tag,
        "repository": account.github_repository,
    }
    environments = {stack.name} if stack.environment else {"shared", *stack.platform.environments}
    for resource in stack.find_resources():
        if not hasattr(load_binding(resource.type), "tags"):
            continue
        for tag, value in tags.items():
            if get_value(resource.body, f"tags.{tag}") != value:
                yield Violation.of(resource, f"tags.{tag}", f'must be "{value}"')
        if get_value(resource.body, "tags.environment") not in environments:
            yield Violation.of(resource, "tags.environment", f"must be one of {sorted(environments)}")


@rule("azurerm_monitor_diagnostic_setting")
def everything_is_logged(stack: Stack) -> Iterator[Violation]:
    """Every type either sends all of its categories, or has a reason in `NO_DIAGNOSTICS` why it sends none.

    docs/adr/0008-diagnostic-categories.md;
    https://learn.microsoft.com/azure/azure-monitor/essentials/diagnostic-settings
    """
    settings = {
        str(setting.body["target_resource_id"]): setting
        for setting in stack.find_resources("azurerm_monitor_diagnostic_setting")
    }
    for resource in stack.find_resources():
        if (resource.type in CATEGORIES) == (resource.type in NO_DIAGNOSTICS):
            expected = "must be either in CATEGORIES or in NO_DIAGNOSTICS, with a reason"
            yield Violation(resource.address, "type", resource.type, expected)
        for categories in filter(None, (CATEGORIES.get(resource.type), ON_THE_PARENT.get(resource.type))):
            target = f"${{{resource.type}.{resource.name}.id}}{categories.child}"
            setting = settings.get(target)
            if setting is None:
                yield Violation(resource.address, "diagnostic setting", None, f"must be one with the target {target}")
                continue
            for block, expected in (("enabled_log", categories.logs), ("enabled_metric", categories.metrics)):
                if [get_value(row, "category") for row in get_list(setting.body, block)] != list(expected):
                    yield Violation.of(setting, block, f"must be the categories {list(expected)}")


@rule("azurerm_monitor_diagnostic_setting")
def logs_go_to_the_stacks_own_workspace(stack: Stack) -> Iterator[Violation]:
    """Logs go to the workspace of their own stack.

    So there is one place to look, and logs are kept as long as the settings say. Logs in another stack's workspace
    would be lost with that stack. docs/design.md#decisions, "Logs";
    https://learn.microsoft.com/azure/azure-monitor/logs/workspace-design
    """
    for setting in stack.find_resources("azurerm_monitor_diagnostic_setting"):
        workspace = stack.resolve(setting.body["log_analytics_workspace_id"])
        if workspace is None or workspace.type != "azurerm_log_analytics_workspace":
            yield Violation.of(setting, "log_analytics_workspace_id", "must be this stack's workspace")
    for insights in stack.find_resources("azurerm_application_insights"):
        if stack.resolve(get_value(insights.body, "workspace_id")) is None:
            yield Violation.of(insights, "workspace_id", "must be this stack's workspace")


@rule("azurerm_postgresql_flexible_server_configuration")
def the_database_logs_who_did_what(stack: Stack) -> Iterator[Violation]:
    """PostgreSQL logs connections, slow statements, and changes of schema and roles. It also slows down guessing.

    docs/design.md#decisions, "Logs"; https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-audit
    """
    for server in stack.find_resources("azurerm_postgresql_flexible_server"):
        values = {
            str(parameter.body["name"]): str(parameter.body["value"])
            for parameter in stack.find_resources("azurerm_postgresql_flexible_server_configuration")
        }
        for name, pattern in DATABASE_LOGS.items():
            if not re.fullmatch(pattern, values.get(name, "")):
                expected = f"must match {pattern}, by a server parameter"
                yield Violation(server.address, name, values.get(name), expected)


@rule("azurerm_monitor_diagnostic_setting")
def the_activity_log_is_kept(stack: Stack) -> Iterator[Violation]:
    """The shared stack exports the subscription's Activity Log.

    Azure forgets who changed what after 90 days. docs/adr/0015-what-shared-makes.md;
    https://learn.microsoft.com/azure/azure-monitor/platform/activity-log
    """
    if stack.environment is not None:
        return
    target = f"/subscriptions/{stack.platform.shared.account.subscription_id}"
    exported = [
        get_value(row, "category")
        for setting in stack.find_resources("azurerm_monitor_diagnostic_setting")
        if setting.body["target_resource_id"] == target
        for row in get_list(setting.body, "enabled_log")
    ]
    for name in ACTIVITY_LOG:
        if name not in exported:
            yield Violation(f"{stack.name}: {target}", "enabled_log", exported, f"must export {name}")


@rule(*ALERT_TYPES)
def every_subject_is_watched(stack: Stack) -> Iterator[Violation]:
    """Every environment has an enabled alert for each row of `WATCHED`.

    The alert is recognised by what it watches, not by its name. docs/design.md#decisions, "What is watched".
    """
    if stack.environment is None:
        return
    alerts = [alert for alert in stack.find_resources(*ALERT_TYPES) if get_value(alert.body, "enabled") is not False]
    for subject in WATCHED:
        if not any(subject.is_watched_by(alert) for alert in alerts):
            yield Violation(f"{stack.name}: alerts", subject.name, None, "must be watched by an enabled alert")


@rule("azurerm_monitor_activity_log_alert")
def service_health_is_watched_once(stack: Stack) -> Iterator[Violation]:
    """The shared stack has the only alert on Azure Service Health. It names the region of every environment.

    Service Health speaks of the subscription, so an alert in each environment would send the same mail several times.
    docs/adr/0015-what-shared-makes.md;
    https://learn.microsoft.com/azure/service-health/alerts-activity-log-service-notifications-portal
    """
    is_service_health = watches_category("ServiceHealth")
    alerts = [alert for alert in stack.find_resources("azurerm_monitor_activity_log_alert") if is_service_health(alert)]
    if len(alerts) != (stack.environment is None):
        expected = "must be 0 in an environment, and 1 in the shared stack"
        yield Violation(f"{stack.name}: alerts", "Service Health", len(alerts), expected)
    regions = {LOCATION_NAMES[environment.location] for environment in stack.platform.environments.values()}
    for alert in alerts:
        missing = regions - set(map(str, get_list(alert.body, "criteria.service_health.locations")))
        if missing:
            yield Violation.of(alert, "criteria.service_health.locations", f"must name {sorted(missing)} as well")
        if alert.body["scopes"] != [f"/subscriptions/{stack.platform.shared.account.subscription_id}"]:
            yield Violation.of(alert, "scopes", "must be the subscription")


@rule("azurerm_application_insights_standard_web_test", "azurerm_monitor_metric_alert")
def certificates_are_watched(stack: Stack) -> Iterator[Violation]:
    """Every page that is tested has a web test that fails 30 days before its certificate ends, with an alert on it.

    docs/design.md#decisions, "What is watched"; https://learn.microsoft.com/azure/azure-monitor/app/availability
    """
    block = "application_insights_web_test_location_availability_criteria.web_test_id"
    alerts = stack.find_resources("azurerm_monitor_metric_alert")
    alerted = [stack.resolve(get_value(alert.body, block)) for alert in alerts]
    tests = list(stack.find_resources("azurerm_application_insights_standard_web_test"))
    for page in sorted({str(get_value(test.body, "request.url")) for test in tests}):
        watching = [
            test
            for test in tests
            if get_value(test.body, "request.url") == page
            and get_value(test.body, "validation_rules.ssl_cert_remaining_lifetime") == 30
            and test in alerted
        ]
        if not watching:
            expected = "must have a test for 30 days, with an alert"
            yield Violation(f"{stack.name}: {page}", "certificate", None, expected)


@rule(*ALERT_TYPES, "azurerm_monitor_action_group")
def alerts_reach_somebody(stack: Stack) -> Iterator[Violation]:
    """Every alert goes to the stack's action group, which sends it by mail, and to Teams if the settings say so.

    Mail goes to the account's addresses. Receivers use the common alert schema, which the card in Teams renders.
    https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups
    """
    account, environment = stack.platform.shared.account, stack.environment
    for alert in stack.find_resources(*ALERT_TYPES):
        path = "action.action_groups.0" if alert.type == QUERY_ALERT else "action.0.action_group_id"
        group = stack.resolve(get_value(alert.body, path))
        if group is None or group.type != "azurerm_monitor_action_group":
            yield Violation.of(alert, path, "must be this stack's action group")
    expected_mails = list((environment.alerts.emails if environment else ()) or account.alert_emails)
    groups = list(stack.find_resources("azurerm_monitor_action_group"))
    with_teams = [group for group in groups if get_list(group.body, "logic_app_receiver")]
    if len(with_teams) != (environment is not None and environment.alerts.teams):
        expected = "must be in one action group exactly where the settings have alerts in Teams"
        yield Violation(f"{stack.name}: action groups", "logic_app_receiver", len(with_teams), expected)
    for group in groups:
        mails, teams = get_list(group.body, "email_receiver"), get_list(group.body, "logic_app_receiver")
        if [get_value(mail, "email_address") for mail in mails] != expected_mails:
            yield Violation.of(group, "email_receiver", f"must be {expected_mails}")
        for receivers in (mails, teams):
            if not all(get_value(receiver, "use_common_alert_schema") for receiver in receivers):
                yield Violation(group.address, "use_common_alert_schema", receivers, "must be true for each")


@rule(*ALERT_TYPES)
def alerts_watch_their_own_stack(stack: Stack) -> Iterator[Violation]:
    """An environment's alert watches its own resources or its own group. Only `shared` watches the subscription.

    docs/design.md#decisions, "Ownership"; https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-types
    """
    whole = f"/subscriptions/{stack.platform.shared.account.subscription_id}"
    if stack.environment:
        whole += f"/resourceGroups/{stack.platform.make_names(stack.environment).compose('resource_group')}"
    for alert in stack.find_resources(*ALERT_TYPES):
        for index, scope in enumerate(get_list(alert.body, "scopes")):
            if scope != whole and stack.resolve(scope) is None:
                yield Violation.of(alert, f"scopes.{index}", f"must be a resource of this stack, or {whole}")


@rule(*ALERT_TYPES)
def alerts_name_their_runbook(stack: Stack) -> Iterator[Violation]:
    """The text of an alert ends with the address of its runbook page.

    The person who is woken at night then reads in the message itself what to do. docs/design.md#users.
    """
    repository = re.escape(stack.platform.shared.account.github_repository)
    page = re.compile(rf"Runbook: https://github\.com/{repository}/blob/main/docs/operations/runbook/[\w-]+\.md$")
    for alert in stack.find_resources(*ALERT_TYPES):
        if not page.search(str(get_value(alert.body, "description"))):
            yield Violation.of(alert, "description", "must end with the address of a runbook page")


@rule("azurerm_monitor_metric_alert", QUERY_ALERT)
def critical_metrics_are_evaluated_every_minute(stack: Stack) -> Iterator[Violation]:
    """Critical alerts on metrics, of severity 0 and 1, are evaluated every minute, and no query is.

    A person must hear of an outage within 2 minutes. docs/design.md#users. A query that runs every minute may use only
    a part of the language: https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule
    """
    for alert in stack.find_resources("azurerm_monitor_metric_alert"):
        if get_value(alert.body, "severity") in (0, 1) and get_value(alert.body, "frequency") != "PT1M":
            yield Violation.of(alert, "frequency", 'must be "PT1M": it is critical')
    for alert in stack.find_resources(QUERY_ALERT):
        if get_value(alert.body, "evaluation_frequency") == "PT1M":
            yield Violation.of(alert, "evaluation_frequency", 'must be longer than "PT1M": it is a query')


@rule("azurerm_consumption_budget_resource_group")
def every_environment_has_a_budget(stack: Stack) -> Iterator[Violation]:
    """Each environment has a budget that sends mail at 80 % and 100 % spent, and at 100 % forecast.

    It starts in the month of its first apply, because Azure refuses an earlier one. A change of its start would replace
    it, so that is ignored.
    https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-acm-create-budgets
    """
    addresses = list(stack.platform.shared.account.alert_emails)
    budgets = list(stack.find_resources("azurerm_consumption_budget_resource_group"))
    if stack.environment and len(budgets) != 1:
        address = f"{stack.name}: azurerm_consumption_budget_resource_group"
        yield Violation(address, "count", len(budgets), "must be 1")
    for budget in budgets:
        if stack.environment and get_value(budget.body, "amount") != stack.environment.budget.monthly_usd:
            expected = f"must be {stack.environment.budget.monthly_usd}, as the settings say"
            yield Violation.of(budget, "amount", expected)
        start = str(get_value(budget.body, "time_period.start_date"))
        if start != FIRST_OF_THE_MONTH:
            yield Violation.of(budget, "time_period.start_date", "must be the first of the month of the plan")
        notifications = {
            (get_value(row, "threshold"), get_value(row, "threshold_type"))
            for row in get_list(budget.body, "notification")
            if get_value(row, "enabled") is not False and get_value(row, "contact_emails") == addresses
        }
        if notifications != NOTIFICATIONS:
            yield Violation.of(budget, "notification", f"must mail {addresses} at {sorted(NOTIFICATIONS)}")
