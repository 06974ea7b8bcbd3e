"""Azure Monitor alert rules, and the action group that they notify.

The alerts themselves are rows in `constructs_lib/alert_rows.py`. Each rule's description ends with the address of the
row's runbook page.
"""

from collections.abc import Iterable, Sequence

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

from constructs_lib.alert_rows import (
    ACTIVITY_ROWS,
    EDGE_ROWS,
    HEALTH_ROWS,
    METRIC_NAMESPACES,
    TEAMS_ROWS,
    WEB_TEST_ROWS,
    ActivityRow,
    MetricRow,
    QueryRow,
    Severity,
    Target,
    WebTestRow,
    build_metric_rows,
    build_query_rows,
)
from constructs_lib.availability import Availability
from constructs_lib.cache import Cache
from constructs_lib.database import Database
from constructs_lib.edge import Edge
from constructs_lib.observability import Observability
from constructs_lib.place import AzureStack, Capability
from constructs_lib.teams import RUNBOOK, Teams
from constructs_lib.web_app import WebApp
from environments.naming import LOCATION_NAMES, Location
from environments.settings import AlertSettings

WARNING: Severity = 2
"""The severity of a warning. Nobody is woken for it."""
DATABASE_CONNECTIONS_SHARE = 0.8
"""The alert on database connections fires above this share of the server's limit."""


