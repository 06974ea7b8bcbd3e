"""The private endpoint that the database and the cache are reached through, with its DNS record."""

from typing import Literal

from cdktf import TerraformResource
from cdktf_cdktf_provider_azurerm.private_endpoint import (
    PrivateEndpoint,
    PrivateEndpointPrivateDnsZoneGroup,
    PrivateEndpointPrivateServiceConnection,
)

from constructs_lib.network import Network
from constructs_lib.place import Capability

# https://learn.microsoft.com/azure/private-link/private-endpoint-dns
SUBRESOURCES = {"database": "postgresqlServer", "cache": "redisEnterprise"}


def private_endpoint(
    owner: Capability, *, role: Literal["database", "cache"], target: TerraformResource, network: Network
) -> PrivateEndpoint:
    """Connect `target` to the endpoints subnet, under its name in the private zone."""
    standing = owner.place.arguments("private_endpoint", role)
    return PrivateEndpoint(
        owner,
        "endpoint",
        **standing,
        subnet_id=network.endpoints_subnet.id,
        custom_network_interface_name=f"{standing['name']}-nic",
        private_service_connection=PrivateEndpointPrivateServiceConnection(
            name=role,
            private_connection_resource_id=target.get_string_attribute("id"),
            subresource_names=[SUBRESOURCES[role]],
            is_manual_connection=False,
        ),
        private_dns_zone_group=PrivateEndpointPrivateDnsZoneGroup(
            name="default", private_dns_zone_ids=[network.private_zones[role].id]
        ),
    )
