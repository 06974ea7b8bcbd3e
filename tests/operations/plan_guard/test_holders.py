"""The guard's tables list every type that is synthesized, and agree with the policy over synthesized JSON."""

from operations.plan_guard.exposures import WATCHED, Kind, Watched, shrinks
from operations.plan_guard.holders import (
    HOLDS_A_NAME,
    HOLDS_DATA,
    NO_LOCK_OF_ITS_OWN,
    PROTECTS,
    REPLACEABLE,
)
from tests.policy.rules import data as policy
from tests.support import resources


def test_every_synthesized_type_is_in_exactly_one_table() -> None:
    tables = (HOLDS_DATA, HOLDS_A_NAME, PROTECTS, REPLACEABLE)
    synthesized = {resource.type for resource in resources()}
    assert {type_: sum(type_ in table for table in tables) for type_ in synthesized} == dict.fromkeys(synthesized, 1)


def test_the_report_names_a_change_of_everything_that_the_policy_requires_for_recovery() -> None:
    for type_, attribute, _ in policy.KEPT_DAYS:
        assert Watched(Kind.SHORTER, attribute, shrinks) in WATCHED[type_]


def test_only_types_that_hold_data_give_a_reason_for_having_no_lock() -> None:
    assert NO_LOCK_OF_ITS_OWN.keys() < HOLDS_DATA.keys()
