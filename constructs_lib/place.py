"""The place of a construct: names, location, resource group and tags. The stack sets it, every construct reads it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple, Self, TypedDict

from cdktf import AzurermBackend, TerraformStack
from cdktf_cdktf_provider_azurerm.provider import (
    AzurermProvider,
    AzurermProviderFeatures,
    AzurermProviderFeaturesApplicationInsights,
    AzurermProviderFeaturesKeyVault,
    AzurermProviderFeaturesPostgresqlFlexibleServer,
    AzurermProviderFeaturesResourceGroup,
    AzurermProviderFeaturesStorage,
)
from constructs import Construct

from constructs_lib.tags import compose_tags
from environments.naming import Kind, Location, Names
from environments.settings import Account, Environment, Platform

AZURERM_VERSION = "4.81.0"


class CommonArguments(TypedDict):
    """The four arguments that nearly every azurerm resource takes."""

    name: str
    location: str
    resource_group_name: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Place:
    """One resource group of one environment, and what all resources in it have in common."""

    account: Account
    names: Names
    location: Location
    tags: Mapping[str, str]
    resource_group: str
    """The resource group's name. The stack that creates the group sets a reference, so that the group comes first."""
    disposable: bool = False
    """True omits prevent_destroy, locks and locked immutability policies (`Environment.disposable`)."""

    @classmethod
    def of_shared(cls, platform: Platform) -> Self:
        """Return the place of the shared stack. Environments use it to compose the names of shared resources."""
        shared = platform.shared
        return cls(
            account=shared.account,
            names=shared.names,
            location=shared.location,
            tags=compose_tags(shared.account, "shared"),
            resource_group=shared.names.compose("resource_group"),
        )

    @classmethod
    def of_environment(cls, environment: Environment, platform: Platform) -> Self:
        """Return the place of an environment."""
        account, names = platform.shared.account, platform.make_names(environment)
        return cls(
            account=account,
            names=names,
            location=environment.location,
            tags=compose_tags(account, environment.name),
            resource_group=names.compose("resource_group"),
            disposable=environment.disposable,
        )

    @property
    def subscription_id(self) -> str:
        """The Resource Manager id of the subscription."""
        return f"/subscriptions/{self.account.subscription_id}"

    @property
    def resource_group_id(self) -> str:
        """The Resource Manager id of the resource group."""
        return f"{self.subscription_id}/resourceGroups/{self.names.compose('resource_group')}"

    def compose_arguments(
        self, kind: Kind, role: str = "", *, name: str | None = None, location: str | None = None
    ) -> CommonArguments:
        """Return a resource's name, location, resource group and tags.

        `KeyVault(self, "vault", **place.compose_arguments("key_vault"))`

        Args:
            kind: The kind of resource, which decides how its name is composed.
            role: The resource's role, where the environment has several of the kind.
            name: Replaces the composed name.
            location: Replaces the environment's location.
        """
        return CommonArguments(
            name=name or self.names.compose(kind, role),
            location=location or self.location,
            resource_group_name=self.resource_group,
            tags=self.tags,
        )

    def compose_resource_id(self, provider_type: str, name: str) -> str:
        """Return the Resource Manager id of a resource in this place's resource group.

        `place.compose_resource_id("Microsoft.KeyVault/vaults", name)`
        """
        return f"{self.resource_group_id}/providers/{provider_type}/{name}"


class StateLocation(NamedTuple):
    """Where a stack's Terraform state is stored. Each stack has its own container, so that rights can end at it."""

    account: str
    container: str


class AzureStack(TerraformStack):
    """A stack with its state backend and its provider, which the shared stack and every environment have in common."""

    def __init__(self, scope: Construct, id_: str, *, place: Place, state: StateLocation) -> None:
        super().__init__(scope, id_)
        self.place = place
        AzurermBackend(
            self,
            storage_account_name=state.account,
            container_name=state.container,
            key="terraform.tfstate",
            tenant_id=place.account.tenant_id,
            # Only Entra logs in, because the account has no keys. CI adds ARM_USE_OIDC=true.
            use_azuread_auth=True,
        )
        provider = AzurermProvider(
            self,
            "azurerm",
            subscription_id=place.account.subscription_id,
            tenant_id=place.account.tenant_id,
            # Runners outside the network cannot reach the data plane, so the provider must never call it.
            storage_use_azuread=True,
            # The subscription's owner registers the resource providers; docs/quickstart.md names them.
            resource_provider_registrations="none",
            features=[
                AzurermProviderFeatures(
                    # Azure's own rule `Failure Anomalies` mails the subscription's owners and names no runbook.
                    application_insights=[AzurermProviderFeaturesApplicationInsights(disable_generated_rule=True)],
                    key_vault=[
                        AzurermProviderFeaturesKeyVault(
                            purge_soft_delete_on_destroy=False, recover_soft_deleted_key_vaults=True
                        )
                    ],
                    postgresql_flexible_server=[
                        # A static parameter waits for a planned restart; docs/quickstart.md describes the first one.
                        AzurermProviderFeaturesPostgresqlFlexibleServer(
                            restart_server_on_configuration_value_change=False
                        )
                    ],
                    resource_group=[AzurermProviderFeaturesResourceGroup(prevent_deletion_if_contains_resources=True)],
                    storage=[AzurermProviderFeaturesStorage(data_plane_available=False)],
                )
            ],
        )
        # With this feature a resource is in the state as soon as Azure begins to create it, even if the creation fails
        # or the run is cut off. Otherwise the next apply would find a resource that is not in the state. The bindings
        # know azurerm 4.55, which does not have the feature yet.
        provider.add_override("features.0.persist_id_on_create_before_polling_for_completion", True)
        # The bindings know 4.55.0. docs/adr/0002-provider-newer-than-bindings.md says why the provider is newer.
        self.add_override("terraform.required_providers.azurerm.version", AZURERM_VERSION)
        self.add_override("terraform.required_version", ">= 1.11.0")


class Capability(Construct):
    """A construct that gets its place from its scope, so that no constructor has to pass the place on."""

    def __init__(self, scope: "AzureStack | Capability", id_: str) -> None:
        super().__init__(scope, id_)
        self.place = scope.place
