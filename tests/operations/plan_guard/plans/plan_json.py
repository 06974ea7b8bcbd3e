"""Builds plans for tests, in the format of `terraform show -json PLAN`, and judges them."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import JsonValue

from environments.shared import SHARED
from operations.plan_guard.differences import find_differences
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.plan_guard.redaction import Redactor
from operations.plan_guard.report import Report
from operations.plan_guard.wording import format_pair
from operations.terraform.plan import read_plan

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SUBSCRIPTION = SHARED.account.subscription_id
RECORDED = Path(__file__).parent
"""The folder with the recorded plans of the real provider."""

REPLACE: Sequence[Sequence[str]] = (["delete", "create"], ["create", "delete"], ["forget", "create"])
LOSING: Sequence[Sequence[str]] = (*REPLACE, ["delete"], ["forget"])


def make_change(
    actions: Sequence[str], before: JsonValue = None, after: JsonValue = None, **marks: JsonValue
) -> dict[str, JsonValue]:
    """Return a change. The marks are `after_unknown`, `before_sensitive`, `after_sensitive` and `replace_paths`."""
    return {
        "actions": list(actions),
        "before": before,
        "after": after,
        "after_unknown": {},
        "before_sensitive": {},
        "after_sensitive": {},
        **marks,
    }


def make_resource(
    address: str,
    actions: Sequence[str],
    before: Mapping[str, JsonValue] | None = None,
    after: Mapping[str, JsonValue] | None = None,
    *,
    environment: str = "dev",
    action_reason: str | None = None,
    previous_address: str | None = None,
    **marks: JsonValue,
) -> dict[str, JsonValue]:
    """Return a managed resource with its change.

    Both sides of the change have the tag `environment`, unless `environment` is empty.
    """
    tags: dict[str, JsonValue] = {"tags": {"environment": environment}} if environment else {}
    optional = {"action_reason": action_reason, "previous_address": previous_address}
    return {
        "address": address,
        "mode": "managed",
        "type": address.split(".", maxsplit=1)[0],
        "change": make_change(
            actions,
            None if tuple(actions) == ("create",) else {**tags, **(before or {})},
            None if tuple(actions) in {("delete",), ("forget",)} else {**tags, **(after or {})},
            **marks,
        ),
        **{name: value for name, value in optional.items() if value},
    }


def make_plan(*resources: JsonValue, **parts: JsonValue) -> str:
    """Return a plan of dev as JSON. It is an hour old at NOW."""
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


def judge(plan_json: str | bytes, *allowed: str, stack: str = "dev", disposable: bool = False) -> Report:
    """Return what the guard reports about a plan at NOW."""
    return Guard(StackTarget(stack, SUBSCRIPTION, disposable), allowed).judge_json(plan_json, now=NOW)


def compare(before: JsonValue, after: JsonValue, **marks: JsonValue) -> list[tuple[str, str, str]]:
    """Return the differences that a report shows of a resource with these values: the attribute, the old, the new."""
    resource = make_resource("azurerm_linux_web_app.web_app", ["update"])
    plan = read_plan(make_plan({**resource, "change": make_change(["update"], before, after, **marks)}))
    differences = find_differences(*Redactor(plan).redact(plan.resource_changes[0].change))
    return [(item.attribute, *format_pair(item.old, item.new)) for item in differences]
