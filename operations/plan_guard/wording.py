"""The values of a plan in words: on one line, in ASCII, and long texts cut where nothing differs."""

import json
from collections.abc import Iterator, Mapping, Sequence

from operations.plan_guard.differences import Absent, Difference
from operations.plan_guard.redaction import Sensitive, Unknown, Value

LONGEST = 160
"""How many characters of a single text are shown."""

LONGEST_NAME = 400
"""How many characters of a text without spaces are shown: a name, an address or an ID says nothing when it is cut."""

ONE_LINE = 90
"""How many characters of a block stand on one line. A longer one has a line for each attribute."""

MOST = 40
"""How many elements of a list or entries of a map are shown."""

UNKNOWN = "(known after apply)"

SECURITY_RULE = "azurerm_network_security_group.security_rule"

CONTEXT = 12
"""How many unchanged characters are shown around the part of a long text that changes."""


def format_value(value: Value | Absent) -> str:
    """Return a value in words."""
    match value:
        case Absent():
            return ""
        case Sensitive():
            return "(sensitive)"
        case Unknown():
            return UNKNOWN
        case dict():
            items = [f"{json.dumps(key)}: {format_value(item)}" for key, item in value.items()]
            return f"{{{', '.join(_limit(items))}}}"
        case list():
            return f"[{', '.join(_limit([format_value(element) for element in value]))}]"
        case _:
            return shorten(json.dumps(value))


def format_pair(old: Value | Absent, new: Value | Absent) -> tuple[str, str]:
    """Return both values in words. Of two long texts, show the part that differs."""
    if not isinstance(old, str) or not isinstance(new, str) or max(len(old), len(new)) <= LONGEST:
        return format_value(old), format_value(new)
    start = max(0, _count_common(old, new) - CONTEXT)
    rest = min(len(old), len(new)) - start
    end = max(0, min(rest, _count_common(old[::-1], new[::-1])) - CONTEXT)
    return _show_part(old, start, end), _show_part(new, start, end)


def format_difference(difference: Difference, type_: str) -> Iterator[str]:
    """Yield a difference of a resource of this type as one line, or as a line and what stands below it.

    The first character says what happens: `+` comes, `-` goes, `~` changes.
    """
    attribute, old, new = difference.attribute, difference.old, difference.new
    if isinstance(old, Absent) or isinstance(new, Absent):
        sign, value = ("+", new) if isinstance(old, Absent) else ("-", old)
        if isinstance(value, dict):
            yield f"{sign} {attribute}"
            parts = _describe_parts(f"{type_}.{difference.place}", value)
            whole = ", ".join(parts)
            yield from [whole] if len(whole) <= ONE_LINE else parts
        else:
            yield f"{sign} {attribute}: {format_value(value)}"
    else:
        yield f"~ {attribute}: {' -> '.join(format_pair(old, new))}"


def describe_block(place: str, block: Mapping[str, Value]) -> str:
    """Return everything that a block says, in words.

    Args:
        place: `type.attribute` of the block.
        block: Its attributes.
    """
    return ", ".join(_describe_parts(place, block))


def _describe_parts(place: str, block: Mapping[str, Value]) -> list[str]:
    if place == SECURITY_RULE:
        return [describe_security_rule(block)]
    return _describe_attributes(block)


def describe_security_rule(rule: Mapping[str, Value]) -> str:
    """Return what a rule of a network security group does: `Inbound Allow Tcp from Internet to * port 22, ...`."""
    source, destination = (_describe_end(rule, end) for end in ("source", "destination"))
    protocol = "any protocol" if rule.get("protocol") == "*" else _say(rule.get("protocol"))
    words = [_say(rule.get("direction")), _say(rule.get("access")), protocol, "from", source, "to", destination]
    description = rule.get("description")
    return f"{' '.join(words)}, priority {_say(rule.get('priority'))}" + (
        f", {format_value(description)}" if description else ""
    )


def shorten(text: str) -> str:
    """Return the text, cut if it is longer than LONGEST, or than LONGEST_NAME if it has no spaces."""
    longest = LONGEST if " " in text else LONGEST_NAME
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


def _describe_end(rule: Mapping[str, Value], end: str) -> str:
    """Return the addresses and ports of a rule's source or destination."""
    addresses = _collect(
        rule, f"{end}_address_prefix", f"{end}_address_prefixes", f"{end}_application_security_group_ids"
    )
    ports = _collect(rule, f"{end}_port_range", f"{end}_port_ranges")
    where = ", ".join(addresses) or "nowhere"
    return where if ports in (["*"], []) and end == "source" else f"{where} {_describe_ports(ports)}"


def _describe_ports(ports: Sequence[str]) -> str:
    return "all ports" if "*" in ports else f"port {', '.join(ports) or 'none'}"


def _collect(rule: Mapping[str, Value], *names: str) -> list[str]:
    """Return the values of attributes that are a text, or a list of texts."""
    collected: list[str] = []
    for name in names:
        value = rule.get(name)
        if value is None or value in ("", []):
            continue
        collected += [_say(element) for element in value] if isinstance(value, list) else [_say(value)]
    return collected


def _say(value: Value) -> str:
    """Return a value without quotes if it is a text that needs none."""
    return value if isinstance(value, str) and value.isascii() and value.isprintable() else format_value(value)


def _describe_attributes(block: Mapping[str, Value]) -> list[str]:
    shown = {name: value for name, value in block.items() if value is not None and value not in ("", [], {})}
    return [f"{name}: {_describe_inner(value)}" for name, value in shown.items()] or ["(nothing set)"]


def _describe_inner(value: Value) -> str:
    """Return a value in words, and of blocks inside it only what is set."""
    if isinstance(value, list) and value and all(isinstance(element, dict) for element in value):
        blocks = (", ".join(_describe_attributes(block)) for block in value if isinstance(block, dict))
        return ", ".join(f"({block})" for block in blocks)
    return format_value(value)


def _limit(texts: Sequence[str]) -> Sequence[str]:
    return texts if len(texts) <= MOST else [*texts[:MOST], f"and {len(texts) - MOST} more"]


def _show_part(text: str, start: int, end: int) -> str:
    """Return a text in words, without the first and last characters."""
    part = json.dumps(text[start : len(text) - end])
    return f"{'...' if start else ''}{shorten(part)}{'...' if end else ''}"


def _count_common(old: str, new: str) -> int:
    """Return how many characters at the beginning are the same."""
    for index, (old_character, new_character) in enumerate(zip(old, new, strict=False)):
        if old_character != new_character:
            return index
    return min(len(old), len(new))
