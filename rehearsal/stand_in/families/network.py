"""Virtual networks, subnets, network security groups and private endpoints."""

import ipaddress
from collections.abc import Iterator, Sequence

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.ids import parse_id
from rehearsal.stand_in.model import (
    APPLY_LOG,
    ESTIMATE,
    Json,
    Resource,
    ResourceType,
    Store,
    Write,
    get_objects,
    get_strings,
    get_value,
    make_bad_request,
    make_conflict,
)

VNET = "Microsoft.Network/virtualNetworks"
SUBNET = f"{VNET}/subnets"
NSG = "Microsoft.Network/networkSecurityGroups"
ENDPOINT = "Microsoft.Network/privateEndpoints"
NIC = "Microsoft.Network/networkInterfaces"
PRIVATE_ZONE = "Microsoft.Network/privateDnsZones"
ZONE_GROUP = f"{ENDPOINT}/privateDnsZoneGroups"
RESERVED_ADDRESSES = 5
"""https://learn.microsoft.com/azure/virtual-network/virtual-networks-faq#are-there-any-restrictions-on-using-ip-addresses-within-these-subnets."""
GROUP_IDS = {
    "Microsoft.Cache/redisEnterprise": "redisEnterprise",
    "Microsoft.DBforPostgreSQL/flexibleServers": "postgresqlServer",
}
"""https://learn.microsoft.com/azure/private-link/private-endpoint-overview#private-link-resource."""
_SOURCE = f"{APPLY_LOG}: a network took 5 seconds, its subnets 5 and 9."


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _parse_networks(prefixes: list[str]) -> list[Network]:
    """Return the ranges. IPv6 stands beside IPv4: https://learn.microsoft.com/azure/virtual-network/ip-services/ipv6-overview."""
    try:
        return [ipaddress.ip_network(prefix) for prefix in prefixes]
    except ValueError as error:
        raise make_bad_request(f"{error}", "InvalidAddressPrefixFormat") from error


def list_delegations(subnet: Resource) -> list[str]:
    """Return the services that a subnet is delegated to, in lower case."""
    return [
        delegation["properties"]["serviceName"].lower() for delegation in get_objects(subnet.properties, "delegations")
    ]


def get_subnet_ranges(subnet: Json) -> list[Network]:
    """Return the ranges of a subnet's body, whichever of its two properties they stand in."""
    prefix = get_value(subnet, "properties.addressPrefix")
    return _parse_networks([prefix] if prefix else get_strings(subnet, "properties.addressPrefixes"))


def _complete_vnet(write: Write) -> None:
    write.require("location", "properties.addressSpace.addressPrefixes")
    _parse_networks(write.properties["addressSpace"]["addressPrefixes"])
    if (inline := write.properties.pop("subnets", None)) is not None:
        _put_inline_subnets(write, inline)
    write.properties.setdefault("enableDdosProtection", False)
    write.properties.setdefault("privateEndpointVNetPolicies", "Disabled")


def _put_inline_subnets(write: Write, inline: list[Json]) -> None:
    """Put the subnets of a VNet's body, and remove those that it does not have. A body without the list keeps all.

    Microsoft's announcement, in a copy:
    https://d365hub.com/Posts/Details/b43b9bd4-0607-42f7-aecf-d1338c5074ee
    """
    wanted = {f"{write.id.path}/subnets/{body['name']}".lower(): body for body in inline}
    old = {subnet.id.key: subnet for subnet in write.store.list_resources(SUBNET, write.id.path)}
    for key, subnet in old.items():
        if key not in wanted:
            _refuse_if_subnet_is_used(write.store, subnet)
    subnets: list[Resource] = []
    for key, body in wanted.items():
        previous = old.get(key)
        id_ = previous.id if previous else parse_id(f"{write.id.path}/subnets/{body['name']}")
        subnet = Resource(id_, body, "", write.resource.written)
        _complete_subnet_of(Write(write.store, subnet, previous, write.check_link), write.resource, subnets)
        subnet.properties["provisioningState"] = "Succeeded"
        subnets.append(subnet)
    for key, subnet in old.items():
        if key not in wanted:
            write.store.remove(subnet.id.path)
    for subnet in subnets:
        write.store.put(subnet.id.path, subnet.body)


def _show_vnet(store: Store, vnet: Resource) -> Json:
    """Return a VNet with its subnets, which are separate resources in the store."""
    subnets = [subnet.body for subnet in store.list_resources(SUBNET, vnet.id.path)]
    return vnet.body | {"properties": vnet.properties | {"subnets": subnets}}


def _is_within_range(inner: Network, outer: Network) -> bool:
    is_as_long = inner.version == outer.version and inner.prefixlen >= outer.prefixlen
    return is_as_long and inner.network_address in outer


