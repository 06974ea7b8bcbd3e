"""What opens a resource to the network, grants a right, takes protection away, or keeps less: tables of attributes.

The names of types and attributes are the provider's, azurerm 4.81.0. A test compares them with its schema.
"""

from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

from operations.plan_guard.redaction import Unknown, Value
from operations.terraform.plan import Verb


class Kind(StrEnum):
    """What is dangerous about a change. The values are headings, and they stand in this order."""

    OPENED = "Opened to the network"
    GRANTED = "Granted"
    UNLOCKED = "Unlocked, or protected less"
    SHORTER = "Kept for a shorter time, or recorded no longer"


Values = Sequence[Value]
Rule = Callable[[Values, Values], bool]
"""Says whether an attribute's values after a change are dangerous, compared with those before it."""


class Watched(NamedTuple):
    """An attribute, and when its change is dangerous."""

    kind: Kind
    attribute: str
    """The path without indexes, such as `site_config.cors.allowed_origins`."""
    rule: Rule


def becomes(*values: Value) -> Rule:
    """Say that a change to one of these values is dangerous, or to one that nobody knows before the apply."""
    return lambda old, new: any(value in values or isinstance(value, Unknown) for value in subtract(new, old))


def is_not(*values: Value) -> Rule:
    """Say that a change to any other value than these is dangerous."""
    return lambda old, new: any(value not in values for value in subtract(new, old))


def grows(old: Values, new: Values) -> bool:
    """Say that a value that comes is dangerous."""
    return bool(subtract(new, old))


def loses(old: Values, new: Values) -> bool:
    """Say that a value that goes, or that another one takes the place of, is dangerous."""
    return bool(subtract(old, new))


def changes(old: Values, new: Values) -> bool:
    """Say that every change is dangerous, but not what comes with a new resource."""
    return bool(old) and (bool(subtract(old, new)) or bool(subtract(new, old)))


def shrinks(old: Values, new: Values) -> bool:
    """Say that a number is dangerous if it gets smaller, goes, or is not known before the apply."""
    return bool(old) and old != new and _get_least(new) < _get_least(old)


def comes_sooner(old: Values, new: Values) -> bool:
    """Say that a number of days until something is deleted is dangerous if it comes or gets smaller. -1 is never."""
    old_days, new_days = ([value for value in values if value != -1] for values in (old, new))
    return bool(new_days) and old_days != new_days and (not old_days or _get_least(new_days) < _get_least(old_days))


def subtract(values: Values, others: Values) -> list[Value]:
    """Return the values that are not among the others."""
    return [value for value in values if value not in others]


def _get_least(values: Values) -> float:
    """Return the smallest number. Nothing, and what is hidden or unknown, counts as less than every number."""
    numbers = [value for value in values if isinstance(value, int | float)]
    return min(numbers) if values and len(numbers) == len(values) else float("-inf")


_OPENED, _GRANTED, _UNLOCKED, _SHORTER = Kind


def _watch(kind: Kind, rule: Rule, *attributes: str) -> list[Watched]:
    return [Watched(kind, attribute, rule) for attribute in attributes]


_WEB_APP = [
    *_watch(
        _OPENED,
        becomes(True),
        "public_network_access_enabled",
        "site_config.cors.support_credentials",
        "site_config.remote_debugging_enabled",
    ),
    *_watch(
        _OPENED,
        becomes("Allow"),
        "site_config.ip_restriction_default_action",
        "site_config.scm_ip_restriction_default_action",
    ),
    *_watch(_OPENED, grows, "site_config.cors.allowed_origins", "client_certificate_exclusion_paths"),
    *_watch(_OPENED, becomes(False), "https_only", "site_config.vnet_route_all_enabled"),
    *_watch(_OPENED, is_not("Disabled"), "site_config.ftps_state"),
    *_watch(
        _OPENED,
        changes,
        "client_certificate_enabled",
        "client_certificate_mode",
        "site_config.minimum_tls_version",
        "site_config.scm_minimum_tls_version",
        "site_config.scm_use_main_ip_restriction",
    ),
    *_watch(_OPENED, loses, "virtual_network_subnet_id"),
    *_watch(
        _GRANTED,
        becomes(True),
        "ftp_publish_basic_authentication_enabled",
        "webdeploy_publish_basic_authentication_enabled",
    ),
    *_watch(_GRANTED, loses, "auth_settings_v2.auth_enabled", "auth_settings_v2.require_authentication"),
    *_watch(_GRANTED, grows, "auth_settings_v2.excluded_paths"),
    *_watch(
        _SHORTER,
        shrinks,
        "backup.schedule.retention_period_days",
        "logs.application_logs.azure_blob_storage.retention_in_days",
        "logs.http_logs.azure_blob_storage.retention_in_days",
        "logs.http_logs.file_system.retention_in_days",
        "logs.http_logs.file_system.retention_in_mb",
    ),
]

