"""Resource Manager's own behaviour: a store of resources, their parents, locks and long operations. Knows no HTTP."""

import copy
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from rehearsal.stand_in.ids import GROUP_TYPE, LOCK_TYPE, SUBSCRIPTION_TYPE, ResourceId, is_within, parse_id
from rehearsal.stand_in.locations import check_location
from rehearsal.stand_in.managed_identities import resolve_identities
from rehearsal.stand_in.model import (
    CheckLink,
    Json,
    RefusedError,
    Resource,
    ResourceType,
    Write,
    allow_any_link,
    make_conflict,
)
from rehearsal.stand_in.provisioning_states import set_provisioning_state

SECONDS_PER_MINUTE = 0.02
"""How many real seconds a minute of Azure takes by default."""

ENDED_OPERATIONS = 10_000
"""How many operations that have ended can still be polled. The oldest are forgotten, as Azure forgets them."""

FailOperation = Callable[[ResourceId], RefusedError | None]
"""Called when a write is accepted. Returns the error with which its operation will fail, or None."""


def _fail_no_operation(_: ResourceId) -> RefusedError | None:
    return None


def _do_nothing() -> None:
    pass


@dataclass
class Operation:
    """A long operation, which ends at a set time."""

    id: str
    resource: ResourceId
    minutes: float
    """How long it takes in Azure."""
    ends: float
    """When it ends, in seconds of the resource manager's clock."""
    finish: Callable[[], None]
    """Called when it ends."""
    status: str = "InProgress"
    error: RefusedError | None = None
    """The error with which it ends, if it fails."""


@dataclass(frozen=True)
class AcceptedRequest:
    """The response to a write or a delete that was not refused."""

    status: int
    body: Json | None
    operation: Operation | None = None
    polling_header: str = ""
    """The header with the address at which the operation is polled."""


