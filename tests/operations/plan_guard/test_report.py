"""The plan guard's words: what a reader sees, and that no sensitive value is among it."""

import json
import re
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue

from operations.plan_guard.report import COMMENT_LENGTH, FENCE
from operations.plan_guard.values import Redactor
from operations.terraform.plan import REASONS, PlanError, read_plan
from tests.operations.plan_guard.plans.made import change, judged, plan, resource

APP = "azurerm_linux_web_app.web_app"
DATABASE = "azurerm_postgresql_flexible_server.database_server"
SECRET = "correct-horse-battery"  # noqa: S105
HIDDEN = "(sensitive)"
LATER = "(known after apply)"


def differences(before: JsonValue, after: JsonValue, **marks: JsonValue) -> Sequence[tuple[str, str, str]]:
    """What is said of one resource that changes."""
    one: JsonValue = {"address": APP, "mode": "managed", "type": "azurerm_linux_web_app"}
    parsed = read_plan(plan({**one, "change": change(["update"], before, after, **marks)}))
    return list(Redactor(parsed).differences(parsed.resource_changes[0].change))


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1, "b": "x"}, {"a": 2, "b": "x"}, [("a", "1", "2")]),
        ({"a": None}, {"a": "x"}, [("a", "null", '"x"')]),
        ({}, {"a": False}, [("a", "null", "false")]),
        ({"a": "", "b": [], "c": None}, {"a": None, "b": None, "c": {}}, []),
        ({"a": {"b": {"c": "1.10"}}}, {"a": {"b": {"c": "1.1"}}}, [("a.b.c", '"1.10"', '"1.1"')]),
        ({"a": [{"b": 1}, {"b": 2}]}, {"a": [{"b": 1}, {"b": 3}]}, [("a[1].b", "2", "3")]),
        ({"a": ["x", "y"]}, {"a": ["y", "z"]}, [("a[]", '"x"', ""), ("a[]", "", '"z"')]),
        ({"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": 2}]}, [("a[]", "", '{"b": 2}')]),
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
def test_what_differs_is_said_by_attribute(
    before: JsonValue, after: JsonValue, told: list[tuple[str, str, str]]
) -> None:
    assert differences(before, after) == told


def test_a_value_is_not_longer_than_can_be_read() -> None:
    ((_, old, new),) = differences({"a": "x" * 5000}, {"a": ["y" * 5000]})
    assert len(old) <= 70 >= len(new)
    assert old.endswith("...")


UNKNOWN: Sequence[tuple[JsonValue, JsonValue, JsonValue, Sequence[tuple[str, str, str]]]] = [
    ({"id": "1"}, {}, {"id": True}, [("id", '"1"', LATER)]),
    ({"a": {"id": "1", "b": 2}}, {"a": {"b": 2}}, {"a": {"id": True}}, [("a.id", '"1"', LATER)]),
    ({"a": [{"id": "1"}]}, {"a": [{}]}, {"a": [{"id": True}]}, [("a[0].id", '"1"', LATER)]),
    ({"a": None}, {"a": None}, {"a": {}}, []),
    ({"a": ["x"]}, {"a": ["x"]}, {"a": [False]}, []),
    ({"a": []}, {}, {"a": [{"id": True}]}, [("a[]", "", '{"id": (known after apply)}')]),
]


@pytest.mark.parametrize(("before", "after", "unknown", "told"), UNKNOWN)
def test_what_the_apply_brings_is_said_so(
    before: JsonValue, after: JsonValue, unknown: JsonValue, told: list[tuple[str, str, str]]
) -> None:
    assert differences(before, after, after_unknown=unknown) == told


@pytest.mark.parametrize(
    ("before", "after", "marks", "told"),
    [
        ({"a": SECRET}, {"a": "other"}, {"before_sensitive": {"a": True}}, [("a", HIDDEN, HIDDEN)]),
        ({"a": "other"}, {"a": SECRET}, {"after_sensitive": {"a": True}}, [("a", HIDDEN, HIDDEN)]),
        ({"a": SECRET}, {"a": SECRET}, {"after_sensitive": {"a": True}}, []),
        ({"a": {"k": SECRET}}, {"a": {}}, {"before_sensitive": {"a": True}}, [("a", HIDDEN, HIDDEN)]),
        ({"a": SECRET}, {}, {"before_sensitive": True, "after_unknown": {"a": True}}, [("", HIDDEN, HIDDEN)]),
        # A set has no order: the mark of one element counts for all.
        ({"a": ["x", SECRET]}, {"a": ["y", SECRET]}, {"before_sensitive": {"a": [False, True]}},
         [("a[]", HIDDEN, ""), ("a[]", "", HIDDEN)]),
        # A provider hands it on in an attribute that it does not mark.
        ({"in": SECRET, "out": SECRET}, {"in": 1, "out": 1}, {"before_sensitive": {"in": True}},
         [("in", HIDDEN, HIDDEN), ("out", HIDDEN, "1")]),
        ({"in": SECRET, "url": f"https://u:{SECRET}@h"}, {"in": 1}, {"before_sensitive": {"in": True}},
         [("in", HIDDEN, HIDDEN), ("url", HIDDEN, "null")]),
        ({"in": SECRET, "map": {SECRET: 1}}, {"in": 1}, {"before_sensitive": {"in": True}},
         [("in", HIDDEN, HIDDEN), ("map", HIDDEN, "null")]),
    ],
)  # fmt: skip
def test_what_is_sensitive_is_not_shown(
    before: JsonValue, after: JsonValue, marks: dict[str, JsonValue], told: list[tuple[str, str, str]]
) -> None:
    assert differences(before, after, **marks) == told