_TELEMETRY = [
    *_watch(_OPENED, becomes(True), "internet_ingestion_enabled", "internet_query_enabled"),
    *_watch(_GRANTED, becomes(True), "local_authentication_enabled"),
    *_watch(_SHORTER, shrinks, "retention_in_days"),
]

_ACCESS_CONTROL = ("action", "content", "trigger", "workflow_management")

WATCHED: Mapping[str, Sequence[Watched]] = {
    "azurerm_application_insights": [
        *_TELEMETRY,
        *_watch(_SHORTER, shrinks, "daily_data_cap_in_gb", "sampling_percentage"),
        *_watch(_SHORTER, becomes(False), "ip_masking_enabled"),
    ],
    "azurerm_cdn_frontdoor_custom_domain": _watch(_OPENED, changes, "tls.minimum_version", "tls.cipher_suite.type"),
    "azurerm_cdn_frontdoor_firewall_policy": [
        *_watch(_OPENED, becomes(False), "enabled", "request_body_check_enabled"),
        *_watch(_OPENED, is_not("Prevention"), "mode"),
        *_watch(_OPENED, loses, "managed_rule.type", "managed_rule.version", "managed_rule.action"),
        *_watch(_OPENED, becomes(False), "managed_rule.override.rule.enabled"),
        *_watch(_OPENED, changes, "managed_rule.override.rule.action"),
        *_watch(
            _OPENED,
            grows,
            "managed_rule.exclusion.selector",
            "managed_rule.override.exclusion.selector",
            "managed_rule.override.rule.exclusion.selector",
        ),
    ],
    "azurerm_cdn_frontdoor_origin": _watch(_OPENED, becomes(False), "certificate_name_check_enabled"),
    "azurerm_cdn_frontdoor_route": [
        *_watch(_OPENED, becomes(False), "https_redirect_enabled"),
        *_watch(_OPENED, becomes("HttpOnly", "MatchRequest"), "forwarding_protocol"),
        *_watch(_OPENED, becomes(True), "link_to_default_domain"),
    ],
    "azurerm_cdn_frontdoor_security_policy": _watch(
        _OPENED,
        loses,
        "security_policies.firewall.association.domain.cdn_frontdoor_domain_id",
        "security_policies.firewall.association.patterns_to_match",
        "security_policies.firewall.cdn_frontdoor_firewall_policy_id",
    ),
    "azurerm_container_app_environment": [
        *_watch(_OPENED, becomes("Enabled"), "public_network_access"),
        *_watch(_OPENED, becomes(False), "internal_load_balancer_enabled"),
        *_watch(_SHORTER, changes, "logs_destination"),
    ],
    "azurerm_container_app_job": [
        *_watch(_GRANTED, grows, "identity.identity_ids"),
    ],
    "azurerm_container_registry": [
        *_watch(_OPENED, becomes(True), "public_network_access_enabled", "anonymous_pull_enabled"),
        *_watch(_OPENED, becomes("Allow"), "network_rule_set.default_action"),
        *_watch(_OPENED, grows, "network_rule_set.ip_rule.ip_range"),
        *_watch(_GRANTED, becomes(True), "admin_enabled"),
        *_watch(_SHORTER, shrinks, "retention_policy_in_days"),
    ],
    "azurerm_key_vault": [
        *_watch(_OPENED, becomes(True), "public_network_access_enabled"),
        *_watch(_OPENED, becomes("Allow"), "network_acls.default_action"),
        *_watch(_OPENED, changes, "network_acls.bypass"),
        *_watch(_OPENED, grows, "network_acls.ip_rules", "network_acls.virtual_network_subnet_ids"),
        *_watch(_GRANTED, grows, "access_policy"),
        *_watch(_GRANTED, changes, "rbac_authorization_enabled"),
        *_watch(
            _GRANTED,
            becomes(True),
            "enabled_for_deployment",
            "enabled_for_disk_encryption",
            "enabled_for_template_deployment",
        ),
        *_watch(_UNLOCKED, becomes(False), "purge_protection_enabled"),
        *_watch(_SHORTER, shrinks, "soft_delete_retention_days"),
    ],
    "azurerm_linux_web_app": _WEB_APP,
    "azurerm_linux_web_app_slot": _WEB_APP,
    "azurerm_log_analytics_workspace": [
        *_TELEMETRY,
        *_watch(_SHORTER, shrinks, "daily_quota_gb"),
        *_watch(_SHORTER, becomes(True), "immediate_data_purge_on_30_days_enabled"),
    ],
    "azurerm_logic_app_workflow": [
        *_watch(
            _OPENED, grows, *(f"access_control.{part}.allowed_caller_ip_address_range" for part in _ACCESS_CONTROL)
        ),
        *_watch(
            _OPENED, loses, *(f"access_control.{part}.allowed_caller_ip_address_range" for part in _ACCESS_CONTROL)
        ),
        *_watch(
            _GRANTED,
            changes,
            "access_control.trigger.open_authentication_policy.name",
            "access_control.trigger.open_authentication_policy.claim.name",
            "access_control.trigger.open_authentication_policy.claim.value",
        ),
    ],
    "azurerm_managed_redis": [
        *_watch(_OPENED, becomes("Enabled"), "public_network_access"),
        *_watch(_OPENED, is_not("Encrypted"), "default_database.client_protocol"),
        *_watch(_GRANTED, becomes(True), "default_database.access_keys_authentication_enabled"),
        *_watch(_UNLOCKED, becomes(False), "high_availability_enabled"),
        *_watch(
            _SHORTER,
            loses,
            "default_database.persistence_append_only_file_backup_frequency",
            "default_database.persistence_redis_database_backup_frequency",
        ),
    ],
    "azurerm_management_lock": _watch(_UNLOCKED, changes, "lock_level", "scope"),
    "azurerm_monitor_diagnostic_setting": _watch(
        _SHORTER,
        loses,
        "enabled_log.category",
        "enabled_log.category_group",
        "log_analytics_workspace_id",
        "storage_account_id",
    ),
    "azurerm_postgresql_flexible_server": [
        *_watch(_OPENED, becomes(True), "public_network_access_enabled"),
        *_watch(_GRANTED, becomes(True), "authentication.password_auth_enabled"),
        *_watch(_UNLOCKED, loses, "high_availability.mode"),
        *_watch(_SHORTER, shrinks, "backup_retention_days"),
        *_watch(_SHORTER, becomes(False), "geo_redundant_backup_enabled"),
    ],
    "azurerm_role_definition": [
        *_watch(_GRANTED, grows, "permissions.actions", "permissions.data_actions", "assignable_scopes"),
        *_watch(_GRANTED, loses, "permissions.not_actions", "permissions.not_data_actions"),
    ],
    "azurerm_static_web_app": [
        *_watch(_OPENED, becomes(True), "public_network_access_enabled", "preview_environments_enabled"),
        *_watch(_GRANTED, loses, "basic_auth.environments"),
    ],
    "azurerm_storage_account": [
        *_watch(
            _OPENED,
            becomes(True),
            "allow_nested_items_to_be_public",
            "cross_tenant_replication_enabled",
            "public_network_access_enabled",
            "sftp_enabled",
        ),
        *_watch(_OPENED, becomes("Allow"), "network_rules.default_action"),
        *_watch(_OPENED, changes, "network_rules.bypass", "min_tls_version"),
        *_watch(
            _OPENED,
            grows,
            "blob_properties.cors_rule.allowed_origins",
            "network_rules.ip_rules",
            "network_rules.private_link_access.endpoint_resource_id",
            "network_rules.virtual_network_subnet_ids",
            "queue_properties.cors_rule.allowed_origins",
            "share_properties.cors_rule.allowed_origins",
            "static_website.index_document",
        ),
        *_watch(_OPENED, becomes(False), "https_traffic_only_enabled"),
        *_watch(_GRANTED, becomes(True), "local_user_enabled", "shared_access_key_enabled"),
        *_watch(
            _UNLOCKED,
            changes,
            "account_replication_type",
            "immutability_policy.allow_protected_append_writes",
            "immutability_policy.state",
        ),
        *_watch(_SHORTER, becomes(False), "blob_properties.change_feed_enabled", "blob_properties.versioning_enabled"),
        *_watch(
            _SHORTER,
            shrinks,
            "blob_properties.change_feed_retention_in_days",
            "blob_properties.container_delete_retention_policy.days",
            "blob_properties.delete_retention_policy.days",
            "blob_properties.restore_policy.days",
            "immutability_policy.period_since_creation_in_days",
            "queue_properties.hour_metrics.retention_policy_days",
            "queue_properties.logging.retention_policy_days",
            "queue_properties.minute_metrics.retention_policy_days",
            "share_properties.retention_policy.days",
        ),
        *_watch(_SHORTER, becomes(True), "blob_properties.delete_retention_policy.permanent_delete_enabled"),
    ],
    "azurerm_storage_container": _watch(_OPENED, is_not("private"), "container_access_type"),
    "azurerm_storage_container_immutability_policy": [
        *_watch(_UNLOCKED, becomes(False), "locked"),
        *_watch(_UNLOCKED, changes, "protected_append_writes_all_enabled", "protected_append_writes_enabled"),
        *_watch(_SHORTER, shrinks, "immutability_period_in_days"),
    ],
    "azurerm_storage_management_policy": [
        *_watch(
            _SHORTER,
            comes_sooner,
            "rule.actions.base_blob.delete_after_days_since_creation_greater_than",
            "rule.actions.base_blob.delete_after_days_since_last_access_time_greater_than",
            "rule.actions.base_blob.delete_after_days_since_modification_greater_than",
            "rule.actions.snapshot.delete_after_days_since_creation_greater_than",
            "rule.actions.version.delete_after_days_since_creation",
        ),
        *_watch(_SHORTER, changes, "rule.enabled", "rule.filters.prefix_match"),
    ],
    "azurerm_subnet": [
        *_watch(_OPENED, becomes(True), "default_outbound_access_enabled"),
        *_watch(_OPENED, changes, "private_endpoint_network_policies"),
    ],
}
"""By type: the attributes to watch."""


