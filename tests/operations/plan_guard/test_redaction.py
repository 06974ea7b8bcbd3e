"""Sensitive values, and copies of them, are hidden in every part of a report."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from operations.terraform.plan import PlanError
from tests.operations.plan_guard.plans.plan_json import compare, judge, make_change, make_plan, make_resource

APP = "azurerm_linux_web_app.web_app"
DATABASE = "azurerm_postgresql_flexible_server.database_server"
SECRET = "correct-horse-battery"  # noqa: S105
HIDDEN = "(sensitive)"


@pytest.mark.parametrize(
    ("before", "after", "marks", "expected"),
    [
        ({"a": SECRET}, {"a": "other"}, {"before_sensitive": {"a": True}}, [("a", HIDDEN, HIDDEN)]),
        ({"a": "other"}, {"a": SECRET}, {"after_sensitive": {"a": True}}, [("a", HIDDEN, HIDDEN)]),
        ({"a": SECRET}, {"a": SECRET}, {"after_sensitive": {"a": True}}, []),
        ({"a": {"k": SECRET}}, {"a": {}}, {"before_sensitive": {"a": True}}, [("a", HIDDEN, HIDDEN)]),
        ({"a": SECRET}, {}, {"before_sensitive": True, "after_unknown": {"a": True}}, [("", HIDDEN, HIDDEN)]),
        # A set has no order, so the mark of one element applies to all.
        ({"a": ["x", SECRET]}, {"a": ["y", SECRET]}, {"before_sensitive": {"a": [False, True]}},
         [("a", HIDDEN, ""), ("a", "", HIDDEN)]),
        # The provider copies the value into an attribute that the plan does not mark.
        ({"in": SECRET, "out": SECRET}, {"in": 1, "out": 1}, {"before_sensitive": {"in": True}},
         [("in", HIDDEN, HIDDEN), ("out", HIDDEN, "1")]),
        ({"in": SECRET, "url": f"https://u:{SECRET}@h"}, {"in": 1}, {"before_sensitive": {"in": True}},
         [("in", HIDDEN, HIDDEN), ("url", HIDDEN, "null")]),
        ({"in": SECRET, "map": {SECRET: 1}}, {"in": 1}, {"before_sensitive": {"in": True}},
         [("in", HIDDEN, HIDDEN), ("map", HIDDEN, "null")]),
    ],
)  # fmt: skip
def test_a_sensitive_value_is_not_shown(
    before: JsonValue, after: JsonValue, marks: dict[str, JsonValue], expected: list[tuple[str, str, str]]
) -> None:
    assert compare(before, after, **marks) == expected


@pytest.mark.parametrize("place", ["output_changes", "resource_drift", "resource_changes"])
def test_a_copy_of_a_value_that_is_sensitive_elsewhere_is_hidden(place: str) -> None:
    marked = make_change(["update"], {"a": SECRET}, {}, before_sensitive={"a": True})
    elsewhere: JsonValue = {"address": DATABASE, "mode": "managed", "type": "a_type", "change": marked}
    copied = make_resource(APP, ["update"], {"a": SECRET}, {"a": "new"})
    match place:
        case "output_changes":
            plan_json = make_plan(copied, output_changes={"out": marked})
        case "resource_drift":
            plan_json = make_plan(copied, resource_drift=[elsewhere])
        case _:
            plan_json = make_plan(copied, elsewhere)
    text = judge(plan_json).format_text()
    assert SECRET not in text
    assert '~ a: (sensitive) -> "new"' in text


# These letters are in no other word of a report, so this text can only come from a secret.
MARKER = "sEcReT"
secrets = st.text("QZXJ0123456789", min_size=8, max_size=60).map(lambda text: f"{MARKER}{text}")
names = st.text("abcdef", min_size=1, max_size=3)
plain_values = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["x", "plain text"])

Marked = tuple[JsonValue, JsonValue]
"""A value and its mark."""


def combine(items: dict[str, Marked]) -> Marked:
    """Return a map of the values, and the map of their marks."""
    return {name: value for name, (value, _) in items.items()}, {name: mark for name, (_, mark) in items.items()}


def nest(leaves: st.SearchStrategy[Marked]) -> st.SearchStrategy[Marked]:
    """Nest maps and lists in any way. Each value is marked at the leaf, or at any place above it."""

    def wrap(items: st.SearchStrategy[Marked]) -> st.SearchStrategy[Marked]:
        maps = st.dictionaries(names, items, max_size=4).map(combine)
        lists = st.lists(items, max_size=4).map(
            lambda pairs: ([value for value, _ in pairs], [mark for _, mark in pairs])
        )
        return maps | lists

    def mark_whole(pair: Marked) -> Marked:
        return pair[0], True

    return st.recursive(leaves, lambda items: wrap(items) | wrap(items).map(mark_whole), max_leaves=8)


marked_values = nest(plain_values.map(lambda value: (value, False)) | secrets.map(lambda value: (value, True)))
attributes = st.dictionaries(names, marked_values, max_size=4).map(combine)


@given(
    before=attributes,
    after=attributes,
    unmarked_copy=st.booleans(),
    actions=st.sampled_from((["update"], ["delete", "create"], ["delete"], ["create"], ["forget"], ["no-op"])),
)
def test_no_sensitive_value_is_ever_shown(
    before: Marked, after: Marked, unmarked_copy: bool, actions: list[str]
) -> None:
    old_values, old_marks = before
    new_values, new_marks = after
    assert isinstance(old_values, dict)
    change = make_change(
        actions,
        old_values,
        new_values,
        before_sensitive=old_marks,
        after_sensitive=new_marks,
        replace_paths=[[name] for name in old_values],
    )
    resource: JsonValue = {**make_resource(DATABASE, actions), "change": change}
    copy = make_resource("azurerm_subnet.copy", ["update"], {"a": 1}, {"a": old_values})
    resources = [resource, copy] if unmarked_copy else [resource]
    report = judge(make_plan(*resources, resource_drift=[resource], output_changes={"out": change}))
    assert MARKER not in report.format_text()
    assert MARKER not in report.format_markdown()


@given(
    field=st.sampled_from(["address", "mode", "type", "change"]),
    wrong_value=secrets.map(lambda secret: [secret]) | secrets.map(lambda secret: {secret: secret}),
)
def test_an_error_repeats_no_value(field: str, wrong_value: JsonValue) -> None:
    plan_json = make_plan({**make_resource(DATABASE, ["update"]), field: wrong_value})
    with pytest.raises(PlanError) as refused:
        judge(plan_json)
    assert MARKER not in str(refused.value)
