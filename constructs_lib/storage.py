"""Blob storage without keys: uploads and backups inside the network, and deployment evidence that nobody can change."""

from dataclasses import replace
from typing import Literal

from cdktf_cdktf_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.storage_account import (
    StorageAccount,
    StorageAccountBlobProperties,
    StorageAccountBlobPropertiesContainerDeleteRetentionPolicy,
    StorageAccountBlobPropertiesDeleteRetentionPolicy,
    StorageAccountNetworkRules,
    StorageAccountSasPolicy,
)
from cdktf_cdktf_provider_azurerm.storage_container import StorageContainer
from cdktf_cdktf_provider_azurerm.storage_container_immutability_policy import StorageContainerImmutabilityPolicy
from cdktf_cdktf_provider_azurerm.storage_management_policy import (
    StorageManagementPolicy,
    StorageManagementPolicyRule,
    StorageManagementPolicyRuleActions,
    StorageManagementPolicyRuleActionsBaseBlob,
    StorageManagementPolicyRuleActionsVersion,
    StorageManagementPolicyRuleFilters,
)

from constructs_lib.checkov_exceptions import except_check
from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.network import Network
from constructs_lib.place import AzureStack, Capability
from constructs_lib.protection import protect
from constructs_lib.roles import grant
from environments.settings import StorageSettings

UPLOADS, BACKUPS, EVIDENCE = "uploads", "backups", "evidence"


def add_storage_account(
    owner: Capability,
    role: Literal["uploads", "evidence", "state"],
    *,
    replication: str,
    deleted_kept_days: int,
    workspace: LogAnalyticsWorkspace,
    admitted: str | None,
) -> StorageAccount:
    """Add a protected account for blobs, with Entra logins only, TLS 1.2, blob versions and soft delete.

    Args:
        owner: The construct that the account belongs to.
        role: The account's use; part of its name.
        replication: LRS, ZRS, GRS, GZRS or RAGZRS.
        deleted_kept_days: For how many days a deleted blob or container can be restored.
        workspace: Where the account's logs go.
        admitted: The id of the only subnet that the firewall admits. None leaves the public endpoint open to every
            identity with a role, because CI must reach the account from outside the network (tests/policy lists these
            accounts).
    """
    account = StorageAccount(
        owner,
        role,
        **owner.place.compose_arguments("storage", role),
        account_tier="Standard",
        account_kind="StorageV2",
        account_replication_type=replication,
        min_tls_version="TLS1_2",
        https_traffic_only_enabled=True,
        shared_access_key_enabled=False,
        default_to_oauth_authentication=True,
        local_user_enabled=False,
        allow_nested_items_to_be_public=False,
        cross_tenant_replication_enabled=False,
        infrastructure_encryption_enabled=True,
        allowed_copy_scope="AAD",
        public_network_access_enabled=True,  # the network rules below decide who gets in
        # Without a subnet there is no block: azurerm never reads Azure's default, Allow, back, so it would plan it for
        # ever.
        network_rules=StorageAccountNetworkRules(
            default_action="Deny", bypass=["AzureServices"], virtual_network_subnet_ids=[admitted]
        )
        if admitted
        else None,
        # A user delegation SAS works without account keys. It is valid for an hour at most.
        sas_policy=StorageAccountSasPolicy(expiration_period="00.01:00:00", expiration_action="Block"),
        blob_properties=StorageAccountBlobProperties(
            versioning_enabled=True,
            change_feed_enabled=True,
            delete_retention_policy=StorageAccountBlobPropertiesDeleteRetentionPolicy(days=deleted_kept_days),
            container_delete_retention_policy=StorageAccountBlobPropertiesContainerDeleteRetentionPolicy(
                days=deleted_kept_days
            ),
        ),
    )
    _except_checks(account, replication=replication, open_to_entra=admitted is None)
    protect(account, f"{role}_storage", place=owner.place)
    send_diagnostics(account, workspace)
    return account


def add_container(
    owner: Capability, account: StorageAccount, name: str, *, disposable: bool | None = None
) -> StorageContainer:
    """Add a private container. It is created through Resource Manager, because the data plane may be unreachable.

    `disposable` says whether the container may be deleted. If it is None, the place of `owner` says so.
    """
    container = StorageContainer(
        owner, f"{name}-container", name=name, storage_account_id=account.id, container_access_type="private"
    )
    except_check(
        container, "CKV2_AZURE_21", "The account's diagnostic setting logs reads; the rule knows classic logging alone."
    )
    place = owner.place if disposable is None else replace(owner.place, disposable=disposable)
    protect(container, f"{name.replace('-', '_')}_container", place=place, lock=False)  # the account's lock covers it
    return container


