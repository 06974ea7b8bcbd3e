"""The one identity that an environment's API and its slot run as.

The shared stack makes it, in the environment's resource group, with its right to pull images: so the environment's own
apply needs no say over rights on the registry, which all environments share. The environment looks it up by name.
"""

from cdktf_cdktf_provider_azurerm.container_registry import ContainerRegistry
from cdktf_cdktf_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity

from constructs_lib.place import AzureStack, Capability, Place
from constructs_lib.roles import grant


class ApiIdentity(Capability):
    """A user-assigned identity, because a slot's system identity would be another one and lose its rights in a swap.

    Args:
        target: Where the environment stands; its resource group as a reference, so that it comes first.
        registry: What it may pull images from.
    """

    def __init__(self, scope: AzureStack, id_: str, *, target: Place, registry: ContainerRegistry) -> None:
        super().__init__(scope, id_)
        identity = UserAssignedIdentity(self, "identity", **target.arguments("identity", "api"))
        grant(
            self,
            "pulls-images",
            "AcrPull",
            to=identity.principal_id,
            on=registry.id,
            why="App Service pulls the API's image as this identity.",
        )


def look_up_identity(stack: AzureStack, role: str, *, resource_group: str) -> DataAzurermUserAssignedIdentity:
    """An identity of the environment that the shared stack has made: "api" or "delivery"."""
    return DataAzurermUserAssignedIdentity(
        stack, f"{role}-identity", name=stack.place.names.compose("identity", role), resource_group_name=resource_group
    )
