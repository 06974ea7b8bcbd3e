"""Cut a real plan down to what a test needs.

    python -m tests.operations.plan_guard.plans.cut TEXT... <PLAN.json >CUT.json

Keeps the changes whose address has one of the texts in it, and of the rest of the plan what the guard reads. Every
value that the plan marks as sensitive is replaced by a text that the tests look for in vain.
"""

import json
import sys
from typing import TypedDict

from pydantic import JsonValue

KEPT = ("format_version", "terraform_version", "timestamp", "applyable", "complete", "errored")
REDACTED = "redacted-by-cut"


class ResourceChange(TypedDict):
    """The parts of a resource's change that are looked at here."""

    address: str
    change: dict[str, JsonValue]


def redacted(value: JsonValue, mark: JsonValue) -> JsonValue:
    """The value with all that is marked replaced, and its structure kept."""
    match value, mark:
        case None, _:
            return None
        case _, True:
            return REDACTED
        case dict(), dict():
            return {name: redacted(each, mark.get(name)) for name, each in value.items()}
        case list(), list():
            return [redacted(each, below) for each, below in zip(value, mark, strict=True)]
        case _:
            return value


def main() -> None:
    plan = json.load(sys.stdin)
    changes: list[ResourceChange] = plan["resource_changes"]
    named = [each for each in changes if any(text in each["address"] for text in sys.argv[1:])]
    for each in named:
        for side in ("before", "after"):
            each["change"][side] = redacted(each["change"].get(side), each["change"][f"{side}_sensitive"])
    cut = {name: plan[name] for name in KEPT if name in plan} | {
        "resource_changes": named,
        "configuration": {"provider_config": {"azurerm": plan["configuration"]["provider_config"]["azurerm"]}},
    }
    json.dump(cut, sys.stdout, indent=1, sort_keys=True)
    print()


if __name__ == "__main__":
    main()
