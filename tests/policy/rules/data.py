"""What holds data cannot be lost by a plan, by a click in the portal, or because code has moved.

`operations/plan_guard/holders.py` says which types hold data, and which of those have a lock of their own.
"""

import re
from collections.abc import Iterator

from operations.plan_guard.holders import HOLDS_DATA, HOLDS_NO_DATA, LOCKED
from tests.policy.rule import Requirement, Stack, Violation, check_requirements, get_list, get_value, list_types, rule
from tests.support import SynthesizedResource

HASH = re.compile(r"_[0-9A-F]{8}$")
"""The end of a logical id that cdktf has made from the construct's path. The path changes when the code moves."""

IMAGE = "site_config[0].application_stack[0].docker_image_name"
IGNORED = {
    "azurerm_app_service_custom_hostname_binding": {"ssl_state", "thumbprint"},  # the certificate's binding sets them
    "azurerm_consumption_budget_resource_group": {"time_period"},  # its start is the month of the plan
    "azurerm_linux_web_app": {IMAGE},  # deliveries set it, and an apply would reset it
    "azurerm_linux_web_app_slot": {IMAGE},
    "azurerm_postgresql_flexible_server": {
        "administrator_password_wo_version",  # an import leaves it unset, which would reset the password
        "create_mode",  # a restored server is adopted as it came; so are the next two
        "point_in_time_restore_time_in_utc",
        "source_server_id",
        "high_availability[0].standby_availability_zone",  # Azure exchanges this and `zone` after a failover
        "zone",
        "storage_mb",  # grows by itself
    },
    "azurerm_role_assignment": {"skip_service_principal_aad_check"},  # Azure does not return it, so an import lacks it
    "azurerm_static_web_app": {"repository_branch", "repository_url"},  # the upload of a build sets them
}
RECOVERABLE = (
    Requirement("azurerm_key_vault", "purge_protection_enabled", (True,)),
    Requirement("azurerm_postgresql_flexible_server", "auto_grow_enabled", (True,)),
    Requirement("azurerm_storage_account", "blob_properties.versioning_enabled", (True,)),
    Requirement("azurerm_storage_account", "infrastructure_encryption_enabled", (True,)),
    # A change of this policy recreates the database. EnterpriseCluster has one endpoint, for plain clients.
    Requirement("azurerm_managed_redis", "default_database.clustering_policy", ("EnterpriseCluster",)),
)
KEPT_DAYS = (
    ("azurerm_key_vault", "soft_delete_retention_days", 7),
    ("azurerm_postgresql_flexible_server", "backup_retention_days", 7),
    ("azurerm_storage_account", "blob_properties.delete_retention_policy.days", 7),
    ("azurerm_storage_account", "blob_properties.container_delete_retention_policy.days", 7),
)
"""Type, attribute, and the fewest days for which something deleted or overwritten can be brought back."""


@rule(*HOLDS_DATA)
def data_is_not_destroyed_by_a_plan(stack: Stack) -> Iterator[Violation]:
    """What holds data has `prevent_destroy`, which refuses a plan that would delete or replace it.

    A disposable environment does not have it, because it must be able to go. docs/design.md#decisions, "Data loss";
    https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#prevent_destroy
    """
    for resource in stack.find_resources(*HOLDS_DATA):
        protected = get_value(resource.body, "lifecycle.prevent_destroy") is True
        if protected == stack.is_disposable(resource):
            expected = "false: the environment is disposable" if protected else "true: it holds data"
            yield Violation.of(resource, "lifecycle.prevent_destroy", f"must be {expected}")


