"""How the stand-in is told to fail.

What a platform sees of a bad day: 429, an operation that ends Failed, and a network that breaks.
https://learn.microsoft.com/azure/azure-resource-manager/management/request-limits-and-throttling
https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from rehearsal.stand_in.ids import ResourceId
from rehearsal.stand_in.model import Json, RefusedError, bad_request

Kind = Literal["status", "reset", "truncate", "hang", "lost-answer", "failed-operation"]


@dataclass
class Fault:
    """One way to fail, `count` times, for requests that match."""

    __pydantic_config__: ClassVar = ConfigDict(extra="forbid")

    kind: Kind
    """`status` answers `status`; `reset` drops the connection before anything is done; `lost-answer` does the work and
    drops the connection; `truncate` cuts the answer in mid-body; `hang` answers after `seconds`; `failed-operation`
    accepts a write and ends its operation Failed."""
    type: str
    """Such as `Microsoft.KeyVault/vaults`."""
    method: str = "PUT"
    name: str = ""
    """Of the resource; any where empty."""
    count: int = 1
    """How many requests meet it."""
    status: int = 500
    code: str = "InternalServerError"
    seconds: int = 0
    """For `hang`, how long; for `status`, what `Retry-After` says."""
    met: int = field(default=0, init=False)
    """How many requests have met it."""

    def matches(self, method: str, id_: ResourceId) -> bool:
        """True where this request is to fail so."""
        return (
            self.met < self.count
            and method == self.method
            and id_.type.lower() == self.type.lower()
            and self.name.lower() in ("", id_.name.lower())
        )

    @property
    def error(self) -> RefusedError:
        """What the caller is told."""
        return RefusedError(self.status, self.code, f"The rehearsal was told to fail: {self.code}.")


_FAULT = TypeAdapter(Fault)


def told(body: Json) -> Fault:
    """A fault from its JSON, which has the names of `Fault`; raises RefusedError (400) where it is none."""
    try:
        return _FAULT.validate_python(body)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
        raise bad_request(f"This is no fault: {wrong}.", "InvalidFault") from error


class Faults:
    """The faults that a server has been told of; each is spent after its count."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._faults)

    def add(self, fault: Fault) -> Fault:
        """From now on."""
        self._faults.append(fault)
        return fault

    def take(self, method: str, id_: ResourceId, *, operations: bool = False) -> Fault | None:
        """The fault that this request meets, which is spent by it; with `operations`, one of those alone."""
        for fault in self._faults:
            if (fault.kind == "failed-operation") == operations and fault.matches(method, id_):
                fault.met += 1
                return fault
        return None
