"""What holds data: it cannot be lost by a plan, by a click, or by moving code."""

import re
from collections.abc import Iterator

from operations.plan_guard.holders import HOLDS_A_NAME, PROTECTS, REPLACEABLE
from tests.policy.rule import Must, Problem, Stack, at, listed, must, rule, types, wrong
from tests.support import SynthesizedResource

# What is lost with it; and whether it bears a lock of its own, or why not.
HOLDS_DATA = {
    "azurerm_communication_service": "lock",  # the connection string that the app uses
    "azurerm_container_registry": "no lock: the rights to pull inherit it, and must go with an environment",
    "azurerm_dns_zone": "no lock: its records would inherit it, and they must be removable",
    "azurerm_email_communication_service": "lock",  # the verified domain below it
    "azurerm_email_communication_service_domain": "no lock: its service's covers it",
    "azurerm_key_vault": "lock",
    "azurerm_log_analytics_workspace": "lock",
    "azurerm_managed_redis": "lock",
    "azurerm_postgresql_flexible_server": "lock",
    "azurerm_postgresql_flexible_server_database": "no lock: its server's covers it",
    "azurerm_resource_group": "no lock: all that is in it would inherit it",
    "azurerm_static_web_app": "no lock: a delivery replaces its builds, which would inherit it",
    "azurerm_storage_account": "lock",
    "azurerm_storage_container": "no lock: its account's covers it",
}
# What Terraform makes again from its settings, and nobody misses.
HOLDS_NO_DATA = frozenset({*HOLDS_A_NAME, *PROTECTS, *REPLACEABLE})
HASH = re.compile(r"_[0-9A-F]{8}$")
"""How cdktf ends a logical id that it has made from the construct's path, which moves with the code."""

IMAGE = "site_config[0].application_stack[0].docker_image_name"
IGNORED = {
    "azurerm_app_service_custom_hostname_binding": {"ssl_state", "thumbprint"},  # the certificate's binding sets them
    "azurerm_linux_web_app": {IMAGE},  # deliveries set it, and an apply would reset it
    "azurerm_linux_web_app_slot": {IMAGE},
    "azurerm_postgresql_flexible_server": {
        "administrator_password_wo_version",  # an import leaves it unset, and would then reset the password
        "create_mode",  # these three: a restored server is adopted as it came
        "point_in_time_restore_time_in_utc",
        "source_server_id",
        "high_availability[0].standby_availability_zone",  # Azure exchanges these two after a failover
        "zone",
        "storage_mb",  # grows by itself
    },
    "azurerm_role_assignment": {"skip_service_principal_aad_check"},  # Azure does not tell it, as to an import
    "azurerm_static_web_app": {"repository_branch", "repository_url"},  # the upload of a build sets them
}
RECOVERABLE = (
    Must("azurerm_key_vault", "purge_protection_enabled", (True,)),
    Must("azurerm_postgresql_flexible_server", "auto_grow_enabled", (True,)),
    Must("azurerm_storage_account", "blob_properties.versioning_enabled", (True,)),
    Must("azurerm_storage_account", "infrastructure_encryption_enabled", (True,)),
    # A change of it recreates the database; and its one endpoint is what a plain client speaks to.
    Must("azurerm_managed_redis", "default_database.clustering_policy", ("EnterpriseCluster",)),
)
# By type: how many days, at the least, what was deleted or overwritten can be brought back.
KEPT_DAYS = (
    ("azurerm_key_vault", "soft_delete_retention_days", 7),
    ("azurerm_postgresql_flexible_server", "backup_retention_days", 7),
    ("azurerm_storage_account", "blob_properties.delete_retention_policy.days", 7),
    ("azurerm_storage_account", "blob_properties.container_delete_retention_policy.days", 7),
)


@rule(*HOLDS_DATA)
def data_is_not_destroyed_by_a_plan(stack: Stack) -> Iterator[Problem]:
    """`prevent_destroy` refuses a plan that would delete or replace it; a disposable environment must be able to go.

    https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#prevent_destroy, design section 4.
    """
    for resource in stack.of(*HOLDS_DATA):
        protected = at(resource.body, "lifecycle.prevent_destroy") is True
        if protected == stack.disposable(resource):
            wanted = "false: the environment is disposable" if protected else "true: it holds data"
            yield wrong(resource, "lifecycle.prevent_destroy", f"must be {wanted}")


@rule(*HOLDS_DATA, *sorted(HOLDS_NO_DATA))
def what_holds_data_is_known(stack: Stack) -> Iterator[Problem]:
    """A new type is refused until somebody has said whether it holds data, so that none is forgotten.

    Issue 3, section 4: prevent_destroy on everything that holds data.
    """
    for resource in stack.of():
        if resource.type not in HOLDS_DATA and resource.type not in HOLDS_NO_DATA:
            yield Problem(resource.address, "type", resource.type, "must be in operations/plan_guard/holders.py")
        elif resource.type in HOLDS_NO_DATA and at(resource.body, "lifecycle.prevent_destroy"):
            yield wrong(resource, "lifecycle.prevent_destroy", "must be absent, or the type in HOLDS_DATA")


@rule(*HOLDS_DATA)
def data_keeps_its_address(stack: Stack) -> Iterator[Problem]:
    """An address with cdktf's hash changes when code moves between constructs, and a new address is a new database.

    https://developer.hashicorp.com/terraform/cdktf/concepts/resources (override_logical_id), design section 4.
    """
    for resource in stack.of(*HOLDS_DATA):
        if HASH.search(resource.name):
            yield Problem(resource.address, "logical id", resource.name, "must be written out, by protect()")


