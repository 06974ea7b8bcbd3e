"""Resource Manager's own behaviour: a store of resources, their parents, locks and long operations. Knows no HTTP."""

import copy
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from rehearsal.stand_in.ids import GROUP_TYPE, SUBSCRIPTION_TYPE, ResourceId, parse, within
from rehearsal.stand_in.model import (
    Json,
    Link,
    RefusedError,
    Resource,
    ResourceType,
    Write,
    bad_request,
    conflict,
    unchecked,
)

LOCK = "microsoft.authorization/locks"
SECONDS_PER_MINUTE = 0.02
"""How long a minute of Azure takes here, in seconds, unless told otherwise."""
GLOBAL = "global"
"""Where a resource stands that belongs to no region, such as a DNS zone."""
REGIONS = {
    "australiacentral", "australiacentral2", "australiaeast", "australiasoutheast", "austriaeast", "belgiumcentral",
    "brazilsouth", "brazilsoutheast", "canadacentral", "canadaeast", "centralindia", "centralus", "chilecentral",
    "denmarkeast", "eastasia", "eastus", "eastus2", "francecentral", "francesouth", "germanynorth",
    "germanywestcentral", "indonesiacentral", "israelcentral", "italynorth", "japaneast", "japanwest",
    "jioindiacentral", "jioindiawest", "koreacentral", "koreasouth", "malaysiawest", "mexicocentral",
    "newzealandnorth", "northcentralus", "northeurope", "norwayeast", "norwaywest", "polandcentral", "qatarcentral",
    "southafricanorth", "southafricawest", "southcentralus", "southeastasia", "southindia", "spaincentral",
    "swedencentral", "swedensouth", "switzerlandnorth", "switzerlandwest", "uaecentral", "uaenorth", "uksouth",
    "ukwest", "westcentralus", "westeurope", "westindia", "westus", "westus2", "westus3",
}  # fmt: skip
"""https://learn.microsoft.com/azure/reliability/regions-list"""


@dataclass
class Operation:
    """A long operation: what is done when its time has come, and what its poller is told."""

    id: str
    resource: ResourceId
    minutes: float
    """Of Azure's time."""
    ends: float
    finish: Callable[[], None]
    status: str = "InProgress"
    error: RefusedError | None = None


@dataclass(frozen=True)
class Accepted:
    """What a write or a delete answers."""

    status: int
    body: Json | None
    operation: Operation | None = None
    polled_at: str = ""


