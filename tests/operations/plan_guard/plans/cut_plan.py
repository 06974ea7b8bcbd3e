"""Cut a real plan down to what a test needs.

    python -m tests.operations.plan_guard.plans.cut_plan TEXT... <PLAN.json >CUT.json

It keeps the changes whose address contains one of the texts, and of the rest of the plan only what the guard reads.
Every value that the plan marks as sensitive is replaced by REDACTED, which must not appear in a report.
"""

import json
import sys
from typing import TypedDict

from pydantic import JsonValue

KEPT_FIELDS = ("format_version", "terraform_version", "timestamp", "applyable", "complete", "errored")
REDACTED = "redacted-by-cut"


class RawChange(TypedDict):
    """The parts of a resource's change that are read here."""

    address: str
    change: dict[str, JsonValue]


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


def main() -> None:
    plan = json.load(sys.stdin)
    changes: list[RawChange] = plan["resource_changes"]
    kept = [resource for resource in changes if any(text in resource["address"] for text in sys.argv[1:])]
    for resource in kept:
        for side in ("before", "after"):
            marks = resource["change"][f"{side}_sensitive"]
            resource["change"][side] = redact(resource["change"].get(side), marks)
    cut_plan = {name: plan[name] for name in KEPT_FIELDS if name in plan} | {
        "resource_changes": kept,
        "configuration": {"provider_config": {"azurerm": plan["configuration"]["provider_config"]["azurerm"]}},
    }
    json.dump(cut_plan, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
