"""The vault that holds the application's secrets. Terraform creates the vault and never sees the secrets."""

from collections.abc import Mapping, Sequence

from cdktf_cdktf_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktf_cdktf_provider_azurerm.key_vault import KeyVault as AzurermKeyVault
from cdktf_cdktf_provider_azurerm.key_vault import KeyVaultNetworkAcls
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity

from constructs_lib.checkov_exceptions import except_check
from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.place import AzureStack, Capability
from constructs_lib.protection import protect
from constructs_lib.roles import grant
from environments.settings import KeyVaultSettings


class KeyVault(Capability):
    """A vault (`vault`), with RBAC and purge protection. Its firewall denies everybody but the given subnets.

    `reader_assignments` has the role assignment of each reader.

    Args:
        role: What tells the vault from the environment's other ones; empty for the application's own.
        settings: Days of soft delete.
        subnets: The ids of the subnets that the firewall admits.
        readers: The identities that may read secrets, by the name of their use ("api", "jobs", "teams").
        admitted_addresses: Public IPv4 addresses that the firewall admits as well.
        workspace: Where the audit log goes.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        role: str = "",
        settings: KeyVaultSettings,
        subnets: Sequence[str],
        readers: Mapping[str, UserAssignedIdentity | DataAzurermUserAssignedIdentity],
        workspace: LogAnalyticsWorkspace,
        admitted_addresses: Sequence[str] | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self.vault = AzurermKeyVault(
            self,
            "vault",
            **self.place.compose_arguments("key_vault", role),
            tenant_id=self.place.account.tenant_id,
            sku_name="standard",
            rbac_authorization_enabled=True,
            purge_protection_enabled=True,
            soft_delete_retention_days=settings.soft_delete_days,
            public_network_access_enabled=True,  # the firewall below decides who gets in
            network_acls=KeyVaultNetworkAcls(
                default_action="Deny",
                # Secrets are written through Resource Manager, which is a trusted service.
                bypass="AzureServices",
                virtual_network_subnet_ids=subnets,
                ip_rules=admitted_addresses,
            ),
        )
        except_check(
            self.vault, "CKV2_AZURE_32", "Its subnets come in by their service endpoint; everybody else is denied."
        )
        protect(self.vault, f"{role}_key_vault" if role else "key_vault", place=self.place)
        send_diagnostics(self.vault, workspace)
        self.reader_assignments = {
            reader: grant(
                self,
                f"{reader}-reads-secrets",
                "Key Vault Secrets User",
                to=identity.principal_id,
                on=self.vault.id,
                why=f"'{reader}' reads its secrets from this vault.",
            )
            for reader, identity in readers.items()
        }

    def compose_reference(self, secret: str) -> str:
        """Return the value of an App Service app setting that resolves to the newest version of a secret.

        https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
        """
        return f"@Microsoft.KeyVault(VaultName={self.place.names.compose('key_vault')};SecretName={secret})"
