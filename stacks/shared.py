"""The shared stack: state, registry, parent DNS zone, and each environment's resource group and CI identities.

A person applies it. CI only plans it.
"""

from dataclasses import replace

from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from constructs import Construct

from constructs_lib.alert_rows import SHARED_ACTIVITY_ROWS
from constructs_lib.alerts import ActionGroup, watch_service_health
from constructs_lib.ci_identity import CiRoles, EnvironmentCi, SharedCi
from constructs_lib.diagnostics import ACTIVITY_LOG, add_diagnostic_setting
from constructs_lib.dns import add_dns_zone, add_records, delegate_zone
from constructs_lib.observability import add_log_workspace
from constructs_lib.outputs import add_outputs
from constructs_lib.place import AzureStack, Capability, Place
from constructs_lib.protection import protect
from constructs_lib.registry import Registry
from constructs_lib.state_backend import StateBackend, locate_state
from constructs_lib.workload_identity import WorkloadIdentity
from environments import Platform

NAME = "shared"


class SharedStack(AzureStack):
    """The resources that all environments share, and those that each environment needs before its own stack."""

    def __init__(self, scope: Construct, *, platform: Platform) -> None:
        place = Place.of_shared(platform)
        super().__init__(scope, NAME, place=place, state=locate_state(NAME, shared=place))
        settings = platform.shared
        group = self._add_resource_group(NAME, place)
        self.place = replace(place, resource_group=group.name)
        logs = Capability(self, "logs")
        workspace = add_log_workspace(logs, settings.observability)
        add_diagnostic_setting(
            logs, "activity-log", target=place.subscription_id, categories=ACTIVITY_LOG, workspace=workspace
        )
        state = StateBackend(
            self,
            "state",
            settings=settings.state,
            stacks={NAME: place}
            | {
                name: Place.of_environment(environment, platform) for name, environment in platform.environments.items()
            },
            workspace=workspace,
        )
        registry = Registry(self, "registry", settings=settings.registry, workspace=workspace).registry
        dns = Capability(self, "dns")
        zone = add_dns_zone(dns, "zone", place.account.domain, "parent_zone", place=self.place)
        add_records(dns, place.account.records, zone=place.account.domain, zone_name=zone.name)
        roles = CiRoles(self, "ci-roles")
        shared_ci = SharedCi(
            self,
            "ci",
            group=group,
            state=state.states[NAME],
            plans=state.plans[NAME],
            registry=registry,
            roles=roles,
        )
        alerts = ActionGroup(self, "alerts", teams=None)
        alerts.watch_operations(SHARED_ACTIVITY_ROWS, group.id)
        watch_service_health(alerts, locations={environment.location for environment in platform.environments.values()})
        add_outputs(
            self,
            {
                "resource_group": (group.name, "The shared resource group"),
                "state_storage_account_id": (state.account.id, "Its Resource Manager id, for a person's right to it"),
                "state_storage_account": (state.account.name, "The storage account of every stack's state"),
                "registry_login_server": (registry.login_server, "Where images are pushed and pulled"),
                "shared_build_client_id": (
                    shared_ci.build.identity.client_id,
                    "AZURE_CLIENT_ID of jobs that build images",
                ),
                "shared_plan_client_id": (shared_ci.plan.identity.client_id, "AZURE_CLIENT_ID of shared's plan jobs"),
                "parent_zone": (zone.name, "The parent DNS zone"),
                "subscription_id": (place.account.subscription_id, "The subscription"),
                "tenant_id": (place.account.tenant_id, "The Entra tenant"),
            },
        )
        for name, environment in platform.environments.items():
            target = Place.of_environment(environment, platform)
            group = self._add_resource_group(name, target)
            target_group = replace(target, resource_group=group.name)
            delegate_zone(dns, zone, environment=name, label=environment.domain.label, place=target_group)
            WorkloadIdentity(self, f"{name}-api", role="api", target=target_group, registry=registry)
            if environment.jobs:
                WorkloadIdentity(self, f"{name}-jobs", role="jobs", target=target_group, registry=registry)
            ci = EnvironmentCi(
                self,
                f"{name}-ci",
                name=name,
                target=target,
                group=group,
                state=state.states[name],
                plans=state.plans[name],
                registry=registry,
                roles=roles,
            )
            add_outputs(
                self,
                {
                    f"{name}_{job}_client_id": (identity.client_id, f"AZURE_CLIENT_ID of {name}'s {job} jobs")
                    for job, identity in ci.identities.items()
                },
            )

    def _add_resource_group(self, name: str, place: Place) -> ResourceGroup:
        group = ResourceGroup(
            self,
            f"{name}-resource-group",
            name=place.names.compose("resource_group"),
            location=place.location,
            tags=place.tags,
        )
        # No lock: every resource in the group would inherit it.
        protect(group, f"{name}_resource_group", place=place, lock=False)
        return group
