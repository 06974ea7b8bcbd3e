"""Reads DNS records in the form of zone files, in which DNS providers export them.

https://www.rfc-editor.org/rfc/rfc1035#section-5
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from textwrap import shorten
from typing import NamedTuple, cast

HOUR = 3600
TYPES = ("A", "AAAA", "CAA", "CNAME", "MX", "TXT")
"""The types of record that can be settings. SOA and the zone's own NS records belong to Azure DNS."""
TEXT_LENGTH = 4096
"""The most characters that Azure DNS takes in one TXT record.

https://learn.microsoft.com/azure/azure-resource-manager/management/azure-subscription-service-limits#azure-dns-limits
"""


class RecordSet(NamedTuple):
    """All records of one type under one name."""

    name: str
    """Relative to the zone; "@" is the zone itself."""
    type: str
    ttl: int
    """In seconds."""
    values: Sequence[Sequence[str]]
    """The fields of each record, as a zone file has them: one for A, AAAA, CNAME and TXT, preference and host for MX,
    flags, tag and value for CAA. Host names are full and have no dot at the end."""


def read_zone_file(text: str, zone: str) -> list[RecordSet]:
    """Return the records in the lines of a zone file, such as `www 3600 CNAME site.example.com.`

    A record without a TTL gets an hour. A line that begins with a space belongs to the name of the line above.

    Args:
        text: The lines. An empty text has no records.
        zone: The zone's name, to which names without a dot at the end are relative.

    Raises:
        ValueError: A line is not of that form, has a name outside the zone or a type that is not in TYPES, or a CNAME
            record does not stand alone.
    """
    if not text.strip():
        return []
    # Settings without records, which most are, do not wait for the import.
    from dns import exception, name, rdatatype  # noqa: PLC0415
    from dns.zone import from_text  # noqa: PLC0415

    origin = name.from_text(zone)
    # With the zone as the argument `origin`, dnspython would leave out names outside of it, without a word.
    parse = partial(from_text, origin=name.root, relativize=False, check_origin=False)
    head, lines = f"$ORIGIN {origin}\n$TTL {HOUR}\n", text.splitlines()
    found = parse(head)
    # dnspython names the line at which it stopped, which may be the next one. So read one line more each time.
    for number, line in enumerate(lines, start=1):
        try:
            found = parse(head + "\n".join(lines[:number]) + "\n")
        except exception.DNSException as error:
            reason = re.sub(r"^<\w+>:\d+: ", "", str(error)) or type(error).__name__
            raise ValueError(f"is no zone file: line {number}, {shorten(line, 40)!r}: {reason}") from None
    owners = Counter(re.findall(r'^([^\s;]+)[^;"\n]*\sCNAME\s', text, re.IGNORECASE | re.MULTILINE))
    if doubled := [owner for owner, count in owners.items() if count > 1]:
        raise ValueError(f"has several CNAME records for '{doubled[0]}'; a name can have one")
    records: list[RecordSet] = []
    for owner, record_set in found.iterate_rdatasets():
        if not owner.is_subdomain(origin):
            raise ValueError(
                f"has {owner}, which is not in the zone: write names such as www, without a dot at the end"
            )
        label = str(owner.relativize(origin))
        type_ = rdatatype.to_text(record_set.rdtype)
        if type_ not in TYPES:
            raise ValueError(f"has a record of type {type_} for '{label}'; these are possible: {', '.join(TYPES)}")
        values = sorted(_list_fields(record, type_) for record in cast(Iterable[object], record_set))
        records.append(RecordSet(label, type_, record_set.ttl, values))
    _check_together(records)
    return sorted(records)


def find_taken_names(text: str, made: Mapping[str, str]) -> list[str]:
    """Return the names in the lines of a zone file that cannot have these records, because others are made for them.

    Args:
        text: The lines.
        made: By name: the type of the record that is made.
    """
    return [
        record.name
        for record in read_zone_file(text, "zone.example")
        if record.name in made and (made[record.name] == record.type or "CNAME" in (made[record.name], record.type))
    ]


def _list_fields(record: object, type_: str) -> tuple[str, ...]:
    """Return the fields of one record."""
    match type_:
        case "TXT":
            strings: tuple[bytes, ...] = getattr(record, "strings")  # noqa: B009
            text = b"".join(strings).decode(errors="replace")
            if "\ufffd" in text:
                raise ValueError(f"has a TXT record that is no UTF-8: {strings!r}")
            if len(text) > TEXT_LENGTH:
                raise ValueError(f"has a TXT record of {len(text)} characters; Azure takes {TEXT_LENGTH}")
            return (text,)
        case "CAA":
            flags, tag, value = (getattr(record, field) for field in ("flags", "tag", "value"))
            return (str(flags), tag.decode(), value.decode())
        case _:
            return tuple(word.removesuffix(".") for word in str(record).split())


def _check_together(records: Sequence[RecordSet]) -> None:
    """Raise ValueError for a CNAME record that Azure refuses.

    https://learn.microsoft.com/azure/dns/dns-zones-records#cname-records
    """
    for record in records:
        if record.type != "CNAME":
            continue
        if record.name == "@":
            raise ValueError(
                "has a CNAME record for '@': the zone itself has other records, beside which none can stand"
            )
        if any(other.name == record.name and other is not record for other in records):
            raise ValueError(f"has a CNAME record for '{record.name}' beside another record of that name")
