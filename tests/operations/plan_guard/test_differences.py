"""What differs between the values before and after a change, attribute by attribute."""

from collections.abc import Sequence

import pytest
from pydantic import JsonValue

from operations.plan_guard.wording import LONGEST, LONGEST_NAME, UNKNOWN
from tests.operations.plan_guard.plans.plan_json import compare


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": "x"}, {"a": 2, "b": "x"}, [("a", "1", "2")]),
        ({"a": None}, {"a": "x"}, [("a", "null", '"x"')]),
        ({}, {"a": False}, [("a", "null", "false")]),
        ({"a": "", "b": [], "c": None}, {"a": None, "b": None, "c": {}}, []),
        ({"a": {"b": {"c": "1.10"}}}, {"a": {"b": {"c": "1.1"}}}, [("a.b.c", '"1.10"', '"1.1"')]),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, [("a[1].b", "2", "3")]),
        ({"a": ["x", "y"]}, {"a": ["y", "z"]}, [("a", '"x"', ""), ("a", "", '"z"')]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": 2}]}, [("a[1]", "", '{"b": 2}')]),
        ({"a": ["x", "y"]}, {"a": ["y", "x"]}, [("a", '["x", "y"]', '["y", "x"]')]),
        (
            {"a": {"b c": 1, "new\nline": 1}},
            {"a": {"b c": 2}},
            [('a["b c"]', "1", "2"), ('a["new\\nline"]', "1", "null")],
        ),
        ({"a": "\x1b[31m\u202e"}, {"a": ""}, [("a", '"\\u001b[31m\\u202e"', '""')]),
        (
            {"a": "same " * 40 + "old"},
            {"a": "same " * 40 + "new"},
            [("a", '..."e same same old"', '..."e same same new"')],
        ),
    ],
)
def test_every_attribute_that_differs_is_found(
    before: JsonValue, after: JsonValue, expected: list[tuple[str, str, str]]
) -> None:
    assert compare(before, after) == expected


def test_a_long_text_is_cut_and_a_name_is_not() -> None:
    ((_, old, new),) = compare({"a": "many words " * 500}, {"a": ["y" * 5000]})
    assert len(old) == LONGEST
    assert len(new) < LONGEST_NAME + 10
    assert old.endswith("...")
    name = f"/subscriptions/{'0' * 36}/resourceGroups/{'g' * 90}/providers/Microsoft.Network/virtualNetworks/{'v' * 64}"
    assert compare({"a": None}, {"a": name}) == [("a", "null", f'"{name}"')]


UNKNOWN_VALUES: Sequence[tuple[JsonValue, JsonValue, JsonValue, Sequence[tuple[str, str, str]]]] = [
    ({"id": "1"}, {}, {"id": True}, [("id", '"1"', UNKNOWN)]),
    ({"a": {"id": "1", "b": 2}}, {"a": {"b": 2}}, {"a": {"id": True}}, [("a.id", '"1"', UNKNOWN)]),
    ({"a": [{"id": "1"}]}, {"a": [{}]}, {"a": [{"id": True}]}, [("a.id", '"1"', UNKNOWN)]),
    ({"a": None}, {"a": None}, {"a": {}}, []),
    ({"a": ["x"]}, {"a": ["x"]}, {"a": [False]}, []),
    ({"a": []}, {}, {"a": [{"id": True}]}, [("a", "", '{"id": (known after apply)}')]),
]


@pytest.mark.parametrize(("before", "after", "unknown", "expected"), UNKNOWN_VALUES)
def test_an_unknown_value_is_named_as_unknown(
    before: JsonValue, after: JsonValue, unknown: JsonValue, expected: list[tuple[str, str, str]]
) -> None:
    assert compare(before, after, after_unknown=unknown) == expected
