"""Says before a plan what a locked immutability policy would refuse in the middle of an apply."""

import json
from collections.abc import Iterator
from typing import Any, cast

from environments import Environment

POLICY = "azurerm_storage_container_immutability_policy"
PAGE = "docs/operations/runbook/protected-resources.md"


def find_evidence_problems(state: str, environment: Environment) -> Iterator[str]:
    """Yield a sentence if the settings ask for what the locked policy in the state does not allow.

    A locked policy cannot be unlocked or shortened:
    https://learn.microsoft.com/azure/storage/blobs/immutable-time-based-retention-policy-overview.
    azurerm cannot lengthen one either: https://github.com/hashicorp/terraform-provider-azurerm/issues/28660.

    Args:
        state: The state as JSON, or an empty text before the first apply.
        environment: The environment's settings.
    """
    resources = cast(list[dict[str, Any]], json.loads(state)["resources"]) if state.strip() else []
    for resource in resources:
        if resource["type"] != POLICY:
            continue
        for instance in cast(list[dict[str, Any]], resource["instances"]):
            attributes = cast(dict[str, Any], instance["attributes"])
            days, wanted = attributes["immutability_period_in_days"], environment.storage.evidence_kept_days
            if not attributes["locked"]:
                continue
            if environment.disposable:
                yield (
                    f"{environment.name}: disposable=True would unlock the policy that keeps evidence for {days} days. "
                    f"Nobody can unlock it. {PAGE} says how the environment can go."
                )
            elif days != wanted:
                yield (
                    f"{environment.name}: storage.evidence_kept_days={wanted}, but evidence is kept for {days} days by "
                    f"a locked policy. It cannot be shortened, and azurerm cannot lengthen it. {PAGE} says how to."
                )
