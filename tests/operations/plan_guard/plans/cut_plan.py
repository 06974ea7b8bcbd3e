"""Cut a real plan down to what a test needs.

    python -m tests.operations.plan_guard.plans.cut_plan TEXT... <PLAN.json >CUT.json

It keeps the changes whose address contains one of the texts, and of the rest of the plan only what the guard reads: the
arguments of these resources, and of the state the IDs that they mention.
Every value that the plan marks as sensitive is replaced by REDACTED, which must not appear in a report.
"""

import json
import sys
from typing import TypedDict

from pydantic import JsonValue

KEPT_FIELDS = ("format_version", "terraform_version", "timestamp", "applyable", "complete", "errored")
REDACTED = "redacted-by-cut"


IDS = ("id", "principal_id")


class RawChange(TypedDict):
    """The parts of a resource's change that are read here."""

    address: str
    change: dict[str, JsonValue]


class RawResource(TypedDict):
    """The parts of a resource in the state that are read here."""

    address: str
    values: dict[str, JsonValue]


def redact(value: JsonValue, mark: JsonValue) -> JsonValue:
    """Return the value with everything replaced that is marked. Its structure stays."""
    match value, mark:
        case None, _:
            return None
        case _, True:
            return REDACTED
        case dict(), dict():
            return {key: redact(item, mark.get(key)) for key, item in value.items()}
        case list(), list():
            return [redact(item, mark_below) for item, mark_below in zip(value, mark, strict=True)]
        case _:
            return value


def cut_changes(changes: list[RawChange]) -> list[RawChange]:
    """Return the changes whose address contains one of the texts, without sensitive values."""
    kept = [resource for resource in changes if any(text in resource["address"] for text in sys.argv[1:])]
    for resource in kept:
        for side in ("before", "after"):
            marks = resource["change"][f"{side}_sensitive"]
            resource["change"][side] = redact(resource["change"].get(side), marks)
    return kept


def cut_state(resources: list[RawResource], mentioned: str) -> list[RawResource]:
    """Return the IDs of the resources that a text mentions."""
    ids: list[RawResource] = [
        {"address": resource["address"], "values": {name: resource["values"].get(name) for name in IDS}}
        for resource in resources
    ]
    return [item for item in ids if any(json.dumps(id_) in mentioned for id_ in item["values"].values() if id_)]


def main() -> None:
    plan = json.load(sys.stdin)
    kept, drift = cut_changes(plan.get("resource_changes", [])), cut_changes(plan.get("resource_drift", []))
    addresses = {resource["address"] for resource in (*kept, *drift)}
    configuration = plan["configuration"]
    code = configuration["root_module"]["resources"]
    state = plan.get("prior_state", {}).get("values", {}).get("root_module", {}).get("resources", [])
    cut_plan = {name: plan[name] for name in KEPT_FIELDS if name in plan} | {
        "resource_changes": kept,
        "resource_drift": drift,
        "prior_state": {"values": {"root_module": {"resources": cut_state(state, json.dumps(kept))}}},
        "configuration": {
            "provider_config": {"azurerm": configuration["provider_config"]["azurerm"]},
            "root_module": {"resources": [resource for resource in code if resource["address"] in addresses]},
        },
    }
    json.dump(cut_plan, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