def _except_checks(account: StorageAccount, *, replication: str, open_to_entra: bool) -> None:
    except_check(
        account, "CKV2_AZURE_1", "Microsoft's own keys: a customer's would be one more thing to lose the data by."
    )
    except_check(account, "CKV_AZURE_33", "No queue is used, and classic queue logging is set through the data plane.")
    except_check(account, "CKV_AZURE_59", "The endpoint is public; who may come in is said by network rules and Entra.")
    if open_to_entra:
        except_check(account, "CKV2_AZURE_33", "CI is outside the network, where no private endpoint leads.")
    else:
        except_check(
            account, "CKV2_AZURE_33", "The app's subnet comes in by its service endpoint; nobody else needs to."
        )
    if replication in {"LRS", "ZRS"}:
        except_check(
            account, "CKV_AZURE_206", "Smaller environments keep one region's copies; production, two regions'."
        )


def add_lifecycle_rules(
    owner: Capability, id_: str, account: StorageAccount, *rules: StorageManagementPolicyRule
) -> None:
    """Add the account's lifecycle rules. Call this once per account: an account has one management policy."""
    StorageManagementPolicy(owner, id_, storage_account_id=account.id, rule=list(rules))


def build_versions_rule(days: int) -> StorageManagementPolicyRule:
    """Return a rule that deletes earlier versions of every blob after so many days."""
    return StorageManagementPolicyRule(
        name="forget-old-versions",
        enabled=True,
        filters=StorageManagementPolicyRuleFilters(blob_types=["blockBlob"]),
        actions=StorageManagementPolicyRuleActions(
            version=StorageManagementPolicyRuleActionsVersion(delete_after_days_since_creation=days)
        ),
    )


def build_blobs_rule(
    name: str, *, prefixes: list[str], delete_after: int | None = None, cool_after: int | None = None
) -> StorageManagementPolicyRule:
    """Return a rule that deletes or cools the blobs with these prefixes (`container/...`).

    Args:
        name: The rule's name.
        prefixes: The prefixes, which start with the container's name.
        delete_after: Days after a blob's last change until it is deleted; None never deletes.
        cool_after: Days after a blob's last change until it moves to the cool tier; None never moves it.
    """
    return StorageManagementPolicyRule(
        name=name,
        enabled=True,
        filters=StorageManagementPolicyRuleFilters(blob_types=["blockBlob"], prefix_match=prefixes),
        actions=StorageManagementPolicyRuleActions(
            base_blob=StorageManagementPolicyRuleActionsBaseBlob(
                delete_after_days_since_modification_greater_than=delete_after,
                tier_to_cool_after_days_since_modification_greater_than=cool_after,
            )
        ),
    )


class Storage(Capability):
    """Two accounts: `uploads` with the containers uploads and backups, and `evidence` with an immutable container."""

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        settings: StorageSettings,
        network: Network,
        api: DataAzurermUserAssignedIdentity,
        delivery: DataAzurermUserAssignedIdentity,
        workspace: LogAnalyticsWorkspace,
    ) -> None:
        super().__init__(scope, id_)
        self.uploads = add_storage_account(
            self,
            "uploads",
            replication=settings.replication,
            deleted_kept_days=settings.deleted_kept_days,
            workspace=workspace,
            admitted=network.app_subnet_id,
        )
        uploads = add_container(self, self.uploads, UPLOADS)
        add_container(self, self.uploads, BACKUPS)
        add_lifecycle_rules(
            self,
            "uploads-lifecycle",
            self.uploads,
            build_versions_rule(settings.deleted_kept_days),
            build_blobs_rule("cool-old-uploads", cool_after=90, prefixes=[f"{UPLOADS}/"]),
            build_blobs_rule("forget-old-backups", delete_after=settings.backups_kept_days, prefixes=[f"{BACKUPS}/"]),
        )
        self.evidence = add_storage_account(
            self,
            "evidence",
            replication=settings.replication,
            deleted_kept_days=settings.deleted_kept_days,
            workspace=workspace,
            admitted=None,
        )
        evidence = add_container(self, self.evidence, EVIDENCE)
        StorageContainerImmutabilityPolicy(
            self,
            "evidence-immutability",
            storage_container_resource_manager_id=evidence.id,
            immutability_period_in_days=settings.evidence_kept_days,
            # Nobody can shorten or remove a locked policy, or delete its account, before the period has passed.
            locked=not self.place.disposable,
        )
        for writer, identity, container in (("api", api, uploads), ("delivery", delivery, evidence)):
            grant(
                self,
                f"{writer}-writes-blobs",
                "Storage Blob Data Contributor",
                to=identity.principal_id,
                on=container.id,
                why=f"'{writer}' reads and writes the container '{container.name_input}'.",
            )