def _check_subnet_ranges(write: Write, vnet: Resource, siblings: Sequence[Resource]) -> None:
    ranges = get_subnet_ranges(write.body)
    if not ranges:
        raise make_bad_request(f"'{write.id.path}' has no address prefix.", "InvalidRequestFormat")
    vnet_ranges = _parse_networks(vnet.properties["addressSpace"]["addressPrefixes"])
    for range_ in ranges:
        if not any(_is_within_range(range_, vnet_range) for vnet_range in vnet_ranges):
            raise make_bad_request(
                f"Subnet '{write.id.name}' ({range_}) is not within its virtual network's address space.",
                "NetcfgSubnetRangeOutsideVnet",
            )
        for other in siblings:
            overlaps = any(range_.overlaps(other_range) for other_range in get_subnet_ranges(other.body))
            if overlaps and other.id.key != write.id.key:
                raise make_bad_request(
                    f"Subnet '{write.id.name}' overlaps '{other.id.name}'.", "NetcfgSubnetRangesOverlap"
                )


def _complete_subnet(write: Write) -> None:
    """Rules for ranges and rights: https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet."""
    vnet = write.require_reference(write.id.parent, VNET)
    _complete_subnet_of(write, vnet, list(write.store.list_resources(SUBNET, vnet.id.path)))


def _complete_subnet_of(write: Write, vnet: Resource, siblings: Sequence[Resource]) -> None:
    _check_subnet_ranges(write, vnet, siblings)
    if group := get_value(write.properties, "networkSecurityGroup.id"):
        write.require_reference(group, NSG, "join/action")
    delegations = get_objects(write.properties, "delegations")
    if len(delegations) > 1:
        raise make_bad_request("A subnet has one delegation at most.", "SubnetDelegationsLimitExceeded")
    for delegation in delegations:
        delegation["properties"].setdefault("provisioningState", "Succeeded")
    if write.previous and _is_in_use(write.store, write.id.path):
        write.require_unchanged("properties.addressPrefixes", "properties.addressPrefix")
    write.properties.setdefault("privateEndpointNetworkPolicies", "Disabled")
    write.properties.setdefault("privateLinkServiceNetworkPolicies", "Enabled")
    for endpoint in get_objects(write.properties, "serviceEndpoints"):
        endpoint.setdefault("locations", ["*"])


def _find_subnet_users(store: Store, subnet: str) -> Iterator[Resource]:
    for resource in store.list_resources():
        endpoint_subnet = get_value(resource.body, "properties.subnet.id")
        app_subnet = get_value(resource.body, "properties.virtualNetworkSubnetId")
        jobs_subnet = get_value(resource.body, "properties.vnetConfiguration.infrastructureSubnetId")
        used_subnet: str = endpoint_subnet or app_subnet or jobs_subnet or ""
        if used_subnet.lower() == subnet.lower():
            yield resource


def _is_in_use(store: Store, subnet: str) -> bool:
    return any(True for _ in _find_subnet_users(store, subnet))


def _refuse_if_subnet_is_used(store: Store, subnet: Resource) -> None:
    for user in _find_subnet_users(store, subnet.id.path):
        raise make_bad_request(
            f"Subnet {subnet.id.name} is in use by {user.id.path} and cannot be deleted.", "InUseSubnetCannotBeDeleted"
        )


def _refuse_if_any_subnet_is_used(store: Store, vnet: Resource) -> None:
    for subnet in store.list_resources(SUBNET, vnet.id.path):
        _refuse_if_subnet_is_used(store, subnet)


def _complete_nsg(write: Write) -> None:
    """Rules for security rules: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules."""
    write.require("location")
    taken: set[tuple[str, int]] = set()
    for rule in get_objects(write.properties, "securityRules"):
        body = rule.get("properties", {})
        for name in ("access", "direction", "priority", "protocol"):
            if name not in body:
                raise make_bad_request(f"Security rule '{rule.get('name')}' has no {name}.", "InvalidRequestFormat")
        slot = (body["direction"], body["priority"])
        if slot in taken:
            raise make_bad_request(f"Two rules of '{write.id.name}' have {slot}.", "SecurityRuleConflict")
        if not 100 <= slot[1] <= 4096:
            raise make_bad_request(
                f"The priority {slot[1]} of '{rule['name']}' is not in 100..4096.", "InvalidPriority"
            )
        taken.add(slot)
        rule["id"] = f"{write.id.path}/securityRules/{rule['name']}"
        body["provisioningState"] = "Succeeded"
    write.properties.setdefault("securityRules", [])


def _refuse_if_nsg_is_used(store: Store, group: Resource) -> None:
    for subnet in store.list_resources(SUBNET):
        if (get_value(subnet.body, "properties.networkSecurityGroup.id") or "").lower() == group.id.key:
            raise make_bad_request(
                f"{group.id.path} is in use by {subnet.id.path}.", "InUseNetworkSecurityGroupCannotBeDeleted"
            )


