"""The faults that the stand-in simulates: throttling (429), operations that end Failed, and network failures.

https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rehearsal.stand_in.ids import ResourceId
from rehearsal.stand_in.model import Json, RefusedError, make_bad_request

FaultKind = Literal["status", "reset", "truncate", "hang", "lost-answer", "failed-operation"]


@dataclass
class Fault:
    """One fault, which the next `count` matching requests meet."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    kind: FaultKind
    """`status`: the request is answered with the error `status`.
    `reset`: the connection is dropped before the request is handled.
    `lost-answer`: the request is handled, then the connection is dropped without a response.
    `truncate`: the request is handled, but the response ends in the middle of its body.
    `hang`: the request is handled after `seconds`.
    `failed-operation`: a write is accepted, and its operation ends Failed."""
    type: str
    """The resource type, such as `Microsoft.KeyVault/vaults`."""
    method: str = "PUT"
    name: str = ""
    """The resource's name. If it is empty, every name matches."""
    count: int = 1
    """How many requests meet the fault."""
    status: int = 500
    code: str = "InternalServerError"
    seconds: int = 0
    """For `hang`, how long it lasts; for `status` 429, the value of `Retry-After`."""
    met: int = field(default=0, init=False)
    """How many requests have met the fault so far."""

    def matches(self, method: str, id_: ResourceId) -> bool:
        """Return whether this request meets the fault."""
        return (
            self.met < self.count
            and method == self.method
            and id_.type.lower() == self.type.lower()
            and self.name.lower() in ("", id_.name.lower())
        )

    @property
    def error(self) -> RefusedError:
        """The error that the caller sees."""
        return RefusedError(self.status, self.code, f"The rehearsal was told to fail: {self.code}.")


_FAULT = TypeAdapter(Fault)


def parse_fault(body: Json) -> Fault:
    """Return the fault that a JSON object describes, with the field names of `Fault`.

    Raises:
        RefusedError: 400, because the object is not valid.
    """
    try:
        return _FAULT.validate_python(body)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}" for problem in error.errors())
        raise make_bad_request(f"This is no fault: {problems}.", "InvalidFault") from error


class Faults:
    """The faults of a stand-in, in the order in which they were added."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def add(self, fault: Fault) -> Fault:
        """Add a fault for the requests that come from now on, and return it."""
        self._faults.append(fault)
        return fault

    def take(self, method: str, id_: ResourceId) -> Fault | None:
        """Return the fault that a request meets and count it as met. Return None if the request meets none."""
        return self._take(method, id_, failed_operation=False)

    def take_operation_failure(self, id_: ResourceId) -> RefusedError | None:
        """Return the error with which the operation of a write fails and count the fault as met, or return None."""
        fault = self._take("PUT", id_, failed_operation=True)
        return fault.error if fault else None

    def _take(self, method: str, id_: ResourceId, *, failed_operation: bool) -> Fault | None:
        for fault in self._faults:
            if (fault.kind == "failed-operation") == failed_operation and fault.matches(method, id_):
                fault.met += 1
                return fault
        return None
