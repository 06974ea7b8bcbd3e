"""The words in which a service family describes its resource types and their rules."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

from rehearsal.stand_in.ids import ResourceId

Json = dict[str, Any]
"""A JSON object as it was sent or will be sent."""


class RefusedError(Exception):
    """An error as Azure returns it: `{"error": {"code", "message"}}`.

    https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#handling-errors
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @property
    def body(self) -> Json:
        """The response body."""
        return {"error": {"code": self.code, "message": self.message}}


def make_bad_request(message: str, code: str = "BadRequest") -> RefusedError:
    """Return an error 400: Azure does not accept this body."""
    return RefusedError(400, code, message)


def make_conflict(message: str, code: str = "Conflict") -> RefusedError:
    """Return an error 409: the current state of the resources does not allow the request."""
    return RefusedError(409, code, message)


@dataclass
class Resource:
    """A resource as the store holds it."""

    id: ResourceId
    body: Json
    etag: str
    written: float
    """When it was last written, in seconds of the store's clock."""
    state: str = "Succeeded"
    """How far it is, whether or not its type shows that: Creating, Updating, Deleting, Succeeded or Failed."""

    @property
    def properties(self) -> Json:
        """The body's `properties`. An empty object is added if the body has none."""
        return self.body.setdefault("properties", {})


class Store(Protocol):
    """The resources of one subscription, with the methods that families use. `ResourceManager` implements it."""

    @property
    def subscription(self) -> str:
        """The subscription's id."""
        ...

    @property
    def tenant(self) -> str:
        """The tenant's id."""
        ...

    @property
    def seconds_per_minute(self) -> float:
        """How many real seconds a minute of Azure takes."""
        ...

    def read_clock(self) -> float:
        """Return the time of the store's clock, in seconds."""
        ...

    def find(self, path: str) -> Resource | None:
        """Return the resource, or None if it does not exist."""
        ...

    def list_resources(self, type_: str | None = None, scope: str = "/") -> Iterator[Resource]:
        """Yield every resource at or below a scope, or only those of one type (in any case)."""
        ...

    def list_children(self, path: str) -> Iterator[Resource]:
        """Yield every resource below a resource."""
        ...

    def put(self, path: str, body: Json) -> Resource:
        """Store a resource without any check, as Azure does for what it creates by itself."""
        ...

    def ensure(self, path: str, body: Json) -> Resource:
        """Return the resource. If it does not exist, `put` it first."""
        ...

    def remove(self, path: str) -> None:
        """Remove a resource and everything below it, without any check."""
        ...


CheckLink = Callable[[str, ResourceId], None]
"""Called with an action and the resource that a body refers to. Raises RefusedError if the writer may not do it."""


def allow_any_link(_action: str, _linked: ResourceId) -> None:
    """Let the writer link to any resource."""


@dataclass
class Write:
    """A PUT or PATCH before it reaches the store. A family checks and completes `resource`, the new state."""

    store: Store
    resource: Resource
    previous: Resource | None
    """The resource as it was before, or None if the write creates it."""
    check_link: CheckLink = allow_any_link
    """Azure's linked access check: the right to write a resource does not include a right on those it refers to.

    https://learn.microsoft.com/troubleshoot/azure/azure-kubernetes/error-codes/linkedauthorizationfailed-error
    """

    @property
    def id(self) -> ResourceId:
        """The id of the resource that is written."""
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
        """Raise RefusedError if the body lacks a value at one of these paths (`sku.name`, `properties.tenantId`)."""
        for path in paths:
            if get_value(self.body, path) is None:
                raise make_bad_request(
                    f"The required property '{path}' of '{self.id.path}' is missing.", "InvalidRequest"
                )

    def require_choice(self, path: str, *allowed: str | int) -> None:
        """Raise RefusedError if the value at `path` is none of `allowed`. The value may be absent."""
        value = get_value(self.body, path)
        if value is not None and value not in allowed:
            choices = ", ".join(map(str, allowed))
            raise make_bad_request(
                f"The value '{value}' of '{path}' of '{self.id.path}' is invalid. Allowed: {choices}.",
                "InvalidParameterValue",
            )

    def require_unchanged(self, *paths: str) -> None:
        """Raise RefusedError if an update changes the value at one of these paths."""
        if self.previous is None:
            return
        for path in paths:
            old, new = get_value(self.previous.body, path), get_value(self.body, path)
            if old is not None and new is not None and new != old:
                raise make_conflict(
                    f"Property '{path}' of '{self.id.path}' cannot be changed.", "PropertyChangeNotAllowed"
                )

    def require_reference(self, path: str | None, type_: str, action: str | None = None) -> Resource:
        """Return the resource that the body refers to.

        Args:
            path: The id of that resource.
            type_: The type that it must have.
            action: What the writer must be allowed to do to it, such as `join/action`.

        Raises:
            RefusedError: The resource does not exist, has another type, or the writer has no right to `action`.
        """
        resource = self.store.find(path or "")
        if resource is None or resource.id.type.lower() != type_.lower():
            raise RefusedError(
                400, "InvalidResourceReference", f"'{self.id.path}' refers to '{path}', which is no existing {type_}."
            )
        if action:
            self.check_link(f"{type_}/{action}", resource.id)
        return resource


