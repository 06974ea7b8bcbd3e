"""Every rule is shown red: it reports a fault that was planted into a copy of the real JSON.

The report must name the place of the fault and say what would be right. A check that cannot fail is not a check, so
`test_every_rule_was_red` fails for a rule that has no fault here.
"""

import copy
import json
import re
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

import pytest

from tests.policy.rule import RULES, Stack, load_rules
from tests.policy.stacks import synthesize_checked_stacks
from tests.support import TerraformJson, load_platform

load_rules()

DELETE = object()
PATH = re.compile(r"((?P<stack>\w+)/)?(?P<address>(data\.|terraform\.)?[\w-]+\.[\w*-]+)\.?(?P<attribute>.*)")
# Read from the settings, so that the faults are faults in any account.
ACCOUNT, ENVIRONMENTS = load_platform().shared.account, load_platform().environments
DEV, STAGING, PRODUCTION = (load_platform().make_names(ENVIRONMENTS[name]) for name in ("dev", "staging", "production"))
SUBSCRIPTION = f"/subscriptions/{ACCOUNT.subscription_id}"
DEV_GROUP, PRODUCTION_GROUP = DEV.compose("resource_group"), PRODUCTION.compose("resource_group")


class PlantedFault(NamedTuple):
    """A fault, and the violation that its rule must report."""

    rule: str
    stack: str
    """The stack that the rule checks: one of `tests/policy/stacks.py`."""
    path: str
    """What is changed: `azurerm_subnet.network_*.name`, or `dev/azurerm_subnet...` for a change in another stack."""
    value: object
    """The new value. `DELETE` removes what is there."""
    expected: str
    """A part of what the violation says would be right."""
    reported: str = ""
    """How the violation must begin: `<address>: <attribute> = <value>`, where `*` matches anything.

    If it is empty, it is built from `path` and `value`.
    """


APP, SLOT = "azurerm_linux_web_app.web-app_*", "azurerm_linux_web_app_slot.web-app_slot_*"
SERVER, PARAMETER = (
    "azurerm_postgresql_flexible_server.database_server",
    "azurerm_postgresql_flexible_server_configuration",
)
UPLOADS, VAULT = "azurerm_storage_account.uploads_storage", "azurerm_key_vault.key_vault"
REDIS, LOCK = "azurerm_managed_redis.cache", "azurerm_management_lock"
NSG, SUBNET = "azurerm_network_security_group.network_app-nsg_*", "azurerm_subnet.network_endpoints-subnet_*"
GRANT, TRUST = "azurerm_role_assignment.production-ci_", "azurerm_federated_identity_credential.dev-ci_"
FIREWALL, ROUTE = "azurerm_cdn_frontdoor_firewall_policy.edge_*", "azurerm_cdn_frontdoor_route.edge_uploads-route_*"
PROVIDER, BACKEND = "provider.azurerm", "terraform.backend.azurerm"
PHASES = "production, every phase on"
DEV_PHASES = "dev, every phase on"

