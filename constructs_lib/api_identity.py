"""The one identity that the API and its slot run as."""

from constructs_lib.place import AzureStack, Capability
from constructs_lib.roles import grant

from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity


class ApiIdentity(Capability):
    """A user-assigned identity, because a slot's system identity would be another one and lose its rights in a swap."""

    def __init__(self, scope: AzureStack, id_: str, *, registry_id: str) -> None:
        super().__init__(scope, id_)
        self.identity = UserAssignedIdentity(self, "identity", **self.place("identity", "api"))
        self.pulls_images = grant(
            self,
            "pulls-images",
            "AcrPull",
            to=self.identity.principal_id,
            on=registry_id,
            subscription_id=self.place.subscription_id,
            why="App Service pulls the API's image as this identity.",
        )
