"""Virtual networks, subnets, network security groups and private endpoints."""

import ipaddress
from collections.abc import Iterator

from rehearsal.stand_in.azure import Azure
from rehearsal.stand_in.model import (
    APPLY_LOG,
    ESTIMATE,
    Json,
    Resource,
    ResourceType,
    Write,
    at,
    bad_request,
    conflict,
    items,
    strings,
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


def _networks(prefixes: list[str]) -> list[ipaddress.IPv4Network]:
    try:
        return [ipaddress.IPv4Network(prefix) for prefix in prefixes]
    except ValueError as error:
        raise bad_request(f"{error}", "InvalidAddressPrefixFormat") from error


def _subnet_ranges(subnet: Json) -> list[ipaddress.IPv4Network]:
    prefix = at(subnet, "properties.addressPrefix")
    return _networks([prefix] if prefix else strings(subnet, "properties.addressPrefixes"))


def _vnet(write: Write) -> None:
    write.require("location", "properties.addressSpace.addressPrefixes")
    _networks(write.properties["addressSpace"]["addressPrefixes"])
    for inline in items(write.properties, "subnets"):
        if not write.azure.find(f"{write.id.path}/subnets/{inline['name']}"):
            raise bad_request("The rehearsal wants subnets as resources of their own.", "RehearsalInlineSubnet")
    write.properties.pop("subnets", None)
    write.properties.setdefault("enableDdosProtection", False)
    write.properties.setdefault("privateEndpointVNetPolicies", "Disabled")


def _vnet_with_subnets(azure: Azure, vnet: Resource) -> Json:
    """A VNet shows its subnets, which are resources of their own."""
    subnets = [each.body for each in azure.all(SUBNET.lower(), vnet.id.path)]
    return vnet.body | {"properties": vnet.properties | {"subnets": subnets}}


def _check_ranges(write: Write, vnet: Resource) -> None:
    own = _subnet_ranges(write.body)
    if not own:
        raise bad_request(f"'{write.id.path}' has no address prefix.", "InvalidRequestFormat")
    space = _networks(vnet.properties["addressSpace"]["addressPrefixes"])
    for range_ in own:
        if not any(range_.subnet_of(whole) for whole in space):
            raise bad_request(
                f"Subnet '{write.id.name}' ({range_}) is not within its virtual network's address space.",
                "NetcfgSubnetRangeOutsideVnet",
            )
        for other in write.azure.all(SUBNET.lower(), vnet.id.path):
            if other.id.key != write.id.key and any(range_.overlaps(each) for each in _subnet_ranges(other.body)):
                raise bad_request(f"Subnet '{write.id.name}' overlaps '{other.id.name}'.", "NetcfgSubnetRangesOverlap")


def _subnet(write: Write) -> None:
    """Ranges and rights: https://learn.microsoft.com/azure/virtual-network/virtual-network-manage-subnet."""
    vnet = write.refer(write.id.parent, VNET)
    _check_ranges(write, vnet)
    if group := at(write.properties, "networkSecurityGroup.id"):
        write.refer(group, NSG, "join/action")
    delegations = items(write.properties, "delegations")
    if len(delegations) > 1:
        raise bad_request("A subnet has one delegation at most.", "SubnetDelegationsLimitExceeded")
    for delegation in delegations:
        delegation["properties"].setdefault("provisioningState", "Succeeded")
    if write.previous and _in_use(write.azure, write.id.path):
        write.unchangeable("properties.addressPrefixes", "properties.addressPrefix")
    write.properties.setdefault("privateEndpointNetworkPolicies", "Disabled")
    write.properties.setdefault("privateLinkServiceNetworkPolicies", "Enabled")
    for endpoint in items(write.properties, "serviceEndpoints"):
        endpoint.setdefault("locations", ["*"])


def _users(azure: Azure, subnet: str) -> Iterator[Resource]:
    for each in azure.all():
        pointer = at(each.body, "properties.subnet.id") or at(each.body, "properties.virtualNetworkSubnetId") or ""
        if pointer.lower() == subnet.lower():
            yield each


def _in_use(azure: Azure, subnet: str) -> bool:
    return any(True for _ in _users(azure, subnet))


def _subnet_deleted(azure: Azure, subnet: Resource) -> None:
    for user in _users(azure, subnet.id.path):
        raise bad_request(
            f"Subnet {subnet.id.name} is in use by {user.id.path} and cannot be deleted.", "InUseSubnetCannotBeDeleted"
        )


def _vnet_deleted(azure: Azure, vnet: Resource) -> None:
    for subnet in azure.all(SUBNET.lower(), vnet.id.path):
        _subnet_deleted(azure, subnet)


def _nsg(write: Write) -> None:
    """Rules: https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules."""
    write.require("location")
    seen: set[tuple[str, int]] = set()
    for rule in items(write.properties, "securityRules"):
        body = rule["properties"]
        slot = (body["direction"], body["priority"])
        if slot in seen:
            raise bad_request(f"Two rules of '{write.id.name}' have {slot}.", "SecurityRuleConflict")
        if not 100 <= slot[1] <= 4096:
            raise bad_request(f"The priority {slot[1]} of '{rule['name']}' is not in 100..4096.", "InvalidPriority")
        seen.add(slot)
        rule["id"] = f"{write.id.path}/securityRules/{rule['name']}"
        body["provisioningState"] = "Succeeded"
    write.properties.setdefault("securityRules", [])


def _nsg_deleted(azure: Azure, group: Resource) -> None:
    for subnet in azure.all(SUBNET.lower()):
        if (at(subnet.body, "properties.networkSecurityGroup.id") or "").lower() == group.id.key:
            raise bad_request(
                f"{group.id.path} is in use by {subnet.id.path}.", "InUseNetworkSecurityGroupCannotBeDeleted"
            )


def _endpoint(write: Write) -> None:
    """An endpoint that approves itself, which takes a right on what it leads to.

    Group ids: https://learn.microsoft.com/azure/private-link/private-endpoint-overview#private-link-resource
    Rights: https://learn.microsoft.com/azure/private-link/rbac-permissions#private-endpoint
    """
    write.require("location", "properties.subnet.id")
    subnet = write.refer(write.properties["subnet"]["id"], SUBNET, "join/action")
    if subnet.properties.get("delegations"):
        raise bad_request("A private endpoint cannot stand in a delegated subnet.", "PrivateEndpointInDelegatedSubnet")
    connections = [
        *items(write.properties, "privateLinkServiceConnections"),
        *items(write.properties, "manualPrivateLinkServiceConnections"),
    ]
    if len(connections) != 1:
        raise bad_request("A private endpoint has one connection.", "InvalidPrivateLinkServiceConnections")
    for connection in connections:
        target = write.azure.find(connection["properties"]["privateLinkServiceId"])
        if target is None:
            raise bad_request(
                f"'{connection['properties']['privateLinkServiceId']}' does not exist.", "ResourceNotFound"
            )
        write.link(f"{target.id.type}/privateEndpointConnectionsApproval/action", target.id)
        groups, right = connection["properties"].get("groupIds"), GROUP_IDS.get(target.id.type)
        if groups != [right]:
            raise bad_request(f"The group ids {groups} do not suit {target.id.type}: {right}.", "InvalidGroupId")
        connection["properties"] |= {
            "privateLinkServiceConnectionState": {"status": "Approved", "description": "", "actionsRequired": "None"},
            "provisioningState": "Succeeded",
        }
    address = _free_address(write.azure, subnet, write.id.path)
    nic_name = write.properties.get("customNetworkInterfaceName") or f"{write.id.name}.nic"
    nic = f"{write.id.scope}/providers/{NIC}/{nic_name}"
    configuration = {
        "name": "privateEndpointIpConfig",
        "properties": {"privateIPAddress": address, "subnet": {"id": subnet.id.path}},
    }
    write.azure.ensure(nic, {"location": write.body["location"], "properties": {"ipConfigurations": [configuration]}})
    write.properties["networkInterfaces"] = [{"id": nic}]
    write.properties["customDnsConfigs"] = [{"fqdn": write.id.name, "ipAddresses": [address]}]


def _free_address(azure: Azure, subnet: Resource, endpoint: str) -> str:
    taken: dict[str, str] = {}
    for each in azure.all(ENDPOINT.lower()):
        for config in items(each.properties, "customDnsConfigs"):
            taken[config["ipAddresses"][0]] = each.id.path
    for address in list(_subnet_ranges(subnet.body)[0].hosts())[RESERVED_ADDRESSES - 2 :]:
        if taken.get(str(address), endpoint) == endpoint:
            return str(address)
    raise conflict(f"Subnet '{subnet.id.name}' has no free address.", "SubnetIsFull")


def _endpoint_deleted(azure: Azure, endpoint: Resource) -> None:
    for nic in endpoint.properties.get("networkInterfaces", []):
        azure.remove(nic["id"])


def _zone_group(write: Write) -> None:
    """Rights: https://learn.microsoft.com/azure/private-link/rbac-permissions#private-endpoint."""
    for config in items(write.properties, "privateDnsZoneConfigs"):
        write.refer(config["properties"]["privateDnsZoneId"], PRIVATE_ZONE, "join/action")
        config["properties"].setdefault("recordSets", [])


TYPES = (
    ResourceType(
        VNET,
        _vnet,
        minutes=0.1,
        source=_SOURCE,
        delete_minutes=0.1,
        deleted=_vnet_deleted,
        readable=_vnet_with_subnets,
    ),
    ResourceType(SUBNET, _subnet, minutes=0.1, source=_SOURCE, delete_minutes=0.1, deleted=_subnet_deleted),
    ResourceType(NSG, _nsg, minutes=0.1, source=ESTIMATE, delete_minutes=0.1, deleted=_nsg_deleted),
    ResourceType(ENDPOINT, _endpoint, minutes=1, source=ESTIMATE, delete_minutes=0.5, deleted=_endpoint_deleted),
    ResourceType(ZONE_GROUP, _zone_group, minutes=0.2, source=ESTIMATE, delete_minutes=0.2),
    ResourceType(NIC),
)
