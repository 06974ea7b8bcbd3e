"""The container registry of all environments: one image is built once and promoted by digest."""

from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.place import AzureStack, Capability
from constructs_lib.protection import protect

from cdktf_cdktf_provider_azurerm.container_registry import ContainerRegistry
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace

from environments.settings import RegistrySettings


class Registry(Capability):
    """The registry (`registry`). Entra alone, no admin user, no anonymous pull."""

    def __init__(
        self, scope: AzureStack, id_: str, *, settings: RegistrySettings, workspace: LogAnalyticsWorkspace
    ) -> None:
        super().__init__(scope, id_)
        self.registry = ContainerRegistry(
            self,
            "registry",
            **self.place("container_registry"),
            sku=settings.sku,
            admin_enabled=False,
            anonymous_pull_enabled=False,
            # CI pushes from outside the network; the policy names this exception.
            public_network_access_enabled=True,
        )
        protect(self.registry, "registry", place=self.place)
        send_diagnostics(self.registry, workspace)
