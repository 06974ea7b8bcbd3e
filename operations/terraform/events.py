"""Reads the events that `terraform apply -json` prints, one JSON object a line.

https://developer.hashicorp.com/terraform/internals/machine-readable-ui
"""

import json
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Part(BaseModel):
    """A part of an event. Fields that nothing here needs are not declared, and are ignored."""

    model_config = ConfigDict(frozen=True)


class EventResource(_Part):
    """The resource that an event is about."""

    addr: str
    """Its address in the configuration, such as `azurerm_key_vault.vault`."""


class Hook(_Part):
    """What Terraform does to a resource."""

    resource: EventResource
    action: str
    """Such as `create`, `update`, `delete` or, for a data source, `read`."""
    id_value: str = ""
    """The resource's ID in Azure. Empty if Terraform does not know it."""
    elapsed_seconds: int | float = 0


class ResourceEvent(_Part):
    """Work on one resource starts or ends."""

    type: Literal["apply_start", "apply_complete", "apply_errored"]
    hook: Hook


class Changes(_Part):
    """How many resources an operation adds, changes and removes."""

    operation: str
    """`plan`, `apply` or `destroy`."""
    add: int
    change: int
    remove: int


class SummaryEvent(_Part):
    """An operation has ended."""

    type: Literal["change_summary"]
    changes: Changes


class Diagnostic(_Part):
    """An error or a warning."""

    severity: str
    """`error` or `warning`."""
    summary: str
    detail: str = ""
    address: str | None = None
    """The address of the resource it is about, if there is one."""

    def __str__(self) -> str:
        return f"{self.summary} {self.detail}".strip()


class DiagnosticEvent(_Part):
    """Terraform reports an error or a warning."""

    type: Literal["diagnostic"]
    diagnostic: Diagnostic


Event = ResourceEvent | SummaryEvent | DiagnosticEvent
_EVENT: TypeAdapter[Event] = TypeAdapter(Annotated[Event, Field(discriminator="type")])
_TYPES = {"apply_start", "apply_complete", "apply_errored", "change_summary", "diagnostic"}


def read_events(output: str) -> Iterator[Event]:
    """Yield the events in what a command with `-json` printed, in their order.

    Lines that are no JSON objects are skipped, and so are events of types that nothing here needs.
    """
    for line in output.splitlines():
        if line.startswith("{") and json.loads(line).get("type") in _TYPES:
            yield _EVENT.validate_json(line)


def find_diagnostics(output: str, *, severity: str = "error") -> list[Diagnostic]:
    """Return the errors in what a command with `-json` printed, or the diagnostics of another severity."""
    diagnostics = [event.diagnostic for event in read_events(output) if isinstance(event, DiagnosticEvent)]
    return [diagnostic for diagnostic in diagnostics if diagnostic.severity == severity]


def find_errors(output: str) -> list[str]:
    """Return the errors in what a command with `-json` printed, in Terraform's words."""
    return [str(diagnostic) for diagnostic in find_diagnostics(output)]
