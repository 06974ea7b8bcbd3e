"""What the resource types of this platform hold: data, a name that others depend on, a protection, or nothing.

Every type that is synthesized is in exactly one of HOLDS_DATA, HOLDS_A_NAME, PROTECTS and REPLACEABLE. These tables are
the only ones: the plan guard reads them, and so does the policy over synthesized JSON, tests/policy/rules/data.py. A
type that is in none of them is treated as one that holds data until somebody adds it here.
"""

from collections.abc import Mapping
from typing import NamedTuple

HOLDS_DATA: Mapping[str, str] = {
    "azurerm_communication_service": "the connection string that the API sends mail with",
    "azurerm_container_registry": "every image, also those that a rollback needs",
    "azurerm_dns_zone": "its records, and its name servers, which the parent zone or the registrar names",
    "azurerm_email_communication_service": "the mail domains in it, with their verification",
    "azurerm_email_communication_service_domain": "the domain's verification, and mail until it is done again",
    "azurerm_key_vault": "every secret; its name stays taken while it is soft-deleted",
    "azurerm_log_analytics_workspace": "logs, and the audit trail",
    "azurerm_managed_redis": "sessions, live bids, and its host name",
    "azurerm_postgresql_flexible_server": "the databases, and all backups of them",
    "azurerm_postgresql_flexible_server_database": "the application's data",
    "azurerm_resource_group": "all that is in it",
    "azurerm_static_web_app": "the deployed admin site, and the default host name that DNS points at",
    "azurerm_storage_account": "every blob, and its name, which anybody can then take",
    "azurerm_storage_container": "every blob in it: uploads, evidence, or Terraform's state",
}
"""By type: what is lost with the resource.

The guard refuses a plan that loses one of these. In the synthesized JSON each has an address that does not depend on
where its construct stands in the code, and `prevent_destroy` unless the environment is disposable.
"""

NO_LOCK_OF_ITS_OWN: Mapping[str, str] = {
    "azurerm_container_registry": "the rights to pull inherit its lock, and must go with an environment",
    "azurerm_dns_zone": "its records would inherit the lock, and they must be removable",
    "azurerm_email_communication_service_domain": "the lock of its email communication service covers it",
    "azurerm_postgresql_flexible_server_database": "the lock of its server covers it",
    "azurerm_resource_group": "everything in it would inherit the lock",
    "azurerm_static_web_app": "a delivery replaces its builds, which would inherit the lock",
    "azurerm_storage_container": "the lock of its storage account covers it",
}
"""By type: why a resource that holds data has no management lock of its own.

Azure's locks are inherited by everything below the resource that bears them:
https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources#lock-inheritance
"""

LOCKED = frozenset(HOLDS_DATA) - frozenset(NO_LOCK_OF_ITS_OWN)
"""The types that hold data and have a CanNotDelete lock of their own, unless the environment is disposable."""

HOLDS_A_NAME: Mapping[str, str] = {
    "azurerm_app_service_custom_hostname_binding": "the API's host name, until it has a certificate again",
    "azurerm_cdn_frontdoor_custom_domain": "the API's host name, until it is validated and has a certificate again",
    "azurerm_cdn_frontdoor_endpoint": "the endpoint's host name, which DNS points at",
    "azurerm_linux_web_app": "the deployed image, which Terraform does not know, and the default host name",
    "azurerm_linux_web_app_slot": "the deployed image, which Terraform does not know",
    "azurerm_private_dns_zone": "the private addresses of database and cache, which their endpoints have written there",
    "azurerm_static_web_app_custom_domain": "the admin site's host name, until it is validated again",
    "azurerm_user_assigned_identity": "the client and object IDs that GitHub, the database and the roles know it by",
}
"""By type: the name, host name or ID that others depend on, and that a new resource would not have at once.

Such a resource holds no data, but the guard refuses to lose it.
"""