@rule(*HOLDS_DATA, *sorted(HOLDS_NO_DATA))
def every_type_is_listed_in_holders(stack: Stack) -> Iterator[Violation]:
    """Every type is listed in `operations/plan_guard/holders.py`, as one that holds data or as one that does not.

    So a new type cannot be left without `prevent_destroy` by mistake. docs/design.md#decisions, "Data loss".
    """
    for resource in stack.find_resources():
        if resource.type not in HOLDS_DATA and resource.type not in HOLDS_NO_DATA:
            yield Violation(resource.address, "type", resource.type, "must be in operations/plan_guard/holders.py")
        elif resource.type in HOLDS_NO_DATA and get_value(resource.body, "lifecycle.prevent_destroy"):
            yield Violation.of(resource, "lifecycle.prevent_destroy", "must be absent, or the type in HOLDS_DATA")


@rule(*HOLDS_DATA)
def data_keeps_its_address(stack: Stack) -> Iterator[Violation]:
    """What holds data has a logical id that is written out.

    A logical id with cdktf's hash changes when code moves between constructs, and a new address is a new database.
    docs/design.md#decisions, "State addresses"; `override_logical_id` in
    https://developer.hashicorp.com/terraform/cdktf/concepts/resources
    """
    for resource in stack.find_resources(*HOLDS_DATA):
        if HASH.search(resource.name):
            yield Violation(resource.address, "logical id", resource.name, "must be written out, by protect()")


@rule("azurerm_management_lock", *sorted(LOCKED))
def data_is_locked(stack: Stack) -> Iterator[Violation]:
    """What holds data has a lock, so that Azure refuses to delete it, no matter who asks.

    A disposable environment has no lock. docs/adr/0017-what-has-no-lock.md says which other resources have none, and
    why; https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
    """
    locks = list(stack.find_resources("azurerm_management_lock"))
    for resource in stack.find_resources(*HOLDS_DATA):
        own = [lock.name for lock in locks if stack.resolve(lock.body["scope"]) == resource]
        needs_lock = resource.type in LOCKED and not stack.is_disposable(resource)
        if needs_lock != (len(own) == 1):
            expected = "must have exactly one CanNotDelete lock" if needs_lock else "must have no lock"
            yield Violation(resource.address, "locks", own, expected)
    for lock in locks:
        if get_value(lock.body, "lock_level") != "CanNotDelete":
            yield Violation.of(lock, "lock_level", 'must be "CanNotDelete": ReadOnly stops the service as well')
        target = stack.resolve(lock.body["scope"])
        if target is None or target.type not in HOLDS_DATA:
            yield Violation.of(lock, "scope", "must be a resource of this stack that holds data")


@rule(*IGNORED, "azurerm_service_plan", "azurerm_monitor_autoscale_setting")
def changes_by_others_are_ignored(stack: Stack) -> Iterator[Violation]:
    """Terraform ignores what Azure or a delivery changes, and nothing else.

    docs/design.md#traps;
    https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#ignore_changes
    """
    settings = stack.find_resources("azurerm_monitor_autoscale_setting")
    scaled = [stack.resolve(setting.body["target_resource_id"]) for setting in settings]
    for resource in stack.find_resources():
        expected = {"worker_count"} if resource in scaled else IGNORED.get(resource.type, set[str]())
        if set(map(str, get_list(resource.body, "lifecycle.ignore_changes"))) != expected:
            yield Violation.of(resource, "lifecycle.ignore_changes", f"must be {sorted(expected)}")


@rule(*list_types(RECOVERABLE))
def data_is_recoverable(stack: Stack) -> Iterator[Violation]:
    """Vaults have purge protection, accounts keep versions, and the database's disk grows.

    Thanks to these, data survives a bad day. docs/design.md#decisions, "Recovery";
    https://learn.microsoft.com/azure/storage/blobs/data-protection-overview
    """
    yield from check_requirements(stack, RECOVERABLE)


@rule(*(type_ for type_, _, _ in KEPT_DAYS))
def deletions_can_be_undone(stack: Stack) -> Iterator[Violation]:
    """What was deleted is kept for at least 7 days, so that there is a week to notice.

    https://learn.microsoft.com/azure/storage/blobs/soft-delete-blob-overview advises 7 days.
    """
    for type_, attribute, least in KEPT_DAYS:
        for resource in stack.find_resources(type_):
            days = get_value(resource.body, attribute)
            if not isinstance(days, int) or days < least:
                yield Violation.of(resource, attribute, f"must be at least {least} days")


