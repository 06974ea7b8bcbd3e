"""Every argument that is synthesized exists in the provider that runs, and none is deprecated there."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest

from rehearsal.stand_in.model import Json
from rehearsal.terraform import IsolatedTerraform, isolate_environment
from tests.support import resources

pytestmark = pytest.mark.azure

DEPRECATED: dict[str, str] = {}
"""Deprecated arguments that are used all the same, as `type.argument`, with the reason."""
META = {"//", "lifecycle", "depends_on", "provider", "for_each", "count", "connection", "provisioner", "dynamic"}


@pytest.fixture(scope="module")
def schemas(provider: Path, binary: str) -> Mapping[str, Json]:
    """The schema of every resource type, by name."""
    read = IsolatedTerraform(provider, binary, isolate_environment({})).run("providers", "schema", "-json")
    line = next(each for each in read.output.splitlines() if each.startswith("{"))
    found = cast(dict[str, Json], json.loads(line)["provider_schemas"])
    return cast(Mapping[str, Json], next(iter(found.values()))["resource_schemas"])


def problems(body: object, block: Json, where: str) -> Iterator[str]:
    """The arguments of `body` that `block` does not know or calls deprecated."""
    for each in body if isinstance(body, list) else [body]:  # pyright: ignore[reportUnknownVariableType]
        if not isinstance(each, dict):
            continue
        for name, value in cast(Json, each).items():
            if name in META or value is None:
                continue
            attribute = block.get("attributes", {}).get(name)
            inner = block.get("block_types", {}).get(name)
            if attribute is None and inner is None:
                yield f"{where}.{name}: unknown"
            elif (attribute or inner["block"]).get("deprecated"):
                yield f"{where}.{name}: deprecated"
            elif inner:
                yield from problems(value, inner["block"], f"{where}.{name}")


def test_every_argument_is_known_and_current(schemas: Mapping[str, Json]) -> None:
    found = {
        problem
        for resource in resources()
        if resource.type.startswith("azurerm_")
        for problem in problems(resource.body, schemas[resource.type]["block"], resource.type)
    }
    assert found == {f"{argument}: deprecated" for argument in DEPRECATED}


def test_a_planted_argument_is_found(schemas: Mapping[str, Json]) -> None:
    block = schemas["azurerm_federated_identity_credential"]["block"]
    planted = {"name": "a", "parent_id": "b", "nonsense": 1}
    assert list(problems(planted, block, "it")) == ["it.parent_id: deprecated", "it.nonsense: unknown"]
