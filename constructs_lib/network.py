"""The virtual network: a subnet for the app, one for private endpoints, and the traffic allowed between them."""

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
from environments.settings import NetworkSettings

POSTGRESQL_PORT, PGBOUNCER_PORT, REDIS_PORT = "5432", "6432", "10000"
PRIVATE_ZONES = {"database": "privatelink.postgres.database.azure.com", "cache": "privatelink.redis.azure.net"}


class SecurityRule(NamedTuple):
    """One rule that allows traffic. The last rule of a security group denies everything else."""

    name: str
    direction: Literal["Inbound", "Outbound"]
    source: str
    destination: str
    ports: Sequence[str]


class Network(Capability):
    """The virtual network (`virtual_network`), its subnets, security groups and private DNS zones.

    App Service's network integration uses `app_subnet_id`, and private endpoints use `endpoints_subnet_id`.
    `private_zones` has the zones of the "database" and the "cache".
    """

    def __init__(
        self, scope: AzureStack, id_: str, *, settings: NetworkSettings, workspace: LogAnalyticsWorkspace
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
                SecurityRule("postgresql", "Outbound", app, endpoints, (POSTGRESQL_PORT, PGBOUNCER_PORT)),
                SecurityRule("redis", "Outbound", app, endpoints, (REDIS_PORT,)),
                # Entra, Key Vault, storage, the registry and Azure Monitor have public addresses, and Communication
                # Services has no service tag. So the rule allows HTTPS to the whole Internet.
                SecurityRule("https", "Outbound", app, "Internet", ("443",)),
            ),
            # The firewalls of Key Vault and of the uploads account admit this subnet through its service endpoints.
            service_endpoints=["Microsoft.KeyVault", "Microsoft.Storage"],
            delegation=[
                SubnetDelegation(
                    name="app-service",
                    service_delegation=SubnetDelegationServiceDelegation(
                        name="Microsoft.Web/serverFarms", actions=["Microsoft.Network/virtualNetworks/subnets/action"]
                    ),
                )
            ],
        )
        self.endpoints_subnet_id = self._add_subnet(
            "endpoints",
            endpoints,
            rules=(
                SecurityRule("postgresql", "Inbound", app, endpoints, (POSTGRESQL_PORT, PGBOUNCER_PORT)),
                SecurityRule("redis", "Inbound", app, endpoints, (REDIS_PORT,)),
            ),
        )
        self.private_zones = {role: self._add_private_zone(role, name) for role, name in PRIVATE_ZONES.items()}

    def _add_subnet(
        self,
        role: Literal["app", "endpoints"],
        prefix: str,
        *,
        rules: Sequence[SecurityRule],
        service_endpoints: Sequence[str] | None = None,
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
            # A delegated subnet reaches the Internet through App Service, and "private subnet" does not apply to it:
            # https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
            default_outbound_access_enabled=delegation is not None,
            private_endpoint_network_policies="Enabled",
            service_endpoints=service_endpoints,
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


def _build_allow_rules(rules: Sequence[SecurityRule]) -> list[NetworkSecurityGroupSecurityRule]:
    return [
        NetworkSecurityGroupSecurityRule(
            name=f"allow-{rule.name}",
            description=f"{rule.source} to {rule.destination}",
            priority=priority,
            direction=rule.direction,
            access="Allow",
            protocol="Tcp",
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