@pytest.mark.parametrize("where", ["output_changes", "resource_drift", "resource_changes"])
def test_a_copy_of_what_is_sensitive_elsewhere_is_hidden(where: str) -> None:
    marked = change(["update"], {"a": SECRET}, {}, before_sensitive={"a": True})
    elsewhere: JsonValue = {"address": DATABASE, "mode": "managed", "type": "a_type", "change": marked}
    copied = resource(APP, ["update"], {"a": SECRET}, {"a": "new"})
    match where:
        case "output_changes":
            shown = plan(copied, output_changes={"out": marked})
        case "resource_drift":
            shown = plan(copied, resource_drift=[elsewhere])
        case _:
            shown = plan(copied, elsewhere)
    text = judged(shown).text()
    assert SECRET not in text
    assert '(sensitive)  "new"' in text


def test_a_replacement_names_what_forces_it() -> None:
    replaced = resource(
        DATABASE,
        ["delete", "create"],
        {"id": "/subscriptions/1", "geo_redundant_backup_enabled": True, "sku_name": "a"},
        {"geo_redundant_backup_enabled": False, "sku_name": "b"},
        after_unknown={"id": True},
        replace_paths=[["geo_redundant_backup_enabled"]],
        action_reason="replace_because_cannot_update",
    )
    text = judged(plan(replaced)).text()
    assert "because an attribute cannot be changed in place: geo_redundant_backup_enabled\n" in text
    assert [line.split()[:1] for line in text.splitlines() if line.endswith("forces the replacement")] == [
        ["geo_redundant_backup_enabled"]
    ]
    assert "Azure sets anew: id\n" in text
    assert '\n  sku_name                      "a"    "b"' in text


def test_a_key_of_a_sensitive_map_is_not_named_as_the_cause() -> None:
    replaced = resource(
        APP,
        ["delete", "create"],
        {"map": {SECRET: 1}},
        {"map": {}},
        before_sensitive={"map": True},
        replace_paths=[["map", SECRET], ["block", 0, "name"]],
    )
    text = judged(plan(replaced)).text()
    assert "map, block[0].name" in text
    assert SECRET not in text


@pytest.mark.parametrize("reason", [*REASONS, "replace_because_of_a_reason_of_tomorrow"])
def test_every_reason_is_in_words(reason: str) -> None:
    text = judged(plan(resource("azurerm_subnet.it", ["delete"], action_reason=reason))).text()
    assert REASONS.get(reason, reason) in text


def test_locks_that_come_and_go_are_named() -> None:
    lock, policy = "azurerm_management_lock.lock", "azurerm_storage_container_immutability_policy.evidence"
    text = judged(plan(resource(lock, ["delete"]), resource(policy, ["create"]))).text()
    protection = text.split("\nPROTECTION\n")[1].split("\n\n")[0]
    assert f"{lock}" in protection
    assert "no longer protected" in protection
    assert "is protected from now on" in protection


def test_what_can_be_brought_back_less_far_is_named() -> None:
    text = judged(
        plan(
            resource(
                DATABASE, ["update"], {"backup_retention_days": 30, "sku": 1}, {"backup_retention_days": 7, "sku": 2}
            )
        )
    ).text()
    protection = text.split("\nPROTECTION\n")[1].split("\n\n")[0]
    assert "backup_retention_days: 30 -> 7" in protection
    assert "sku" not in protection


def test_moves_outputs_and_drift_are_named() -> None:
    text = judged(
        plan(
            resource(APP, ["no-op"], previous_address="azurerm_linux_web_app.before"),
            output_changes={
                "token": change(["update"], SECRET, "x", before_sensitive=True, after_sensitive=True),
                "same": change(["no-op"], "x", "x"),
            },
            resource_drift=[
                resource("azurerm_management_lock.by_hand", ["delete"]),
                resource("azurerm_subnet.resized", ["update"]),
            ],
        )
    ).text()
    assert "azurerm_linux_web_app.before  azurerm_linux_web_app.web_app" in text
    assert "token   change" in text
    assert "same" not in text
    deleted = text.split("\nDELETED OUTSIDE OF TERRAFORM")[1]
    assert "azurerm_management_lock.by_hand" in deleted
    assert "azurerm_subnet.resized" not in deleted
    assert SECRET not in text


