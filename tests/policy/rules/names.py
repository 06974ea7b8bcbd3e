"""What Azure accepts as a name: its length, its characters, and the scope in which it must be unique.

The table is written from Azure's pages, not from `environments/naming.py`, so that the two check each other.
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.policy.rule import Stack, Violation, get_value, rule

ALPHANUMERIC_AND_HYPHEN = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
NO_TWO_HYPHENS = r"(?!.*--)"
NETWORK = r"[A-Za-z0-9]([\w.-]*\w)?"
MONITOR = r"[^*#&+:<>?@%{}\\/|]*[^*#&+:<>?@%{}\\/|. ]"
LABELS = r"[\w-]{1,63}(\.[\w-]{1,63}){1,33}"
RECORD = r"@|[\w*-]{1,63}(\.[\w-]{1,63})*"
FRONT_DOOR_CHILD = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
EVERYWHERE = ""
GROUP = "resource_group_name"


class AzureNameRule(NamedTuple):
    """Azure's rule for the name of a resource type."""

    shortest: int
    longest: int
    pattern: str
    """A pattern for the whole name."""
    scope: str
    """The attribute that holds the scope in which a name is unique; `EVERYWHERE` for all of Azure, or the tenant."""


NAMES = {
    "azurerm_application_insights": AzureNameRule(1, 260, MONITOR, GROUP),
    "azurerm_application_insights_standard_web_test": AzureNameRule(1, 260, MONITOR, GROUP),
    "azurerm_application_insights_workbook": AzureNameRule(
        36, 36, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", EVERYWHERE
    ),
    "azurerm_cdn_frontdoor_custom_domain": AzureNameRule(2, 260, FRONT_DOOR_CHILD, "cdn_frontdoor_profile_id"),
    "azurerm_cdn_frontdoor_endpoint": AzureNameRule(2, 46, FRONT_DOOR_CHILD, EVERYWHERE),
    "azurerm_cdn_frontdoor_firewall_policy": AzureNameRule(1, 128, r"[A-Za-z][A-Za-z0-9]*", GROUP),
    "azurerm_cdn_frontdoor_origin": AzureNameRule(2, 90, FRONT_DOOR_CHILD, "cdn_frontdoor_origin_group_id"),
    "azurerm_cdn_frontdoor_origin_group": AzureNameRule(2, 90, FRONT_DOOR_CHILD, "cdn_frontdoor_profile_id"),
    "azurerm_cdn_frontdoor_profile": AzureNameRule(2, 90, FRONT_DOOR_CHILD, GROUP),
    "azurerm_cdn_frontdoor_route": AzureNameRule(2, 90, FRONT_DOOR_CHILD, "cdn_frontdoor_endpoint_id"),
    "azurerm_cdn_frontdoor_security_policy": AzureNameRule(2, 90, FRONT_DOOR_CHILD, "cdn_frontdoor_profile_id"),
    "azurerm_communication_service": AzureNameRule(1, 63, r"[A-Za-z0-9-]+", EVERYWHERE),
    "azurerm_container_app_environment": AzureNameRule(2, 60, r"[A-Za-z0-9][A-Za-z0-9-]*[A-Za-z0-9]", GROUP),
    "azurerm_container_app_job": AzureNameRule(1, 32, NO_TWO_HYPHENS + r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", GROUP),
    "azurerm_consumption_budget_resource_group": AzureNameRule(1, 63, r"[\w-]+", "resource_group_id"),
    "azurerm_container_registry": AzureNameRule(5, 50, r"[A-Za-z0-9]+", EVERYWHERE),
    "azurerm_dns_cname_record": AzureNameRule(1, 253, RECORD, "zone_name"),
    "azurerm_dns_ns_record": AzureNameRule(1, 253, RECORD, "zone_name"),
    "azurerm_dns_txt_record": AzureNameRule(1, 253, RECORD, "zone_name"),
    "azurerm_dns_zone": AzureNameRule(3, 253, LABELS, EVERYWHERE),
    "azurerm_email_communication_service": AzureNameRule(1, 63, r"[A-Za-z0-9-]+", EVERYWHERE),
    "azurerm_email_communication_service_domain": AzureNameRule(
        3, 253, rf"AzureManagedDomain|{LABELS}", "email_service_id"
    ),
    "azurerm_email_communication_service_domain_sender_username": AzureNameRule(
        1, 63, r"[A-Za-z0-9][\w.-]*[A-Za-z0-9]", "email_service_domain_id"
    ),
    "azurerm_federated_identity_credential": AzureNameRule(3, 120, r"[A-Za-z0-9][\w-]*", "user_assigned_identity_id"),
    "azurerm_key_vault": AzureNameRule(3, 24, NO_TWO_HYPHENS + r"[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]", EVERYWHERE),
    "azurerm_linux_web_app": AzureNameRule(2, 60, ALPHANUMERIC_AND_HYPHEN, EVERYWHERE),
    "azurerm_linux_web_app_slot": AzureNameRule(2, 59, r"[A-Za-z0-9-]+", "app_service_id"),
    "azurerm_log_analytics_workspace": AzureNameRule(4, 63, ALPHANUMERIC_AND_HYPHEN, GROUP),
    "azurerm_logic_app_action_custom": AzureNameRule(1, 80, r"[\w ()-]+", "logic_app_id"),
    "azurerm_logic_app_trigger_http_request": AzureNameRule(1, 80, r"[\w ()-]+", "logic_app_id"),
    "azurerm_logic_app_workflow": AzureNameRule(1, 43, r"[\w.()-]+", GROUP),
    "azurerm_managed_redis": AzureNameRule(1, 60, NO_TWO_HYPHENS + ALPHANUMERIC_AND_HYPHEN, EVERYWHERE),
    "azurerm_management_lock": AzureNameRule(1, 90, r"[\w.()-]*[\w()-]", "scope"),
    "azurerm_monitor_action_group": AzureNameRule(1, 260, MONITOR, GROUP),
    "azurerm_monitor_activity_log_alert": AzureNameRule(1, 260, MONITOR, GROUP),
    "azurerm_monitor_autoscale_setting": AzureNameRule(1, 260, MONITOR, GROUP),
    "azurerm_monitor_diagnostic_setting": AzureNameRule(1, 260, MONITOR, "target_resource_id"),
    "azurerm_monitor_metric_alert": AzureNameRule(1, 260, MONITOR, GROUP),
    "azurerm_monitor_scheduled_query_rules_alert_v2": AzureNameRule(1, 260, MONITOR, GROUP),
    "azurerm_network_security_group": AzureNameRule(1, 80, NETWORK, GROUP),
    "azurerm_postgresql_flexible_server": AzureNameRule(3, 63, r"[a-z0-9][a-z0-9-]*[a-z0-9]", EVERYWHERE),
    "azurerm_postgresql_flexible_server_configuration": AzureNameRule(1, 63, r"[a-z_.]+", "server_id"),
    "azurerm_postgresql_flexible_server_database": AzureNameRule(1, 63, r"[A-Za-z_][\w-]*", "server_id"),
    "azurerm_private_dns_zone": AzureNameRule(3, 253, LABELS, GROUP),
    "azurerm_private_dns_zone_virtual_network_link": AzureNameRule(1, 80, NETWORK, "private_dns_zone_name"),
    "azurerm_private_endpoint": AzureNameRule(2, 64, NETWORK, GROUP),
    "azurerm_resource_group": AzureNameRule(1, 90, r"[\w.()-]*[\w()-]", EVERYWHERE),
    "azurerm_role_definition": AzureNameRule(1, 128, r"[\w -]+", EVERYWHERE),
    "azurerm_service_plan": AzureNameRule(1, 60, r"[A-Za-z0-9-]+", GROUP),
    "azurerm_static_web_app": AzureNameRule(1, 40, ALPHANUMERIC_AND_HYPHEN, GROUP),
    "azurerm_storage_account": AzureNameRule(3, 24, r"[a-z0-9]+", EVERYWHERE),
    "azurerm_storage_container": AzureNameRule(
        3, 63, NO_TWO_HYPHENS + r"[a-z0-9][a-z0-9-]*[a-z0-9]", "storage_account_id"
    ),
    "azurerm_subnet": AzureNameRule(1, 80, NETWORK, "virtual_network_name"),
    "azurerm_user_assigned_identity": AzureNameRule(3, 128, r"[A-Za-z0-9][\w-]*", GROUP),
    "azurerm_virtual_network": AzureNameRule(2, 64, NETWORK, GROUP),
}


@rule(*NAMES)
def names_keep_to_azures_rules(stack: Stack) -> Iterator[Violation]:
    """Names keep to Azure's rules, and every type that has a name has a row in `NAMES`.

    Otherwise Azure refuses the name in the middle of an apply.
    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    """
    for resource in stack.find_resources():
        name = get_value(resource.body, "name")
        if name is None:
            continue
        if resource.type not in NAMES:
            yield Violation.of(resource, "name", f"must have a row in NAMES: {resource.type} has none")
            continue
        shortest, longest, pattern, _ = NAMES[resource.type]
        if not (shortest <= len(str(name)) <= longest and re.fullmatch(pattern, str(name), re.ASCII)):
            yield Violation.of(resource, "name", f"must be {shortest} to {longest} characters that match {pattern}")


@rule("azurerm_monitor_action_group")
def short_names_fit_a_text_message(stack: Stack) -> Iterator[Violation]:
    """The short name of an action group has at most 12 characters. It is the heading of mails and text messages.

    https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups
    """
    for group in stack.find_resources("azurerm_monitor_action_group"):
        if not 1 <= len(str(group.body["short_name"])) <= 12:
            yield Violation.of(group, "short_name", "must be 1 to 12 characters")


@rule(*NAMES)
def names_are_unique(stack: Stack) -> Iterator[Violation]:
    """No two resources of a type have the same name in the scope in which it must be unique.

    To Azure they would be one resource: the second would take over the first, or fail. Names that must be unique in all
    of Azure are compared across the stacks.
    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules (column "Scope")
    """
    owners: dict[tuple[str, str, str], str] = {}
    for name, body in {**stack.bodies, stack.name: stack.body}.items():
        for resource in Stack(name, body, stack.platform, stack.bodies).find_resources(*NAMES):
            attribute = NAMES[resource.type].scope
            scope = "" if attribute == EVERYWHERE else f"{name}: {get_value(resource.body, attribute)}"
            key = (resource.type, str(get_value(resource.body, "name")).lower(), scope)
            first = owners.setdefault(key, resource.address)
            if first != resource.address and name == stack.name:
                yield Violation.of(resource, "name", f"must differ from the name of {first}")