class WatchedBlock(NamedTuple):
    """Blocks that allow or deny traffic, one by one."""

    attribute: str
    deciding: str
    """The attribute of the block that says whether it allows or denies."""
    allows: str
    """The value with which it allows."""
    says_nothing: tuple[str, ...] = ("description", "name")
    """The attributes with whose change nothing else can pass."""


_RESTRICTIONS = [
    WatchedBlock(f"site_config.{name}", deciding="action", allows="Allow")
    for name in ("ip_restriction", "scm_ip_restriction")
]
WATCHED_BLOCKS: Mapping[str, Sequence[WatchedBlock]] = {
    "azurerm_cdn_frontdoor_firewall_policy": [
        WatchedBlock("custom_rule", deciding="action", allows="Allow", says_nothing=("name",))
    ],
    "azurerm_linux_web_app": _RESTRICTIONS,
    "azurerm_linux_web_app_slot": _RESTRICTIONS,
    "azurerm_network_security_group": [WatchedBlock("security_rule", deciding="access", allows="Allow")],
}
"""By type: the blocks to watch. One that allows and comes or changes is dangerous, and one that denies and goes."""


class WatchedType(NamedTuple):
    """A resource that itself is a right, a rule or a protection."""

    kind: Kind
    verbs: tuple[Verb, ...]
    """What must happen to it to be dangerous."""
    shown: tuple[str, ...]
    """The attributes that say what it is."""
    note: str = ""