def _complete_endpoint(write: Write) -> None:
    """Complete a private endpoint and approve its connection. The writer needs a right on the target for that.

    Group ids: https://learn.microsoft.com/azure/private-link/private-endpoint-overview#private-link-resource
    Rights: https://learn.microsoft.com/azure/private-link/rbac-permissions#private-endpoint
    """
    write.require("location", "properties.subnet.id")
    subnet = write.require_reference(write.properties["subnet"]["id"], SUBNET, "join/action")
    if subnet.properties.get("delegations"):
        raise make_bad_request(
            "A private endpoint cannot stand in a delegated subnet.", "PrivateEndpointInDelegatedSubnet"
        )
    connections = [
        *get_objects(write.properties, "privateLinkServiceConnections"),
        *get_objects(write.properties, "manualPrivateLinkServiceConnections"),
    ]
    if len(connections) != 1:
        raise make_bad_request("A private endpoint has one connection.", "InvalidPrivateLinkServiceConnections")
    for connection in connections:
        target = write.store.find(connection["properties"]["privateLinkServiceId"])
        if target is None:
            raise make_bad_request(
                f"'{connection['properties']['privateLinkServiceId']}' does not exist.", "ResourceNotFound"
            )
        write.check_link(f"{target.id.type}/privateEndpointConnectionsApproval/action", target.id)
        group_ids, group_id = connection["properties"].get("groupIds"), GROUP_IDS.get(target.id.type)
        if group_ids != [group_id]:
            raise make_bad_request(
                f"The group ids {group_ids} do not suit {target.id.type}: {group_id}.", "InvalidGroupId"
            )
        connection["properties"] |= {
            "privateLinkServiceConnectionState": {"status": "Approved", "description": "", "actionsRequired": "None"},
            "provisioningState": "Succeeded",
        }
    address = _find_free_address(write.store, subnet, write.id.path)
    nic_name = write.properties.get("customNetworkInterfaceName") or f"{write.id.name}.nic"
    nic = f"{write.id.scope}/providers/{NIC}/{nic_name}"
    configuration = {
        "name": "privateEndpointIpConfig",
        "properties": {"privateIPAddress": address, "subnet": {"id": subnet.id.path}},
    }
    write.store.ensure(nic, {"location": write.body["location"], "properties": {"ipConfigurations": [configuration]}})
    write.properties["networkInterfaces"] = [{"id": nic}]
    write.properties["customDnsConfigs"] = [{"fqdn": write.id.name, "ipAddresses": [address]}]


def _find_free_address(store: Store, subnet: Resource, endpoint: str) -> str:
    """Return the first address of the subnet that no other endpoint has."""
    owners: dict[str, str] = {}
    for other in store.list_resources(ENDPOINT):
        for config in get_objects(other.properties, "customDnsConfigs"):
            owners[config["ipAddresses"][0]] = other.id.path
    (range_, *_) = (range_ for range_ in get_subnet_ranges(subnet.body) if range_.version == 4)
    for address in list(range_.hosts())[RESERVED_ADDRESSES - 2 :]:
        if owners.get(str(address), endpoint) == endpoint:
            return str(address)
    raise make_conflict(f"Subnet '{subnet.id.name}' has no free address.", "SubnetIsFull")


def _remove_network_interfaces(store: Store, endpoint: Resource) -> None:
    for nic in endpoint.properties.get("networkInterfaces", []):
        store.remove(nic["id"])


def _complete_zone_group(write: Write) -> None:
    """The writer needs a right on the zones: https://learn.microsoft.com/azure/private-link/rbac-permissions#private-endpoint."""
    for config in get_objects(write.properties, "privateDnsZoneConfigs"):
        write.require_reference(config["properties"]["privateDnsZoneId"], PRIVATE_ZONE, "join/action")
        config["properties"].setdefault("recordSets", [])


_TYPES = (
    ResourceType(
        VNET,
        _complete_vnet,
        minutes=0.1,
        source=_SOURCE,
        delete_minutes=0.1,
        before_delete=_refuse_if_any_subnet_is_used,
        show=_show_vnet,
    ),
    ResourceType(
        SUBNET,
        _complete_subnet,
        minutes=0.1,
        source=_SOURCE,
        delete_minutes=0.1,
        before_delete=_refuse_if_subnet_is_used,
    ),
    ResourceType(
        NSG, _complete_nsg, minutes=0.1, source=ESTIMATE, delete_minutes=0.1, before_delete=_refuse_if_nsg_is_used
    ),
    ResourceType(
        ENDPOINT,
        _complete_endpoint,
        minutes=1,
        source=ESTIMATE,
        delete_minutes=0.5,
        before_delete=_remove_network_interfaces,
    ),
    ResourceType(ZONE_GROUP, _complete_zone_group, minutes=0.2, source=ESTIMATE, delete_minutes=0.2),
    ResourceType(NIC),
)
FAMILY = Family(_TYPES)
