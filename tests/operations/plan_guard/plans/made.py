"""Plan JSON that a test makes, in the form of `terraform show -json PLAN`; and the real ones that are recorded here."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from environments.shared import SHARED
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import Place
from operations.plan_guard.report import Report

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SUBSCRIPTION = SHARED.account.subscription_id
RECORDED = Path(__file__).parent

REPLACE: Sequence[Sequence[str]] = (["delete", "create"], ["create", "delete"], ["forget", "create"])
LOSING: Sequence[Sequence[str]] = (*REPLACE, ["delete"], ["forget"])


def change(actions: Sequence[str], before: JsonValue = None, after: JsonValue = None, **marks: JsonValue) -> JsonValue:
    """A change; marks are `after_unknown`, `before_sensitive`, `after_sensitive` and `replace_paths`."""
    return {
        "actions": list(actions),
        "before": before,
        "after": after,
        "after_unknown": {},
        "before_sensitive": {},
        "after_sensitive": {},
        **marks,
    }


def resource(
    address: str,
    actions: Sequence[str],
    before: Mapping[str, JsonValue] | None = None,
    after: Mapping[str, JsonValue] | None = None,
    *,
    environment: str = "dev",
    action_reason: str | None = None,
    previous_address: str | None = None,
    **marks: JsonValue,
) -> JsonValue:
    """A managed resource's change, with the tag `environment` on both sides, unless that is empty."""
    tags: dict[str, JsonValue] = {"tags": {"environment": environment}} if environment else {}
    optional = {"action_reason": action_reason, "previous_address": previous_address}
    return {
        "address": address,
        "mode": "managed",
        "type": address.split(".", maxsplit=1)[0],
        "change": change(
            actions,
            None if tuple(actions) == ("create",) else {**tags, **(before or {})},
            None if tuple(actions) in {("delete",), ("forget",)} else {**tags, **(after or {})},
            **marks,
        ),
        **{name: value for name, value in optional.items() if value},
    }


def plan(*resources: JsonValue, **parts: JsonValue) -> str:
    """A plan of dev, an hour old, as JSON."""
    return json.dumps(
        {
            "format_version": "1.2",
            "timestamp": (NOW - timedelta(hours=1)).isoformat(),
            "resource_changes": list(resources),
            "configuration": {
                "provider_config": {
                    "azurerm": {
                        "name": "azurerm",
                        "expressions": {"subscription_id": {"constant_value": SUBSCRIPTION}},
                    }
                }
            },
            **parts,
        }
    )


def judged(shown: str | bytes, *allowed: str, stack: str = "dev", disposable: bool = False) -> Report:
    """What the guard makes of a plan at NOW."""
    return Guard(Place(stack, SUBSCRIPTION, disposable), allowed).judge_json(shown, now=NOW)