class ActionGroup(Capability):
    """The action group (`group`). It sends mail, and posts to Teams if there is a Logic App.

    `mail` sends mail alone. It is the same group if there is no Logic App.

    Args:
        teams: The Logic App that posts to Teams.
        addresses: Whom mail goes to; the account's addresses if there are none.
    """

    def __init__(
        self, scope: AzureStack | Capability, id_: str, *, teams: Teams | None, addresses: Sequence[str] = ()
    ) -> None:
        super().__init__(scope, id_)
        self._addresses = addresses or self.place.account.alert_emails
        self.group = self._add_group("group", self.place.names.compose("action_group"), teams=teams)
        self.mail = self.group
        if teams:
            self.mail = self._add_group("mail", f"{self.place.names.compose('action_group')}-mail", teams=None)

    def _add_group(self, id_: str, name: str, *, teams: Teams | None) -> MonitorActionGroup:
        return MonitorActionGroup(
            self,
            id_,
            name=name,
            # Azure allows 12 characters.
            short_name=f"{self.place.account.workload[:5]}-{self.place.names.environment}",
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            email_receiver=[
                MonitorActionGroupEmailReceiver(name=address, email_address=address, use_common_alert_schema=True)
                for address in self._addresses
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

    def compose_description(self, summary: str, runbook: str) -> str:
        """Return an alert's description: what happened, and the address of the runbook page that says what to do."""
        repository = self.place.account.github_repository
        return f"{summary}{RUNBOOK}https://github.com/{repository}/blob/main/docs/operations/runbook/{runbook}.md"

    def watch_operations(self, rows: Iterable[ActivityRow], target: str) -> None:
        """Notify the group of these operations on `target`, a Resource Manager id."""
        for row in rows:
            self.watch_activity_log(
                row.name,
                target,
                self.compose_description(row.summary, row.runbook),
                MonitorActivityLogAlertCriteria(
                    category="Administrative", operation_name=row.operation, statuses=[row.status]
                ),
            )

    def watch_activity_log(
        self, name: str, target: str, description: str, criteria: MonitorActivityLogAlertCriteria
    ) -> None:
        """Notify the group of activity log entries about `target`, a Resource Manager id, that meet `criteria`."""
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
    """Every alert rule of an environment, and the action group (`action_group`) that the rules notify.

    Args:
        settings: Who hears of alerts, and whether any of them may wake people.
        teams: The Logic App that posts to Teams; None only sends mail.
        edge: The Front Door; None if there is none.
        web_app, database, cache, observability, availability: What the rules watch.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        settings: AlertSettings,
        teams: Teams | None,
        edge: Edge | None,
        web_app: WebApp,
        database: Database,
        cache: Cache,
        observability: Observability,
        availability: Availability,
    ) -> None:
        super().__init__(scope, id_)
        self._group = ActionGroup(self, "action-group", teams=teams, addresses=settings.emails)
        self._most_urgent: Severity = 0 if settings.pages else WARNING
        self.action_group = self._group.group
        self._targets: dict[Target, str] = {
            "app": web_app.app.id,
            "plan": web_app.plan.id,
            "database": database.server.id,
            "cache": cache.redis.id,
            "api_insights": observability.api.id,
        }
        if edge:
            self._targets["edge"] = edge.profile.id
        if teams:
            self._targets["teams"] = teams.workflow.id
        metric_rows = build_metric_rows(
            tests=(availability.compose_name("api"), availability.compose_name("admin")),
            connections=round(DATABASE_CONNECTIONS_SHARE * database.connection_limit),
        )
        for row in (*metric_rows, *EDGE_ROWS, *TEAMS_ROWS):
            if row.target in self._targets:
                self._add_metric_alert(row)
        for row in WEB_TEST_ROWS:
            self._add_web_test_alert(row, availability, observability)
        for row in build_query_rows(app=self.place.names.compose("web_app"), role=web_app.telemetry_role):
            self._add_query_alert(row, observability)
        self._group.watch_operations(ACTIVITY_ROWS, self.place.resource_group_id)
        for row in HEALTH_ROWS:
            self._group.watch_activity_log(
                row.name,
                self._targets[row.target],
                self._group.compose_description(row.summary, row.runbook),
                MonitorActivityLogAlertCriteria(
                    category="ResourceHealth",
                    resource_health=MonitorActivityLogAlertCriteriaResourceHealth(
                        current=["Degraded", "Unavailable"],
                        previous=["Available", "Unknown"],
                        reason=["PlatformInitiated", "Unknown", "UserInitiated"],
                    ),
                ),
            )

    def _limit_severity(self, severity: Severity) -> Severity:
        """Return the severity, or that of a warning in an environment whose alerts wake nobody."""
        return max(severity, self._most_urgent)

    def _add_metric_alert(self, row: MetricRow) -> None:
        dimension = None
        if row.dimension:
            dimension = [
                MonitorMetricAlertCriteriaDimension(
                    name=row.dimension.name, operator="Include", values=list(row.dimension.values)
                )
            ]
        MonitorMetricAlert(
            self,
            row.name,
            name=row.name,
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            scopes=[self._targets[row.target]],
            description=self._group.compose_description(row.summary, row.runbook),
            severity=self._limit_severity(row.severity),
            frequency=_choose_frequency(self._limit_severity(row.severity)),
            window_size=row.window,
            auto_mitigate=True,
            criteria=[
                MonitorMetricAlertCriteria(
                    metric_namespace=METRIC_NAMESPACES[row.target],
                    metric_name=row.metric,
                    aggregation=row.aggregation,
                    operator=row.operator,
                    threshold=row.threshold,
                    dimension=dimension,
                )
            ],
            action=[
                MonitorMetricAlertAction(action_group_id=self._group.mail.id if row.mail_only else self.action_group.id)
            ],
        )

    def _add_query_alert(self, row: QueryRow, observability: Observability) -> None:
        MonitorScheduledQueryRulesAlertV2(
            self,
            row.name,
            name=row.name,
            location=self.place.location,
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            scopes=[observability.workspace.id],
            display_name=row.name,
            description=self._group.compose_description(row.summary, row.runbook),
            severity=self._limit_severity(row.severity),
            evaluation_frequency="PT5M",
            window_duration=row.window,
            auto_mitigation_enabled=True,
            # Azure creates the workspace's tables with their first row, long after the rule.
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

    def _add_web_test_alert(self, row: WebTestRow, availability: Availability, observability: Observability) -> None:
        test = availability.tests[row.test]
        MonitorMetricAlert(
            self,
            row.name,
            name=row.name,
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            scopes=[test.id, observability.api.id],
            description=self._group.compose_description(row.summary, row.runbook),
            severity=self._limit_severity(row.severity),
            frequency=_choose_frequency(self._limit_severity(row.severity)),
            # A window that is shorter than the time between two tests would hardly ever see three places fail.
            window_size=row.window if row.window != "PT5M" or availability.minutes == 5 else "PT15M",
            auto_mitigate=True,
            application_insights_web_test_location_availability_criteria=(
                MonitorMetricAlertApplicationInsightsWebTestLocationAvailabilityCriteria(
                    web_test_id=test.id, component_id=observability.api.id, failed_location_count=row.failed_locations
                )
            ),
            action=[MonitorMetricAlertAction(action_group_id=self.action_group.id)],
        )


def watch_service_health(group: ActionGroup, *, locations: Iterable[Location]) -> None:
    """Notify the group of Azure's incidents and maintenance in these regions.

    Call this once per subscription: a second rule would send every notification twice.
    """
    group.watch_activity_log(
        "service-health",
        group.place.subscription_id,
        group.compose_description("Azure reports trouble or maintenance in a region of ours.", "service-health"),
        MonitorActivityLogAlertCriteria(
            category="ServiceHealth",
            service_health=MonitorActivityLogAlertCriteriaServiceHealth(
                events=["Incident", "Maintenance", "Security", "ActionRequired"],
                locations=["Global", *sorted(LOCATION_NAMES[location] for location in locations)],
            ),
        ),
    )


def _choose_frequency(severity: Severity) -> str:
    return "PT1M" if severity <= 1 else "PT5M"
