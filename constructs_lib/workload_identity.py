"""The managed identities that an environment's workload runs as: one for the API and its slot, one for the jobs.

The shared stack creates them in the environment's resource group, and gives them the right to pull images. So an
environment's apply needs no right to assign roles on the registry, which all environments share. The environment looks
the identities up by name. docs/adr/0015-what-shared-makes.md has the decision.
"""

from typing import Literal

from cdktf_cdktf_provider_azurerm.container_registry import ContainerRegistry
from cdktf_cdktf_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity

from constructs_lib.place import AzureStack, Capability, Place
from constructs_lib.roles import grant

PULLS = {
    "api": "App Service pulls the API's image as this identity.",
    "jobs": "Container Apps pulls the API's image as this identity.",
}


class WorkloadIdentity(Capability):
    """A user-assigned identity that may pull images.

    It is not system-assigned: the slot would have another identity than the app, and would lose its rights in a swap.

    Args:
        role: What runs as the identity.
        target: The environment's place. Its resource group is a reference, so that Terraform creates the group first.
        registry: The registry that the identity may pull images from.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        role: Literal["api", "jobs"],
        target: Place,
        registry: ContainerRegistry,
    ) -> None:
        super().__init__(scope, id_)
        identity = UserAssignedIdentity(self, "identity", **target.compose_arguments("identity", role))
        grant(self, "pulls-images", "AcrPull", to=identity.principal_id, on=registry.id, why=PULLS[role])


def look_up_identity(stack: AzureStack, role: str, *, resource_group: str) -> DataAzurermUserAssignedIdentity:
    """Look up an identity of the environment that the shared stack creates: "api", "jobs" or "delivery"."""
    return DataAzurermUserAssignedIdentity(
        stack, f"{role}-identity", name=stack.place.names.compose("identity", role), resource_group_name=resource_group
    )
