"""What a plan would lose, and why it is not one to apply here and now."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from environments import Environment, Platform
from operations.plan_guard.holders import PROTECTS, describe_loss
from operations.plan_guard.values import hidden
from operations.terraform.plan import LOSING, Plan, PlanError, ResourceChange, Verb

SHARED = "shared"
MAXIMUM_AGE = timedelta(hours=24)
"""A plan that waited longer for its approval is made again: what it was compared with is no longer so."""

CLOCK_SKEW = timedelta(minutes=5)


class Loss(NamedTuple):
    """A resource that is not there any more, or not as it was, once the plan is applied."""

    resource: ResourceChange
    verb: Verb
    lost: str


class Place(NamedTuple):
    """The stack that a plan is to be applied to, as the settings have it."""

    stack: str
    subscription: str
    disposable: bool

    @classmethod
    def of(cls, stack: str, platform: Platform) -> "Place":
        """The place of a stack.

        Raises:
            PlanError: there is no such stack.
        """
        environment: Environment | None = platform.environments.get(stack)
        if environment is None and stack != SHARED:
            raise PlanError(f"There is no stack {stack!r}: it is one of {', '.join([SHARED, *platform.environments])}.")
        disposable = environment is not None and environment.disposable
        return cls(stack, platform.shared.account.subscription_id, disposable)


def losses(plan: Plan) -> list[Loss]:
    """All that the plan would lose, by address."""
    going = plan.select(*LOSING)
    return [Loss(each, verb, lost) for each in going if (verb := each.verb) and (lost := describe_loss(each.type))]


def unexpected(plan: Plan, place: Place, allowed: Sequence[str]) -> list[Loss]:
    """The losses that nobody has named. A disposable environment may go.

    Raises:
        PlanError: what is allowed is not lost in this plan.
    """
    found = losses(plan)
    if unknown := sorted(set(allowed) - {each.resource.address for each in found}):
        raise PlanError(
            f"Allowed to be lost, but the plan does not lose it: {', '.join(unknown)}. "
            "An address is written exactly as the plan has it."
        )
    # A flag that is turned on lifts the locks with an apply of its own; only after that may the rest go.
    still_locked = any(each.resource.type == "azurerm_management_lock" for each in found)
    return [
        each
        for each in found
        if each.resource.address not in allowed
        and not (place.disposable and (not still_locked or each.resource.type in PROTECTS))
    ]


def mismatches(plan: Plan, place: Place, *, now: datetime, maximum_age: timedelta = MAXIMUM_AGE) -> Iterator[str]:
    """Why the plan is not one to apply to this place at this time."""
    if plan.errored:
        yield "Terraform did not finish this plan: it stopped at an error, as it does at prevent_destroy."
    age = now - plan.timestamp
    if age > maximum_age:
        hours = f"{age.total_seconds() / 3600:.0f} hours"
        yield f"The plan is {hours} old, and may be {maximum_age.total_seconds() / 3600:.0f}: make a new one."
    elif age < -CLOCK_SKEW:
        yield f"The plan was made at {plan.timestamp:%Y-%m-%d %H:%M %Z}, which is in the future: a clock is wrong."
    yield from _wrong_place(plan, place)


def _wrong_place(plan: Plan, place: Place) -> Iterator[str]:
    named = set(_named_environments(plan))
    # The shared stack makes a resource group and identities in the name of each environment.
    others = set[str]() if place.stack == SHARED and SHARED in named else named - {place.stack}
    if not named:
        yield "The plan does not say which environment it is of: no tag and no output `environment`."
    elif others:
        yield f"The plan is of {', '.join(sorted(others))}, not of {place.stack}: see the tag `environment`."
    if wrong := plan.configuration.subscriptions - {place.subscription}:
        yield f"The plan is for the subscription {', '.join(sorted(wrong))}, not for {place.subscription}."


def _named_environments(plan: Plan) -> Iterator[str]:
    """What tags and outputs say of the environment, before and after."""
    for each in plan.managed:
        for values in hidden(each.change):
            tags = values.get("tags") if isinstance(values, dict) else None
            name = tags.get("environment") if isinstance(tags, dict) else None
            if isinstance(name, str):
                yield name
    output = plan.output_changes.get("environment")
    yield from (name for name in (hidden(output) if output else ()) if isinstance(name, str))
