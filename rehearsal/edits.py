"""One change in place for every resource type of the stacks, so that a rehearsal can apply it and take it back."""

import copy
from collections.abc import Callable
from typing import cast

from rehearsal.stand_in.model import Json

Edit = Callable[[Json], None]
"""Changes one resource's arguments, as they stand in the Terraform JSON."""

TAG = "rehearsed"
"""The tag that every resource with tags gets."""

WITHOUT_EDIT = frozenset(
    {
        "azurerm_cdn_frontdoor_security_policy",
        "azurerm_communication_service_email_domain_association",
        "azurerm_federated_identity_credential",
        "azurerm_management_lock",
        "azurerm_postgresql_flexible_server_active_directory_administrator",
        "azurerm_postgresql_flexible_server_configuration",
        "azurerm_postgresql_flexible_server_database",
        "azurerm_role_assignment",
        "azurerm_subnet_network_security_group_association",
    }
)
"""The types without tags of which every argument makes a new resource, or has one right value here.

The provider's documentation says "Changing this forces a new resource to be created" of the arguments.
"""


def _set(name: str, value: object) -> Edit:
    def edit(resource: Json) -> None:
        resource[name] = value

    return edit


def _append(name: str, value: object) -> Edit:
    def edit(resource: Json) -> None:
        resource[name] = [*resource.get(name, []), value]

    return edit


def _add(name: str, number: int) -> Edit:
    def edit(resource: Json) -> None:
        resource[name] = resource[name] + number

    return edit


def _edit_first(block: str, edit: Edit) -> Edit:
    """Change the first block of this name."""

    def edit_block(resource: Json) -> None:
        edit(resource[block][0])

    return edit_block


def _drop_last_log(resource: Json) -> None:
    if len(resource.get("enabled_log", [])) > 1:
        resource["enabled_log"] = resource["enabled_log"][:-1]


def _wait_a_day_longer(resource: Json) -> None:
    for rule in resource["rule"]:
        for days in cast(list[dict[str, int]], list(rule["actions"].values())):
            for name in days:
                days[name] += 1


EDITS: dict[str, Edit] = {
    "azurerm_application_insights": _set("sampling_percentage", 50),
    "azurerm_application_insights_standard_web_test": _set("description", "Edited"),
    "azurerm_application_insights_workbook": _set("display_name", "Edited"),
    "azurerm_cdn_frontdoor_firewall_policy": _set("custom_block_response_status_code", 406),
    "azurerm_cdn_frontdoor_origin": _set("weight", 900),
    "azurerm_cdn_frontdoor_origin_group": _set("restore_traffic_time_to_healed_or_new_endpoint_in_minutes", 7),
    "azurerm_cdn_frontdoor_profile": _set("response_timeout_seconds", 45),
    "azurerm_cdn_frontdoor_route": _set("patterns_to_match", ["/edited/*"]),
    "azurerm_consumption_budget_resource_group": _add("amount", 1),
    "azurerm_container_app_environment": _set("mutual_tls_enabled", value=True),
    "azurerm_container_app_job": _add("replica_timeout_in_seconds", 60),
    "azurerm_dns_cname_record": _set("ttl", 120),
    "azurerm_dns_ns_record": _set("ttl", 120),
    "azurerm_dns_txt_record": _set("ttl", 120),
    "azurerm_key_vault": _set("enabled_for_template_deployment", value=True),
    "azurerm_linux_web_app": _set("client_affinity_enabled", value=True),
    "azurerm_linux_web_app_slot": _set("client_affinity_enabled", value=True),
    "azurerm_log_analytics_workspace": _set("daily_quota_gb", 7),
    "azurerm_logic_app_action_custom": lambda resource: resource.update(
        body=resource["body"].replace('"runAfter"', '"description":"Edited","runAfter"', 1)
    ),
    "azurerm_logic_app_trigger_http_request": _set("method", "PUT"),
    "azurerm_monitor_action_group": _set("short_name", "edited"),
    "azurerm_monitor_activity_log_alert": _set("description", "Edited"),
    "azurerm_monitor_autoscale_setting": _set("enabled", value=False),
    "azurerm_monitor_diagnostic_setting": _drop_last_log,
    "azurerm_monitor_metric_alert": _set("description", "Edited"),
    "azurerm_monitor_scheduled_query_rules_alert_v2": _set("description", "Edited"),
    "azurerm_network_security_group": _edit_first("security_rule", _set("description", "Edited")),
    "azurerm_postgresql_flexible_server": _set("backup_retention_days", 21),
    "azurerm_role_definition": _set("description", "Edited"),
    "azurerm_service_plan": _set("per_site_scaling_enabled", value=True),
    "azurerm_static_web_app": _set("preview_environments_enabled", value=True),
    "azurerm_storage_account": _set("access_tier", "Cool"),
    "azurerm_storage_container": _set("metadata", {"edited": "yes"}),
    "azurerm_storage_container_immutability_policy": _add("immutability_period_in_days", 1),
    "azurerm_storage_management_policy": _wait_a_day_longer,
    "azurerm_subnet": _append("service_endpoints", "Microsoft.ServiceBus"),
    "azurerm_virtual_network": _set("flow_timeout_in_minutes", 10),
}
"""The changes by type. A type that is not here has tags alone."""


def edit_every_type(stack: Json) -> Json:
    """Return a copy of a stack's Terraform JSON in which every resource that allows it has one change in place."""
    edited: Json = copy.deepcopy(stack)
    for type_, resources in edited["resource"].items():
        for resource in resources.values():
            if type_ in EDITS:
                EDITS[type_](resource)
            if "tags" in resource:
                resource["tags"] = resource["tags"] | {TAG: "yes"}
    return edited
