"""The shared stack: state, registry, parent zone, each environment's resource group and its CI identities.

A person applies it; CI only plans it.
"""

from dataclasses import replace

from constructs_lib.ci_identity import CiIdentity, CiRoles
from constructs_lib.diagnostics import ACTIVITY_LOG, diagnostic_setting
from constructs_lib.dns import dns_zone
from constructs_lib.observability import log_workspace
from constructs_lib.outputs import outputs
from constructs_lib.place import AzureStack, Capability, Place
from constructs_lib.protection import protect
from constructs_lib.registry import Registry
from constructs_lib.state_backend import StateBackend, state_of

from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from constructs import Construct

from environments import Platform

NAME = "shared"


class SharedStack(AzureStack):
    """What all environments stand on."""

    def __init__(self, scope: Construct, *, platform: Platform) -> None:
        place = Place.of_shared(platform)
        super().__init__(scope, NAME, place=place, state=state_of(NAME, shared=place))
        settings = platform.shared
        self.place = replace(place, resource_group=self._resource_group(NAME, place).name)
        logs = Capability(self, "logs")
        workspace = log_workspace(logs, settings.observability)
        diagnostic_setting(
            logs, "activity-log", target=place.subscription_id, categories=ACTIVITY_LOG, workspace=workspace
        )
        state = StateBackend(
            self, "state", settings=settings.state, stacks=[NAME, *platform.environments], workspace=workspace
        )
        registry = Registry(self, "registry", settings=settings.registry, workspace=workspace).registry
        zone = dns_zone(Capability(self, "dns"), "zone", place.account.domain, "parent_zone")
        roles = CiRoles(self, "ci-roles")
        outputs(
            self,
            {
                "state_storage_account": (state.account.name, "The storage account of every stack's state"),
                "registry_login_server": (registry.login_server, "Where images are pushed and pulled"),
                "parent_zone": (zone.name, "The parent DNS zone"),
                "subscription_id": (place.account.subscription_id, "The subscription"),
                "tenant_id": (place.account.tenant_id, "The Entra tenant"),
            },
        )
        for name, environment in platform.environments.items():
            target = Place.of(environment, platform)
            ci = CiIdentity(
                self,
                f"{name}-ci",
                environment=name,
                target=target,
                group_id=self._resource_group(name, target).id,
                state_id=state.states[name].id,
                plans_id=state.plans[name].id,
                registry_id=registry.id,
                parent_zone_id=zone.id,
                roles=roles,
            )
            outputs(
                self,
                {
                    f"{name}_{job}_client_id": (identity.client_id, f"AZURE_CLIENT_ID of {name}'s {job} jobs")
                    for job, identity in ci.identities.items()
                },
            )

    def _resource_group(self, name: str, place: Place) -> ResourceGroup:
        group = ResourceGroup(
            self, f"{name}-resource-group", name=place.names("resource_group"), location=place.location, tags=place.tags
        )
        # No lock: everything in the group would inherit it.
        protect(group, f"{name}_resource_group", place=place, lock=False)
        return group
