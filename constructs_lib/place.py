"""Where a capability stands: names, location, resource group, tags. Said once by the stack, read by every construct."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self, TypedDict

from cdktf import AzurermBackend, TerraformStack
from cdktf_cdktf_provider_azurerm.provider import (
    AzurermProvider,
    AzurermProviderFeatures,
    AzurermProviderFeaturesKeyVault,
    AzurermProviderFeaturesPostgresqlFlexibleServer,
    AzurermProviderFeaturesResourceGroup,
    AzurermProviderFeaturesStorage,
)
from constructs import Construct

from constructs_lib.tags import tags
from environments.naming import Kind, Location, Names
from environments.settings import Account, Environment, Platform

AZURERM_VERSION = "4.81.0"


class Standing(TypedDict):
    """The four arguments that nearly every azurerm resource takes."""

    name: str
    location: str
    resource_group_name: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """One resource group of one environment, and what all that stands in it has in common."""

    account: Account
    names: Names
    location: Location
    tags: Mapping[str, str]
    resource_group: str
    """The resource group's name; in the stack that makes the group a reference to it, so that it comes first."""
    disposable: bool = False
    """True drops prevent_destroy, locks and locked immutability (`Environment.disposable`)."""

    @classmethod
    def of_shared(cls, platform: Platform) -> Self:
        """Where the shared stack stands; for the environments, what its resources are called."""
        shared = platform.shared
        return cls(
            shared.account,
            shared.names,
            shared.location,
            tags(shared.account, "shared"),
            shared.names.compose("resource_group"),
        )

    @classmethod
    def of(cls, environment: Environment, platform: Platform) -> Self:
        """Where an environment stands."""
        account, names = platform.shared.account, platform.names(environment)
        return cls(
            account,
            names,
            environment.location,
            tags(account, environment.name),
            names.compose("resource_group"),
            environment.disposable,
        )

    @property
    def subscription_id(self) -> str:
        """The subscription's Resource Manager id."""
        return f"/subscriptions/{self.account.subscription_id}"

    @property
    def resource_group_id(self) -> str:
        """The resource group's Resource Manager id."""
        return f"{self.subscription_id}/resourceGroups/{self.names.compose('resource_group')}"

    def arguments(
        self, kind: Kind, role: str = "", *, name: str | None = None, location: str | None = None
    ) -> Standing:
        """Name, location, resource group and tags: `KeyVault(self, "vault", **place.arguments("key_vault"))`.

        `name` and `location` replace the composed name and the environment's location.
        """
        return Standing(
            name=name or self.names.compose(kind, role),
            location=location or self.location,
            resource_group_name=self.resource_group,
            tags=self.tags,
        )

    def resource_id(self, provider_type: str, name: str) -> str:
        """The Resource Manager id of a resource of this place: `resource_id("Microsoft.KeyVault/vaults", name)`."""
        return f"{self.resource_group_id}/providers/{provider_type}/{name}"


class State(NamedTuple):
    """Where a stack's Terraform state is: one container a stack, so that rights end at it."""

    account: str
    container: str


class AzureStack(TerraformStack):
    """A stack with its remote state and its provider: what the shared stack and every environment have in common."""

    def __init__(self, scope: Construct, id_: str, *, place: Place, state: State) -> None:
        super().__init__(scope, id_)
        self.place = place
        AzurermBackend(
            self,
            storage_account_name=state.account,
            container_name=state.container,
            key="terraform.tfstate",
            tenant_id=place.account.tenant_id,
            # Entra alone: the account has no keys. CI adds ARM_USE_OIDC=true.
            use_azuread_auth=True,
        )
        provider = AzurermProvider(
            self,
            "azurerm",
            subscription_id=place.account.subscription_id,
            tenant_id=place.account.tenant_id,
            # The data plane is closed to runners outside the network: never ask it for anything.
            storage_use_azuread=True,
            # Registration is a subscription owner's act; docs/quickstart.md names the providers.
            resource_provider_registrations="none",
            features=[
                AzurermProviderFeatures(
                    key_vault=[
                        AzurermProviderFeaturesKeyVault(
                            purge_soft_delete_on_destroy=False, recover_soft_deleted_key_vaults=True
                        )
                    ],
                    postgresql_flexible_server=[
                        # A static parameter waits for a planned restart; docs/quickstart.md has the first one.
                        AzurermProviderFeaturesPostgresqlFlexibleServer(
                            restart_server_on_configuration_value_change=False
                        )
                    ],
                    resource_group=[AzurermProviderFeaturesResourceGroup(prevent_deletion_if_contains_resources=True)],
                    storage=[AzurermProviderFeaturesStorage(data_plane_available=False)],
                )
            ],
        )
        # What Azure has begun to make is in state even when it fails or the run is cut off: otherwise the next apply
        # meets it as a stranger. The bindings of 4.55 do not know this feature yet.
        provider.add_override("features.0.persist_id_on_create_before_polling_for_completion", True)
        # The bindings know 4.55.0; docs/adr/0002 says why the provider is newer.
        self.add_override("terraform.required_providers.azurerm.version", AZURERM_VERSION)
        self.add_override("terraform.required_version", ">= 1.11.0")


class Capability(Construct):
    """A construct that knows its place from its scope, so that nobody relays it hand to hand."""

    def __init__(self, scope: "AzureStack | Capability", id_: str) -> None:
        super().__init__(scope, id_)
        self.place = scope.place
