"""The private endpoint through which the app reaches the database or the cache, with its DNS record."""

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


def add_private_endpoint(
    owner: Capability, *, role: Literal["database", "cache"], target: TerraformResource, network: Network
) -> PrivateEndpoint:
    """Connect `target` to the endpoints subnet, and register its name in the private DNS zone of its role."""
    arguments = owner.place.compose_arguments("private_endpoint", role)
    return PrivateEndpoint(
        owner,
        "endpoint",
        **arguments,
        subnet_id=network.endpoints_subnet_id,
        custom_network_interface_name=f"{arguments['name']}-nic",
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
