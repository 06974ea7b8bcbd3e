"""Snapshots of the four whole stacks, and of what each phase or choice of the settings changes in a stack.

The snapshot of a change contains only the difference, so that it shows the effect of the choice: `-` was there before,
`+` is there afterwards.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, cast

import pytest
from syrupy.assertion import SnapshotAssertion

from environments import Environment
from main import add_stacks
from stacks.platform import PlatformStack
from tests.constructs_lib.neighbours import make_environment
from tests.snapshots import make_readable, synthesize_files
from tests.support import TerraformJson, load_platform

STACKS = ("shared", "dev", "staging", "production")


class BeforeAndAfter(NamedTuple):
    """An environment, and those of its settings that differ before and after the change."""

    environment: str
    before: Mapping[str, object]
    after: Mapping[str, object]


WAITING, DELEGATED = {"domain": {"delegated": False}}, {"domain": {"delegated": True}}
OWN_FIRST = {"domain": {"delegated": True, "own_names": "first"}}
OWN_ONLY = {"domain": {"delegated": True, "own_names": "only"}}
TEAMS, NO_TEAMS = {"alerts": {"teams": True}}, {"alerts": {"teams": False}}
VERIFIED = DELEGATED | {"email": {"verified": True}}
CHANGES = {
    "dev-delegated": BeforeAndAfter("dev", WAITING, DELEGATED),
    "dev-own-names-first": BeforeAndAfter("dev", DELEGATED, OWN_FIRST),
    "dev-own-names-only": BeforeAndAfter("dev", OWN_FIRST, OWN_ONLY),
    "dev-disposable": BeforeAndAfter("dev", {}, {"disposable": True}),
    "dev-teams": BeforeAndAfter("dev", NO_TEAMS, TEAMS),
    "staging-delegated": BeforeAndAfter("staging", WAITING, DELEGATED),
    "staging-own-names-first": BeforeAndAfter("staging", DELEGATED, OWN_FIRST),
    "staging-own-names-only": BeforeAndAfter("staging", OWN_FIRST, OWN_ONLY),
    "staging-email-verified": BeforeAndAfter("staging", DELEGATED, VERIFIED),
    "staging-teams": BeforeAndAfter("staging", NO_TEAMS, TEAMS),
    "production-delegated": BeforeAndAfter("production", WAITING, DELEGATED),
    "production-own-names-first": BeforeAndAfter("production", DELEGATED, OWN_FIRST),
    "production-own-names-only": BeforeAndAfter("production", OWN_FIRST, OWN_ONLY),
    "production-email-verified": BeforeAndAfter("production", DELEGATED, VERIFIED),
    "production-teams": BeforeAndAfter("production", NO_TEAMS, TEAMS),
}


@cache
def synthesize_written() -> Mapping[str, TerraformJson]:
    return synthesize_files(lambda app: list(add_stacks(app)))


def synthesize_settings(settings: Environment) -> TerraformJson:
    if settings == load_platform().environments[settings.name]:
        return make_readable(synthesize_written()[settings.name])
    stacks = synthesize_files(lambda app: PlatformStack(app, environment=settings, platform=load_platform()))
    return make_readable(stacks[settings.name])


@pytest.mark.parametrize("subject", [*STACKS, *CHANGES])
def test_snapshot(subject: str, snapshot: SnapshotAssertion) -> None:
    if subject in STACKS:
        assert make_readable(synthesize_written()[subject]) == snapshot
    else:
        name, before, after = CHANGES[subject]
        without, with_it = (synthesize_settings(make_environment(name, **changes)) for changes in (before, after))
        assert find_difference(without, with_it) == snapshot


def find_difference(before: object, after: object) -> TerraformJson:
    """Return the difference of two values.

    Objects are compared member by member, and lists of the same length item by item. All else is compared as a whole.
    """
    if isinstance(before, dict) and isinstance(after, dict):
        old, new = cast(TerraformJson, before), cast(TerraformJson, after)
        return {
            key: {"+": new[key]} if key not in old else {"-": old[key]} if key not in new else inner
            for key in old.keys() | new.keys()
            if (inner := find_difference(old.get(key), new.get(key))) or (key in old) != (key in new)
        }
    if isinstance(before, list) and isinstance(after, list):
        olds, news = cast(list[object], before), cast(list[object], after)
        if len(olds) == len(news):
            pairs = enumerate(zip(olds, news, strict=True))
            return {str(at): inner for at, (old, new) in pairs if (inner := find_difference(old, new))}
    return {} if before == after else {"-": before, "+": after}


def test_difference_leaves_nothing_out() -> None:
    """Guards against a change that a snapshot does not show."""
    before = {"same": 1, "item": [1, {"a": 2}], "longer": [1], "gone": 0, "kind": {"a": 1}}
    after = {"same": 1, "item": [1, {"a": 3}], "longer": [1, 2], "new": None, "kind": [1]}
    assert find_difference(before, after) == {
        "item": {"1": {"a": {"-": 2, "+": 3}}},
        "longer": {"-": [1], "+": [1, 2]},
        "gone": {"-": 0},
        "new": {"+": None},
        "kind": {"-": {"a": 1}, "+": [1]},
    }
