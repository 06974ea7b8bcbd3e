"""What Azure takes as a name: lengths, characters, and where it must be the only one.

Written from Azure's pages, not from `environments/naming.py`, so that the two check each other.
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.policy.rule import Problem, Stack, at, rule, wrong

ALPHANUMERIC_AND_HYPHEN = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
NO_TWO_HYPHENS = r"(?!.*--)"
NETWORK = r"[A-Za-z0-9]([\w.-]*\w)?"
MONITOR = r"[^*#&+:<>?@%{}\\/|]*[^*#&+:<>?@%{}\\/|. ]"
LABELS = r"[\w-]{1,63}(\.[\w-]{1,63}){1,33}"
RECORD = r"@|[\w*-]{1,63}(\.[\w-]{1,63})*"
FRONT_DOOR_CHILD = r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?"
EVERYWHERE = ""
GROUP = "resource_group_name"


class NameRule(NamedTuple):
    """How long, of what characters (a pattern for all of it), and within what no other of its type has the same."""

    shortest: int
    longest: int
    pattern: str
    within: str
    """The attribute that says within what; `EVERYWHERE` in all of Azure, or in the tenant."""


NAMES = {
    "azurerm_application_insights": NameRule(1, 260, MONITOR, GROUP),
    "azurerm_application_insights_standard_web_test": NameRule(1, 260, MONITOR, GROUP),
    "azurerm_application_insights_workbook": NameRule(36, 36, r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", EVERYWHERE),
    "azurerm_cdn_frontdoor_custom_domain": NameRule(2, 260, FRONT_DOOR_CHILD, "cdn_frontdoor_profile_id"),
    "azurerm_cdn_frontdoor_endpoint": NameRule(2, 46, FRONT_DOOR_CHILD, EVERYWHERE),
    "azurerm_cdn_frontdoor_firewall_policy": NameRule(1, 128, r"[A-Za-z][A-Za-z0-9]*", GROUP),
    "azurerm_cdn_frontdoor_origin": NameRule(2, 90, FRONT_DOOR_CHILD, "cdn_frontdoor_origin_group_id"),
    "azurerm_cdn_frontdoor_origin_group": NameRule(2, 90, FRONT_DOOR_CHILD, "cdn_frontdoor_profile_id"),
    "azurerm_cdn_frontdoor_profile": NameRule(2, 90, FRONT_DOOR_CHILD, GROUP),
    "azurerm_cdn_frontdoor_route": NameRule(2, 90, FRONT_DOOR_CHILD, "cdn_frontdoor_endpoint_id"),
    "azurerm_cdn_frontdoor_security_policy": NameRule(2, 90, FRONT_DOOR_CHILD, "cdn_frontdoor_profile_id"),
    "azurerm_communication_service": NameRule(1, 63, r"[A-Za-z0-9-]+", EVERYWHERE),
    "azurerm_consumption_budget_resource_group": NameRule(1, 63, r"[\w-]+", "resource_group_id"),
    "azurerm_container_registry": NameRule(5, 50, r"[A-Za-z0-9]+", EVERYWHERE),
    "azurerm_dns_cname_record": NameRule(1, 253, RECORD, "zone_name"),
    "azurerm_dns_ns_record": NameRule(1, 253, RECORD, "zone_name"),
    "azurerm_dns_txt_record": NameRule(1, 253, RECORD, "zone_name"),
    "azurerm_dns_zone": NameRule(3, 253, LABELS, EVERYWHERE),
    "azurerm_email_communication_service": NameRule(1, 63, r"[A-Za-z0-9-]+", EVERYWHERE),
    "azurerm_email_communication_service_domain": NameRule(3, 253, rf"AzureManagedDomain|{LABELS}", "email_service_id"),
    "azurerm_email_communication_service_domain_sender_username": NameRule(
        1, 63, r"[A-Za-z0-9][\w.-]*[A-Za-z0-9]", "email_service_domain_id"
    ),
    "azurerm_federated_identity_credential": NameRule(3, 120, r"[A-Za-z0-9][\w-]*", "user_assigned_identity_id"),
    "azurerm_key_vault": NameRule(3, 24, NO_TWO_HYPHENS + r"[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]", EVERYWHERE),
    "azurerm_linux_web_app": NameRule(2, 60, ALPHANUMERIC_AND_HYPHEN, EVERYWHERE),
    "azurerm_linux_web_app_slot": NameRule(2, 59, r"[A-Za-z0-9-]+", "app_service_id"),
    "azurerm_log_analytics_workspace": NameRule(4, 63, ALPHANUMERIC_AND_HYPHEN, GROUP),
    "azurerm_logic_app_action_custom": NameRule(1, 80, r"[\w ()-]+", "logic_app_id"),
    "azurerm_logic_app_trigger_http_request": NameRule(1, 80, r"[\w ()-]+", "logic_app_id"),
    "azurerm_logic_app_workflow": NameRule(1, 43, r"[\w.()-]+", GROUP),
    "azurerm_managed_redis": NameRule(1, 60, NO_TWO_HYPHENS + ALPHANUMERIC_AND_HYPHEN, EVERYWHERE),
    "azurerm_management_lock": NameRule(1, 90, r"[\w.()-]*[\w()-]", "scope"),
    "azurerm_monitor_action_group": NameRule(1, 260, MONITOR, GROUP),
    "azurerm_monitor_activity_log_alert": NameRule(1, 260, MONITOR, GROUP),
    "azurerm_monitor_autoscale_setting": NameRule(1, 260, MONITOR, GROUP),
    "azurerm_monitor_diagnostic_setting": NameRule(1, 260, MONITOR, "target_resource_id"),
    "azurerm_monitor_metric_alert": NameRule(1, 260, MONITOR, GROUP),
    "azurerm_monitor_scheduled_query_rules_alert_v2": NameRule(1, 260, MONITOR, GROUP),
    "azurerm_network_security_group": NameRule(1, 80, NETWORK, GROUP),
    "azurerm_postgresql_flexible_server": NameRule(3, 63, r"[a-z0-9][a-z0-9-]*[a-z0-9]", EVERYWHERE),
    "azurerm_postgresql_flexible_server_configuration": NameRule(1, 63, r"[a-z_.]+", "server_id"),
    "azurerm_postgresql_flexible_server_database": NameRule(1, 63, r"[A-Za-z_][\w-]*", "server_id"),
    "azurerm_private_dns_zone": NameRule(3, 253, LABELS, GROUP),
    "azurerm_private_dns_zone_virtual_network_link": NameRule(1, 80, NETWORK, "private_dns_zone_name"),
    "azurerm_private_endpoint": NameRule(2, 64, NETWORK, GROUP),
    "azurerm_resource_group": NameRule(1, 90, r"[\w.()-]*[\w()-]", EVERYWHERE),
    "azurerm_role_definition": NameRule(1, 128, r"[\w -]+", EVERYWHERE),
    "azurerm_service_plan": NameRule(1, 60, r"[A-Za-z0-9-]+", GROUP),
    "azurerm_static_web_app": NameRule(1, 40, ALPHANUMERIC_AND_HYPHEN, GROUP),
    "azurerm_storage_account": NameRule(3, 24, r"[a-z0-9]+", EVERYWHERE),
    "azurerm_storage_container": NameRule(3, 63, NO_TWO_HYPHENS + r"[a-z0-9][a-z0-9-]*[a-z0-9]", "storage_account_id"),
    "azurerm_subnet": NameRule(1, 80, NETWORK, "virtual_network_name"),
    "azurerm_user_assigned_identity": NameRule(3, 128, r"[A-Za-z0-9][\w-]*", GROUP),
    "azurerm_virtual_network": NameRule(2, 64, NETWORK, GROUP),
}


@rule(*NAMES)
def names_are_what_azure_takes(stack: Stack) -> Iterator[Problem]:
    """Azure refuses a name in the middle of an apply. Every type that has a name is in the table.

    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
    """
    for resource in stack.of():
        name = at(resource.body, "name")
        if name is None:
            continue
        if resource.type not in NAMES:
            yield wrong(resource, "name", f"must have a row in NAMES: {resource.type} has none")
            continue
        shortest, longest, pattern, _ = NAMES[resource.type]
        if not (shortest <= len(str(name)) <= longest and re.fullmatch(pattern, str(name), re.ASCII)):
            yield wrong(resource, "name", f"must be {shortest} to {longest} characters that match {pattern}")


@rule("azurerm_monitor_action_group")
def short_names_fit_a_text_message(stack: Stack) -> Iterator[Problem]:
    """The action group's short name heads mails and messages: 12 characters.

    https://learn.microsoft.com/azure/azure-monitor/alerts/action-groups
    """
    for group in stack.of("azurerm_monitor_action_group"):
        if not 1 <= len(str(group.body["short_name"])) <= 12:
            yield wrong(group, "short_name", "must be 1 to 12 characters")


@rule(*NAMES)
def names_are_unique(stack: Stack) -> Iterator[Problem]:
    """Two resources of a type with one name are one resource to Azure: the second takes the first over, or fails.

    What must be unique in all of Azure is compared across the stacks.
    https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules (column "Scope")
    """
    seen: dict[tuple[object, ...], str] = {}
    for name, body in {**stack.beside, stack.name: stack.body}.items():
        for resource in Stack(name, body, stack.platform, stack.beside).of(*NAMES):
            within = NAMES[resource.type].within
            owner = "" if within == EVERYWHERE else f"{name}: {at(resource.body, within)}"
            key = (resource.type, str(at(resource.body, "name")).lower(), owner)
            if (first := seen.setdefault(key, resource.address)) != resource.address and name == stack.name:
                yield wrong(resource, "name", f"must differ from the name of {first}")