@rule("azurerm_management_lock", *(type_ for type_, lock in HOLDS_DATA.items() if lock == "lock"))
def data_is_locked(stack: Stack) -> Iterator[Problem]:
    """A lock refuses the delete in Azure, whoever asks; a disposable environment has none, and DNS zones never.

    https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources, design section 4.
    """
    locks = list(stack.of("azurerm_management_lock"))
    for resource in stack.of(*HOLDS_DATA):
        own = [lock for lock in locks if stack.named(lock.body["scope"]) == resource]
        wanted = HOLDS_DATA[resource.type] == "lock" and not stack.disposable(resource)
        if wanted != (len(own) == 1):
            right = "must have exactly one CanNotDelete lock" if wanted else "must have no lock"
            yield Problem(resource.address, "locks", [lock.name for lock in own], right)
    for lock in locks:
        if at(lock.body, "lock_level") != "CanNotDelete":
            yield wrong(lock, "lock_level", 'must be "CanNotDelete": ReadOnly stops the service as well')
        target = stack.named(lock.body["scope"])
        if target is None or target.type not in HOLDS_DATA:
            yield wrong(lock, "scope", "must be a resource of this stack that holds data")


@rule(*IGNORED, "azurerm_service_plan", "azurerm_monitor_autoscale_setting")
def others_changes_are_ignored(stack: Stack) -> Iterator[Problem]:
    """What Azure or a delivery changes behind Terraform's back is left alone, and nothing more than that.

    Design section 5; https://developer.hashicorp.com/terraform/language/meta-arguments/lifecycle#ignore_changes
    """
    scaled = [stack.named(each.body["target_resource_id"]) for each in stack.of("azurerm_monitor_autoscale_setting")]
    for resource in stack.of():
        wanted = {"worker_count"} if resource in scaled else IGNORED.get(resource.type, set[str]())
        if set(map(str, listed(resource.body, "lifecycle.ignore_changes"))) != wanted:
            yield wrong(resource, "lifecycle.ignore_changes", f"must be {sorted(wanted)}")


@rule(*types(RECOVERABLE))
def data_is_recoverable(stack: Stack) -> Iterator[Problem]:
    """Purge protection, versions and growth are what a bad day is survived with, issue 3 section 3.

    https://learn.microsoft.com/azure/storage/blobs/data-protection-overview
    """
    yield from must(stack, RECOVERABLE)


@rule(*(type_ for type_, _, _ in KEPT_DAYS))
def deletions_can_be_undone(stack: Stack) -> Iterator[Problem]:
    """A week to notice; https://learn.microsoft.com/azure/storage/blobs/soft-delete-blob-overview advises 7 days."""
    for type_, attribute, least in KEPT_DAYS:
        for resource in stack.of(type_):
            days = at(resource.body, attribute)
            if not isinstance(days, int) or days < least:
                yield wrong(resource, attribute, f"must be at least {least} days")


@rule("azurerm_storage_container_immutability_policy")
def evidence_is_immutable(stack: Stack) -> Iterator[Problem]:
    """Unlocked, the policy can be removed by whoever could change the evidence; locked, a disposable account stays.

    https://learn.microsoft.com/azure/storage/blobs/immutable-time-based-retention-policy-overview
    """
    policies = list(stack.of("azurerm_storage_container_immutability_policy"))
    for container in stack.of("azurerm_storage_container"):
        kept = [
            each for each in policies if stack.named(each.body["storage_container_resource_manager_id"]) == container
        ]
        if container.body["name"] == "evidence" and not kept:
            yield Problem(container.address, "immutability policy", None, "must have one")
    for policy in policies:
        if bool(at(policy.body, "locked")) is stack.disposable(policy):
            yield wrong(policy, "locked", "must be true, and in a disposable environment false")


@rule("azurerm_storage_management_policy")
def old_versions_are_forgotten(stack: Stack) -> Iterator[Problem]:
    """With versioning every overwrite is kept, and paid for, until a lifecycle rule forgets it, issue 3 section 3.

    Evidence is never overwritten. https://learn.microsoft.com/azure/storage/blobs/lifecycle-management-overview
    """
    policies = list(stack.of("azurerm_storage_management_policy"))
    for account in stack.of("azurerm_storage_account"):
        if not _evidence(stack, account) and not any(
            stack.named(policy.body["storage_account_id"]) == account
            and at(row, "enabled") is True
            and at(row, "actions.version.delete_after_days_since_creation") is not None
            for policy in policies
            for row in listed(policy.body, "rule")
        ):
            yield Problem(
                account.address, "lifecycle rules", None, "must have an enabled rule that deletes old versions"
            )


def _evidence(stack: Stack, account: SynthesizedResource) -> bool:
    """Whether all that is in the account is immutable."""
    immutable = [
        stack.named(each.body["storage_container_resource_manager_id"])
        for each in stack.of("azurerm_storage_container_immutability_policy")
    ]
    own = [
        each
        for each in stack.of("azurerm_storage_container")
        if stack.named(each.body["storage_account_id"]) == account
    ]
    return bool(own) and all(each in immutable for each in own)


@rule("azurerm_postgresql_flexible_server_configuration")
def parameters_apply_one_at_a_time(stack: Stack) -> Iterator[Problem]:
    """The server refuses an operation while another one runs, so the parameters wait for each other in one chain.

    https://github.com/hashicorp/terraform-provider-azurerm/issues/28298, design section 5.
    """
    followed: dict[object, str] = {}
    for parameter in stack.of("azurerm_postgresql_flexible_server_configuration"):
        before = next((each for each in listed(parameter.body, "depends_on") if parameter.type in str(each)), None)
        # No two after the same one, and one alone after none: Terraform refuses cycles, so that is a chain.
        if (first := followed.setdefault(before, parameter.name)) != parameter.name:
            yield wrong(parameter, "depends_on", f"must be another parameter than the one that {first} waits for")
