"""Blob storage without keys: uploads and backups behind the network, deployment evidence that nobody can change."""

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
from cdktf_cdktf_provider_azurerm.subnet import Subnet

from constructs_lib.checkov_exceptions import except_check
from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.network import Network
from constructs_lib.place import AzureStack, Capability
from constructs_lib.protection import protect
from constructs_lib.roles import grant
from environments.settings import StorageSettings

UPLOADS, BACKUPS, EVIDENCE = "uploads", "backups", "evidence"


def storage_account(
    owner: Capability,
    role: Literal["uploads", "evidence", "state"],
    *,
    replication: str,
    deleted_kept_days: int,
    workspace: LogAnalyticsWorkspace,
    admitted: Subnet | None,
) -> StorageAccount:
    """A protected account for blobs: Entra alone, TLS 1.2, versions and soft delete.

    Args:
        owner: The construct that it belongs to.
        role: What it is for; part of its name.
        replication: LRS, ZRS, GRS, GZRS or RAGZRS.
        deleted_kept_days: Days that a deleted blob or container can be brought back.
        workspace: Where its logs go.
        admitted: The one subnet that is let in; None leaves the public endpoint open to whoever Entra lets in, for
            what CI must reach from outside the network (the policy's named exceptions).
    """
    account = StorageAccount(
        owner,
        role,
        **owner.place.arguments("storage", role),
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
        public_network_access_enabled=True,  # the rules below decide who is let in
        # Without a subnet no block: azurerm never reads Azure's default, Allow, back, and would plan it for ever.
        network_rules=StorageAccountNetworkRules(
            default_action="Deny", bypass=["AzureServices"], virtual_network_subnet_ids=[admitted.id]
        )
        if admitted
        else None,
        # User delegation SAS stays possible without keys: an hour at most.
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


def container(
    owner: Capability, account: StorageAccount, name: str, *, disposable: bool | None = None
) -> StorageContainer:
    """A private container, made through Resource Manager: the account's data plane may be out of reach.

    `disposable` says whether it may go, where that is not what its owner's place says.
    """
    made = StorageContainer(
        owner, f"{name}-container", name=name, storage_account_id=account.id, container_access_type="private"
    )
    except_check(
        made, "CKV2_AZURE_21", "The account's diagnostic setting logs reads; the rule knows classic logging alone."
    )
    place = owner.place if disposable is None else replace(owner.place, disposable=disposable)
    protect(made, f"{name.replace('-', '_')}_container", place=place, lock=False)  # the account's lock covers it
    return made


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


def forget_old(owner: Capability, id_: str, account: StorageAccount, *rules: StorageManagementPolicyRule) -> None:
    """The account's lifecycle rules; an account has one policy."""
    StorageManagementPolicy(owner, id_, storage_account_id=account.id, rule=list(rules))


def versions_rule(days: int) -> StorageManagementPolicyRule:
    """Forget earlier versions of every blob after so many days."""
    return StorageManagementPolicyRule(
        name="forget-old-versions",
        enabled=True,
        filters=StorageManagementPolicyRuleFilters(blob_types=["blockBlob"]),
        actions=StorageManagementPolicyRuleActions(
            version=StorageManagementPolicyRuleActionsVersion(delete_after_days_since_creation=days)
        ),
    )


def blobs_rule(
    name: str, *, prefixes: list[str], delete_after: int | None = None, cool_after: int | None = None
) -> StorageManagementPolicyRule:
    """Forget or cool the blobs under these prefixes (`container/...`) so many days after their last change."""
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
    """Two accounts: `uploads`, with the containers uploads and backups, and `evidence`, with an immutable container."""

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
        self.uploads = storage_account(
            self,
            "uploads",
            replication=settings.replication,
            deleted_kept_days=settings.deleted_kept_days,
            workspace=workspace,
            admitted=network.app_subnet,
        )
        uploads = container(self, self.uploads, UPLOADS)
        container(self, self.uploads, BACKUPS)
        forget_old(
            self,
            "uploads-lifecycle",
            self.uploads,
            versions_rule(settings.deleted_kept_days),
            blobs_rule("cool-old-uploads", cool_after=90, prefixes=[f"{UPLOADS}/"]),
            blobs_rule("forget-old-backups", delete_after=settings.backups_kept_days, prefixes=[f"{BACKUPS}/"]),
        )
        self.evidence = storage_account(
            self,
            "evidence",
            replication=settings.replication,
            deleted_kept_days=settings.deleted_kept_days,
            workspace=workspace,
            admitted=None,
        )
        evidence = container(self, self.evidence, EVIDENCE)
        StorageContainerImmutabilityPolicy(
            self,
            "evidence-immutability",
            storage_container_resource_manager_id=evidence.id,
            immutability_period_in_days=settings.evidence_kept_days,
            # A locked policy can never be shortened or removed, and the account not deleted, before its time.
            locked=not self.place.disposable,
        )
        for who, principal_id, where in (
            ("api", api.principal_id, uploads),
            ("delivery", delivery.principal_id, evidence),
        ):
            grant(
                self,
                f"{who}-writes-blobs",
                "Storage Blob Data Contributor",
                to=principal_id,
                on=where.id,
                why=f"'{who}' reads and writes the container '{where.name_input}'.",
            )
