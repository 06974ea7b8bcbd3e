"""Every argument, in every phase of every stack, exists in the provider that runs, and none is deprecated there."""

from collections.abc import Iterator, Mapping
from typing import cast

import pytest

from rehearsal.stand_in.model import Json
from tests.policy.stacks import synthesize_checked_stacks

pytestmark = pytest.mark.azure

DEPRECATED: dict[str, str] = {}
"""The deprecated arguments that are used all the same, as `type.argument`, and the reason for each."""
META = {"//", "lifecycle", "depends_on", "provider", "for_each", "count", "connection", "provisioner", "dynamic"}


def find_problems(body: object, schema: Json, where: str) -> Iterator[str]:
    """Yield the arguments of a resource or of one of its blocks that the schema does not know or calls deprecated."""
    for block in body if isinstance(body, list) else [body]:  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(block, dict):
            continue
        for name, value in cast(Json, block).items():
            if name in META or value is None:
                continue
            attribute = schema.get("attributes", {}).get(name)
            inner = schema.get("block_types", {}).get(name)
            if attribute is None and inner is None:
                yield f"{where}.{name}: unknown"
            elif (attribute or inner["block"]).get("deprecated"):
                yield f"{where}.{name}: deprecated"
            elif inner:
                yield from find_problems(value, inner["block"], f"{where}.{name}")


def test_every_argument_is_known_and_current(schemas: Mapping[str, Json]) -> None:
    problems = {
        problem
        for stack in synthesize_checked_stacks().values()
        for resource in stack.find_resources()
        if resource.type.startswith("azurerm_")
        for problem in find_problems(resource.body, schemas[resource.type]["block"], resource.type)
    }
    assert problems == {f"{argument}: deprecated" for argument in DEPRECATED}


def test_an_unknown_and_a_deprecated_argument_are_found(schemas: Mapping[str, Json]) -> None:
    schema = schemas["azurerm_federated_identity_credential"]["block"]
    body = {"name": "a", "parent_id": "b", "nonsense": 1}
    assert list(find_problems(body, schema, "it")) == ["it.parent_id: deprecated", "it.nonsense: unknown"]
