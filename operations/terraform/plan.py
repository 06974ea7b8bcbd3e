"""The parts of `terraform show -json PLAN` that the guard reads.

https://developer.hashicorp.com/terraform/internals/json-format
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, JsonValue, ValidationError

Action = Literal["no-op", "create", "read", "update", "delete", "forget"]

# https://developer.hashicorp.com/terraform/internals/json-format#plan-representation
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


class PlanError(Exception):
    """The text is no plan that can be judged; the message says why, and repeats no value of it."""


class Verb(StrEnum):
    """What happens to a resource, in a reader's words."""

    REPLACE = "replace"
    DESTROY = "destroy"
    FORGET = "forget"
    CHANGE = "change"
    CREATE = "create"


LOSING = (Verb.REPLACE, Verb.DESTROY, Verb.FORGET)
_VERBS = {"create": Verb.CREATE, "update": Verb.CHANGE, "delete": Verb.DESTROY, "forget": Verb.FORGET}


class _Read(BaseModel):
    """What more there is, later minor versions add, and is left unread."""

    model_config = ConfigDict(frozen=True)


class Importing(_Read):
    """What an `import` block takes into the state."""

    id: str = "(known after apply)"


class Change(_Read):
    """The values before and after. The marks have the values' structure, with `true` for all at or below a place.

    The marks of sensitive values are required: without them nothing could be shown. A value that is wholly unknown is
    missing.
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
        """None for what stays as it is, and for what is only read."""
        verbs = {_VERBS[action] for action in self.actions if action in _VERBS}
        if len(verbs) > 1:  # delete and create, in either order; OpenTofu also has forget and create
            return Verb.REPLACE
        return next(iter(verbs), None)


class ResourceChange(_Read):
    """A resource and what happens to it."""

    address: str
    mode: Literal["managed", "data"]
    type: str
    change: Change
    action_reason: str | None = None
    previous_address: str | None = None
    deposed: str | None = None
    """Set for what an interrupted replacement has left behind, under the address of what replaced it."""

    @property
    def verb(self) -> Verb | None:
        """None for what stays as it is, and for what is only read."""
        return self.change.verb

    @property
    def title(self) -> str:
        """The address, and which object of it is meant where there is another."""
        return f"{self.address} (deposed object {self.deposed})" if self.deposed else self.address

    @property
    def reason(self) -> str:
        """Why Terraform replaces or destroys it; empty where it does not say."""
        return REASONS.get(self.action_reason or "", self.action_reason or "")


class ProviderConfig(_Read):
    """A provider and its arguments."""

    name: str
    expressions: dict[str, JsonValue] = {}


class Configuration(_Read):
    """The code that the plan was made from."""

    provider_config: dict[str, ProviderConfig] = {}

    @property
    def subscriptions(self) -> set[str]:
        """The Azure subscriptions that the plan's providers are written for."""
        expressions = (
            each.expressions.get("subscription_id") for each in self.provider_config.values() if each.name == "azurerm"
        )
        constants = (each.get("constant_value") for each in expressions if isinstance(each, dict))
        return {value for value in constants if isinstance(value, str)}


class Plan(_Read):
    """A plan."""

    format_version: Annotated[str, Field(pattern=r"^1\.\d+$")]
    timestamp: AwareDatetime
    resource_changes: tuple[ResourceChange, ...]
    resource_drift: tuple[ResourceChange, ...] = ()
    output_changes: dict[str, Change] = {}
    configuration: Configuration
    errored: bool = False
    complete: bool = True

    @property
    def managed(self) -> tuple[ResourceChange, ...]:
        """Every resource, also those that stay as they are; no data source."""
        return tuple(each for each in self.resource_changes if each.mode == "managed")

    def select(self, *verbs: Verb) -> list[ResourceChange]:
        """What one of these happens to, by address."""
        return sorted((each for each in self.managed if each.verb in verbs), key=lambda each: each.title)


def read_plan(shown: str | bytes) -> Plan:
    """Read what `terraform show -json PLAN` has printed.

    Raises:
        PlanError: it is cut off, empty, of another major version, or not what the format asks for.
    """
    try:
        return Plan.model_validate_json(shown)
    except ValidationError as error:
        # Without the input: it may be sensitive.
        problems = error.errors(include_input=False, include_url=False, include_context=False)
        words = [f"  {'.'.join(map(str, each['loc'])) or 'the whole'}: {each['msg']}" for each in problems[:5]]
        rest = [f"  and {len(problems) - 5} more"] if len(problems) > 5 else []
        raise PlanError(
            "\n".join(["This is no output of `terraform show -json PLAN`, format 1.x:", *words, *rest])
        ) from None
