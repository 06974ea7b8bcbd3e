"""What a service family says about its resource types."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

from rehearsal.stand_in.ids import ResourceId

if TYPE_CHECKING:
    from rehearsal.stand_in.azure import Azure

Json = dict[str, Any]
"""A JSON object as it came over the wire."""


class RefusedError(Exception):
    """Azure's no, in Azure's form: `{"error": {"code", "message"}}`.

    https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def body(self) -> Json:
        """The answer's body."""
        return {"error": {"code": self.code, "message": self.message}}


def bad_request(message: str, code: str = "BadRequest") -> RefusedError:
    """400: the body is not one that Azure takes."""
    return RefusedError(400, code, message)


def conflict(message: str, code: str = "Conflict") -> RefusedError:
    """409: the state of things does not allow it."""
    return RefusedError(409, code, message)


@dataclass
class Resource:
    """A resource as the stand-in holds it."""

    id: ResourceId
    body: Json
    etag: str
    written: float
    """When, by the stand-in's clock."""

    @property
    def properties(self) -> Json:
        """The body's `properties`, made where there were none."""
        return self.body.setdefault("properties", {})


Link = Callable[[str, ResourceId], None]
"""Given an action and the resource that it is about, raises RefusedError (403) where the writer may not do it."""


def unchecked(_: str, __: ResourceId) -> None:
    """Whoever writes may link to anything."""


@dataclass
class Write:
    """A PUT or PATCH on its way into the store. `resource` is the new state, which a family checks and completes."""

    azure: "Azure"
    resource: Resource
    previous: Resource | None
    link: Link = unchecked
    """Azure's linked access check: the right to write a resource is not yet one on those that it refers to.

    https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/linkedauthorizationfailed-error
    """

    @property
    def id(self) -> ResourceId:
        """What is written."""
        return self.resource.id

    @property
    def body(self) -> Json:
        """The new body."""
        return self.resource.body

    @property
    def properties(self) -> Json:
        """The new body's `properties`."""
        return self.resource.properties

    def require(self, *paths: str) -> None:
        """Refuse a body that lacks one of these (`sku.name`, `properties.tenantId`)."""
        for path in paths:
            if at(self.body, path) is None:
                raise bad_request(f"The required property '{path}' of '{self.id.path}' is missing.", "InvalidRequest")

    def choice(self, path: str, *allowed: str | int) -> None:
        """Refuse a value at `path` that is none of these; absence is fine."""
        value = at(self.body, path)
        if value is not None and value not in allowed:
            listed = ", ".join(map(str, allowed))
            raise bad_request(
                f"The value '{value}' of '{path}' of '{self.id.path}' is invalid. Allowed: {listed}.",
                "InvalidParameterValue",
            )

    def unchangeable(self, *paths: str) -> None:
        """Refuse an update that changes one of these."""
        if self.previous is None:
            return
        for path in paths:
            if (old := at(self.previous.body, path)) is not None and at(self.body, path) not in (None, old):
                raise conflict(f"Property '{path}' of '{self.id.path}' cannot be changed.", "PropertyChangeNotAllowed")

    def refer(self, path: str | None, type_: str, action: str | None = None) -> Resource:
        """The resource that the body points at; refused where it is missing or of another type.

        Args:
            path: The resource's.
            type_: What it must be.
            action: What the writer must be allowed to do to it, such as `join/action`.
        """
        found = self.azure.find(path or "")
        if found is None or found.id.type.lower() != type_.lower():
            raise RefusedError(
                400, "InvalidResourceReference", f"'{self.id.path}' refers to '{path}', which is no existing {type_}."
            )
        if action:
            self.link(f"{type_}/{action}", found.id)
        return found


def items(body: Json, path: str) -> list[Json]:
    """The objects at a dotted path; none where it is not there."""
    return cast(list[Json], at(body, path) or [])


def strings(body: Json, path: str) -> list[str]:
    """The strings at a dotted path; none where it is not there."""
    return cast(list[str], at(body, path) or [])


def at(body: Json, path: str) -> Any:  # noqa: ANN401  what JSON holds there, the caller knows
    """The value at a dotted path, or None."""
    value: Any = body
    for part in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return value  # pyright: ignore[reportUnknownVariableType]


def _accept(_: Write) -> None:
    pass


Action = Callable[["Azure", Resource, Json], Json]
"""A POST on a resource: gets the request's body, gives the answer's."""


APPLY_LOG = "an apply of azurerm in centralus whose log was published in September 2026"
"""A source of minutes, without an address that would last; what follows it took as long there as is said."""
ESTIMATE = "an estimate: no source was found"


@dataclass(frozen=True)
class ResourceType:
    """One resource type: how it checks and completes a body, what can be asked of it, and how long it takes."""

    name: str
    complete: Callable[[Write], None] = _accept
    """Raises RefusedError for what Azure refuses; adds to the body what Azure adds."""
    minutes: float | Callable[[Write], float] = 0.0
    """Typical provisioning time: of a create, or of the write that is given. With `source`; 0 answers at once."""
    source: str = ""
    """Where `minutes` comes from, and what of it is an estimate."""
    delete_minutes: float = 0.0
    polled_at: str = "Azure-AsyncOperation"
    """The header that tells where a long operation is polled: this, or `Location`."""
    actions: Mapping[str, Action] = field(default_factory=dict[str, Action])
    deleted: Callable[["Azure", Resource], None] = lambda _azure, _resource: None
    """Called before a delete; raises RefusedError where Azure refuses it."""
    has_state: bool = True
    """False where `properties` are names of the user's own, among which Azure puts no `provisioningState`."""
    created_status: int = 201
    updated_status: int = 200
    """202 answers without a body; the rest with the resource."""
    readable: Callable[["Azure", Resource], Json] = lambda _azure, resource: resource.body
    """What a GET shows."""

    def takes(self, write: Write) -> float:
        """The minutes of a write; an update is estimated at a quarter of a create where the type does not tell."""
        if callable(self.minutes):
            return self.minutes(write)
        return self.minutes / 4 if write.previous else self.minutes