PROTECTS: Mapping[str, str] = {
    "azurerm_management_lock": "Azure's refusal to delete what the lock stands on",
    "azurerm_storage_container_immutability_policy": "the container's protection against changed or deleted blobs",
}
"""By type: the protection that ends with the resource. The guard refuses to lose it."""


class InPlaceLoss(NamedTuple):
    """Something that the provider deletes while it changes a resource in place."""

    block: str
    """The block whose removal deletes it, if there was one before."""
    attributes: tuple[str, ...]
    """The attributes of the block with whose change the provider deletes it and makes it anew."""
    lost: str


LOST_IN_PLACE: Mapping[str, InPlaceLoss] = {
    # internal/services/managedredis/managed_redis_resource.go, lines 552 to 572: Update deletes the database.
    "azurerm_managed_redis": InPlaceLoss(
        "default_database",
        ("clustering_policy", "geo_replication_group_name", "module"),
        "every key in the database: sessions and live bids. The provider deletes the database and makes it anew",
    ),
}
"""By type: what an update deletes, although the plan calls it a change in place.

Taken from the Update function of every type that is synthesized, in azurerm 4.81.0. The others delete nothing that
holds data: azurerm_key_vault removes contacts; azurerm_linux_web_app and its slot remove the connection to a network
(`virtual_network_subnet_id`) and the schedule of backups (`backup`).
"""

REPLACEABLE = frozenset(
    {
        "azurerm_app_service_certificate_binding",
        "azurerm_app_service_managed_certificate",
        "azurerm_application_insights",
        "azurerm_application_insights_standard_web_test",
        "azurerm_application_insights_workbook",
        "azurerm_cdn_frontdoor_custom_domain_association",
        "azurerm_cdn_frontdoor_firewall_policy",
        "azurerm_cdn_frontdoor_origin",
        "azurerm_cdn_frontdoor_origin_group",
        "azurerm_cdn_frontdoor_profile",
        "azurerm_cdn_frontdoor_route",
        "azurerm_cdn_frontdoor_security_policy",
        "azurerm_communication_service_email_domain_association",
        "azurerm_consumption_budget_resource_group",
        "azurerm_container_app_environment",
        "azurerm_container_app_job",
        "azurerm_dns_cname_record",
        "azurerm_dns_ns_record",
        "azurerm_dns_txt_record",
        "azurerm_email_communication_service_domain_sender_username",
        "azurerm_federated_identity_credential",
        "azurerm_logic_app_action_custom",
        "azurerm_logic_app_trigger_http_request",
        "azurerm_logic_app_workflow",
        "azurerm_monitor_action_group",
        "azurerm_monitor_activity_log_alert",
        "azurerm_monitor_autoscale_setting",
        "azurerm_monitor_diagnostic_setting",
        "azurerm_monitor_metric_alert",
        "azurerm_monitor_scheduled_query_rules_alert_v2",
        "azurerm_network_security_group",
        "azurerm_postgresql_flexible_server_active_directory_administrator",
        "azurerm_postgresql_flexible_server_configuration",
        "azurerm_private_dns_zone_virtual_network_link",
        "azurerm_private_endpoint",
        "azurerm_role_assignment",
        "azurerm_role_definition",
        "azurerm_service_plan",
        "azurerm_storage_management_policy",
        "azurerm_subnet",
        "azurerm_subnet_network_security_group_association",
        "azurerm_virtual_network",
    }
)
"""The types that Terraform makes again from the settings, and with which nothing is lost."""

HOLDS_NO_DATA = frozenset({*HOLDS_A_NAME, *PROTECTS, *REPLACEABLE})
"""All other types that are known: none of them has `prevent_destroy`."""


def describe_loss(type_: str) -> str | None:
    """Return in words what is lost with a resource of this type, or None if nothing is."""
    if type_ in REPLACEABLE:
        return None
    not_listed = f"whatever it holds: operations/plan_guard/holders.py does not list {type_}"
    return {**HOLDS_DATA, **HOLDS_A_NAME, **PROTECTS}.get(type_, not_listed)