class Azure:
    """One subscription in one tenant, in memory. Not thread-safe: one event loop owns it."""

    def __init__(
        self,
        types: Iterable[ResourceType],
        *,
        subscription: str,
        tenant: str,
        seconds_per_minute: float = SECONDS_PER_MINUTE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.tenant = tenant
        self.subscription = subscription
        self.seconds_per_minute = seconds_per_minute
        self.clock = clock
        self.propagation_seconds = 0.0
        """How long a new role assignment takes until it counts."""
        self.base = ""
        """Where the stand-in answers, such as `https://localhost:1234`; polling addresses start with it."""
        self.fail_operation: Callable[[ResourceId], RefusedError | None] = lambda _id: None
        """Says of a long operation that it will end Failed, and with what."""
        self._types = {type_.name.lower(): type_ for type_ in types}
        self._resources: dict[str, Resource] = {}
        self._operations: dict[str, Operation] = {}
        self.put(f"/subscriptions/{subscription}", {"subscriptionId": subscription, "tenantId": tenant})

    # Reading

    def type_of(self, id_: ResourceId) -> ResourceType:
        """The type's entry; refuses loudly what no family knows."""
        known = self._types.get(id_.type.lower())
        if known is None:
            raise RefusedError(
                501, "RehearsalUnknownType", f"The rehearsal does not know the resource type '{id_.type}' ({id_.path})."
            )
        return known

    def find(self, path: str) -> Resource | None:
        """The resource, or None."""
        return self._resources.get("/" + path.strip("/").lower())

    def get(self, id_: ResourceId) -> Resource:
        """The resource; 404 in Azure's words where it is not there."""
        self.type_of(id_)
        found = self.find(id_.path)
        if found is None:
            if id_.type == GROUP_TYPE:
                raise RefusedError(404, "ResourceGroupNotFound", f"Resource group '{id_.name}' could not be found.")
            raise RefusedError(404, "ResourceNotFound", f"The Resource '{id_.path}' was not found.")
        return found

    def show(self, id_: ResourceId) -> Json:
        """What a GET answers."""
        return self.type_of(id_).readable(self, self.get(id_))

    def all(self, type_: str | None = None, scope: str = "/") -> Iterator[Resource]:
        """Every resource of a type at or below a scope."""
        for resource in list(self._resources.values()):
            if within(resource.id.path, scope) and type_ in (None, resource.id.type.lower()):
                yield resource

    def children(self, path: str) -> Iterator[Resource]:
        """Everything below a resource."""
        return (resource for resource in self.all(scope=path) if resource.id.key != path.lower())

    def operation(self, id_: str) -> Operation:
        """The operation; 404 where there is none."""
        if id_ not in self._operations:
            raise RefusedError(404, "OperationNotFound", f"There is no operation '{id_}'.")
        return self._operations[id_]

    # Writing

    def put(self, path: str, body: Json) -> Resource:
        """Put a resource there without asking: what Azure itself makes beside what was asked for."""
        id_ = parse(path)
        resource = Resource(
            id_, {"id": id_.path, "name": id_.name, "type": id_.type} | copy.deepcopy(body), _etag(), self.clock()
        )
        self._resources[id_.key] = resource
        return resource

    def ensure(self, path: str, body: Json) -> Resource:
        """The resource as it is, or as `put` makes it."""
        return self.find(path) or self.put(path, body)

    def remove(self, path: str) -> None:
        """Take a resource and everything below it away without asking."""
        for resource in list(self.all(scope=path)):
            del self._resources[resource.id.key]

    def write(self, id_: ResourceId, sent: Json, *, patch: bool = False, link: Link = unchecked) -> Accepted:
        """PUT or PATCH a resource. `link` is asked about every resource that the new one refers to.

        Raises:
            RefusedError: what Azure refuses, in its words.
        """
        type_ = self.type_of(id_)
        self._check_busy(id_)
        self._check_locks(id_, "write")
        previous = self.get(id_) if patch else self.find(id_.path)
        if previous is None:
            self._check_parent(id_)
        body = _without_nulls(sent)
        if patch and previous is not None:
            body = merged(previous.body, sent)
        elif previous is not None and "tags" not in body and id_.parent == id_.scope:
            body["tags"] = {}
        _check_location(id_, body, previous)
        path = previous.id.path if previous else id_.path
        body |= {"id": path, "name": id_.name, "type": id_.type}
        resource = Resource(previous.id if previous else id_, body, _etag(), self.clock())
        write = Write(self, resource, copy.deepcopy(previous), link)
        minutes = type_.takes(write)
        type_.complete(write)
        failure = self.fail_operation(id_)
        self._resources[id_.key] = resource
        created = previous is None
        status = type_.created_status if created else type_.updated_status
        if not minutes and not failure:
            if type_.has_state:
                resource.properties.setdefault("provisioningState", "Succeeded")
            return Accepted(status, resource.body)
        resource.properties["provisioningState"] = "Creating" if created else "Updating"
        final = "Failed" if failure else "Succeeded"
        operation = self._start(
            id_,
            minutes,
            lambda: resource.properties.update(provisioningState=final),
            failure,
        )
        return Accepted(status, None if status == 202 else resource.body, operation, type_.polled_at)

    def delete(self, id_: ResourceId) -> Accepted:
        """DELETE a resource with everything below it. What is not there is gone already: 204.

        Raises:
            RefusedError: what Azure refuses, in its words.
        """
        type_ = self.type_of(id_)
        found = self.find(id_.path)
        if found is None:
            return Accepted(204, None)
        self._check_busy(id_)
        self._check_locks(id_, "delete")
        type_.deleted(self, found)
        if not type_.delete_minutes:
            self.remove(id_.path)
            return Accepted(200, None)
        found.properties["provisioningState"] = "Deleting"
        operation = self._start(id_, type_.delete_minutes, lambda: self.remove(id_.path), None)
        return Accepted(202, None, operation, "Location")

    def act(self, id_: ResourceId, action: str, body: Json) -> Json:
        """POST an action on a resource."""
        known = {name.lower(): act for name, act in self.type_of(id_).actions.items()}
        if action.lower() not in known:
            raise RefusedError(
                501, "RehearsalUnknownAction", f"The rehearsal does not know the action '{action}' of '{id_.type}'."
            )
        self._check_locks(id_, "write")
        return known[action.lower()](self, self.get(id_), body)

    # Time

    @property
    def finished(self) -> list[Operation]:
        """The operations that have ended well."""
        return [each for each in self._operations.values() if each.status == "Succeeded"]

    def settle(self) -> None:
        """Finish every operation whose time has come. Called before anything is looked at."""
        now = self.clock()
        for operation in self._operations.values():
            if operation.status == "InProgress" and operation.ends <= now:
                operation.finish()
                operation.status = "Failed" if operation.error else "Succeeded"

    def remaining(self, operation: Operation) -> float:
        """Seconds of real time until the operation ends."""
        return max(0.0, operation.ends - self.clock())

    def _start(
        self, id_: ResourceId, minutes: float, finish: Callable[[], None], error: RefusedError | None
    ) -> Operation:
        ends = self.clock() + minutes * self.seconds_per_minute
        operation = Operation(str(uuid.uuid4()), id_, minutes, ends, finish, error=error)
        self._operations[operation.id] = operation
        return operation

    # Rules

    def _check_parent(self, id_: ResourceId) -> None:
        parent = id_.parent
        if not parent or self.find(parent):
            return
        group = parse("/".join(parent.split("/")[:5])) if "/resourcegroups/" in parent.lower() else None
        if group and not self.find(group.path):
            raise RefusedError(404, "ResourceGroupNotFound", f"Resource group '{group.name}' could not be found.")
        if parse(parent).type == SUBSCRIPTION_TYPE:
            raise RefusedError(404, "SubscriptionNotFound", f"The subscription '{parent}' could not be found.")
        raise RefusedError(
            404,
            "ParentResourceNotFound",
            f"Failed to perform 'write' on resource of type '{id_.type}', because the parent resource '{parent}' "
            "could not be found.",
        )

    def _check_busy(self, id_: ResourceId) -> None:
        """One long operation a resource at a time; so do most providers answer.

        https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-conflict
        """
        for operation in self._operations.values():
            if operation.status == "InProgress" and operation.resource.key == id_.key:
                raise conflict(
                    f"Another operation on '{id_.path}' is in progress. Try again later.", "AnotherOperationInProgress"
                )

    def _check_locks(self, id_: ResourceId, operation: Literal["write", "delete"]) -> None:
        """A lock on the resource, on anything above it or on anything below it refuses its deletion.

        ReadOnly on it or above it refuses writes as well, and actions, such as listing keys.
        https://learn.microsoft.com/azure/azure-resource-manager/management/lock-resources
        """
        if id_.type.lower() == LOCK:
            return
        for lock in self.all(LOCK):
            above, below = within(id_.path, lock.id.scope), within(lock.id.scope, id_.path)
            read_only = lock.properties["level"] == "ReadOnly"
            if (above and read_only) if operation == "write" else (above or below):
                raise conflict(
                    f"The scope '{id_.path}' cannot perform {operation} operation because following scope(s) are "
                    f"locked: '{lock.id.scope}'. Please remove the lock and try again.",
                    "ScopeLocked",
                )


def _check_location(id_: ResourceId, body: Json, previous: Resource | None) -> None:
    """A resource stands in a region that there is, and stays in it.

    https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
    """
    if "location" not in body:
        return
    what, group = ("ResourceGroup", True) if id_.type == GROUP_TYPE else ("Resource", False)
    location = _region(body["location"])
    if location not in REGIONS and (group or location != GLOBAL):
        suffix = "" if group else "Type"
        raise bad_request(
            f"The provided location '{body['location']}' is not available for '{id_.type}'.",
            f"LocationNotAvailableFor{what}{suffix}",
        )
    if previous and _region(previous.body.get("location", location)) != location:
        raise conflict(f"'{id_.path}' already exists in '{previous.body['location']}'.", f"Invalid{what}Location")


def _region(location: object) -> str:
    """Azure takes `East US 2` for `eastus2`."""
    return str(location).replace(" ", "").lower()


def merged(old: Mapping[str, object], new: Mapping[str, object]) -> Json:
    """JSON merge patch: https://www.rfc-editor.org/rfc/rfc7396."""
    result: Json = copy.deepcopy(dict(old))
    for name, value in new.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, dict) and isinstance(result.get(name), dict):
            result[name] = merged(cast(Json, result[name]), cast(Json, value))
        else:
            result[name] = copy.deepcopy(cast(object, value))
    return result


def _without_nulls(body: Json) -> Json:
    return {
        name: _without_nulls(cast(Json, value)) if isinstance(value, dict) else copy.deepcopy(value)
        for name, value in body.items()
        if value is not None
    }


def _etag() -> str:
    return f'W/"{uuid.uuid4()}"'
