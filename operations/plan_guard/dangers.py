"""Finds what a plan opens to the network, grants, unlocks, or keeps for a shorter time."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from operations.plan_guard.exposures import (
    WATCHED,
    WATCHED_BLOCKS,
    WATCHED_TYPES,
    Kind,
    WatchedBlock,
    WatchedType,
    comes_sooner,
    subtract,
)
from operations.plan_guard.layout import indent, list_addresses
from operations.plan_guard.names import ROLE_ASSIGNMENT, Names
from operations.plan_guard.pairs import Pair, pair_blocks
from operations.plan_guard.paths import Block, format_path
from operations.plan_guard.redaction import Redactor, Sensitive, Unknown, Value
from operations.plan_guard.wording import describe_block, describe_security_rule, format_value
from operations.terraform.plan import Plan, ResourceChange, Verb

SECURITY_RULE = "azurerm_network_security_rule"
SIGNS = {Verb.CREATE: "+", Verb.CHANGE: "~", Verb.REPLACE: "~", Verb.DESTROY: "-", Verb.FORGET: "-"}
"""What happens, as one character: it comes, changes or goes."""


class Danger(NamedTuple):
    """Something that a reader must see first."""

    kind: Kind
    address: str
    line: str
    """What happens, on one line: it begins with `+`, `-` or `~`."""
    outside: str = ""
    """What this plan does about something that somebody has done without Terraform; else empty."""


class DangerFinder:
    """Finds the dangers of a plan."""

    def __init__(self, plan: Plan, redactor: Redactor) -> None:
        """Collect the names that the plan knows."""
        self._plan = plan
        self._redactor = redactor
        self._names = Names(plan, redactor)

    def find_dangers(self) -> Iterator[Danger]:
        """Yield what the plan does, and then what somebody has done without Terraform since the last apply."""
        for resource in self._plan.select(*Verb):
            yield from self._find(resource)
        changed = {resource.address for resource in self._plan.select(*Verb)}
        for resource in self._plan.resource_drift:
            undone = "changes the resource too" if resource.address in changed else "leaves it so"
            for danger in self._find(resource):
                yield danger._replace(outside=undone)

    def _find(self, resource: ResourceChange) -> Iterator[Danger]:
        before, after = (_get_attributes(values) for values in self._redactor.redact(resource.change))
        watched = WATCHED_TYPES.get(resource.type)
        if watched and resource.verb in watched.verbs:
            line = self._describe_resource(resource, watched, after or before)
            yield Danger(watched.kind, resource.title, line)
            if watched.kind is Kind.GRANTED:  # the line has all of it
                return
        if not after:
            return
        for block in WATCHED_BLOCKS.get(resource.type, ()):
            for line in _find_block_changes(resource.type, block, before, after):
                yield Danger(Kind.OPENED, resource.title, line)
        for kind, attribute, rule in WATCHED.get(resource.type, ()):
            old, new = list(_collect(before, attribute)), list(_collect(after, attribute))
            if resource.verb is Verb.CREATE:
                if kind in (Kind.UNLOCKED, Kind.SHORTER) and rule is not comes_sooner:
                    continue  # there was nothing before that was protected better or kept longer
                # A new resource gets its defaults from Azure, and they are not known yet.
                new = [value for value in new if not isinstance(value, Unknown)]
            if rule(old, new):
                yield Danger(kind, resource.title, _describe_attribute(attribute, old, new))

    def _describe_resource(self, resource: ResourceChange, watched: WatchedType, values: Mapping[str, Value]) -> str:
        sign = SIGNS[resource.verb] if resource.verb else "~"
        if resource.type == ROLE_ASSIGNMENT:
            return f"{sign} {self._names.describe_assignment(resource.address, values)}"
        if resource.type == SECURITY_RULE:
            return f"{sign} {describe_security_rule(values)}"
        shown = [
            f"{name}: {self._names.describe_argument(resource.address, name, values)}"
            for name in watched.shown
            if values.get(name) not in (None, "", [])
        ]
        return f"{sign} {'; '.join([watched.note, *shown] if watched.note else shown)}"


def describe_dangers(dangers: Sequence[Danger], width: int) -> Iterator[str]:
    """Yield the lines about all dangers, by kind. What is the same for many resources is one entry."""
    for kind in Kind:
        addresses: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        for danger in dangers:
            if danger.kind is kind:
                addresses[danger.line, danger.outside].append(danger.address)
        lines: defaultdict[tuple[tuple[str, ...], str], list[str]] = defaultdict(list)
        for (line, outside), found in addresses.items():
            lines[tuple(found), outside].append(line)
        if lines:
            yield f"\n{indent(kind, width)}"
        for (found, outside), texts in lines.items():
            yield from (indent(text, width, level=2) for text in list_addresses(found))
            if outside:
                yield indent(f"(outside of Terraform; this plan {outside})", width, level=2)
            yield from (indent(text, width, level=3) for text in texts)


def _find_block_changes(
    type_: str, watched: WatchedBlock, before: Mapping[str, Value], after: Mapping[str, Value]
) -> Iterator[str]:
    """Yield a line for each block that allows and comes or changes, and for each that denies and goes or changes."""
    place = f"{type_}.{watched.attribute}"
    old, new = (_find_blocks(values, watched.attribute) for values in (before, after))
    if isinstance(old, Sensitive) or isinstance(new, Sensitive):
        if old != new:
            yield f"~ {watched.attribute}: (sensitive)"
        return
    for pair in pair_blocks(old, new, place):
        if not _lets_through(pair, watched):
            continue
        name = format_path((*watched.attribute.split("."), Block(pair.label)))
        match pair:
            case Pair(_, None, dict() as block):
                yield f"+ {name}: {describe_block(place, block)}"
            case Pair(_, dict() as block, None):
                yield f"- {name}: {describe_block(place, block)}"
            case Pair(_, dict() as old_block, dict() as new_block):
                yield f"~ {name}: {describe_block(place, old_block)} -> {describe_block(place, new_block)}"
            case _:
                pass


def _lets_through(pair: Pair, watched: WatchedBlock) -> bool:
    """Return whether a block lets through what did not pass before, or may do so."""
    allows_new = pair.new is not None and pair.new.get(watched.deciding) in (watched.allows, None)
    denied_old = pair.old is not None and pair.old.get(watched.deciding) not in (watched.allows, None)
    if pair.old is None or pair.new is None:
        return allows_new or denied_old
    names = (pair.old.keys() | pair.new.keys()) - set(watched.says_nothing)
    differs = any(_is_other(pair.old.get(name), pair.new.get(name)) for name in names)
    return differs and (allows_new or denied_old or any(isinstance(value, Sensitive) for value in pair.new.values()))


def _is_other(old: Value, new: Value) -> bool:
    return old != new and not (old in (None, "", []) and new in (None, "", []))


def _find_blocks(values: Mapping[str, Value], attribute: str) -> list[dict[str, Value]] | Sensitive:
    """Return the blocks at a place. The blocks above it are there once at most."""
    found = list(_collect(values, attribute))
    hidden = next((value for value in found if isinstance(value, Sensitive)), None)
    return hidden or [block for block in found if isinstance(block, dict)]


def _collect(value: Value | Mapping[str, Value], attribute: str) -> Iterator[Value]:
    """Yield every value at a place, in all blocks and lists that lead there. What is hidden above it counts as one."""
    if isinstance(value, list):
        for element in value:
            yield from _collect(element, attribute)
    elif isinstance(value, Sensitive | Unknown) or not attribute:
        if value is not None and value not in ("", {}):
            yield value  # pyright: ignore[reportReturnType]
    elif isinstance(value, Mapping):
        name, _, rest = attribute.partition(".")
        yield from _collect(value.get(name), rest)


def _describe_attribute(attribute: str, old: Sequence[Value], new: Sequence[Value]) -> str:
    """Return what happens to an attribute: its value before and after, or what comes and goes in a list."""
    if len(old) <= 1 and len(new) <= 1:
        before, after = (format_value(values[0]) if values else "null" for values in (old, new))
        return f"~ {attribute}: {before} -> {after}" if old else f"+ {attribute}: {after}"
    parts = [f"{sign} {format_value(value)}" for sign, values in _compare(old, new) for value in values]
    return f"~ {attribute}: {', '.join(parts) or f'{format_value([*old])} -> {format_value([*new])}'}"


def _compare(old: Sequence[Value], new: Sequence[Value]) -> Iterator[tuple[str, Sequence[Value]]]:
    yield "-", subtract(old, new)
    yield "+", subtract(new, old)


def _get_attributes(values: Value) -> Mapping[str, Value]:
    return values if isinstance(values, dict) else {}