TRANSPORT = [
    PlantedFault("tls_is_1_2_or_later", "production", f"{UPLOADS}.min_tls_version", "TLS1_0", '"TLS1_2"'),
    PlantedFault("tls_is_1_2_or_later", "dev", f"{APP}.site_config.minimum_tls_version", "1.0", '"1.2"'),
    PlantedFault("tls_is_1_2_or_later", "staging", f"{SLOT}.site_config.scm_minimum_tls_version", DELETE, '"1.2"'),
    PlantedFault(
        "tls_is_1_2_or_later", "production", f"{REDIS}.default_database.client_protocol", "Plaintext", "Encrypted"
    ),
    PlantedFault(
        "tls_is_1_2_or_later",
        PHASES,
        "azurerm_cdn_frontdoor_custom_domain.edge_*.tls.minimum_version",
        "TLS10",
        '"TLS12"',
    ),
    PlantedFault("postgresql_requires_tls", "dev", f"{PARAMETER}.*ssl_min_protocol_version*.value", "TLSv1", "TLSv1.2"),
    PlantedFault(
        "postgresql_requires_tls",
        "production",
        f"{PARAMETER}.*require_secure_transport*",
        DELETE,
        'must be "on"',
        f"{SERVER}: require_secure_transport = null",
    ),
    PlantedFault("only_https_is_accepted", "dev", f"{APP}.https_only", False, "true"),
    PlantedFault("only_https_is_accepted", "production", f"{ROUTE}.forwarding_protocol", "MatchRequest", "HttpsOnly"),
    PlantedFault(
        "only_https_is_accepted",
        "production",
        "azurerm_storage_account.evidence_*.https_traffic_only_enabled",
        False,
        "true",
    ),
    PlantedFault(
        "web_tests_use_https",
        "dev",
        "azurerm_application_insights_standard_web_test.availability_api_*.request.url",
        "http://dev/",
        "https://",
    ),
    PlantedFault(
        "no_publishing_passwords", "production", f"{APP}.ftp_publish_basic_authentication_enabled", True, "false"
    ),
    PlantedFault(
        "no_publishing_passwords", "production", f"{SLOT}.webdeploy_publish_basic_authentication_enabled", DELETE, ""
    ),
]
EXPOSURE = [
    PlantedFault("no_public_access", "production", f"{SERVER}.public_network_access_enabled", True, "must be false"),
    PlantedFault("no_public_access", "dev", f"{REDIS}.public_network_access", "Enabled", "must be false"),
    PlantedFault("no_public_access", "production", f"{VAULT}.network_acls.default_action", "Allow", '"Deny"'),
    PlantedFault("no_public_access", "dev", f"{VAULT}.network_acls.ip_rules", ["203.0.113.7"], "Logic App"),
    PlantedFault("no_public_access", "staging", f"{UPLOADS}.network_rules.default_action", "Allow", '"Deny"'),
    PlantedFault(
        "no_public_access",
        "production",
        f"{UPLOADS}.network_rules.virtual_network_subnet_ids",
        ["/subscriptions/other/subnets/theirs"],
        "the app's own subnet",
    ),
    PlantedFault(
        "no_public_access", "production", f"{APP}.site_config.ip_restriction_default_action", "Allow", '"Deny"'
    ),
    PlantedFault(
        "no_public_access",
        "production",
        f"{SLOT}.site_config.ip_restriction.0.headers",
        [],
        "own Front Door",
    ),
    PlantedFault(
        "no_public_access",
        "staging",
        f"{APP}.site_config.ip_restriction.0.service_tag",
        "Internet",
        "AzureFrontDoor.Backend",
        "azurerm_linux_web_app.*: site_config.ip_restriction.0 = *Internet*",
    ),
    PlantedFault("only_entra_tokens_are_accepted", "production", f"{UPLOADS}.shared_access_key_enabled", True, "false"),
    PlantedFault(
        "only_entra_tokens_are_accepted", "shared", "azurerm_container_registry.registry.admin_enabled", True, "false"
    ),
    PlantedFault(
        "only_entra_tokens_are_accepted",
        "dev",
        "azurerm_storage_container.uploads_*.container_access_type",
        "blob",
        '"private"',
    ),
    PlantedFault(
        "scm_is_closed", "production", f"{SLOT}.site_config.scm_ip_restriction_default_action", "Allow", "Deny"
    ),
    PlantedFault(
        "scm_is_closed",
        "production",
        f"{APP}.site_config.scm_ip_restriction",
        [{"ip_address": "203.0.113.7/32", "action": "Allow"}],
        "null",
    ),
    PlantedFault(
        "data_stores_have_a_private_endpoint",
        "dev",
        "azurerm_private_endpoint.cache_*",
        DELETE,
        "azurerm_private_endpoint",
        f"{REDIS}: private endpoint = null",
    ),
    PlantedFault(
        "data_stores_have_a_private_endpoint",
        "dev",
        "azurerm_private_endpoint.database_*.private_service_connection.subresource_names",
        ["server"],
        "postgresqlServer",
    ),
    PlantedFault(
        "no_wildcard_is_allowed", "dev", f"{NSG}.security_rule.0.destination_address_prefix", "*", "no wildcard"
    ),
    PlantedFault(
        "no_wildcard_is_allowed", "dev", f"{NSG}.security_rule.0.destination_port_ranges", ["443", "*"], "wildcard"
    ),
    PlantedFault("no_wildcard_is_allowed", "dev", f"{NSG}.security_rule.1.protocol", "*", "no wildcard"),
    PlantedFault(
        "no_wildcard_is_allowed", "dev", f"{NSG}.security_rule.2.source_address_prefix", "0.0.0.0/0", "no wildcard"
    ),
    PlantedFault(
        "the_last_rule_denies",
        "staging",
        f"{NSG}.security_rule.3.access",
        "Allow",
        "deny everything",
        "azurerm_network_security_group.*: last Inbound rule = *",
    ),
    PlantedFault(
        "subnets_are_guarded",
        "production",
        "azurerm_subnet_network_security_group_association.network_endpoints*",
        DELETE,
        "associated",
        f"{SUBNET}: network security group = null",
    ),
    PlantedFault("subnets_are_guarded", "production", f"{SUBNET}.default_outbound_access_enabled", True, "false"),
    PlantedFault(
        "the_app_leaves_through_its_subnet", "dev", f"{APP}.site_config.vnet_route_all_enabled", False, "true"
    ),
    PlantedFault("cors_admits_only_own_front_ends", "dev", f"{APP}.site_config.cors.allowed_origins.0", "*", "one of"),
    PlantedFault(
        "cors_admits_only_own_front_ends", "dev", f"{APP}.app_settings.CORS_ORIGINS", "https://evil.example", "own list"
    ),
    PlantedFault(
        "only_entra_tokens_are_accepted",
        "dev",
        "azurerm_static_web_app.static_site.preview_environments_enabled",
        True,
        "false",
    ),
]
SECRECY = [
    PlantedFault(
        "no_secret_looking_literal",
        "production",
        f"{APP}.app_settings.EMAIL_FROM_NAME",
        "kJ8s2LqPz0XvB7nRt5YwC3dF6gHm9aQe",  # pragma: allowlist secret
        "Key Vault",
    ),
    PlantedFault(
        "no_secret_looking_literal",
        "dev",
        f"{APP}.app_settings.FRONTEND_DONOR_URL",
        "postgresql://augeo:hunter2@db.example/augeo",  # pragma: allowlist secret
        "Key Vault",
    ),
    PlantedFault(
        "no_secret_looking_literal", "dev", f"{SERVER}.administrator_password_wo", "correct-horse", "Key Vault"
    ),
    PlantedFault("no_secret_looking_literal", "shared", "output.parent_zone.value", "x;AccountKey=abc=", "Key Vault"),
    PlantedFault(
        "the_first_password_is_write_only", "dev", f"{SERVER}.administrator_password", "Aa1-${uuid()}", "absent"
    ),
    PlantedFault(
        "the_first_password_is_write_only", "dev", f"{SERVER}.administrator_password_wo", DELETE, "Aa1-${uuid()}"
    ),
    PlantedFault(
        "secret_settings_are_vault_references",
        "staging",
        f"{SLOT}.app_settings.JWT_SECRET_KEY",
        f"@Microsoft.KeyVault(VaultName={PRODUCTION.compose('key_vault')};SecretName=jwt-secret-key)",
        f"jwt-secret-key of {STAGING.compose('key_vault')}",
    ),
    PlantedFault(
        "secret_settings_are_vault_references", "dev", f"{APP}.app_settings.SMTP_PASSWORD", "hunter2", "Key Vault"
    ),
    PlantedFault(
        "no_resource_uses_a_data_plane",
        "production",
        "azurerm_key_vault_secret.planted",
        {"name": "jwt-secret-key"},
        "Resource Manager",
        'azurerm_key_vault_secret.planted: type = "azurerm_key_vault_secret"',
    ),
    PlantedFault(
        "no_resource_uses_a_data_plane",
        "dev",
        "azurerm_storage_container.uploads_*.storage_account_name",
        "st",
        "absent",
    ),
    PlantedFault("outputs_are_not_secret", "production", "output.api_hostname.sensitive", True, "absent"),
    PlantedFault(
        "outputs_are_not_secret",
        "production",
        "output.cache_name.value",
        "${azurerm_managed_redis.cache.default_database[0].primary_access_key}",
        "sensitive",
    ),
    PlantedFault(
        "sensitive_attributes_are_used_only_where_listed",
        "production",
        f"{APP}.app_settings.EMAIL_FROM_NAME",
        "${azurerm_static_web_app.static_site.api_key}",
        "api_key",
    ),
]
DATA = [
    PlantedFault("data_is_not_destroyed_by_a_plan", "production", f"{SERVER}.lifecycle.prevent_destroy", False, "true"),
    PlantedFault(
        "data_is_not_destroyed_by_a_plan", "dev, disposable", f"{VAULT}.lifecycle.prevent_destroy", True, "false"
    ),
    PlantedFault(
        "every_type_is_listed_in_holders",
        "production",
        "azurerm_mssql_server.planted",
        {},
        "operations/plan_guard/holders.py",
        'azurerm_mssql_server.planted: type = "azurerm_mssql_server"',
    ),
    PlantedFault(
        "data_keeps_its_address",
        "production",
        "azurerm_managed_redis.cache_redis_0A1B2C3D",
        {},
        "written out",
        'azurerm_managed_redis.cache_redis_0A1B2C3D: logical id = "cache_redis_0A1B2C3D"',
    ),
    PlantedFault(
        "data_is_locked", "production", f"{LOCK}.key-vault_*", DELETE, "one CanNotDelete", f"{VAULT}: locks = []"
    ),
    PlantedFault("data_is_locked", "production", f"{LOCK}.key-vault_*.lock_level", "ReadOnly", "CanNotDelete"),
    PlantedFault(
        "data_is_locked",
        "dev, disposable",
        f"{LOCK}.planted",
        {"scope": f"${{{VAULT}.id}}", "lock_level": "CanNotDelete"},
        "no lock",
        f'{VAULT}: locks = ["planted"]',
    ),
    PlantedFault(
        "data_is_locked",
        "shared",
        f"{LOCK}.planted",
        {"scope": "${azurerm_dns_zone.production_zone.id}", "lock_level": "CanNotDelete"},
        "no lock",
        'azurerm_dns_zone.production_zone: locks = ["planted"]',
    ),
    PlantedFault(
        "changes_by_others_are_ignored", "production", f"{SERVER}.lifecycle.ignore_changes", ["zone"], "storage_mb"
    ),
    PlantedFault(
        "changes_by_others_are_ignored", "production", f"{APP}.lifecycle.ignore_changes", DELETE, "docker_image_name"
    ),
    PlantedFault(
        "changes_by_others_are_ignored",
        "production",
        "azurerm_service_plan.web-app_*.lifecycle.ignore_changes",
        DELETE,
        "worker_count",
    ),
    PlantedFault("changes_by_others_are_ignored", "dev", f"{VAULT}.lifecycle.ignore_changes", ["tags"], "must be []"),
    PlantedFault("data_is_recoverable", "dev", f"{VAULT}.purge_protection_enabled", False, "true"),
    PlantedFault(
        "data_is_recoverable", "dev", f"{REDIS}.default_database.clustering_policy", "OSSCluster", "Enterprise"
    ),
    PlantedFault("deletions_can_be_undone", "production", f"{SERVER}.backup_retention_days", 1, "at least 7"),
    PlantedFault(
        "deletions_can_be_undone", "dev", f"{UPLOADS}.blob_properties.delete_retention_policy.days", 1, "at least 7"
    ),
    PlantedFault(
        "evidence_and_plans_are_immutable",
        "production",
        "azurerm_storage_container_immutability_policy.storage_*.locked",
        False,
        "true",
    ),
    PlantedFault(
        "evidence_and_plans_are_immutable",
        "dev, disposable",
        "azurerm_storage_container_immutability_policy.storage_*.locked",
        True,
        "that is not disposable",
    ),
    PlantedFault(
        "old_versions_are_deleted",
        "shared",
        "azurerm_storage_management_policy.state_*.rule.0.enabled",
        False,
        "deletes old versions",
        "azurerm_storage_account.state_storage: lifecycle rules = null",
    ),
    PlantedFault(
        "parameters_apply_one_at_a_time",
        "dev",
        f"{PARAMETER}.*log_lock_waits*.depends_on",
        DELETE,
        "another parameter than the one that database_log_lock_waits_",
        f"{PARAMETER}.database_require_secure_transport_*: depends_on = *",
    ),
]
ACCESS = [
    PlantedFault(
        "rights_are_in_the_table",
        "shared",
        f"{GRANT}delivery_finds-images_*.role_definition_id",
        "/subscriptions/0/providers/Microsoft.Authorization/roleDefinitions/8e3af657-a8ff-443c-a75c-2fe8c4bcb635",
        "'delivery' must not be '/subscriptions/0",  # Owner
    ),
    PlantedFault(
        "rights_are_in_the_table",
        "shared",
        f"{GRANT}apply_contributes_*.scope",
        SUBSCRIPTION,
        "'apply' must not be 'Contributor' on 'subscription'",
        "azurerm_role_assignment.production-ci_apply_contributes_*: role_definition_id = *",
    ),
    PlantedFault(
        "rights_are_in_the_table",
        "dev",
        "azurerm_role_assignment.key-vault_api-*.principal_type",
        "User",
        "ServicePrincipal",
    ),
    PlantedFault(
        "environments_do_not_reach_each_other",
        "shared",
        "azurerm_role_assignment.dev-ci_apply_contributes_*.scope",
        "${azurerm_resource_group.production_resource_group.id}",
        "must belong to 'dev'",
    ),
    PlantedFault(
        "environments_do_not_reach_each_other",
        "shared",
        "azurerm_role_assignment.dev-ci_plan_reads-state_*.scope",
        "${azurerm_storage_container.tfstate_production_container.id}",
        "must belong to 'dev'",
    ),
    PlantedFault(
        "administrators_assign_only_what_the_code_assigns",
        "shared",
        f"{GRANT}apply_grants_*.condition",
        DELETE,
        "'Key Vault Secrets User', 'Storage Blob Data Contributor'",
    ),
    PlantedFault(
        "administrators_assign_only_what_the_code_assigns",
        "shared",
        "production/azurerm_role_assignment.planted",
        {
            "principal_id": "of somebody",
            "role_definition_id": "/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7",
            "scope": f"${{{VAULT}.id}}",
        },
        "['Key Vault Secrets User', 'Reader', 'Storage Blob Data Contributor']",
        "azurerm_role_assignment.production-ci_apply_grants_*: condition = *",
    ),
    PlantedFault(
        "custom_roles_are_narrow",
        "shared",
        "azurerm_role_definition.ci-roles_delivery_*.permissions.0.actions.0",
        "Microsoft.Web/*",
        "without a wildcard",
        'azurerm_role_definition.*: permissions.actions.0 = "Microsoft.Web/*"',
    ),
    PlantedFault(
        "custom_roles_are_narrow",
        "shared",
        "azurerm_role_definition.ci-roles_plan_*.permissions.0.data_actions",
        ["Microsoft.KeyVault/vaults/secrets/getSecret/action"],
        "absent",
        "azurerm_role_definition.*: permissions.data_actions.0 = *getSecret*",
    ),
    PlantedFault(
        "only_this_repository_is_trusted",
        "shared",
        f"{TRUST}apply_github_*.subject",
        "repo:*",
        f"{ACCOUNT.github_subject}:environment:dev",
    ),
    PlantedFault(
        "only_this_repository_is_trusted",
        "shared",
        f"{TRUST}apply_github_*.subject",
        f"{ACCOUNT.github_subject}:pull_request",
        f"{ACCOUNT.github_subject}:environment:dev",
    ),
    PlantedFault(
        "only_this_repository_is_trusted",
        "shared",
        f"{TRUST}plan_github_*.issuer",
        "https://gitlab.example",
        "token.actions.githubusercontent.com",
    ),
    PlantedFault(
        "only_this_repository_is_trusted",
        "shared",
        f"{TRUST}plan_github_*.audience",
        ["anybody"],
        "AzureADTokenExchange",
    ),
    PlantedFault(
        "custom_roles_are_narrow",
        "shared",
        "azurerm_role_definition.ci-roles_plan_*.assignable_scopes",
        ["/"],
        f'["{SUBSCRIPTION}"]',
    ),
]
TERRAFORM = [
    PlantedFault(
        "the_provider_is_pinned",
        "production",
        "terraform.required_providers.azurerm.version",
        "~> 4.0",
        '"4.81.0"',
        'terraform: required_providers.azurerm.version = "~> 4.0"',
    ),
    PlantedFault(
        "the_provider_is_configured_safely",
        "shared",
        f"{PROVIDER}.0.features.0.storage.0.data_plane_available",
        True,
        "false",
        "provider.azurerm: features.storage.data_plane_available = true",
    ),
    PlantedFault(
        "the_provider_is_configured_safely",
        "production",
        f"{PROVIDER}.0.client_secret",
        "hunter2",
        "OIDC",
        'provider.azurerm: client_secret = "hunter2"',
    ),
    PlantedFault(
        "each_stack_has_its_own_state", "dev", f"{BACKEND}.container_name", "tfstate-production", "tfstate-dev"
    ),
    PlantedFault("each_stack_has_its_own_state", "dev", f"{BACKEND}.access_key", "hunter2", "absent"),
    PlantedFault(
        "every_reference_resolves",
        "dev",
        f"{APP}.depends_on",
        ["azurerm_subnet.gone"],
        "there is no azurerm_subnet.gone",
        "azurerm_linux_web_app.*: depends_on.0 = *",
    ),
    PlantedFault(
        "every_reference_resolves",
        "dev",
        f"{APP}.app_settings.EMAIL_FROM_NAME",
        "from ${azurerm_key_vault.key_vault.uri}",
        "has no uri",
    ),
    PlantedFault(
        "every_reference_resolves",
        "dev",
        "output.cache_name.value",
        "${azurerm_managed_redis.gone.name}",
        "no azurerm_",
    ),
    PlantedFault(
        "stacks_do_not_read_each_other",
        "dev",
        "azurerm_role_assignment.key-vault_api-*.scope",
        f"/subscriptions/0/resourceGroups/{PRODUCTION_GROUP}",
        "must not name anything of production's",
    ),
    PlantedFault(
        "stacks_do_not_read_each_other",
        "dev",
        "data.terraform_remote_state.shared",
        {"backend": "azurerm"},
        "derive the name",
        'data.terraform_remote_state: type = "terraform_remote_state"',
    ),
    PlantedFault("no_unknown_argument", "dev", f"{UPLOADS}.enable_https_traffic_only", True, "no argument"),
    PlantedFault(
        "images_have_no_moving_tag",
        "dev",
        f"{APP}.site_config.application_stack.docker_image_name",
        "augeo-api:latest",
        ":latest",
    ),
    PlantedFault(
        "images_have_no_moving_tag",
        "staging",
        f"{SLOT}.site_config.application_stack.docker_image_name",
        "augeo-api:1.4",
        "digest",
    ),
    PlantedFault(
        "resources_are_in_their_own_group",
        "production",
        f"{VAULT}.resource_group_name",
        DEV_GROUP,
        PRODUCTION_GROUP,
    ),
    PlantedFault(
        "resources_are_in_their_own_group",
        "shared",
        "azurerm_user_assigned_identity.dev-ci_apply_*.resource_group_name",
        "${azurerm_resource_group.production_resource_group.name}",
        DEV_GROUP,
    ),
]
NAMING = [
    PlantedFault("names_keep_to_azures_rules", "dev", f"{VAULT}.name", "kv-augeo--dev", "3 to 24 characters"),
    PlantedFault(
        "names_keep_to_azures_rules", "dev", f"{UPLOADS}.name", "staugeouploadsdevelopment", "3 to 24 characters"
    ),
    PlantedFault("names_keep_to_azures_rules", "production", f"{SERVER}.name", "PSQL-augeo", "3 to 63 characters"),
    PlantedFault(
        "names_are_unique",
        "production",
        f"{UPLOADS}.name",
        DEV.compose("storage", "uploads"),
        "dev: azurerm_storage_account",
    ),
    PlantedFault(
        "names_are_unique", "dev", f"{SUBNET}.name", DEV.compose("subnet", "app"), "dev: azurerm_subnet.network_app"
    ),
    PlantedFault(
        "short_names_fit_a_text_message",
        "dev",
        "azurerm_monitor_action_group.alerts_*.short_name",
        "augeo-development",
        "12",
    ),
]
OPERATIONS = [
    PlantedFault("tags_are_complete", "production", f"{VAULT}.tags.owner", DELETE, ACCOUNT.owner_tag),
    PlantedFault("tags_are_complete", "production", f"{REDIS}.tags.environment", "dev", "production"),
    PlantedFault(
        "everything_is_logged",
        "production",
        "azurerm_monitor_diagnostic_setting.key-vault_*",
        DELETE,
        "${azurerm_key_vault.key_vault.id}",
        f"{VAULT}: diagnostic setting = null",
    ),
    PlantedFault(
        "everything_is_logged",
        "dev",
        "azurerm_monitor_diagnostic_setting.cache_redis_diagnostics_*.target_resource_id",
        f"${{{REDIS}.id}}",
        "/databases/default",
        f"{REDIS}: diagnostic setting = null",
    ),
    PlantedFault(
        "everything_is_logged", "dev", "azurerm_monitor_diagnostic_setting.key-vault_*.enabled_log", [], "AuditEvent"
    ),
    PlantedFault(
        "everything_is_logged",
        "production",
        "azurerm_mssql_server.planted",
        {},
        "NO_DIAGNOSTICS",
        'azurerm_mssql_server.planted: type = "azurerm_mssql_server"',
    ),
    PlantedFault(
        "logs_go_to_the_stacks_own_workspace",
        "dev",
        "azurerm_monitor_diagnostic_setting.key-vault_*.log_analytics_workspace_id",
        "/subscriptions/0/workspaces/theirs",
        "this stack's workspace",
    ),
    PlantedFault(
        "the_activity_log_is_kept",
        "shared",
        "azurerm_monitor_diagnostic_setting.logs_activity-log_*",
        DELETE,
        "must export Administrative",
        "/subscriptions/*: enabled_log = []",
    ),
    PlantedFault(
        "every_subject_is_watched",
        "production",
        "azurerm_monitor_metric_alert.alerts_cache-memory_*",
        DELETE,
        "enabled alert",
        "alerts: Redis memory > 80 % = null",
    ),
    PlantedFault(
        "every_subject_is_watched",
        "dev",
        "azurerm_monitor_metric_alert.alerts_app-cpu_*.criteria.0.threshold",
        95,
        "enabled alert",
        "alerts: CPU > 80 % = null",
    ),
    PlantedFault(
        "service_health_is_watched_once",
        "shared",
        "azurerm_monitor_activity_log_alert.alerts_service-health_*",
        DELETE,
        "1 in the shared stack",
        "alerts: Service Health = 0",
    ),
    PlantedFault(
        "service_health_is_watched_once",
        "shared",
        "azurerm_monitor_activity_log_alert.alerts_service-health_*.criteria.service_health.locations",
        ["Global", "eastus2"],
        "must name",
    ),
    PlantedFault(
        "everything_is_logged",
        "dev",
        "azurerm_monitor_diagnostic_setting.cache_redis_cluster-diagnostics_*",
        DELETE,
        f"${{{REDIS}.id}}",
        f"{REDIS}: diagnostic setting = null",
    ),
    PlantedFault(
        "certificates_are_watched",
        "dev",
        "azurerm_application_insights_standard_web_test.availability_api-certificate_*"
        ".validation_rules.ssl_cert_remaining_lifetime",
        DELETE,
        "test for 30 days",
        "https://*: certificate = null",
    ),
    PlantedFault(
        "critical_metrics_are_evaluated_every_minute",
        "production",
        "azurerm_monitor_metric_alert.alerts_database-down_*.frequency",
        "PT5M",
        "PT1M",
    ),
    PlantedFault(
        "critical_metrics_are_evaluated_every_minute",
        "production",
        "azurerm_monitor_scheduled_query_rules_alert_v2.alerts_error-rate_*.evaluation_frequency",
        "PT1M",
        "it is a query",
    ),
    PlantedFault(
        "alerts_name_their_runbook",
        "dev",
        "azurerm_monitor_metric_alert.alerts_database-down_*.description",
        "?",
        "runbook",
    ),
    PlantedFault(
        "alerts_reach_somebody",
        "dev",
        "azurerm_monitor_metric_alert.alerts_app-cpu_*.action",
        [],
        "action group",
        "azurerm_monitor_metric_alert.*: action.0.action_group_id = null",
    ),
    PlantedFault(
        "alerts_reach_somebody",
        "production",
        "azurerm_monitor_action_group.alerts_action-group_ECBF*.logic_app_receiver",
        DELETE,
        "Teams",
        "action groups: logic_app_receiver = 0",
    ),
    PlantedFault(
        "every_environment_has_a_budget",
        "dev",
        "azurerm_consumption_budget_resource_group.budget_*.time_period.start_date",
        "2026-12-01T00:00:00Z",
        "first of the month of the plan",
    ),
    PlantedFault(
        "every_environment_has_a_budget",
        "dev",
        "azurerm_consumption_budget_resource_group.budget_*.notification",
        [],
        "Forecasted",
    ),
    PlantedFault(
        "alerts_watch_their_own_stack",
        "production",
        "azurerm_monitor_activity_log_alert.alerts_*lock-removed_*.scopes.0",
        SUBSCRIPTION,
        f"resourceGroups/{PRODUCTION_GROUP}",
    ),
    PlantedFault(
        "alerts_reach_somebody",
        "dev",
        "azurerm_monitor_action_group.alerts_*.email_receiver.0.use_common_alert_schema",
        False,
        "true for each",
        "azurerm_monitor_action_group.*: use_common_alert_schema = *false*",
    ),
    PlantedFault(
        "every_environment_has_a_budget",
        "dev",
        "azurerm_consumption_budget_resource_group.budget_*.amount",
        1,
        str(ENVIRONMENTS["dev"].budget.monthly_usd),
    ),
    PlantedFault(
        "every_environment_has_a_budget",
        "dev",
        "azurerm_consumption_budget_resource_group.budget_*.notification.0.contact_emails.0",
        "nobody@example.com",
        ACCOUNT.alert_emails[0],
        "azurerm_consumption_budget_resource_group.*: notification = *nobody@example.com*",
    ),
    PlantedFault(
        "the_database_logs_who_did_what",
        "production",
        f"{PARAMETER}.*pgauditlog*.value",
        "NONE",
        "ddl",
        f'{SERVER}: pgaudit.log = "NONE"',
    ),
]
WEB = [
    PlantedFault(
        "unhealthy_instances_are_evicted",
        "dev",
        f"{APP}.site_config.health_check_eviction_time_in_min",
        DELETE,
        "2 to 10",
    ),
    PlantedFault(
        "app_service_keeps_its_own_settings", "dev", f"{APP}.app_settings.WEBSITE_VNET_ROUTE_ALL", "1", "site_config"
    ),
    PlantedFault(
        "app_service_keeps_its_own_settings",
        "production",
        f"{SLOT}.app_settings.DOCKER_REGISTRY_SERVER_URL",
        "https://cr.azurecr.io",
        "site_config",
    ),
    PlantedFault("the_slot_equals_the_app", "production", f"{SLOT}.app_settings.DEBUG", "true", '"false"'),
    PlantedFault("the_slot_equals_the_app", "staging", f"{SLOT}.client_affinity_enabled", True, "the app's"),
    PlantedFault("the_firewall_limits_rates", "production", f"{FIREWALL}.mode", "Detection", "Prevention"),
    PlantedFault(
        "the_firewall_limits_rates",
        "production",
        f"{FIREWALL}.custom_rule.0.rate_limit_threshold",
        50000,
        "fewer requests",
        "azurerm_cdn_frontdoor_firewall_policy.*: custom_rule = *50000*",
    ),
    PlantedFault(
        "the_firewall_covers_every_route",
        "production",
        "azurerm_cdn_frontdoor_security_policy.edge_*.security_policies.firewall.association.domain",
        [],
        "domain of the security policy",
        "azurerm_cdn_frontdoor_route.*: host = *",
    ),
    PlantedFault(
        "the_cname_waits_for_the_firewall",
        PHASES,
        "azurerm_dns_cname_record.edge_*.depends_on",
        [],
        "security_policy",
    ),
    PlantedFault(
        "host_names_are_proven_before_they_are_bound",
        DEV_PHASES,
        "azurerm_app_service_custom_hostname_binding.api-host_*.depends_on",
        [],
        "asuid.api",
    ),
    PlantedFault(
        "the_webhooks_address_is_kept_secret",
        "production",
        "azurerm_logic_app_action_custom.teams_read_*.body",
        "{}",
        "secureData",
    ),
    PlantedFault(
        "the_firewall_limits_rates",
        "production",
        f"{FIREWALL}.custom_rule.1.match_condition.0.transforms",
        [],
        "Lowercase",
        "azurerm_cdn_frontdoor_firewall_policy.*: custom_rule.1 = *",
    ),
    PlantedFault(
        "the_firewall_covers_every_route",
        "production",
        "azurerm_cdn_frontdoor_security_policy.edge_*.security_policies.firewall.cdn_frontdoor_firewall_policy_id",
        "/subscriptions/0/theirs",
        "this stack's firewall",
    ),
    PlantedFault(
        "the_edge_leads_to_the_app",
        "production",
        "azurerm_cdn_frontdoor_origin.edge_*.host_name",
        "evil.example",
        "the app's own",
    ),
]
FAULTS = [*TRANSPORT, *EXPOSURE, *SECRECY, *DATA, *ACCESS, *TERRAFORM, *NAMING, *OPERATIONS, *WEB]


