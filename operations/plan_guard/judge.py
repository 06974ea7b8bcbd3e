"""The guard's judgement: what a plan would lose, and why it must not be applied to a stack."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, Self

from pydantic import JsonValue

from environments import Environment, Platform
from operations.plan_guard.holders import LOST_IN_PLACE, PROTECTS, describe_loss
from operations.plan_guard.redaction import Value, hide_sensitive
from operations.terraform.plan import LOSING, Change, Plan, PlanError, ResourceChange, Verb

SHARED = "shared"
MAXIMUM_AGE = timedelta(hours=24)
"""A plan that has waited longer for its approval must be made again: what it was compared with may have changed."""

CLOCK_SKEW = timedelta(minutes=5)
"""How far in the future a plan's time may be: the clocks of two machines differ a little."""


class StackTarget(NamedTuple):
    """The stack that a plan is to be applied to, as the settings describe it."""

    stack: str
    subscription: str
    disposable: bool

    @classmethod
    def from_settings(cls, stack: str, platform: Platform) -> Self:
        """Find a stack in the settings.

        Raises:
            PlanError: there is no such stack.
        """
        environment: Environment | None = platform.environments.get(stack)
        if environment is None and stack != SHARED:
            raise PlanError(f"There is no stack {stack!r}: it is one of {', '.join([SHARED, *platform.environments])}.")
        disposable = environment is not None and environment.disposable
        return cls(stack, platform.shared.account.subscription_id, disposable)


class Loss(NamedTuple):
    """Something that the plan destroys, replaces, forgets or empties, although something would be lost with it."""

    address: str
    title: str
    """The address, and what tells two objects at one address apart."""
    type: str
    verb: Verb | None
    """What happens to the resource; None for an action that the apply runs."""
    lost: str
    """What would be lost, in words."""


def find_losses(plan: Plan) -> list[Loss]:
    """Return everything that the plan would lose, sorted by address."""
    losses: list[Loss] = []
    for resource in plan.select(*LOSING, Verb.CHANGE):
        lost = _describe_loss_in_place(resource) if resource.verb is Verb.CHANGE else describe_loss(resource.type)
        if lost:
            losses.append(Loss(resource.address, resource.title, resource.type, resource.verb, lost))
    for action in plan.action_invocations:
        lost = f"whatever {action.type} deletes: a plan does not say what an action does"
        losses.append(Loss(action.address, action.address, action.type, None, lost))
    return losses


def _describe_loss_in_place(resource: ResourceChange) -> str | None:
    """Return what the provider deletes while it changes the resource, or None if it deletes nothing."""
    loss = LOST_IN_PLACE.get(resource.type)
    if loss is None:
        return None
    before, after = (_get_block(values, loss.block) for values in (resource.change.before, resource.change.after))
    if before is None:
        return None
    is_kept = after is not None and all(before.get(name) == after.get(name) for name in loss.attributes)
    return None if is_kept else loss.lost


def _get_block(values: JsonValue, name: str) -> dict[str, JsonValue] | None:
    """Return a block's values, or None if it is not there or not known yet."""
    blocks = values.get(name) if isinstance(values, dict) else None
    block = blocks[0] if isinstance(blocks, list) and blocks else None
    return block if isinstance(block, dict) else None


def find_unexpected_losses(plan: Plan, target: StackTarget, allowed: Sequence[str]) -> list[Loss]:
    """Return the losses that must be refused.

    A loss is allowed if its address is in `allowed`, or if the environment is disposable.

    Raises:
        PlanError: an address is allowed that the plan does not lose.
    """
    losses = find_losses(plan)
    not_lost = sorted(set(allowed) - {loss.address for loss in losses})
    if not_lost:
        raise PlanError(
            f"Allowed to be lost, but the plan does not lose it: {', '.join(not_lost)}. "
            "An address is written exactly as the plan has it."
        )
    # When an environment becomes disposable, its first plan removes the locks. That plan may lose only what PROTECTS
    # lists and what the user has allowed. From the next plan on, everything may go.
    removes_locks = any(loss.type == "azurerm_management_lock" for loss in losses)

    def is_allowed(loss: Loss) -> bool:
        if loss.address in allowed:
            return True
        return target.disposable and (not removes_locks or loss.type in PROTECTS)

    return [loss for loss in losses if not is_allowed(loss)]


def find_mismatches(
    plan: Plan, target: StackTarget, *, now: datetime, maximum_age: timedelta = MAXIMUM_AGE
) -> Iterator[str]:
    """Yield every reason, in a sentence, why the plan must not be applied to this stack at this time."""
    if plan.errored:
        yield "Terraform did not finish this plan: it stopped at an error, as it does at prevent_destroy."
    age = now - plan.timestamp
    if age > maximum_age:
        hours = f"{age.total_seconds() / 3600:.0f} hours"
        yield f"The plan is {hours} old, and may be {maximum_age.total_seconds() / 3600:.0f}: make a new one."
    elif age < -CLOCK_SKEW:
        yield f"The plan was made at {plan.timestamp:%Y-%m-%d %H:%M %Z}, which is in the future: a clock is wrong."
    yield from _find_wrong_environments(plan, target)
    if wrong_subscriptions := plan.configuration.subscriptions - {target.subscription}:
        wrong = ", ".join(sorted(wrong_subscriptions))
        yield f"The plan is for the subscription {wrong}, not for {target.subscription}."


def _find_wrong_environments(plan: Plan, target: StackTarget) -> Iterator[str]:
    named = set(_find_named_environments(plan))
    if not named:
        yield "The plan does not say which environment it is of: no tag and no output `environment`."
        return
    if target.stack == SHARED and SHARED in named:
        # The shared stack creates a resource group and identities for each environment, tagged with its name.
        return
    if others := named - {target.stack}:
        yield f"The plan is of {', '.join(sorted(others))}, not of {target.stack}: see the tag `environment`."


def _find_named_environments(plan: Plan) -> Iterator[str]:
    """Yield the environments that are named by the tags and by the output `environment`, before and after."""
    for resource in (*plan.managed, *plan.resource_drift):
        for values in hide_sensitive(resource.change):
            tags = values.get("tags") if isinstance(values, dict) else None
            if isinstance(tags, dict):
                yield from _keep_texts(tags.get("environment"))
    output: Change | None = plan.output_changes.get("environment")
    if output:
        yield from _keep_texts(*hide_sensitive(output))


def _keep_texts(*values: Value) -> Iterator[str]:
    """Yield the values that are texts, and neither missing nor hidden nor unknown."""
    for value in values:
        if isinstance(value, str):
            yield value
