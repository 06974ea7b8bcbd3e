"""operations/evidence.py: a locked immutability policy is told before a plan."""

import json

import pytest

from environments import Environment
from operations.evidence import POLICY, find_evidence_problems
from tests.support import load_platform


def make_state(*, days: int, locked: bool) -> str:
    attributes = {"immutability_period_in_days": days, "locked": locked}
    resource = {
        "type": POLICY,
        "name": "storage_evidence",
        "mode": "managed",
        "instances": [{"attributes": attributes}],
    }
    return json.dumps({"version": 4, "lineage": "a", "serial": 1, "resources": [resource]})


def make_settings(*, days: int, disposable: bool = False) -> Environment:
    dev = load_platform().environments["dev"]
    storage = dev.storage.model_copy(update={"evidence_kept_days": days})
    return dev.model_copy(update={"storage": storage, "disposable": disposable})


@pytest.mark.parametrize(
    ("state", "settings", "reason"),
    [
        ("", make_settings(days=30), ""),
        (make_state(days=30, locked=True), make_settings(days=30), ""),
        (make_state(days=30, locked=False), make_settings(days=7, disposable=True), ""),
        (
            make_state(days=30, locked=True),
            make_settings(days=7),
            "dev: storage.evidence_kept_days=7, but evidence is kept for 30 days by a locked policy.",
        ),
        (make_state(days=30, locked=True), make_settings(days=60), "azurerm cannot lengthen it."),
        (
            make_state(days=30, locked=True),
            make_settings(days=30, disposable=True),
            "dev: disposable=True would unlock the policy that keeps evidence for 30 days. Nobody can unlock it.",
        ),
    ],
)
def test_what_a_locked_policy_refuses_is_told(state: str, settings: Environment, reason: str) -> None:
    problems = list(find_evidence_problems(state, settings))
    assert len(problems) == bool(reason)
    assert reason in "".join(problems)
