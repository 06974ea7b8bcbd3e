"""The virtual network: a subnet for the app, one for private endpoints, and between them only what is written here."""

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

POSTGRESQL, PGBOUNCER, REDIS = "5432", "6432", "10000"
PRIVATE_ZONES = {"database": "privatelink.postgres.database.azure.com", "cache": "privatelink.redis.azure.net"}


class Rule(NamedTuple):
    """One allow rule. Everything that no row allows is denied by the last rule of the group."""

    name: str
    direction: Literal["Inbound", "Outbound"]
    source: str
    destination: str
    ports: Sequence[str]


class Network(Capability):
    """VNet, subnets, security groups and private DNS zones.

    `app_subnet` is for App Service's integration, `endpoints_subnet` for private endpoints; `private_zones` holds the
    zones of the "database" and the "cache".
    """

    def __init__(
        self, scope: AzureStack, id_: str, *, settings: NetworkSettings, workspace: LogAnalyticsWorkspace
    ) -> None:
        super().__init__(scope, id_)
        self._workspace = workspace
        self.virtual_network = VirtualNetwork(
            self, "vnet", **self.place.arguments("virtual_network"), address_space=[settings.address_space]
        )
        send_diagnostics(self.virtual_network, workspace)
        self.app_subnet = self._subnet(
            "app",
            settings.app_subnet,
            rules=(
                Rule("postgresql", "Outbound", settings.app_subnet, settings.endpoints_subnet, (POSTGRESQL, PGBOUNCER)),
                Rule("redis", "Outbound", settings.app_subnet, settings.endpoints_subnet, (REDIS,)),
                # Entra, Key Vault, storage, the registry and Azure Monitor answer at public addresses, and
                # Communication Services has no service tag: so all of the Internet, by HTTPS.
                Rule("https", "Outbound", settings.app_subnet, "Internet", ("443",)),
            ),
            # Key Vault and the uploads account let this subnet in, and nobody else.
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
        self.endpoints_subnet = self._subnet(
            "endpoints",
            settings.endpoints_subnet,
            rules=(
                Rule("postgresql", "Inbound", settings.app_subnet, settings.endpoints_subnet, (POSTGRESQL, PGBOUNCER)),
                Rule("redis", "Inbound", settings.app_subnet, settings.endpoints_subnet, (REDIS,)),
            ),
        )
        self.private_zones = {role: self._private_zone(role, name) for role, name in PRIVATE_ZONES.items()}

    def _subnet(
        self,
        role: Literal["app", "endpoints"],
        prefix: str,
        *,
        rules: Sequence[Rule],
        service_endpoints: Sequence[str] | None = None,
        delegation: Sequence[SubnetDelegation] | None = None,
    ) -> Subnet:
        subnet = Subnet(
            self,
            f"{role}-subnet",
            name=self.place.names.compose("subnet", role),
            resource_group_name=self.place.resource_group,
            virtual_network_name=self.virtual_network.name,
            address_prefixes=[prefix],
            # A delegated subnet's way out is App Service's own; Azure says that "private subnet" does not apply there.
            # https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
            default_outbound_access_enabled=delegation is not None,
            private_endpoint_network_policies="Enabled",
            service_endpoints=service_endpoints,
            delegation=delegation,
        )
        group = NetworkSecurityGroup(
            self,
            f"{role}-nsg",
            **self.place.arguments("network_security_group", role),
            security_rule=[*(_allow(100 + 10 * at, rule) for at, rule in enumerate(rules)), *_deny_the_rest()],
        )
        send_diagnostics(group, self._workspace)
        SubnetNetworkSecurityGroupAssociation(
            self, f"{role}-nsg-association", subnet_id=subnet.id, network_security_group_id=group.id
        )
        return subnet

    def _private_zone(self, role: str, name: str) -> PrivateDnsZone:
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


def _allow(priority: int, rule: Rule) -> NetworkSecurityGroupSecurityRule:
    return NetworkSecurityGroupSecurityRule(
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


def _deny_the_rest() -> list[NetworkSecurityGroupSecurityRule]:
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
