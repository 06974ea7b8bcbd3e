"""The timeline: dependencies, the longest path, and a picture in which every label can be read."""

import json
import re
import time
from xml.etree import ElementTree as ET

import pytest

from rehearsal.stand_in.ids import parse_id
from rehearsal.stand_in.resource_manager import Operation
from rehearsal.timeline import Bar, describe, find_longest_path, measure_minutes, schedule_bars, summarize
from rehearsal.timeline_picture import CHARACTER, draw_svg, format_label, group_rows

SERVER = "azurerm_postgresql_flexible_server.server"
DATABASE = "azurerm_postgresql_flexible_server_database.database_1A2B3C4D"
GROUP = "/subscriptions/s/resourceGroups/g"
LONG = "azurerm_postgresql_flexible_server_active_directory_administrator.the-group-of-administrators"

BARS = [
    Bar("azurerm_managed_redis.cache", 0, 12, None),
    Bar("azurerm_storage_account.small", 0, 0.1, None),
    Bar(LONG, 0, 1, None),
    Bar("azurerm_monitor_metric_alert.memory_00000000", 12, 2, "azurerm_managed_redis.cache"),
    Bar("azurerm_management_lock.one_00000001", 12, 1.8, "azurerm_managed_redis.cache"),
    Bar("azurerm_management_lock.two_00000002", 12, 1.9, "azurerm_managed_redis.cache"),
]


def write_completion(address: str, path: str, seconds: float, action: str = "create") -> str:
    """Return the event with which Terraform says that a resource is finished."""
    hook = {"resource": {"addr": address}, "action": action, "id_value": path, "elapsed_seconds": seconds}
    return json.dumps({"type": "apply_complete", "hook": hook})


def make_operation(path: str, minutes: float) -> Operation:
    """Return a long operation that has ended."""
    return Operation("1", parse_id(path), minutes, time.monotonic(), lambda: None, "Succeeded")


def test_minutes_are_the_sum_of_azures_time_and_the_providers_own_waiting() -> None:
    server = f"{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/x"
    output = "\n".join(
        [
            write_completion(SERVER, server, 31),
            write_completion("azurerm_a.b", GROUP, 1, "update"),
            write_completion("azurerm_a.c", "/x", 60),
        ]
    )
    operations = [make_operation(server, 5), make_operation(f"{server}/databases/d", 1)]
    minutes = measure_minutes(output, operations, seconds_per_minute=0.5)
    assert minutes == {SERVER: 6 + (31 - 3) / 60, "azurerm_a.c": 1}
    assert measure_minutes(output)[SERVER] == 31 / 60, "without operations, the time that the apply took here"


def test_an_operation_counts_only_for_the_innermost_resource() -> None:
    server = f"{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/x"
    database = f"{server}/databases/d"
    output = "\n".join([write_completion(SERVER, server, 0), write_completion(DATABASE, database, 0)])
    assert measure_minutes(output, [make_operation(server, 5), make_operation(database, 1)]) == {SERVER: 5, DATABASE: 1}


def test_each_resource_starts_when_its_last_dependency_is_ready() -> None:
    def make_resource(address: str, *dependencies: str) -> dict[str, object]:
        type_, _, name = address.partition(".")
        return {"mode": "managed", "type": type_, "name": name, "instances": [{"dependencies": list(dependencies)}]}

    state = {
        "resources": [
            make_resource(DATABASE, SERVER, "azurerm_key_vault.v"),
            make_resource(SERVER),
            make_resource("azurerm_key_vault.v"),
        ]
    }
    bars = schedule_bars(state, {DATABASE: 1, SERVER: 6, "azurerm_key_vault.v": 2})
    assert find_longest_path(bars) == [Bar(SERVER, 0, 6, None), Bar(DATABASE, 6, 1, SERVER)]
    assert summarize(bars) == f"7.0 minutes on the longest path; {SERVER} takes 6.0 of them"
    assert list(describe(bars))[-1] == f"    6.0 -   7.0  {DATABASE}"


def test_consecutive_bars_of_one_type_on_the_longest_path_are_one_row() -> None:
    parameters = [Bar(f"azurerm_p.{number}", 14 + number, 1, f"azurerm_p.{number - 1}") for number in range(1, 4)]
    first = Bar("azurerm_p.0", 14, 1, "azurerm_monitor_metric_alert.memory_00000000")
    bars = [*BARS, first, *parameters]
    assert group_rows(bars)[-1] == [first, *parameters]
    assert list(describe(bars))[-1] == "   14.0 -  18.0  azurerm_p.0 and 3 more of its type"


def test_the_rows_of_the_picture() -> None:
    assert [format_label(row) for row in group_rows(BARS)] == [
        "managed redis: cache",
        "postgresql flexible server active directory administrator",
        "monitor metric alert: memory",
        "management lock \u00d72",
    ]


@pytest.mark.parametrize("minutes", [0.05, 7.3, 90])
@pytest.mark.parametrize("others", [BARS, [Bar(LONG, 0, 1, None)]])
def test_every_text_is_inside_the_picture(others: list[Bar], minutes: float) -> None:
    picture = draw_svg([*others, Bar("azurerm_a.b", 14, minutes, LONG)], "dev & <more>")
    svg = ET.fromstring(picture)  # noqa: S314  we have drawn it ourselves
    width, height = (float(number) for number in svg.attrib["viewBox"].split()[2:])
    for text in svg.iter("{http://www.w3.org/2000/svg}text"):
        text_width = len(text.text or "") * CHARACTER
        x, text_class = float(text.attrib["x"]), text.attrib.get("class", "")
        if "name" in text_class:
            left = x - text_width
        elif "tick" in text_class:
            left = x - text_width / 2
        else:
            left = x
        assert left >= 0, text.text
        assert left + text_width <= width, text.text
        assert 0 < float(text.attrib["y"]) <= height


def test_the_longest_path_stands_out_and_its_longest_bar_is_named() -> None:
    svg = draw_svg(BARS, "dev")
    assert "14.0 minutes on the longest path; azurerm_managed_redis.cache takes 12.0 of them" in svg
    labels = re.findall(r'class="name strong"[^>]*>([^<]+)<', svg)
    assert labels == ["managed redis: cache", "monitor metric alert: memory"]
    assert "not shown: 1 that" in svg
    assert "prefers-color-scheme: dark" in svg
