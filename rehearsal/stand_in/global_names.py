"""Names that must be unique in all of Azure, and the request that asks whether one is free.

https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

import re

from rehearsal.stand_in.model import Json, Store, Write, make_bad_request, make_conflict
from rehearsal.stand_in.routes import Route, RouteRequest


def require_global_name(write: Write, pattern: str) -> None:
    """Check the name of a new resource. Updates are not checked.

    Raises:
        RefusedError: The name does not match the type's pattern, or a resource of the type has it already.
    """
    if write.previous:
        return
    if not re.fullmatch(pattern, write.id.name):
        raise make_bad_request(f"'{write.id.name}' is no name for a {write.id.type}.", "InvalidResourceName")
    if _is_taken(write.store, write.id.type, write.id.name):
        raise make_conflict(f"The name '{write.id.name}' of {write.id.type} is already in use.", "NameAlreadyExists")


def make_name_check(type_: str) -> Route:
    """Return the route that says whether a name is free: `POST .../providers/NAMESPACE/checkNameAvailability`."""
    namespace = type_.split("/", 1)[0]

    def check_name(request: RouteRequest) -> Json:
        name, asked_type = str(request.body.get("name", "")), str(request.body.get("type", type_))
        if _is_taken(request.store, asked_type, name):
            return {"nameAvailable": False, "reason": "AlreadyExists", "message": "The name is already in use."}
        return {"nameAvailable": True}

    action = f"{namespace}/checkNameAvailability"
    pattern = rf"/subscriptions/[^/]+/providers/{re.escape(namespace)}(?:/locations/[^/]+)?/checkNameAvailability"
    return Route("POST", pattern, f"{action}/read", check_name)


def _is_taken(store: Store, type_: str, name: str) -> bool:
    return any(resource.id.name.lower() == name.lower() for resource in store.list_resources(type_))