def get_objects(body: Json, path: str) -> list[Json]:
    """Return the list of objects at a dotted path, or an empty list."""
    return cast(list[Json], get_value(body, path) or [])


def get_strings(body: Json, path: str) -> list[str]:
    """Return the list of strings at a dotted path, or an empty list."""
    return cast(list[str], get_value(body, path) or [])


def get_value(body: Json, path: str) -> Any:  # noqa: ANN401  the caller knows what JSON holds there
    """Return the value at a dotted path, or None."""
    value: Any = body
    for part in path.split("."):
        if not isinstance(value, dict):
            return None
        value = value.get(part)  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return value  # pyright: ignore[reportUnknownVariableType]


def _accept(_: Write) -> None:
    pass


def _allow_delete(_store: Store, _resource: Resource) -> None:
    pass


def _show_body(_store: Store, resource: Resource) -> Json:
    return resource.body


ActionHandler = Callable[[Store, Resource, Json], Json]
"""Handles a POST on a resource. Takes the request's body and returns the response's."""


APPLY_LOG = "an apply of azurerm in centralus whose log was published in September 2026"
"""A source of minutes. The log has no permanent address. The text after this says how long a resource took there."""
ESTIMATE = "an estimate: no source was found"


@dataclass(frozen=True)
class ResourceType:
    """A resource type: how a body is checked and completed, which actions it has, and how long operations take."""

    name: str
    complete: Callable[[Write], None] = _accept
    """Raises RefusedError for what Azure refuses, and adds to the body what Azure adds."""
    minutes: float | Callable[[Write], float] = 0.0
    """Typical provisioning time in minutes: of a create, or of the given write. At 0 the write is done at once.

    `source` says where the number comes from."""
    source: str = ""
    """Where `minutes` comes from, and which part of it is an estimate."""
    delete_minutes: float = 0.0
    polling_header: str = "Azure-AsyncOperation"
    """The header with the address at which a long operation is polled: this one, or `Location`."""
    poll_action: str = ""
    """The right that a poll of a long operation needs at the subscription; empty if the operation needs none."""
    actions: Mapping[str, ActionHandler] = field(default_factory=dict[str, ActionHandler])
    """The POST actions by name."""
    long_actions: Mapping[str, float] = field(default_factory=dict[str, float])
    """The actions that Azure answers with 202 and a long operation, and how many minutes it takes."""
    before_delete: Callable[[Store, Resource], None] = _allow_delete
    """Called before a delete. Raises RefusedError if Azure refuses the delete."""
    created_status: int = 201
    updated_status: int = 200
    """A write with status 202 is answered without a body; with any other status, with the resource."""
    show: Callable[[Store, Resource], Json] = _show_body
    """Returns the body of a GET."""

    def get_minutes(self, write: Write) -> float:
        """Return how many minutes a write takes. If `minutes` is a number, an update is estimated at a quarter."""
        if callable(self.minutes):
            return self.minutes(write)
        return self.minutes / 4 if write.previous else self.minutes
