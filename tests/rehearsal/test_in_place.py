"""Changes in place, and tags added and taken away, through the real provider: each settles in an empty second plan.

`rehearsal/edits.py` has one change for every type of the stacks. `accepted/main.tf` has what Azure accepts beyond them.
"""

import json
from pathlib import Path
from typing import Any, cast

import pytest

from environments import load
from operations.terraform.events import find_errors
from rehearsal.edits import EDITS, WITHOUT_EDIT, edit_every_type
from rehearsal.stand_in.model import Json
from rehearsal.terraform import IsolatedTerraform, isolate_environment
from rehearsal.world import World
from tests.rehearsal import parts

CONFIGURATION = Path(__file__).parent / "accepted" / "main.tf"


def apply_and_settle(terraform: IsolatedTerraform, *arguments: str) -> set[str]:
    """Plan, apply, and check that the second plan is empty. Return the actions of the plan, such as `update`."""
    plan = terraform.plan(*arguments)
    assert plan.code == 2, plan.output[-4000:]
    changes = cast(list[Any], json.loads(terraform.read_plan())["resource_changes"])
    apply = terraform.apply_plan()
    assert apply.code == 0, "\n".join(find_errors(apply.output))
    second = terraform.plan(*arguments)
    assert second.code == 0, second.output[-6000:]
    return {action for change in changes for action in change["change"]["actions"]} - {"no-op", "read"}


def list_tags(world: World) -> list[Json]:
    """Return the tags of every resource that has some."""
    resources = world.stand_in.resource_manager.list_resources()
    return [resource.body["tags"] for resource in resources if resource.body.get("tags")]


def test_every_type_of_the_stacks_has_a_change_or_is_known_to_have_none() -> None:
    for name in ("shared", *load().environments):
        stack = parts.synthesize_stack(name)
        edited = edit_every_type(stack)["resource"]
        for type_, resources in stack["resource"].items():
            changes = edited[type_] != resources
            assert changes != (type_ in WITHOUT_EDIT), type_
    assert not WITHOUT_EDIT & set(EDITS)


@pytest.mark.azure
@pytest.mark.slow
@pytest.mark.parametrize("name", ["shared", "dev"])
def test_a_change_of_every_type_settles_in_place_and_can_be_taken_back(empty_world: World, name: str) -> None:
    if name != "shared":
        parts.seed_platform(empty_world.stand_in.resource_manager)
    stack = parts.remove_types(parts.synthesize_stack(name), "azurerm_management_lock")
    terraform = empty_world.write_stack(name, stack, local_state=True)
    assert terraform.init().code == 0
    assert apply_and_settle(terraform) == {"create"}
    empty_world.write_stack(name, edit_every_type(stack), local_state=True)
    assert apply_and_settle(terraform) == {"update"}
    assert any("rehearsed" in tags for tags in list_tags(empty_world))
    empty_world.write_stack(name, stack, local_state=True)
    assert apply_and_settle(terraform) == {"update"}
    assert not any("rehearsed" in tags for tags in list_tags(empty_world))


@pytest.mark.azure
@pytest.mark.slow
def test_what_azure_accepts_beyond_the_stacks_settles_in_place_and_is_destroyed_whole(empty_world: World) -> None:
    folder = empty_world.folder / "accepted"
    folder.mkdir()
    (folder / CONFIGURATION.name).write_text(CONFIGURATION.read_text(encoding="utf-8"), encoding="utf-8")
    terraform = IsolatedTerraform(folder, empty_world.binary, isolate_environment(empty_world.make_variables()))
    existing = empty_world.list_resource_ids([])
    assert terraform.init().code == 0
    assert apply_and_settle(terraform, "-var=changed=false") == {"create"}
    assert apply_and_settle(terraform, "-var=changed=true") == {"update"}
    assert not any("before" in tags for tags in list_tags(empty_world))
    destroy = terraform.destroy("-var=changed=true")
    assert destroy.code == 0, "\n".join(find_errors(destroy.output))
    assert empty_world.list_resource_ids([]) <= existing
