"""The virtual network: subnets for the app, the jobs and the private endpoints, and the traffic between them."""

import itertools
from collections.abc import Sequence
from typing import Literal, NamedTuple

from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.network_security_group import (
    NetworkSecurityGroup,
    NetworkSecurityGroupSecurityRule,
)
from cdktf_cdktf_provider_azurerm.private_dns_zone import PrivateDnsZone
from cdktf_cdktf_provider_azurerm.private_dns_zone_virtual_network_link import PrivateDnsZoneVirtualNetworkLink
from cdktf_cdktf_provider_azurerm.subnet import Subnet, SubnetDelegation, SubnetDelegationServiceDelegation
from cdktf_cdktf_provider_azurerm.subnet_network_security_group_association import (
    SubnetNetworkSecurityGroupAssociation,
)
from cdktf_cdktf_provider_azurerm.virtual_network import VirtualNetwork

from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.place import AzureStack, Capability
from environments.settings import JobsSettings, NetworkSettings

POSTGRESQL_PORT, PGBOUNCER_PORT, REDIS_PORT = "5432", "6432", "10000"
AZURE_DNS = "168.63.129.16"
"""https://learn.microsoft.com/azure/virtual-network/what-is-ip-address-168-63-129-16"""
PRIVATE_ZONES = {"database": "privatelink.postgres.database.azure.com", "cache": "privatelink.redis.azure.net"}


class SecurityRule(NamedTuple):
    """One rule that allows traffic. The last rule of a security group denies everything else."""

    name: str
    direction: Literal["Inbound", "Outbound"]
    source: str
    destination: str
    ports: Sequence[str]
    protocol: Literal["Tcp", "Udp", "*"] = "Tcp"