_COMES = (Verb.CREATE, Verb.CHANGE, Verb.REPLACE)
_GOES = (Verb.DESTROY, Verb.FORGET, Verb.REPLACE)
WATCHED_TYPES: Mapping[str, WatchedType] = {
    "azurerm_cdn_frontdoor_firewall_policy": WatchedType(_OPENED, _GOES, ("name", "mode"), "no firewall any more"),
    "azurerm_cdn_frontdoor_security_policy": WatchedType(_OPENED, _GOES, ("name",), "the firewall's policy goes"),
    "azurerm_federated_identity_credential": WatchedType(
        _GRANTED, _COMES, ("subject", "issuer", "user_assigned_identity_id")
    ),
    "azurerm_key_vault_access_policy": WatchedType(
        _GRANTED,
        _COMES,
        ("object_id", "secret_permissions", "key_permissions", "certificate_permissions", "key_vault_id"),
    ),
    "azurerm_management_lock": WatchedType(_UNLOCKED, _GOES, ("lock_level", "scope"), "the lock goes"),
    "azurerm_monitor_diagnostic_setting": WatchedType(
        _SHORTER, _GOES, ("target_resource_id",), "its logs are no longer recorded"
    ),
    "azurerm_network_security_rule": WatchedType(_OPENED, (*_COMES, *_GOES), ()),
    "azurerm_postgresql_flexible_server_active_directory_administrator": WatchedType(
        _GRANTED, _COMES, ("principal_name", "principal_type", "object_id", "server_name")
    ),
    "azurerm_postgresql_flexible_server_firewall_rule": WatchedType(
        _OPENED, _COMES, ("start_ip_address", "end_ip_address", "server_id")
    ),
    "azurerm_role_assignment": WatchedType(_GRANTED, _COMES, ()),
    "azurerm_storage_account_network_rules": WatchedType(
        _OPENED, (*_COMES, *_GOES), ("default_action", "ip_rules", "virtual_network_subnet_ids", "bypass")
    ),
    "azurerm_storage_container_immutability_policy": WatchedType(
        _UNLOCKED,
        _GOES,
        ("immutability_period_in_days", "storage_container_resource_manager_id"),
        "the container's protection goes",
    ),
    "azurerm_subnet_network_security_group_association": WatchedType(
        _OPENED, _GOES, ("subnet_id",), "the subnet has no security group any more"
    ),
}
"""By type: the resources that are dangerous as a whole."""
