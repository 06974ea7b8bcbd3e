"""Reads a plan as `terraform show -json PLAN` prints it. Parts that nothing here needs are not declared.

https://developer.hashicorp.com/terraform/internals/json-format
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

Action = Literal["no-op", "create", "read", "update", "delete", "forget"]

REASONS = {
    "replace_because_tainted": "it was left half made by an earlier apply (tainted)",
    "replace_because_cannot_update": "an attribute cannot be changed in place",
    "replace_by_request": "the plan was made with -replace",
    "replace_by_triggers": "replace_triggered_by names something that changes",
    "delete_because_no_resource_config": "it is no longer in the code",
    "delete_because_no_module": "its module is no longer in the code",
    "delete_because_wrong_repetition": "count or for_each came or went",
    "delete_because_count_index": "count is lower",
    "delete_because_each_key": "its key is no longer in for_each",
    "delete_because_no_move_target": "a moved block leads to an address that is not in the code",
}
"""Why Terraform replaces or destroys a resource, by the `action_reason` of the plan.

https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
"""


class PlanError(Exception):
    """A text is no plan that can be judged. The message says why, and contains no value from the text."""


class Verb(StrEnum):
    """What a plan does to a resource, in a word for readers."""

    REPLACE = "replace"
    DESTROY = "destroy"
    FORGET = "forget"
    CHANGE = "change"
    CREATE = "create"


LOSING = (Verb.REPLACE, Verb.DESTROY, Verb.FORGET)
"""The verbs that destroy a resource, or take it out of the state (`forget`)."""

_VERBS = {"create": Verb.CREATE, "update": Verb.CHANGE, "delete": Verb.DESTROY, "forget": Verb.FORGET}


class _Part(BaseModel):
    """A part of a plan. Undeclared fields are ignored, because later minor versions of the format add fields."""

    model_config = ConfigDict(frozen=True)


class Importing(_Part):
    """The resource that an `import` block takes into the state."""

    id: str = "(known after apply)"


class Change(_Part):
    """The values of a resource or an output, before and after the apply.

    `after_unknown`, `before_sensitive` and `after_sensitive` mark values. Each has the same structure as the values,
    with `true` for everything at or below a place. The marks of sensitive values are required, because without them
    no value could be shown. If everything in `after` is unknown, `after` is missing.
    """

    actions: Annotated[tuple[Action, ...], Field(min_length=1)]
    before: JsonValue = None
    after: JsonValue = None
    after_unknown: JsonValue
    before_sensitive: JsonValue
    after_sensitive: JsonValue
    replace_paths: tuple[tuple[str | int, ...], ...] = ()
    importing: Importing | None = None

    @property
    def verb(self) -> Verb | None:
        """What happens to it. None if it stays as it is, or is only read."""
        verbs = {_VERBS[action] for action in self.actions if action in _VERBS}
        if len(verbs) > 1:  # delete and create, in either order; OpenTofu also has forget and create
            return Verb.REPLACE
        return next(iter(verbs), None)


class ResourceChange(_Part):
    """A resource and what the plan does to it."""

    address: str
    mode: Literal["managed", "data"]
    type: str
    change: Change
    action_reason: str | None = None
    previous_address: str | None = None
    deposed: str | None = None
    """Set for an old object that an interrupted replacement has left behind. Its address is that of the new object."""

    @property
    def verb(self) -> Verb | None:
        """What happens to it. None if it stays as it is, or is only read."""
        return self.change.verb

    @property
    def title(self) -> str:
        """The address, and for a deposed object its key, because another object has the same address."""
        return f"{self.address} (deposed object {self.deposed})" if self.deposed else self.address

    @property
    def reason(self) -> str:
        """Why Terraform replaces or destroys it. Empty if Terraform does not say."""
        return REASONS.get(self.action_reason or "", self.action_reason or "")


class ProviderConfig(_Part):
    """A provider and its arguments."""

    name: str
    expressions: dict[str, JsonValue] = {}


class ConfiguredResource(_Part):
    """A resource in the code, with the expressions of its arguments."""

    address: str
    expressions: dict[str, JsonValue] = {}


class _ConfiguredModule(_Part):
    resources: tuple[ConfiguredResource, ...] = ()


class Configuration(_Part):
    """The code that the plan was made from."""

    provider_config: dict[str, ProviderConfig] = {}
    root_module: _ConfiguredModule = _ConfiguredModule()

    def has_argument(self, address: str, argument: str) -> bool:
        """Return whether the code sets an argument of a resource. True if the resource is not in the code."""
        found = [item for item in self.root_module.resources if item.address == address]
        return not found or any(argument in item.expressions for item in found)

    def find_references(self, address: str, argument: str) -> list[str]:
        """Return the addresses that an argument of a resource refers to, as `azurerm_subnet.app.id`."""
        expressions = (item.expressions.get(argument) for item in self.root_module.resources if item.address == address)
        references = [item.get("references") for item in expressions if isinstance(item, dict)]
        return [text for found in references if isinstance(found, list) for text in found if isinstance(text, str)]

    @property
    def subscriptions(self) -> set[str]:
        """The IDs of the Azure subscriptions that the plan's providers are configured for."""
        providers = [provider for provider in self.provider_config.values() if provider.name == "azurerm"]
        expressions = [provider.expressions.get("subscription_id") for provider in providers]
        constants = [expression.get("constant_value") for expression in expressions if isinstance(expression, dict)]
        return {value for value in constants if isinstance(value, str)}


