"""The container registry of all environments. An image is built once and promoted by its digest."""

from cdktf_cdktf_provider_azurerm.container_registry import ContainerRegistry
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace

from constructs_lib.checkov_exceptions import except_check
from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.place import AzureStack, Capability
from constructs_lib.protection import protect
from environments.settings import RegistrySettings

CHECKOV_EXCEPTIONS = {
    "CKV_AZURE_139": "CI pushes from outside the network, with Entra and without an admin user.",
    "CKV_AZURE_164": "Deployments name a digest; content trust is retired by Docker and Azure.",
    "CKV_AZURE_165": "One region: an outage stops deployments, not the running containers.",
    "CKV_AZURE_166": "Quarantine needs a scanner that releases images; the delivery scans before it pushes.",
    "CKV_AZURE_167": "Retention of untagged manifests needs Premium, and could take a digest that is deployed.",
    "CKV_AZURE_233": "Zone redundancy needs no Premium any longer: Azure gives it to every registry of this region.",
    "CKV_AZURE_237": "Dedicated data endpoints need Premium, and serve firewalls that filter by host name.",
}


class Registry(Capability):
    """The registry (`registry`). Only Entra identities log in: there is no admin user and no anonymous pull."""

    def __init__(
        self, scope: AzureStack, id_: str, *, settings: RegistrySettings, workspace: LogAnalyticsWorkspace
    ) -> None:
        super().__init__(scope, id_)
        self.registry = ContainerRegistry(
            self,
            "registry",
            **self.place.compose_arguments("container_registry"),
            sku=settings.sku,
            admin_enabled=False,
            anonymous_pull_enabled=False,
            # CI pushes from outside the network. tests/policy lists this as an exception.
            public_network_access_enabled=True,
        )
        for check, reason in CHECKOV_EXCEPTIONS.items():
            except_check(self.registry, check, reason)
        # No lock: role assignments to pull images would inherit it, and they must be removable together with an
        # environment. Images can be rebuilt.
        protect(self.registry, "registry", place=self.place, lock=False)
        send_diagnostics(self.registry, workspace)