def plant_fault(fault: PlantedFault) -> tuple[Stack, str]:
    """Return a copy of the stack with the fault in it, and the beginning of the violation that must be reported."""
    original = synthesize_checked_stacks()[fault.stack]
    path = PATH.fullmatch(fault.path)
    assert path, f"{fault.path} is no path"
    changed_stack = path["stack"] or original.name
    bodies = {**original.bodies, changed_stack: copy.deepcopy(original.bodies[changed_stack])}
    section = ["resource"] if path["address"].startswith("azurerm_") else []
    steps = [*section, *path["address"].split("."), *filter(None, path["attribute"].split("."))]
    exact_steps = _put_value(bodies[changed_stack], steps, fault.value)[len(section) :]
    address = ".".join(exact_steps[: path["address"].count(".") + 1])
    value = json.dumps(None if fault.value is DELETE else fault.value)
    reported = fault.reported or f"{address}: {path['attribute']} = {value}"
    return Stack(original.name, bodies[original.name], original.platform, bodies), f"{original.name}: {reported}"


def _put_value(body: TerraformJson | list[Any], steps: list[str], value: object) -> list[str]:
    """Put a value where the steps lead, and return the steps without their wildcards."""
    step, *further_steps = steps
    if isinstance(body, list):
        if further_steps:
            return [step, *_put_value(body[int(step)], further_steps, value)]
        body[int(step)] = value
        return [step]
    key = next((name for name in sorted(body) if fnmatchcase(name, step)), step)
    assert key in body or "*" not in key, f"nothing matches {step}"
    if further_steps:
        return [key, *_put_value(body.setdefault(key, {}), further_steps, value)]
    if value is DELETE:
        del body[key]
    else:
        body[key] = value
    return [key]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.rule}-{fault.stack}-{fault.path}")
def test_planted_fault_is_reported(fault: PlantedFault) -> None:
    stack, expected_start = plant_fault(fault)
    violations = [str(violation) for violation in RULES[fault.rule].check(stack)]
    pattern = re.escape(expected_start).replace(r"\*", ".*") + ": .*" + re.escape(fault.expected)
    assert any(re.match(pattern, violation) for violation in violations), "\n".join(
        [f"{expected_start}: ...{fault.expected}", "is not among", *violations]
    )


def test_every_rule_was_red() -> None:
    """Guards against a rule without a planted fault, which nobody has ever seen fail."""
    assert RULES.keys() == {fault.rule for fault in FAULTS}
