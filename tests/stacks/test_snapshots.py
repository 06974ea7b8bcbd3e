"""The four stacks, whole; and what each phase or choice changes in one of them.

The snapshot of a change holds the difference alone, so that it tells what the choice does: `-` was there before it,
`+` is there after it.
"""

from collections.abc import Mapping
from functools import cache
from typing import NamedTuple, cast

import pytest
from syrupy.assertion import SnapshotAssertion

from environments import Environment
from main import add_stacks
from stacks.platform import PlatformStack
from tests.constructs_lib.neighbours import environment
from tests.snapshots import files, readable
from tests.support import TerraformJson, platform

STACKS = ("shared", "dev", "staging", "production")


class Change(NamedTuple):
    """An environment, what of its settings is otherwise before the change, and what after it."""

    environment: str
    before: Mapping[str, object]
    after: Mapping[str, object]


WAITING, DELEGATED = {"domain": {"delegated": False}}, {"domain": {"delegated": True}}
TEAMS, NO_TEAMS = {"alerts": {"teams": True}}, {"alerts": {"teams": False}}
VERIFIED = DELEGATED | {"email": {"verified": True}}
CHANGES = {
    "dev-delegated": Change("dev", WAITING, DELEGATED),
    "dev-disposable": Change("dev", {}, {"disposable": True}),
    "dev-teams": Change("dev", NO_TEAMS, TEAMS),
    "staging-delegated": Change("staging", WAITING, DELEGATED),
    "staging-email-verified": Change("staging", DELEGATED, VERIFIED),
    "staging-teams": Change("staging", NO_TEAMS, TEAMS),
    "production-delegated": Change("production", WAITING, DELEGATED),
    "production-email-verified": Change("production", DELEGATED, VERIFIED),
    "production-teams": Change("production", NO_TEAMS, TEAMS),
}


@cache
def as_written() -> Mapping[str, TerraformJson]:
    return files(lambda app: list(add_stacks(app)))


def with_settings(settings: Environment) -> TerraformJson:
    if settings == platform().environments[settings.name]:
        return readable(as_written()[settings.name])
    stacks = files(lambda app: PlatformStack(app, environment=settings, platform=platform()))
    return readable(stacks[settings.name])


@pytest.mark.parametrize("subject", [*STACKS, *CHANGES])
def test_snapshot(subject: str, snapshot: SnapshotAssertion) -> None:
    if subject in STACKS:
        assert readable(as_written()[subject]) == snapshot
    else:
        name, before, after = CHANGES[subject]
        without, with_it = (with_settings(environment(name, **changes)) for changes in (before, after))
        assert difference(without, with_it) == snapshot


def difference(before: object, after: object) -> TerraformJson:
    """What differs: objects member by member, lists of one length item by item, all else as a whole."""
    if isinstance(before, dict) and isinstance(after, dict):
        old, new = cast(TerraformJson, before), cast(TerraformJson, after)
        return {
            key: {"+": new[key]} if key not in old else {"-": old[key]} if key not in new else inner
            for key in old.keys() | new.keys()
            if (inner := difference(old.get(key), new.get(key))) or (key in old) != (key in new)
        }
    if isinstance(before, list) and isinstance(after, list):
        olds, news = cast(list[object], before), cast(list[object], after)
        if len(olds) == len(news):
            pairs = enumerate(zip(olds, news, strict=True))
            return {str(at): inner for at, (old, new) in pairs if (inner := difference(old, new))}
    return {} if before == after else {"-": before, "+": after}


def test_difference_leaves_nothing_out() -> None:
    """Guards against a change that its snapshot does not show."""
    before = {"same": 1, "item": [1, {"a": 2}], "longer": [1], "gone": 0, "kind": {"a": 1}}
    after = {"same": 1, "item": [1, {"a": 3}], "longer": [1, 2], "new": None, "kind": [1]}
    assert difference(before, after) == {
        "item": {"1": {"a": {"-": 2, "+": 3}}},
        "longer": {"-": [1], "+": [1, 2]},
        "gone": {"-": 0},
        "new": {"+": None},
        "kind": {"-": {"a": 1}, "+": [1]},
    }