class ResourceManager:
    """One subscription in one tenant, in memory. Not thread-safe: one event loop owns it."""

    def __init__(
        self,
        types: Iterable[ResourceType],
        *,
        subscription: str,
        tenant: str,
        seconds_per_minute: float = SECONDS_PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
        fail_operation: FailOperation = _fail_no_operation,
    ) -> None:
        self.tenant = tenant
        self.subscription = subscription
        self.seconds_per_minute = seconds_per_minute
        self._clock = clock
        self._fail_operation = fail_operation
        self._types = {type_.name.lower(): type_ for type_ in types}
        self._resources: dict[str, Resource] = {}
        self._running: dict[str, Operation] = {}
        self._ended: dict[str, Operation] = {}
        self.put(f"/subscriptions/{subscription}", {"subscriptionId": subscription, "tenantId": tenant})

    # Reading

    def get_type(self, id_: ResourceId) -> ResourceType:
        """Return the type of a resource.

        Raises:
            RefusedError: 501, because no family has this type.
        """
        type_ = self._types.get(id_.type.lower())
        if type_ is None:
            raise RefusedError(
                501, "RehearsalUnknownType", f"The rehearsal does not know the resource type '{id_.type}' ({id_.path})."
            )
        return type_

    def find(self, path: str) -> Resource | None:
        """Return the resource, or None if it does not exist."""
        return self._resources.get("/" + path.strip("/").lower())

    def get(self, id_: ResourceId) -> Resource:
        """Return the resource.

        Raises:
            RefusedError: 404 if it does not exist; 501 if its type is unknown.
        """
        self.get_type(id_)
        resource = self.find(id_.path)
        if resource is None:
            if id_.type == GROUP_TYPE:
                raise RefusedError(404, "ResourceGroupNotFound", f"Resource group '{id_.name}' could not be found.")
            raise RefusedError(404, "ResourceNotFound", f"The Resource '{id_.path}' was not found.")
        return resource

    def show(self, id_: ResourceId) -> Json:
        """Return the body of a GET of the resource. Raises RefusedError as `get` does."""
        return self.get_type(id_).show(self, self.get(id_))

    def list_resources(self, type_: str | None = None, scope: str = "/") -> Iterator[Resource]:
        """Yield every resource at or below a scope, or only those of one type (in any case)."""
        lower_type = None if type_ is None else type_.lower()
        for resource in list(self._resources.values()):
            if lower_type in (None, resource.id.type.lower()) and is_within(resource.id.path, scope):
                yield resource

    def list_children(self, path: str) -> Iterator[Resource]:
        """Yield every resource below a resource."""
        return (resource for resource in self.list_resources(scope=path) if resource.id.key != path.lower())

    def require_parent(self, id_: ResourceId) -> None:
        """Raise RefusedError (404) if what holds the resource does not exist."""
        parent = id_.parent
        if not parent or self.find(parent):
            return
        group = parse_id("/".join(parent.split("/")[:5])) if "/resourcegroups/" in parent.lower() else None
        if group and not self.find(group.path):
            raise RefusedError(404, "ResourceGroupNotFound", f"Resource group '{group.name}' could not be found.")
        if parse_id(parent).type == SUBSCRIPTION_TYPE:
            raise RefusedError(404, "SubscriptionNotFound", f"The subscription '{parent}' could not be found.")
        raise RefusedError(
            404,
            "ParentResourceNotFound",
            f"Failed to perform 'write' on resource of type '{id_.type}', because the parent resource '{parent}' "
            "could not be found.",
        )

    def get_operation(self, id_: str) -> Operation:
        """Return the operation. Raises RefusedError (404) if it does not exist."""
        operation = self._running.get(id_) or self._ended.get(id_)
        if operation is None:
            raise RefusedError(404, "OperationNotFound", f"There is no operation '{id_}'.")
        return operation

    # Writing

    def put(self, path: str, body: Json) -> Resource:
        """Store a resource without any check, as Azure does for what it creates by itself."""
        id_ = parse_id(path)
        full_body = {"id": id_.path, "name": id_.name, "type": id_.type} | copy.deepcopy(body)
        resource = Resource(id_, full_body, _make_etag(), self.read_clock())
        self._resources[id_.key] = resource
        return resource

    def ensure(self, path: str, body: Json) -> Resource:
        """Return the resource. If it does not exist, `put` it first."""
        return self.find(path) or self.put(path, body)

    def remove(self, path: str) -> None:
        """Remove a resource and everything below it, without any check."""
        for resource in list(self.list_resources(scope=path)):
            del self._resources[resource.id.key]

    def write(
        self, id_: ResourceId, sent: Json, *, patch: bool = False, check_link: CheckLink = allow_any_link
    ) -> AcceptedRequest:
        """PUT or PATCH a resource. `check_link` is called for every resource that the new one refers to.

        Raises:
            RefusedError: Azure refuses the write.
        """
        type_ = self.get_type(id_)
        self._refuse_if_busy(id_)
        self._refuse_if_locked(id_, "write")
        previous = self.get(id_) if patch else self.find(id_.path)
        if previous is None:
            self.require_parent(id_)
        body = _drop_nulls(sent)
        if patch and previous is not None:
            body = merge_patch(previous.body, sent)
            if "tags" in sent:
                # Azure replaces the tags as a whole, so a tag that is not sent is taken away. The other way, which
                # merges, is an API of its own: https://learn.microsoft.com/rest/api/resources/tags/update-at-scope.
                body["tags"] = _drop_nulls(sent["tags"] or {})
            if isinstance(metadata := sent.get("properties", {}).get("metadata"), dict):
                # A DNS record keeps its tags there, and azurerm takes one away by a PATCH: `withTagsUpdate` in
                # https://github.com/hashicorp/terraform-provider-azurerm/blob/v4.81.0/internal/services/dns/dns_ns_record_resource_test.go
                body["properties"]["metadata"] = _drop_nulls(cast(Json, metadata))
        elif previous is not None and "tags" not in body and id_.parent == id_.scope:
            body["tags"] = {}
        check_location(id_, body, previous)
        path = previous.id.path if previous else id_.path
        body |= {"id": path, "name": id_.name, "type": id_.type}
        resource = Resource(previous.id if previous else id_, body, _make_etag(), self.read_clock())
        write = Write(self, resource, copy.deepcopy(previous), check_link)
        resolve_identities(write)
        minutes = type_.get_minutes(write)
        type_.complete(write)
        failure = self._fail_operation(id_)
        self._resources[id_.key] = resource
        created = previous is None
        status = type_.created_status if created else type_.updated_status
        if not minutes and not failure:
            set_provisioning_state(resource, "Succeeded")
            return AcceptedRequest(status, resource.body)
        set_provisioning_state(resource, "Creating" if created else "Updating")
        final_state = "Failed" if failure else "Succeeded"
        operation = self._start_operation(id_, minutes, lambda: set_provisioning_state(resource, final_state), failure)
        return AcceptedRequest(status, None if status == 202 else resource.body, operation, type_.polling_header)

    def delete(self, id_: ResourceId) -> AcceptedRequest:
        """DELETE a resource and everything below it. A resource that does not exist is answered with 204.

        Raises:
            RefusedError: Azure refuses the delete.
        """
        type_ = self.get_type(id_)
        resource = self.find(id_.path)
        if resource is None:
            return AcceptedRequest(204, None)
        self._refuse_if_busy(id_)
        self._refuse_if_locked(id_, "delete")
        type_.before_delete(self, resource)
        if not type_.delete_minutes:
            self.remove(id_.path)
            return AcceptedRequest(200, None)
        set_provisioning_state(resource, "Deleting")
        operation = self._start_operation(id_, type_.delete_minutes, lambda: self.remove(id_.path), None)
        return AcceptedRequest(202, None, operation, "Location")

    def run_action(self, id_: ResourceId, name: str, body: Json) -> AcceptedRequest:
        """POST an action on a resource.

        Raises:
            RefusedError: 501 if the action is unknown; otherwise what Azure refuses.
        """
        type_ = self.get_type(id_)
        actions = {action_name.lower(): action for action_name, action in type_.actions.items()}
        if name.lower() not in actions:
            raise RefusedError(
                501, "RehearsalUnknownAction", f"The rehearsal does not know the action '{name}' of '{id_.type}'."
            )
        self._refuse_if_locked(id_, "write")
        resource = self.get(id_)
        minutes = {long_name.lower(): minutes for long_name, minutes in type_.long_actions.items()}.get(name.lower())
        if minutes is not None:
            self._refuse_if_busy(id_)
        answer = actions[name.lower()](self, resource, body)
        if minutes is None:
            return AcceptedRequest(200, answer)
        return AcceptedRequest(202, None, self._start_operation(id_, minutes, _do_nothing, None), type_.polling_header)

    # Time

    def read_clock(self) -> float:
        """Return the time of the clock, in seconds."""
        return self._clock()

    @property
    def finished_operations(self) -> list[Operation]:
        """The last operations that have succeeded, up to `ENDED_OPERATIONS`."""
        return [operation for operation in self._ended.values() if operation.status == "Succeeded"]

    def finish_due_operations(self) -> None:
        """Finish every operation whose time is over. Call this before reading or writing resources."""
        now = self.read_clock()
        for operation in [operation for operation in self._running.values() if operation.ends <= now]:
            operation.finish()
            operation.finish = _do_nothing  # it held the resource in memory
            operation.status = "Failed" if operation.error else "Succeeded"
            self._ended[operation.id] = self._running.pop(operation.id)
        while len(self._ended) > ENDED_OPERATIONS:
            del self._ended[next(iter(self._ended))]

    def get_remaining_seconds(self, operation: Operation) -> float:
        """Return how many real seconds are left until the operation ends."""
        return max(0.0, operation.ends - self.read_clock())

    def _start_operation(
        self, id_: ResourceId, minutes: float, finish: Callable[[], None], error: RefusedError | None
    ) -> Operation:
        ends = self.read_clock() + minutes * self.seconds_per_minute
        operation = Operation(str(uuid.uuid4()), id_, minutes, ends, finish, error=error)
        self._running[operation.id] = operation
        return operation

    # Rules

    def _refuse_if_busy(self, id_: ResourceId) -> None:
        """Refuse a second long operation on the same resource, as most resource providers do.

        https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-conflict
        """
        for operation in self._running.values():
            if operation.resource.key == id_.key:
                raise make_conflict(
                    f"Another operation on '{id_.path}' is in progress. Try again later.", "AnotherOperationInProgress"
                )

    def _refuse_if_locked(self, id_: ResourceId, operation: Literal["write", "delete"]) -> None:
        """Refuse the deletion of a resource if there is a lock on it, on anything above it or on anything below it.

        A ReadOnly lock on it or above it also refuses writes and actions, such as listing keys.
        https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
        """
        if id_.type.lower() == LOCK_TYPE.lower():
            return
        for lock in self.list_resources(LOCK_TYPE):
            lock_is_above = is_within(id_.path, lock.id.scope)
            lock_is_below = is_within(lock.id.scope, id_.path)
            if operation == "write":
                refused = lock_is_above and lock.properties["level"] == "ReadOnly"
            else:
                refused = lock_is_above or lock_is_below
            if refused:
                raise make_conflict(
                    f"The scope '{id_.path}' cannot perform {operation} operation because following scope(s) are "
                    f"locked: '{lock.id.scope}'. Please remove the lock and try again.",
                    "ScopeLocked",
                )


def merge_patch(old: Mapping[str, object], new: Mapping[str, object]) -> Json:
    """Return `old` with the changes in `new`, as a JSON merge patch: https://www.rfc-editor.org/rfc/rfc7396."""
    result: Json = copy.deepcopy(dict(old))
    for name, value in new.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merge_patch(cast(Json, result[name]), cast(Json, value))
        else:
            result[name] = copy.deepcopy(cast(object, value))
    return result


def _drop_nulls(body: Json) -> Json:
    return {
        name: _drop_nulls(cast(Json, value)) if isinstance(value, dict) else copy.deepcopy(value)
        for name, value in body.items()
        if value is not None
    }


def _make_etag() -> str:
    return f'W/"{uuid.uuid4()}"'
