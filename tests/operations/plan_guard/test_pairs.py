"""The blocks of a list or a set are compared with their own past, wherever they stand in the plan."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from operations.plan_guard.differences import find_differences
from operations.plan_guard.redaction import Value
from operations.plan_guard.wording import format_difference

GROUP, ALERT, ACCOUNT = "azurerm_network_security_group", "azurerm_monitor_metric_alert", "azurerm_storage_account"


def describe(type_: str, before: Mapping[str, Value], after: Mapping[str, Value]) -> list[str]:
    """Return the lines that a report has about the differences."""
    differences = find_differences(dict(before), dict(after), type_)
    return [line for difference in differences for line in format_difference(difference, type_)]


def make_rule(name: str, *, port: str = "22", priority: int = 100, description: str = "") -> dict[str, Value]:
    return {
        "name": name,
        "direction": "Inbound",
        "access": "Allow",
        "protocol": "Tcp",
        "source_address_prefix": "10.0.0.0/24",
        "source_port_range": "*",
        "destination_address_prefix": "*",
        "destination_port_range": port,
        "priority": priority,
        "description": description,
    }


A, B, C = make_rule("a"), make_rule("b"), make_rule("c")


def test_a_rule_is_paired_by_its_name_although_the_set_has_another_order() -> None:
    after: list[Value] = [C, make_rule("b", description="new"), A]
    assert describe(GROUP, {"security_rule": [A, B, C]}, {"security_rule": after}) == [
        '~ security_rule[b].description: "" -> "new"'
    ]


def test_a_new_and_a_gone_rule_are_shown_whole() -> None:
    lines = describe(GROUP, {"security_rule": [A, B]}, {"security_rule": [B, make_rule("d", port="3389")]})
    assert lines == [
        "- security_rule[a]",
        "Inbound Allow Tcp from 10.0.0.0/24 to * port 22, priority 100",
        "+ security_rule[d]",
        "Inbound Allow Tcp from 10.0.0.0/24 to * port 3389, priority 100",
    ]


def test_a_rule_with_hundreds_of_addresses_names_the_last_one() -> None:
    addresses: list[Value] = [f"10.0.{number}.0/24" for number in range(300)]
    prefixes: list[Value] = [*addresses, "0.0.0.0/0"]
    rule: dict[str, Value] = {**A, "source_address_prefix": None, "source_address_prefixes": prefixes}
    after: list[Value] = [B, rule]
    (_, line) = describe(GROUP, {"security_rule": [B]}, {"security_rule": after})
    assert ", 0.0.0.0/0 to * port 22, priority 100" in line


def test_two_rules_with_the_same_name_are_paired_by_what_they_say() -> None:
    twins = [make_rule("a", port="22"), make_rule("a", port="443")]
    after: list[Value] = [make_rule("a", port="443"), make_rule("a", port="22", priority=200)]
    lines = describe(GROUP, {"security_rule": [*twins]}, {"security_rule": after})
    assert lines == ["~ security_rule[1].priority: 100 -> 200"]


def test_the_key_of_several_attributes() -> None:
    criteria: list[Value] = [{"metric_namespace": "n", "metric_name": name, "threshold": 1} for name in ("x", "y")]
    after: list[Value] = [{"metric_namespace": "n", "metric_name": name, "threshold": 2} for name in ("y",)]
    assert describe(ALERT, {"criteria": criteria}, {"criteria": after}) == [
        "- criteria[n x]",
        'metric_namespace: "n", metric_name: "x", threshold: 1',
        "~ criteria[n y].threshold: 1 -> 2",
    ]


def test_blocks_without_a_key_are_paired_by_what_they_have_in_common() -> None:
    before: list[Value] = [{"a": 1, "b": 1, "c": 1}, {"a": 2, "b": 2, "c": 2}]
    after: list[Value] = [{"a": 2, "b": 2, "c": 3}, {"a": 1, "b": 1, "c": 1}, {"a": 9, "b": 9, "c": 9}]
    old: list[Value] = [{"cors_rule": before}]
    new: list[Value] = [{"cors_rule": after}]
    assert describe(ACCOUNT, {"blob_properties": old}, {"blob_properties": new}) == [
        "~ blob_properties.cors_rule[0].c: 2 -> 3",
        "+ blob_properties.cors_rule[2]",
        "a: 9, b: 9, c: 9",
    ]


def test_another_order_of_named_blocks_is_told_by_their_names() -> None:
    assert describe(GROUP, {"security_rule": [A, B]}, {"security_rule": [B, A]}) == [
        '~ security_rule: ["a", "b"] -> ["b", "a"]'
    ]


def test_the_only_block_has_no_index() -> None:
    assert describe("x", {"a": [{"b": 1}]}, {"a": [{"b": 2}]}) == ["~ a.b: 1 -> 2"]
    assert describe("x", {"a": None}, {"a": [{"b": 2, "c": None}]}) == ["+ a", "b: 2"]
    assert describe("x", {"a": [{"b": 2}]}, {"a": []}) == ["- a", "b: 2"]


names = st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6)


@given(before=names, after=st.permutations("abcdefgh"), size=st.integers(0, 8))
def test_exactly_the_names_that_come_and_go_are_told(before: list[str], after: list[str], size: int) -> None:
    new = after[:size]
    old_rules, new_rules = ([make_rule(name) for name in found] for found in (before, new))
    differences = list(find_differences({"security_rule": [*old_rules]}, {"security_rule": [*new_rules]}, GROUP))
    paths = {difference.attribute for difference in differences}
    expected = {f"security_rule[{name}]" for name in set(before) ^ set(new)}
    assert paths == expected or (not expected and paths <= {"security_rule"})


@pytest.mark.parametrize("label", ["with ] bracket", "new\nline", "\u202e"])
def test_a_name_cannot_forge_a_line(label: str) -> None:
    (line, _) = describe(GROUP, {"security_rule": [A]}, {"security_rule": [A, make_rule(label)]})
    assert line.isascii()
    assert line.isprintable()
    assert line.count('"') == 2