def test_a_large_plan_begins_with_its_counts_and_stays_readable() -> None:
    made = [resource(f"azurerm_dns_txt_record.record_{at}", ["create"]) for at in range(300)]
    made += [resource(f"azurerm_subnet.subnet_{at}", ["create"]) for at in range(200)]
    text = judged(plan(*made, resource("azurerm_subnet.gone", ["delete"]))).text()
    assert text.startswith("Plan of dev: 1 to destroy, 500 to create.\n")
    assert re.search(r"azurerm_dns_txt_record +300 ", text)
    assert text.index("azurerm_subnet.gone") < text.index("CREATE")
    assert len(text.splitlines()) < 200
    assert all(len(line) <= 140 for line in text.splitlines())


def test_a_plan_without_changes_says_so() -> None:
    assert judged(plan(resource(APP, ["no-op"]))).text() == "Plan of dev: no resource changes."


def test_a_comment_puts_the_refusal_first_and_nothing_out_of_its_fence() -> None:
    odd = f"{FENCE}\n@everyone <img src=x> | `"
    shown = plan(resource(DATABASE, ["delete"]), resource(APP, ["update"], {"a": "x"}, {"a": odd}))
    comment = judged(shown).markdown()
    lines = comment.splitlines()
    assert lines[0] == "## Plan of dev: 1 to destroy, 1 to change. REFUSED"
    assert comment.index("would be destroyed") < comment.index("CHANGE")
    assert [line for line in lines if line.startswith(FENCE)] == [f"{FENCE}text", FENCE] * 2


def test_a_long_comment_is_cut_between_lines_and_keeps_the_refusal() -> None:
    many = [resource(f"{APP}_{at}", ["update"], {"a": "x" * 60}, {"a": "y" * 60}) for at in range(2000)]
    comment = judged(plan(resource(DATABASE, ["delete"]), *many)).markdown()
    assert COMMENT_LENGTH - 1000 < len(comment) < 65_536
    assert f"--allow-loss '{DATABASE}'" in comment
    assert comment.endswith(f" more characters: run the guard to read them\n{FENCE}\n")


# Letters that are in no word of a report: what is left of a secret can only be that.
secrets = st.text("QZXJ0123456789", min_size=8, max_size=60).map(lambda text: f"sEcReT{text}")
names = st.text("abcdef", min_size=1, max_size=3)
plain = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from(["x", "plain text"])


def nested(leaf: st.SearchStrategy[tuple[JsonValue, JsonValue]]) -> st.SearchStrategy[tuple[JsonValue, JsonValue]]:
    """A value and its marks: any nesting of maps and lists, marked at the leaf or anywhere above it."""

    def maps(below: st.SearchStrategy[tuple[JsonValue, JsonValue]]) -> st.SearchStrategy[tuple[JsonValue, JsonValue]]:
        return st.dictionaries(names, below, max_size=4).map(
            lambda pairs: ({name: v for name, (v, _) in pairs.items()}, {name: m for name, (_, m) in pairs.items()})
        ) | st.lists(below, max_size=4).map(lambda pairs: ([v for v, _ in pairs], [m for _, m in pairs]))

    return st.recursive(leaf, lambda below: maps(below) | maps(below).map(lambda pair: (pair[0], True)), max_leaves=8)


marked = nested(plain.map(lambda value: (value, False)) | secrets.map(lambda value: (value, True)))


@given(
    before=st.dictionaries(names, marked, max_size=4),
    after=st.dictionaries(names, marked, max_size=4),
    unmarked_copy=st.booleans(),
    actions=st.sampled_from((["update"], ["delete", "create"], ["delete"], ["create"], ["forget"], ["no-op"])),
)
def test_no_sensitive_value_is_ever_shown(
    before: dict[str, tuple[JsonValue, JsonValue]],
    after: dict[str, tuple[JsonValue, JsonValue]],
    unmarked_copy: bool,
    actions: list[str],
) -> None:
    def values(of: dict[str, tuple[JsonValue, JsonValue]]) -> dict[str, JsonValue]:
        return {name: value for name, (value, _) in of.items()}

    def marks(of: dict[str, tuple[JsonValue, JsonValue]]) -> JsonValue:
        return {name: mark for name, (_, mark) in of.items()}

    told = change(
        actions, values(before), values(after), before_sensitive=marks(before), after_sensitive=marks(after),
        replace_paths=[[name] for name in before],
    )  # fmt: skip
    one = {"address": DATABASE, "mode": "managed", "type": DATABASE.split(".", maxsplit=1)[0], "change": told}
    copied = resource("azurerm_subnet.copy", ["update"], {"a": 1}, {"a": values(before)})
    shown = plan(one, *([copied] if unmarked_copy else []), resource_drift=[one], output_changes={"out": told})
    report = judged(shown)
    for written in (report.text(), report.markdown()):
        assert "sEcReT" not in written


@given(
    place=st.sampled_from(["address", "mode", "type", "change"]),
    broken=secrets.map(lambda value: [value]) | secrets.map(lambda value: {value: value}),
)
def test_no_value_is_in_an_error(place: str, broken: JsonValue) -> None:
    whole = json.loads(plan(resource(DATABASE, ["update"])))
    whole["resource_changes"][0][place] = broken
    with pytest.raises(PlanError) as refused:
        judged(json.dumps(whole))
    assert "sEcReT" not in str(refused.value)
