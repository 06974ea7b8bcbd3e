"""Public and private DNS zones, their records and links."""

import re
from collections.abc import Iterator

from rehearsal.stand_in.families.network import PRIVATE_ZONE, VNET
from rehearsal.stand_in.family import Family
from rehearsal.stand_in.model import (
    APPLY_LOG,
    Resource,
    ResourceType,
    Store,
    Write,
    get_objects,
    get_value,
    make_bad_request,
    make_conflict,
)

ZONE = "Microsoft.Network/dnsZones"
LINK = f"{PRIVATE_ZONE}/virtualNetworkLinks"
_RECORDS = ("A", "AAAA", "CAA", "CNAME", "MX", "NS", "SOA", "SRV", "TXT")
_SOURCE = f"{APPLY_LOG}: zone and link took 32 seconds each."


def _complete_zone(write: Write) -> None:
    """Add four name servers and the SOA record to a zone.

    https://learn.microsoft.com/azure/dns/dns-zones-records
    """
    if not re.fullmatch(r"([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", write.id.name):
        raise make_bad_request(f"'{write.id.name}' is no zone name.", "InvalidDomainName")
    write.properties["nameServers"] = [
        f"ns{n}-01.azure-dns.{tld}." for n, tld in enumerate(("com", "net", "org", "info"), 1)
    ]
    write.properties.update(numberOfRecordSets=2, maxNumberOfRecordSets=10000, zoneType="Public")
    write.store.ensure(
        f"{write.id.path}/SOA/@",
        {
            "properties": {
                "TTL": 3600,
                "fqdn": f"{write.id.name}.",
                "SOARecord": {
                    "email": "azuredns-hostmaster.microsoft.com",
                    "expireTime": 2419200,
                    "host": "ns1-01.azure-dns.com.",
                    "minimumTTL": 300,
                    "refreshTime": 3600,
                    "retryTime": 300,
                    "serialNumber": 1,
                },
            }
        },
    )


def _complete_record(write: Write) -> None:
    kind = write.id.type.rsplit("/", 1)[1]
    zone = write.id.names[0]
    name = write.id.name
    write.properties["fqdn"] = f"{zone}." if name == "@" else f"{name}.{zone}."
    write.properties.setdefault("targetResource", {})
    for other in write.store.list_children(write.id.path.rsplit("/", 2)[0]):
        has_same_name = other.id.name == name and other.id.key != write.id.key
        if has_same_name and "CNAME" in (kind, other.id.type.rsplit("/", 1)[1]):
            # https://learn.microsoft.com/azure/dns/dns-zones-records#cname-records
            raise make_conflict(f"A CNAME stands alone: '{name}' has {other.id.type} already.", "RecordSetConflict")


def _find_records(store: Store, kind: str, host: str) -> Iterator[Resource]:
    for record in store.list_resources(f"{ZONE}/{kind}"):
        if str(record.properties["fqdn"]).rstrip(".").lower() == host.lower():
            yield record


def has_cname(store: Store, host: str, target: str) -> bool:
    """Return whether a zone in the store has a CNAME record from `host` to `target`."""
    names = (
        str(get_value(record.body, "properties.CNAMERecord.cname")) for record in _find_records(store, "CNAME", host)
    )
    return target.lower() in (name.rstrip(".").lower() for name in names)


def get_txt_values(store: Store, host: str) -> list[str]:
    """Return the values of the TXT records for `host` in all zones of the store."""
    record_sets = _find_records(store, "TXT", host)
    return [
        "".join(record["value"])
        for record_set in record_sets
        for record in get_objects(record_set.properties, "TXTRecords")
    ]


def _complete_private_zone(write: Write) -> None:
    write.properties.update(numberOfRecordSets=1, maxNumberOfRecordSets=25000, numberOfVirtualNetworkLinks=0)
    write.store.ensure(
        f"{write.id.path}/SOA/@",
        {
            "properties": {
                "ttl": 3600,
                "fqdn": f"{write.id.name}.",
                "soaRecord": {
                    "email": "azureprivatedns-host.microsoft.com",
                    "expireTime": 2419200,
                    "host": "azureprivatedns.net",
                    "minimumTtl": 10,
                    "refreshTime": 3600,
                    "retryTime": 300,
                    "serialNumber": 1,
                },
            }
        },
    )


def _refuse_if_zone_is_linked(store: Store, zone: Resource) -> None:
    """https://learn.microsoft.com/azure/dns/private-dns-virtual-network-links."""
    if any(True for _ in store.list_resources(LINK, zone.id.path)):
        raise make_conflict(f"'{zone.id.name}' has virtual network links.", "CannotDeleteResource")


def _complete_link(write: Write) -> None:
    """Rights: https://learn.microsoft.com/azure/role-based-access-control/permissions/networking#microsoftnetwork."""
    write.require_reference(write.properties.get("virtualNetwork", {}).get("id"), VNET, "join/action")
    write.properties["virtualNetworkLinkState"] = "Completed"
    write.properties.setdefault("registrationEnabled", False)


_TYPES = (
    ResourceType(ZONE, _complete_zone),
    *(ResourceType(f"{ZONE}/{kind}", _complete_record) for kind in _RECORDS),
    ResourceType(
        PRIVATE_ZONE,
        _complete_private_zone,
        minutes=0.5,
        source=_SOURCE,
        delete_minutes=0.3,
        before_delete=_refuse_if_zone_is_linked,
    ),
    ResourceType(f"{PRIVATE_ZONE}/SOA"),
    ResourceType(LINK, _complete_link, minutes=0.5, source=_SOURCE, delete_minutes=0.3),
)
FAMILY = Family(_TYPES)