class Network(Capability):
    """The virtual network (`virtual_network`), its subnets, security groups and private DNS zones.

    App Service's network integration uses `app_subnet_id`, the jobs' environment `jobs_subnet_id` (None without jobs),
    and private endpoints use `endpoints_subnet_id`. `code_subnet_ids` has the first two. `private_zones` has the zones
    of the "database" and the "cache".

    Args:
        settings: The address ranges.
        jobs: The settings of the jobs; None for a network without them.
        workspace: Where diagnostics go.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        settings: NetworkSettings,
        jobs: JobsSettings | None,
        workspace: LogAnalyticsWorkspace,
    ) -> None:
        super().__init__(scope, id_)
        self._workspace = workspace
        self.virtual_network = VirtualNetwork(
            self, "vnet", **self.place.compose_arguments("virtual_network"), address_space=[settings.address_space]
        )
        send_diagnostics(self.virtual_network, workspace)
        app, endpoints = settings.app_subnet, settings.endpoints_subnet
        self.app_subnet_id = self._add_subnet(
            "app",
            app,
            rules=(
                *_list_data_rules("Outbound", app, endpoints),
                # Entra, Key Vault, storage, the registry and Azure Monitor have public addresses, and Communication
                # Services has no service tag. So the rule allows HTTPS to the whole Internet.
                SecurityRule("https", "Outbound", app, "Internet", ("443",)),
            ),
            delegation=_delegate("app-service", "Microsoft.Web/serverFarms", action="action"),
        )
        self.jobs_subnet_id = self._add_jobs_subnet(jobs.subnet, endpoints) if jobs else None
        self.code_subnet_ids = [subnet for subnet in (self.app_subnet_id, self.jobs_subnet_id) if subnet]
        self.endpoints_subnet_id = self._add_subnet(
            "endpoints",
            endpoints,
            rules=(
                *_list_data_rules("Inbound", app, endpoints),
                *(_list_data_rules("Inbound", jobs.subnet, endpoints, prefix="jobs-") if jobs else ()),
            ),
        )
        self.private_zones = {role: self._add_private_zone(role, name) for role, name in PRIVATE_ZONES.items()}

    def _add_jobs_subnet(self, jobs: str, endpoints: str) -> str:
        """Add the subnet of the Container Apps environment, with what Microsoft's page says that it needs.

        https://learn.microsoft.com/azure/container-apps/firewall-integration (NSG rules of a workload profiles
        environment). What it sends to the registry, Entra, Azure Monitor and Microsoft's own images is HTTPS.
        """
        return self._add_subnet(
            "jobs",
            jobs,
            rules=(
                *_list_data_rules("Outbound", jobs, endpoints),
                SecurityRule("https", "Outbound", jobs, "Internet", ("443",)),
                SecurityRule("dns-udp", "Outbound", jobs, AZURE_DNS, ("53",), "Udp"),
                SecurityRule("dns-tcp", "Outbound", jobs, AZURE_DNS, ("53",)),
                SecurityRule("inside-out", "Outbound", jobs, jobs, ("*",), "*"),
                SecurityRule("inside-in", "Inbound", jobs, jobs, ("*",), "*"),
                SecurityRule("probes", "Inbound", "AzureLoadBalancer", jobs, ("30000-32767",)),
            ),
            delegation=_delegate("container-apps", "Microsoft.App/environments", action="join/action"),
        )

    def _add_subnet(
        self,
        role: Literal["app", "endpoints", "jobs"],
        prefix: str,
        *,
        rules: Sequence[SecurityRule],
        delegation: Sequence[SubnetDelegation] | None = None,
    ) -> str:
        """Add a subnet with its security group, and return its id.

        The id is taken from the association of the two, so that whatever uses the subnet waits for it. Azure refuses a
        storage account whose firewall names a subnet that is still being changed:
        https://github.com/Azure/azure-rest-api-specs/issues/11143.
        """
        subnet = Subnet(
            self,
            f"{role}-subnet",
            name=self.place.names.compose("subnet", role),
            resource_group_name=self.place.resource_group,
            virtual_network_name=self.virtual_network.name,
            address_prefixes=[prefix],
            # A delegated subnet reaches the Internet through its service, and "private subnet" does not apply to it:
            # https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
            default_outbound_access_enabled=delegation is not None,
            private_endpoint_network_policies="Enabled",
            # The firewalls of Key Vault and of the uploads account admit what runs code through its service endpoints.
            service_endpoints=["Microsoft.KeyVault", "Microsoft.Storage"] if delegation else None,
            delegation=delegation,
        )
        group = NetworkSecurityGroup(
            self,
            f"{role}-nsg",
            **self.place.compose_arguments("network_security_group", role),
            security_rule=[*_build_allow_rules(rules), *_build_deny_rules()],
        )
        send_diagnostics(group, self._workspace)
        association = SubnetNetworkSecurityGroupAssociation(
            self, f"{role}-nsg-association", subnet_id=subnet.id, network_security_group_id=group.id
        )
        return association.subnet_id

    def _add_private_zone(self, role: str, name: str) -> PrivateDnsZone:
        zone = PrivateDnsZone(
            self, f"{role}-zone", name=name, resource_group_name=self.place.resource_group, tags=self.place.tags
        )
        PrivateDnsZoneVirtualNetworkLink(
            self,
            f"{role}-zone-link",
            name=self.place.names.compose("virtual_network"),
            resource_group_name=self.place.resource_group,
            private_dns_zone_name=zone.name,
            virtual_network_id=self.virtual_network.id,
            tags=self.place.tags,
        )
        return zone


def _list_data_rules(
    direction: Literal["Inbound", "Outbound"], source: str, endpoints: str, *, prefix: str = ""
) -> tuple[SecurityRule, ...]:
    """Return the rules that let a subnet reach the database and the cache."""
    return (
        SecurityRule(f"{prefix}postgresql", direction, source, endpoints, (POSTGRESQL_PORT, PGBOUNCER_PORT)),
        SecurityRule(f"{prefix}redis", direction, source, endpoints, (REDIS_PORT,)),
    )


def _delegate(name: str, service: str, *, action: str) -> list[SubnetDelegation]:
    delegation = SubnetDelegationServiceDelegation(
        name=service, actions=[f"Microsoft.Network/virtualNetworks/subnets/{action}"]
    )
    return [SubnetDelegation(name=name, service_delegation=delegation)]


def _build_allow_rules(rules: Sequence[SecurityRule]) -> list[NetworkSecurityGroupSecurityRule]:
    return [
        NetworkSecurityGroupSecurityRule(
            name=f"allow-{rule.name}",
            description=f"{rule.source} to {rule.destination}",
            priority=priority,
            direction=rule.direction,
            access="Allow",
            protocol=rule.protocol,
            source_address_prefix=rule.source,
            source_port_range="*",
            destination_address_prefix=rule.destination,
            destination_port_ranges=list(rule.ports) if len(rule.ports) > 1 else None,
            destination_port_range=rule.ports[0] if len(rule.ports) == 1 else None,
        )
        for priority, rule in zip(itertools.count(100, 10), rules, strict=False)
    ]


def _build_deny_rules() -> list[NetworkSecurityGroupSecurityRule]:
    return [
        NetworkSecurityGroupSecurityRule(
            name=f"deny-{direction.lower()}",
            description="whatever no row above allows",
            priority=4096,
            direction=direction,
            access="Deny",
            protocol="*",
            source_address_prefix="*",
            source_port_range="*",
            destination_address_prefix="*",
            destination_port_range="*",
        )
        for direction in ("Inbound", "Outbound")
    ]
