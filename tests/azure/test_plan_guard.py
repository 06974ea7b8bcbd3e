"""The plan guard on plans that the real provider makes."""

import pytest

from environments import load
from rehearsal import synthesis
from rehearsal.terraform import errors
from rehearsal.world import World
from scripts.plan_guard.guard import Guard
from scripts.plan_guard.judge import Place
from tests.azure import parts

pytestmark = pytest.mark.azure

DATABASE = "azurerm_postgresql_flexible_server_database.database"
SERVER = "azurerm_postgresql_flexible_server.database_server"


def test_a_replacement_of_the_database_is_refused_and_its_cause_named(azure_world: World) -> None:
    parts.seed(azure_world.stand_in.azure)
    types = ("azurerm_postgresql_flexible_server_database",)
    stack = azure_world.stack("dev", parts.part(parts.stack("dev"), *types), local_state=True)
    assert stack.init().code == 0
    first = stack.apply()
    assert first.code == 0, errors(first.output)
    other = synthesis.unprotected(synthesis.environment(load(), "dev", synthesis.with_other_geo_backup))
    changed = azure_world.stack("dev", parts.part(other, *types), local_state=True)
    assert changed.plan().code == 2
    shown, place = changed.show(), Place.of("dev", load())
    report = Guard(place).judge_json(shown)
    assert {each.resource.address for each in report.refused} == {SERVER, DATABASE}
    assert "geo_redundant_backup_enabled" in report.text()
    assert Guard(place, [SERVER, DATABASE]).judge_json(shown).nothing_lost
