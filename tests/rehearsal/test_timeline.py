"""The timeline: what depends on what, the longest path, and a picture whose every label can be read."""

import json
import re
import time
from xml.etree import ElementTree as ET

import pytest

from rehearsal import timeline
from rehearsal.stand_in.ids import parse_id
from rehearsal.stand_in.resource_manager import Operation
from rehearsal.timeline import Bar

SERVER = "azurerm_postgresql_flexible_server.server"
DATABASE = "azurerm_postgresql_flexible_server_database.database_1A2B3C4D"
GROUP = "/subscriptions/s/resourceGroups/g"
LONG = "azurerm_postgresql_flexible_server_active_directory_administrator.the-group-of-administrators"

SCHEDULED = [
    Bar("azurerm_managed_redis.cache", 0, 12, None),
    Bar("azurerm_storage_account.small", 0, 0.1, None),
    Bar(LONG, 0, 1, None),
    Bar("azurerm_monitor_metric_alert.memory_00000000", 12, 2, "azurerm_managed_redis.cache"),
    Bar("azurerm_management_lock.one_00000001", 12, 1.8, "azurerm_managed_redis.cache"),
    Bar("azurerm_management_lock.two_00000002", 12, 1.9, "azurerm_managed_redis.cache"),
]


def completed(address: str, path: str, seconds: float, action: str = "create") -> str:
    """The event with which Terraform says that a resource is done."""
    hook = {"resource": {"addr": address}, "action": action, "id_value": path, "elapsed_seconds": seconds}
    return json.dumps({"type": "apply_complete", "hook": hook})


def operation(path: str, minutes: float) -> Operation:
    """A long operation that has ended."""
    return Operation("1", parse_id(path), minutes, time.monotonic(), lambda: None, "Succeeded")


def test_minutes_are_those_of_azure_and_what_the_provider_waits_by_itself() -> None:
    server = f"{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/x"
    output = "\n".join(
        [
            completed(SERVER, server, 31),
            completed("azurerm_a.b", GROUP, 1, "update"),
            completed("azurerm_a.c", "/x", 60),
        ]
    )
    found = timeline.durations(
        output, [operation(server, 5), operation(f"{server}/databases/d", 1)], seconds_per_minute=0.5
    )
    assert found == {SERVER: 6 + (31 - 3) / 60, "azurerm_a.c": 1}
    assert timeline.durations(output)[SERVER] == 31 / 60, "what was seen, where no operation is known"


def test_minutes_are_counted_once_where_what_came_with_a_resource_is_one_of_its_own() -> None:
    server = f"{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/x"
    database = f"{server}/databases/d"
    output = "\n".join([completed(SERVER, server, 0), completed(DATABASE, database, 0)])
    assert timeline.durations(output, [operation(server, 5), operation(database, 1)]) == {SERVER: 5, DATABASE: 1}


def test_each_resource_starts_when_its_last_dependency_is_there() -> None:
    def resource(address: str, *needs: str) -> dict[str, object]:
        type_, _, name = address.partition(".")
        return {"mode": "managed", "type": type_, "name": name, "instances": [{"dependencies": list(needs)}]}

    state = {
        "resources": [
            resource(DATABASE, SERVER, "azurerm_key_vault.v"),
            resource(SERVER),
            resource("azurerm_key_vault.v"),
        ]
    }
    scheduled = timeline.bars(state, {DATABASE: 1, SERVER: 6, "azurerm_key_vault.v": 2})
    assert timeline.longest_path(scheduled) == [Bar(SERVER, 0, 6, None), Bar(DATABASE, 6, 1, SERVER)]
    assert timeline.summary(scheduled) == f"7.0 minutes on the longest path; {SERVER} takes 6.0 of them"
    assert list(timeline.as_text(scheduled))[-1] == f"    6.0 -   7.0  {DATABASE}"


def test_what_follows_itself_on_the_longest_path_is_one_stretch() -> None:
    parameters = [Bar(f"azurerm_p.{number}", 14 + number, 1, f"azurerm_p.{number - 1}") for number in range(1, 4)]
    first = Bar("azurerm_p.0", 14, 1, "azurerm_monitor_metric_alert.memory_00000000")
    scheduled = [*SCHEDULED, first, *parameters]
    assert timeline.rows(scheduled)[-1] == [first, *parameters]
    assert list(timeline.as_text(scheduled))[-1] == "   14.0 -  18.0  azurerm_p.0 and 3 more of its type"


def test_the_rows_of_the_picture() -> None:
    assert [timeline.label(row) for row in timeline.rows(SCHEDULED)] == [
        "managed redis: cache",
        "postgresql flexible server active directory administrator",
        "monitor metric alert: memory",
        "management lock \u00d72",
    ]


@pytest.mark.parametrize("minutes", [0.05, 7.3, 90])
@pytest.mark.parametrize("beside", [SCHEDULED, [Bar(LONG, 0, 1, None)]])
def test_everything_written_in_the_picture_is_inside_it(beside: list[Bar], minutes: float) -> None:
    written = timeline.as_svg([*beside, Bar("azurerm_a.b", 14, minutes, LONG)], "dev & <more>")
    svg = ET.fromstring(written)  # noqa: S314  ours
    width, height = (float(each) for each in svg.attrib["viewBox"].split()[2:])
    for text in svg.iter("{http://www.w3.org/2000/svg}text"):
        long = len(text.text or "") * timeline.CHARACTER
        x, kind = float(text.attrib["x"]), text.attrib.get("class", "")
        left = x - long if "name" in kind else x - long / 2 if "tick" in kind else x
        assert left >= 0, text.text
        assert left + long <= width, text.text
        assert 0 < float(text.attrib["y"]) <= height


def test_the_longest_path_stands_out_and_what_dominates_it_is_named() -> None:
    svg = timeline.as_svg(SCHEDULED, "dev")
    assert "14.0 minutes on the longest path; azurerm_managed_redis.cache takes 12.0 of them" in svg
    marked = re.findall(r'class="name strong"[^>]*>([^<]+)<', svg)
    assert marked == ["managed redis: cache", "monitor metric alert: memory"]
    assert "not shown: 1 that" in svg
    assert "prefers-color-scheme: dark" in svg