@rule("azurerm_storage_container_immutability_policy")
def evidence_and_plans_are_immutable(stack: Stack) -> Iterator[Violation]:
    """The containers of evidence and of plan files have immutability policies. Evidence has a locked one.

    A policy that is not locked can be removed by the same people who could change the evidence. An account with a
    locked one cannot be deleted, so a disposable environment has none that is locked, and neither has the account of
    all states. There, the policy only keeps the identities that write plans from changing them.
    https://learn.microsoft.com/azure/storage/blobs/immutable-time-based-retention-policy-overview
    """
    policies = list(stack.find_resources("azurerm_storage_container_immutability_policy"))
    covered = [stack.resolve(policy.body["storage_container_resource_manager_id"]) for policy in policies]
    for container in stack.find_resources("azurerm_storage_container"):
        name = str(container.body["name"])
        if (name == "evidence" or name.startswith("plans-")) and container not in covered:
            yield Violation(container.address, "immutability policy", None, "must have one")
    for policy in policies:
        must_be_locked = stack.environment is not None and not stack.is_disposable(policy)
        if bool(get_value(policy.body, "locked")) is not must_be_locked:
            yield Violation.of(policy, "locked", "must be true for evidence that is not disposable, else false")


@rule("azurerm_storage_management_policy")
def old_versions_are_deleted(stack: Stack) -> Iterator[Violation]:
    """Every storage account has a lifecycle rule that deletes old versions, except one that holds only evidence.

    With versioning, every blob that is overwritten is kept, and paid for, until a rule deletes it. Evidence is never
    overwritten. https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-overview
    """
    for account in stack.find_resources("azurerm_storage_account"):
        if not _is_immutable(stack, account) and not _deletes_old_versions(stack, account):
            expected = "must have an enabled rule that deletes old versions"
            yield Violation(account.address, "lifecycle rules", None, expected)


def _deletes_old_versions(stack: Stack, account: SynthesizedResource) -> bool:
    """Return whether an account has an enabled lifecycle rule for old versions."""
    rules = [
        rule_
        for policy in stack.find_resources("azurerm_storage_management_policy")
        if stack.resolve(policy.body["storage_account_id"]) == account
        for rule_ in get_list(policy.body, "rule")
    ]
    days = "actions.version.delete_after_days_since_creation"
    return any(get_value(rule_, "enabled") is True and get_value(rule_, days) is not None for rule_ in rules)


def _is_immutable(stack: Stack, account: SynthesizedResource) -> bool:
    """Return whether an account has containers, and all of them are immutable."""
    policies = stack.find_resources("azurerm_storage_container_immutability_policy")
    immutable = [stack.resolve(policy.body["storage_container_resource_manager_id"]) for policy in policies]
    containers = [
        container
        for container in stack.find_resources("azurerm_storage_container")
        if stack.resolve(container.body["storage_account_id"]) == account
    ]
    return bool(containers) and all(container in immutable for container in containers)


@rule("azurerm_postgresql_flexible_server_configuration")
def parameters_apply_one_at_a_time(stack: Stack) -> Iterator[Violation]:
    """The parameters of a database server depend on each other in one chain.

    The server refuses an operation while another one runs. docs/design.md#traps;
    https://github.com/hashicorp/terraform-provider-azurerm/issues/28298
    """
    # At most one parameter depends on none, and no two depend on the same one. Terraform refuses cycles, so they form
    # one chain.
    followers: dict[object, str] = {}
    for parameter in stack.find_resources("azurerm_postgresql_flexible_server_configuration"):
        dependencies = get_list(parameter.body, "depends_on")
        predecessor = next((address for address in dependencies if parameter.type in str(address)), None)
        first = followers.setdefault(predecessor, parameter.name)
        if first != parameter.name:
            expected = f"must be another parameter than the one that {first} waits for"
            yield Violation.of(parameter, "depends_on", expected)
