"""Logs, Application Insights, alerts, action groups, diagnostic settings and autoscale."""

import re
import uuid

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.ids import parse_id
from rehearsal.stand_in.model import (
    ESTIMATE,
    Json,
    RefusedError,
    Resource,
    ResourceType,
    Store,
    Write,
    get_objects,
    get_strings,
    make_bad_request,
    make_conflict,
)
from rehearsal.stand_in.monitored_types import find_diagnostics, find_metric, list_metric_categories
from rehearsal.stand_in.routes import Route, RouteRequest

WORKSPACE = "Microsoft.OperationalInsights/workspaces"
COMPONENT = "Microsoft.Insights/components"
WEB_TEST = "Microsoft.Insights/webTests"
ACTION_GROUP = "Microsoft.Insights/actionGroups"
DETECTOR_RULE = "Microsoft.AlertsManagement/smartDetectorAlertRules"
DIAGNOSTICS = "Microsoft.Insights/diagnosticSettings"


def _complete_workspace(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/loganalytics/workspaces/create-or-update."""
    write.require("location")
    properties = write.properties
    previous = write.previous.properties if write.previous else {}
    # The provider sends 0 for a workspace without a retention of its own, and Azure takes 30 days.
    retention = properties["retentionInDays"] = properties.get("retentionInDays") or 30
    if retention not in (7, 30) and not 30 <= retention <= 730:
        raise make_bad_request(f"Logs are kept for 30 to 730 days, not {retention}.", "InvalidRetention")
    properties["customerId"] = previous.get("customerId") or str(uuid.uuid4())
    properties.setdefault("sku", {"name": "PerGB2018"})
    properties["sku"]["name"] = str(properties["sku"]["name"])
    properties.setdefault("publicNetworkAccessForIngestion", "Enabled")
    properties.setdefault("publicNetworkAccessForQuery", "Enabled")
    properties.setdefault("workspaceCapping", {"dailyQuotaGb": -1})
    properties.setdefault("features", {}).setdefault("enableLogAccessUsingOnlyResourcePermissions", True)
    properties["features"].setdefault("disableLocalAuth", False)


def _list_shared_keys(_: Store, workspace: Resource, __: Json) -> Json:
    return {
        "primarySharedKey": f"log-primary-{workspace.id.name}",
        "secondarySharedKey": f"log-secondary-{workspace.id.name}",
    }


def _complete_component(write: Write) -> None:
    write.require("location", "kind", "properties.Application_Type")
    if workspace := write.properties.get("WorkspaceResourceId"):
        write.require_reference(workspace, WORKSPACE)
    else:  # https://learn.microsoft.com/azure/azure-monitor/app/create-workspace-resource
        raise make_bad_request(
            "Classic Application Insights are retired: WorkspaceResourceId is required "
            "(https://learn.microsoft.com/azure/azure-monitor/app/convert-classic-resource).",
            "BadRequest",
        )
    previous = write.previous.properties if write.previous else {}
    key = previous.get("InstrumentationKey") or str(uuid.uuid4())
    app = previous.get("AppId") or str(uuid.uuid4())
    write.properties.update(
        InstrumentationKey=key,
        AppId=app,
        ApplicationId=write.id.name,
        ConnectionString=f"InstrumentationKey={key};IngestionEndpoint=https://eastus2-0.in.applicationinsights.azure.com/;"
        f"LiveEndpoint=https://eastus2.livediagnostics.monitor.azure.com/;ApplicationId={app}",
        IngestionMode="LogAnalytics",
    )
    write.properties.setdefault("RetentionInDays", 90)
    write.properties.setdefault("DisableIpMasking", False)
    write.properties.setdefault("DisableLocalAuth", False)
    write.properties.setdefault("publicNetworkAccessForIngestion", "Enabled")
    write.properties.setdefault("publicNetworkAccessForQuery", "Enabled")
    # Azure makes this rule by itself: https://learn.microsoft.com/azure/azure-monitor/alerts/proactive-failure-diagnostics.
    write.store.ensure(
        f"{write.id.path.rsplit('/providers/', 1)[0]}/providers/{DETECTOR_RULE}/Failure Anomalies - {write.id.name}",
        {"location": "global", "properties": {"state": "Enabled", "severity": "Sev3", "scope": [write.id.path]}},
    )
    write.store.ensure(
        f"{write.id.path}/currentBillingFeatures/default",
        {
            "CurrentBillingFeatures": ["Basic"],
            "DataVolumeCap": {
                "Cap": 100.0,
                "ResetTime": 0,
                "StopSendNotificationWhenHitCap": False,
                "WarningThreshold": 90,
            },
        },
    )


def _answer_billing_features(request: RouteRequest) -> Json:
    """Read or update the billing features of a component. Their path ends without a name."""
    features = request.store.find(f"{request.match[1]}/currentBillingFeatures/default")
    if features is None:
        raise make_bad_request(f"'{request.match[1]}' does not exist.", "ResourceNotFound")
    for name, value in request.body.items():
        features.body[name] = {**features.body[name], **value} if isinstance(value, dict) else value
    return {name: features.body[name] for name in ("CurrentBillingFeatures", "DataVolumeCap")}


def _complete_web_test(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/application-insights/web-tests/create-or-update."""
    write.require("location", "properties.SyntheticMonitorId", "properties.Locations")
    tags: dict[str, str] = write.body.get("tags") or {}
    links = [name for name in tags if name.startswith("hidden-link:")]
    if len(links) != 1:
        raise make_bad_request("A web test has one tag 'hidden-link:COMPONENT'.", "HiddenLinkMissing")
    write.require_reference(links[0].removeprefix("hidden-link:"), COMPONENT)
    write.properties["provisioningState"] = "Succeeded"


def _complete_action_group(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/monitor/action-groups/create-or-update."""
    write.require("location", "properties.groupShortName")
    if len(write.properties["groupShortName"]) > 12:
        raise make_bad_request("A short name has 12 characters at most.", "InvalidGroupShortName")
    for receiver in get_objects(write.properties, "emailReceivers"):
        receiver["status"] = "Enabled"


def _require_action_groups(write: Write, *ids: object) -> None:
    for id_ in ids:
        if isinstance(id_, str):
            write.require_reference(id_, ACTION_GROUP)


def _require_scopes(write: Write) -> None:
    write.require("properties.scopes")
    for scope in write.properties["scopes"]:
        if write.store.find(scope) is None:
            raise make_bad_request(f"The scope '{scope}' of '{write.id.name}' does not exist.", "ResourceNotFoundError")


def _complete_metric_alert(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/monitor/metric-alerts/create-or-update."""
    write.require("location", "properties.criteria", "properties.severity")
    write.require_choice("properties.severity", 0, 1, 2, 3, 4)
    write.require_choice("properties.evaluationFrequency", "PT1M", "PT5M", "PT15M", "PT30M", "PT1H")
    write.require_choice("properties.windowSize", "PT1M", "PT5M", "PT15M", "PT30M", "PT1H", "PT6H", "PT12H", "P1D")
    _require_scopes(write)
    _require_metrics(write)
    actions = get_objects(write.properties, "actions")
    _require_action_groups(write, *(action.get("actionGroupId") for action in actions))


def _require_metrics(write: Write) -> None:
    """Check each criterion against the table of its metric. A window is at least the metric's finest time grain.

    https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-troubleshoot-metric
    """
    window = _count_minutes(write.properties["windowSize"])
    for criterion in get_objects(write.properties, "criteria.allOf"):
        namespace, name = criterion.get("metricNamespace", ""), criterion.get("metricName", "")
        metric = find_metric(namespace, name)
        if metric is None:
            raise RefusedError(
                501,
                "RehearsalUnknownMetric",
                f"The rehearsal does not know the metric '{name}' of '{namespace}'. If Azure has it, "
                "add it to monitored_types.py: https://learn.microsoft.com/azure/azure-monitor/reference/metrics-index",
            )
        if criterion.get("timeAggregation") not in metric.aggregations:
            allowed = ", ".join(sorted(metric.aggregations))
            raise make_bad_request(f"'{name}' has no aggregation '{criterion.get('timeAggregation')}', but {allowed}.")
        for dimension in get_objects(criterion, "dimensions"):
            if dimension["name"] not in metric.dimensions:
                raise make_bad_request(f"'{name}' has no dimension '{dimension['name']}'.")
        if window < metric.grain_minutes:
            raise make_bad_request(f"'{name}' is sampled every {metric.grain_minutes} minutes, the window is shorter.")


def _count_minutes(duration: str) -> int:
    """Return the minutes of a window size such as PT5M, PT1H or P1D."""
    number = int(re.sub(r"[^0-9]", "", duration))
    return number * {"M": 1, "H": 60, "D": 24 * 60}[duration[-1]]


def _complete_query_rule(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/monitor/scheduled-query-rules/create-or-update."""
    write.require("location", "properties.criteria")
    _refuse_words_of_slow_queries(write)
    write.require_choice("properties.severity", 0, 1, 2, 3, 4)
    _require_scopes(write)
    _require_action_groups(write, *get_strings(write.body, "properties.actions.actionGroups"))
    write.body["kind"] = "LogAlert"
    write.properties.update(createdWithApiVersion="2023-12-01", isLegacyLogAnalyticsRule=False)


def _refuse_words_of_slow_queries(write: Write) -> None:
    """Refuse what a query that runs every minute may not use.

    https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-create-log-alert-rule#frequency-considerations names
    search, union and take, and limits of the optimizer that only Azure knows.
    """
    if write.properties.get("evaluationFrequency") != "PT1M":
        return
    for criterion in get_objects(write.properties, "criteria.allOf"):
        if found := re.search(r"\b(search|union|take|limit)\b", str(criterion.get("query", ""))):
            message = f"A rule that is evaluated every minute cannot use '{found[0]}'."
            raise make_bad_request(message, "OneMinuteFrequencyNotSupported")


def _complete_activity_alert(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/monitor/activity-log-alerts/create-or-update."""
    _require_scopes(write)
    groups = get_objects(write.body, "properties.actions.actionGroups")
    _require_action_groups(write, *(group.get("actionGroupId") for group in groups))


def _complete_diagnostics(write: Write) -> None:
    """Check that a resource has at most five settings, and that no two send a category to the same workspace.

    https://learn.microsoft.com/azure/azure-monitor/platform/diagnostic-settings
    """
    workspace = write.properties.get("workspaceId")
    if workspace:
        # https://github.com/MicrosoftDocs/azure-docs/issues/80159
        write.require_reference(workspace, WORKSPACE, "sharedKeys/action")
    siblings = [
        setting
        for setting in write.store.list_resources(DIAGNOSTICS, write.id.scope)
        if setting.id.scope.lower() == write.id.scope.lower() and setting.id.key != write.id.key
    ]
    if len(siblings) >= 5:
        raise make_conflict("A resource has five diagnostic settings at most.", "DiagnosticSettingsLimitExceeded")
    _require_categories(write)
    categories = _get_log_categories(write.resource)
    for other in siblings:
        common = categories & _get_log_categories(other)
        if workspace and other.properties.get("workspaceId") == workspace and common:
            raise make_conflict(f"'{other.id.name}' sends {common} there already.", "DataSinkAlreadyUsed")


def _require_categories(write: Write) -> None:
    """Check that the type of the resource has diagnostic settings, and each category that is asked for.

    https://learn.microsoft.com/azure/azure-monitor/reference/logs-index
    """
    type_ = parse_id(write.id.scope).type
    diagnostics = find_diagnostics(type_)
    if diagnostics is None:
        message = f"The resource type '{type_.lower()}' does not support diagnostic settings."
        raise make_bad_request(message, "ResourceTypeNotSupported")
    for log in get_objects(write.properties, "logs"):
        if (category := log.get("category")) and category not in diagnostics.logs:
            raise make_bad_request(f"Category '{category}' is not supported. Allowed: {sorted(diagnostics.logs)}.")
    for metric in get_objects(write.properties, "metrics"):
        if (category := metric.get("category")) not in list_metric_categories(type_):
            raise make_bad_request(f"Metric category '{category}' is not supported.")


def _get_log_categories(setting: Resource) -> set[str | None]:
    logs = get_objects(setting.properties, "logs")
    return {log.get("category") or log.get("categoryGroup") for log in logs}


def _complete_autoscale(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/monitor/autoscale-settings/create-or-update."""
    write.require("location", "properties.profiles", "properties.targetResourceUri")
    if write.store.find(write.properties["targetResourceUri"]) is None:
        raise make_bad_request("The target of the autoscale setting does not exist.", "TargetResourceNotFound")
    for profile in write.properties["profiles"]:
        low, default, high = (int(profile["capacity"][name]) for name in ("minimum", "default", "maximum"))
        if not low <= default <= high:
            raise make_bad_request("minimum <= default <= maximum does not hold.", "InvalidScaleCapacity")


def _complete_workbook(write: Write) -> None:
    """The name must be a GUID: https://learn.microsoft.com/rest/api/application-insights/workbooks/create-or-update."""
    write.require("location", "properties.displayName", "properties.serializedData")
    try:
        uuid.UUID(write.id.name)
    except ValueError:
        raise make_bad_request(f"The name '{write.id.name}' of a workbook is no GUID.", "InvalidResourceName") from None


_TYPES = (
    ResourceType(
        WORKSPACE,
        _complete_workspace,
        minutes=0.5,
        source=ESTIMATE,
        actions={"sharedKeys": _list_shared_keys},
    ),
    ResourceType(COMPONENT, _complete_component, created_status=200),
    ResourceType(f"{COMPONENT}/currentBillingFeatures"),
    ResourceType(DETECTOR_RULE),
    ResourceType(WEB_TEST, _complete_web_test, created_status=200),
    ResourceType("Microsoft.Insights/workbooks", _complete_workbook),
    ResourceType(ACTION_GROUP, _complete_action_group),
    ResourceType("Microsoft.Insights/activityLogAlerts", _complete_activity_alert),
    ResourceType("Microsoft.Insights/metricAlerts", _complete_metric_alert, created_status=200),
    ResourceType("Microsoft.Insights/scheduledQueryRules", _complete_query_rule),
    ResourceType(DIAGNOSTICS, _complete_diagnostics, created_status=200),
    ResourceType("Microsoft.Insights/autoscaleSettings", _complete_autoscale),
)
_BILLING = rf"(/subscriptions/[^/]+/resourceGroups/[^/]+/providers/{COMPONENT}/[^/]+)/currentBillingFeatures"
_ROUTES = (
    Route("GET", _BILLING, f"{COMPONENT}/currentBillingFeatures/read", _answer_billing_features),
    Route("PUT", _BILLING, f"{COMPONENT}/currentBillingFeatures/write", _answer_billing_features),
    # The provider asks for this before it creates a workspace: https://github.com/hashicorp/terraform-provider-azurerm/issues/29392
    Route(
        "GET",
        r"/subscriptions/[^/]+/providers/Microsoft.OperationalInsights/deletedWorkspaces",
        "Microsoft.OperationalInsights/deletedWorkspaces/read",
        lambda _: {"value": []},
    ),
)
FAMILY = Family(_TYPES, _ROUTES)
