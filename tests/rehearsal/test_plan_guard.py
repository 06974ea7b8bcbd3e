"""The plan guard on plans that the real provider makes."""

import io
from pathlib import Path

import pytest

from environments import load
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.terraform.events import find_errors
from rehearsal import seed, synthesis
from rehearsal.progress import Progress
from rehearsal.steps import Rehearsal, StepError
from rehearsal.world import World
from tests.rehearsal import parts

pytestmark = pytest.mark.azure

DATABASE = "azurerm_postgresql_flexible_server_database.database"
SERVER = "azurerm_postgresql_flexible_server.database_server"


def test_a_replacement_of_the_database_is_refused_and_its_cause_named(azure_world: World) -> None:
    parts.seed(azure_world.stand_in.resource_manager)
    types = ("azurerm_postgresql_flexible_server_database",)
    stack = azure_world.stack("dev", parts.part(parts.stack("dev"), *types), local_state=True)
    assert stack.init().code == 0
    first = stack.apply()
    assert first.code == 0, find_errors(first.output)
    other = synthesis.unprotected(synthesis.environment(load(), "dev", synthesis.with_other_geo_backup))
    changed = azure_world.stack("dev", parts.part(other, *types), local_state=True)
    assert changed.plan().code == 2
    shown, place = changed.read_plan(), StackTarget.from_settings("dev", load())
    report = Guard(place).judge_json(shown)
    assert {each.resource.address for each in report.refused} == {SERVER, DATABASE}
    assert "geo_redundant_backup_enabled" in report.text()
    assert Guard(place, [SERVER, DATABASE]).judge_json(shown).nothing_lost


def test_what_is_declared_disposable_may_go_and_nothing_else(azure_world: World, tmp_path: Path) -> None:
    platform = load()
    settings = synthesis.disposable_copy(platform.environments["dev"])
    for path in seed.ground(azure_world.endpoint.subscription, platform, settings):
        azure_world.endpoint.ask("PUT", path, {"location": "eastus2"})
    body = synthesis.environment(platform, "dev", lambda _: settings)
    copy = azure_world.stack("copy", parts.part(body, "azurerm_postgresql_flexible_server_database"), local_state=True)
    assert copy.init().code == 0
    first = copy.apply()
    assert first.code == 0, find_errors(first.output)
    rehearsal = Rehearsal(azure_world, platform, "dev", Progress(io.StringIO()), tmp_path)
    assert rehearsal.plan_to_destroy(copy, settings) == len(parts.ids(copy.read_state()))
    with pytest.raises(StepError, match="does not go by the flag"):
        rehearsal.plan_to_destroy(copy, settings.model_copy(update={"disposable": False}))
    ended = copy.apply_plan()
    assert ended.code == 0, find_errors(ended.output)
    assert parts.ids(copy.read_state()) == []
