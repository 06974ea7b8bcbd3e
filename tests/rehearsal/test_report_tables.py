"""The tables of the plan guard's report name what the provider has, and leave out nothing that matters."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any, cast

import pytest

from operations.plan_guard.exposures import WATCHED, WATCHED_BLOCKS, WATCHED_TYPES, Rule
from operations.plan_guard.holders import HOLDS_DATA, HOLDS_NO_DATA
from operations.plan_guard.pairs import KEYS, WITHOUT_KEY
from operations.plan_guard.redaction import Value
from rehearsal.stand_in.model import Json

pytestmark = pytest.mark.azure

TYPES = {*HOLDS_DATA, *HOLDS_NO_DATA}
"""Every type that is synthesized."""

Leaf = str | list[Any]
"""The type of an attribute, as a schema writes it: `string`, or `["set", ["object", {...}]]`."""


def find_type(schema: Json, path: Sequence[str]) -> Leaf | None:
    """Return the type of an attribute, `["list", ["object", {...}]]` for a block, or None if there is none."""
    name, *rest = path
    attribute, block = schema.get("attributes", {}).get(name), schema.get("block_types", {}).get(name)
    if attribute:
        return find_in_type(attribute["type"], rest)
    if block is None:
        return None
    return find_type(block["block"], rest) if rest else ["list", ["object", make_object(block["block"])]]


def find_in_type(type_: Leaf, path: Sequence[str]) -> Leaf | None:
    if not path:
        return type_
    fields = get_fields(type_)
    return find_in_type(fields[path[0]], path[1:]) if path[0] in fields else None


def get_fields(type_: Leaf) -> Mapping[str, Leaf]:
    """Return the fields of an object, or of the objects in a list or a set."""
    while isinstance(type_, list) and type_[0] != "object":
        type_ = cast(Leaf, type_[1])
    return cast(Mapping[str, Leaf], type_[1]) if isinstance(type_, list) else {}


def make_object(block: Json) -> dict[str, Leaf]:
    """Return the fields of a block, with their types."""
    fields: dict[str, Leaf] = {name: attribute["type"] for name, attribute in block.get("attributes", {}).items()}
    for name, inner in block.get("block_types", {}).items():
        fields[name] = ["list", ["object", make_object(inner["block"])]]
    return fields


def list_repeated_blocks(schema: Json, path: str) -> Iterator[str]:
    """Yield the places where a resource may have more than one block. `path` is the place of the schema."""
    for name, inner in schema.get("block_types", {}).items():
        if inner["nesting_mode"] in ("set", "list") and inner.get("max_items") != 1:
            yield f"{path}.{name}"
        yield from list_repeated_blocks(inner["block"], f"{path}.{name}")
    for name, attribute in schema.get("attributes", {}).items():
        if attribute["type"][0] == "set" and get_fields(attribute["type"]):
            yield f"{path}.{name}"


def list_arguments(schema: Json, path: str) -> Iterator[str]:
    """Yield the place of every argument that is not deprecated. `path` is the place of the schema."""
    for name, inner in schema.get("block_types", {}).items():
        yield from list_arguments(inner["block"], f"{path}.{name}")
    for name, attribute in schema.get("attributes", {}).items():
        if not attribute.get("deprecated") and (attribute.get("optional") or attribute.get("required")):
            yield from list_leaves(attribute["type"], f"{path}.{name}")


def list_leaves(type_: Leaf, place: str) -> Iterator[str]:
    """Yield the place of an attribute, or of every field of the objects in it."""
    fields = get_fields(type_)
    for name, inner in fields.items():
        yield from list_leaves(inner, f"{place}.{name}")
    if not fields:
        yield place


def split(place: str) -> tuple[str, list[str]]:
    type_, *path = place.split(".")
    return type_, path


def test_every_key_is_made_of_attributes_of_its_block(schemas: Mapping[str, Json]) -> None:
    for place, key in KEYS.items():
        type_, path = split(place)
        found = find_type(schemas[type_]["block"], path)
        assert found, place
        assert set(key) <= get_fields(found).keys(), place
    for place in WITHOUT_KEY:
        type_, path = split(place)
        assert find_type(schemas[type_]["block"], path), place


def test_every_block_that_may_repeat_has_a_key_or_is_known_to_have_none(schemas: Mapping[str, Json]) -> None:
    repeated = {place for type_ in TYPES for place in list_repeated_blocks(schemas[type_]["block"], type_)}
    assert repeated - KEYS.keys() - WITHOUT_KEY == set()
    assert KEYS.keys() & WITHOUT_KEY == set()


SAMPLES: Mapping[str, Sequence[Value]] = {
    "bool": [True, False],
    "object": [{"a": 1}, {"a": 2}],
    "number": [1, 2],
    "string": ["Allow", "Disabled", "Enabled", "HttpOnly", "private"],
}
"""Values by the type of an attribute. A change between two of them must be dangerous for every attribute watched."""


def test_every_watched_attribute_is_there_and_may_be_dangerous(schemas: Mapping[str, Json]) -> None:
    for type_, attribute, rule in list_watched():
        found = find_type(schemas[type_]["block"], attribute.split("."))
        assert found, f"{type_}.{attribute}"
        while isinstance(found, list) and found[0] in ("list", "set"):
            found = cast(Leaf, found[1])
        samples = SAMPLES[found if isinstance(found, str) else "object"]
        assert any(rule([old], [new]) for old, new in product(samples, samples)), f"{type_}.{attribute}: never"
        assert not any(rule([value], [value]) for value in samples), f"{type_}.{attribute}: without a change"


def list_watched() -> list[tuple[str, str, Rule]]:
    return [(type_, attribute, rule) for type_, rows in WATCHED.items() for _, attribute, rule in rows]


def test_every_watched_block_and_resource_has_the_attributes(schemas: Mapping[str, Json]) -> None:
    for type_, blocks in WATCHED_BLOCKS.items():
        for block in blocks:
            found = find_type(schemas[type_]["block"], block.attribute.split("."))
            assert found, f"{type_}.{block.attribute}"
            assert {block.deciding, *block.says_nothing} <= get_fields(found).keys()
    for type_, watched in WATCHED_TYPES.items():
        assert set(watched.shown) <= schemas[type_]["block"]["attributes"].keys(), type_


SUSPICIOUS = re.compile(
    r"public_network|retention|cors_rule\.allowed_origins|cors\.allowed_origins|ip_rules$|ip_rule\.ip_range|default_action|allowed_caller"
    r"|ip_restriction_default|anonymous|purge|lock_level|shared_access|admin_enabled|basic_auth|immutab|bypass|data_actions"
    r"|local_auth|(min|minimum)_tls_version$|https_only|https_traffic_only|delete_after"
)
"""What an attribute is called that opens, grants, unlocks or shortens something."""
NOT_WATCHED = {
    "azurerm_container_registry.network_rule_bypass_for_tasks_enabled": "the registry runs no tasks",
    "azurerm_container_registry.network_rule_bypass_option": "has an effect only beside a firewall, which is watched",
    "azurerm_monitor_diagnostic_setting.enabled_log.retention_policy.days": "Azure has retired it",
    "azurerm_monitor_diagnostic_setting.enabled_log.retention_policy.enabled": "Azure has retired it",
    "azurerm_monitor_diagnostic_setting.metric.retention_policy.days": "Azure has retired it",
    "azurerm_monitor_diagnostic_setting.metric.retention_policy.enabled": "Azure has retired it",
    "azurerm_static_web_app.basic_auth.password": "a new password opens nothing",
}
"""The attributes that are called so, and the reason why none of them is watched."""


def test_no_attribute_with_a_suspicious_name_is_left_out(schemas: Mapping[str, Json]) -> None:
    watched = {f"{type_}.{attribute}" for type_, attribute, _ in list_watched()}
    watched |= {f"{type_}.{block.attribute}" for type_, blocks in WATCHED_BLOCKS.items() for block in blocks}
    arguments = {place for type_ in TYPES for place in list_arguments(schemas[type_]["block"], type_)}
    left_out = {place for place in arguments if SUSPICIOUS.search(split_off_type(place))} - watched
    assert left_out == NOT_WATCHED.keys()


def split_off_type(place: str) -> str:
    return place.partition(".")[2]


def test_a_wrong_name_is_found(schemas: Mapping[str, Json]) -> None:
    schema = schemas["azurerm_network_security_group"]["block"]
    assert find_type(schema, ["security_rule", "priority"]) == "number"
    assert find_type(schema, ["security_rule", "prioritat"]) is None
    assert find_type(schema, ["security_rules"]) is None