class ActionInvocation(_Part):
    """An action that the apply runs: something that a provider does besides creating, changing and deleting.

    https://developer.hashicorp.com/terraform/language/invoke-actions
    """

    address: str
    """Such as `action.azurerm_managed_redis_databases_flush.all`."""
    type: str


class DeferredChange(_Part):
    """A change that Terraform cannot plan yet, because it depends on what another apply makes first."""

    reason: str = ""
    resource_change: ResourceChange


class CheckAddress(_Part):
    """What a check belongs to."""

    to_display: str


class CheckProblem(_Part):
    """What a check has found."""

    message: str


class CheckInstance(_Part):
    """The result of a check for one object."""

    status: str
    problems: tuple[CheckProblem, ...] = ()


class Check(_Part):
    """A condition that the code checks, with its result: pass, fail, error or unknown."""

    address: CheckAddress
    status: str
    instances: tuple[CheckInstance, ...] = ()

    def __str__(self) -> str:
        problems = [problem.message for instance in self.instances for problem in instance.problems]
        return f"{self.address.to_display}: {' '.join(problems) or self.status}"


class Values(_Part):
    """A resource as the state has it."""

    address: str
    values: dict[str, JsonValue] = {}


class _Module(_Part):
    resources: tuple[Values, ...] = ()


class _StateValues(_Part):
    root_module: _Module = _Module()


class PriorState(_Part):
    """The state after Terraform has read every resource, before the plan."""

    values: _StateValues = _StateValues()

    def find_values(self, address: str) -> dict[str, JsonValue] | None:
        """Return a resource's values, or None if it is not in the state."""
        found = (resource.values for resource in self.values.root_module.resources if resource.address == address)
        return next(found, None)


class Plan(_Part):
    """What Terraform would do."""

    format_version: Annotated[str, Field(pattern=r"^1\.\d+$")]
    timestamp: AwareDatetime
    resource_changes: tuple[ResourceChange, ...] = ()
    """There are none in a plan of outputs alone, and in one that only refreshes an empty state."""
    resource_drift: tuple[ResourceChange, ...] = ()
    deferred_changes: tuple[DeferredChange, ...] = ()
    action_invocations: tuple[ActionInvocation, ...] = ()
    output_changes: dict[str, Change] = {}
    checks: tuple[Check, ...] = ()
    prior_state: PriorState = PriorState()
    configuration: Configuration
    errored: bool = False
    complete: bool = True
    applyable: bool | None = None
    """Whether an apply would do anything. Older versions do not say it."""

    @property
    def has_changes(self) -> bool:
        """Whether an apply would do anything: also a changed output, an import or a move in the state."""
        if self.applyable is not None:
            return self.applyable
        moves = any(resource.previous_address or resource.change.importing for resource in self.managed)
        outputs = any(change.verb for change in self.output_changes.values())
        return bool(self.select(*Verb) or self.action_invocations or outputs or moves or self.resource_drift)

    @property
    def failed_checks(self) -> list[Check]:
        """The checks that do not hold, or that could not be evaluated."""
        return [check for check in self.checks if check.status in ("fail", "error")]

    @property
    def managed(self) -> tuple[ResourceChange, ...]:
        """Every resource, including those that stay as they are, but no data source."""
        return tuple(resource for resource in self.resource_changes if resource.mode == "managed")

    def select(self, *verbs: Verb) -> list[ResourceChange]:
        """Return the resources to which one of these happens, in the order of their addresses."""
        selected = [resource for resource in self.managed if resource.verb in verbs]
        return sorted(selected, key=lambda resource: resource.title)


def read_plan(output: str | bytes) -> Plan:
    """Read what `terraform show -json PLAN` has printed.

    Raises:
        PlanError: The text is cut off, empty, of another major version of the format, or breaks the format.
    """
    try:
        return Plan.model_validate_json(output)
    except ValidationError as error:
        # The input is left out, because it may be sensitive.
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        lines = ["This is no output of `terraform show -json PLAN`, format 1.x:"]
        lines += [
            f"  {'.'.join(map(str, problem['loc'])) or 'the whole'}: {problem['msg']}" for problem in problems[:5]
        ]
        if len(problems) > 5:
            lines.append(f"  and {len(problems) - 5} more")
        raise PlanError("\n".join(lines)) from None
