"""The managed identity that an environment's API and its deployment slot run as.

The shared stack creates it in the environment's resource group, and gives it the right to pull images. So an
environment's apply needs no right to assign roles on the registry, which all environments share. The environment looks
the identity up by name. docs/adr/0015-what-shared-makes.md has the decision.
"""

from cdktf_cdktf_provider_azurerm.container_registry import ContainerRegistry
from cdktf_cdktf_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity

from constructs_lib.place import AzureStack, Capability, Place
from constructs_lib.roles import grant


class ApiIdentity(Capability):
    """The API's user-assigned identity.

    It is not system-assigned, because the slot would then have another identity, and would lose its rights in a swap.

    Args:
        target: The environment's place. Its resource group is a reference, so that Terraform creates the group first.
        registry: The registry that the identity may pull images from.
    """

    def __init__(self, scope: AzureStack, id_: str, *, target: Place, registry: ContainerRegistry) -> None:
        super().__init__(scope, id_)
        identity = UserAssignedIdentity(self, "identity", **target.compose_arguments("identity", "api"))
        grant(
            self,
            "pulls-images",
            "AcrPull",
            to=identity.principal_id,
            on=registry.id,
            why="App Service pulls the API's image as this identity.",
        )


def look_up_identity(stack: AzureStack, role: str, *, resource_group: str) -> DataAzurermUserAssignedIdentity:
    """Look up an identity of the environment that the shared stack creates: "api" or "delivery"."""
    return DataAzurermUserAssignedIdentity(
        stack, f"{role}-identity", name=stack.place.names.compose("identity", role), resource_group_name=resource_group
    )
