"""Resource groups and subscriptions, and the requests that list what they contain."""

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.ids import GROUP_TYPE, SUBSCRIPTION_TYPE
from rehearsal.stand_in.model import Json, ResourceType, Write
from rehearsal.stand_in.routes import Route, RouteRequest


def _complete_group(write: Write) -> None:
    write.require("location")


def _list_group(request: RouteRequest) -> Json:
    group = request.match[1]
    resources = [
        {
            "id": resource.id.path,
            "name": resource.id.name,
            "type": resource.id.type,
            "location": resource.body.get("location"),
        }
        for resource in request.store.list_children(group)
        if len(resource.id.names) == 1 and resource.id.scope.lower() == group.lower()
    ]
    return {"value": resources}


def _list_registrations(_: RouteRequest) -> Json:
    """List no registered resource providers. A subscription's owner registers them, and azurerm is told not to.

    It asks for them all the same when it starts: https://github.com/hashicorp/terraform-provider-azurerm/issues/26628
    """
    return {"value": []}


_TYPES = (ResourceType(SUBSCRIPTION_TYPE), ResourceType(GROUP_TYPE, _complete_group, delete_minutes=0.5))

_SUBSCRIPTION = r"/subscriptions/[^/]+"
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
_ROUTES = (
    Route("GET", rf"({_SUBSCRIPTION}/resourceGroups/[^/]+)/resources", f"{_GROUPS}/resources/read", _list_group),
    Route(
        "GET", rf"{_SUBSCRIPTION}/providers", "Microsoft.Resources/subscriptions/providers/read", _list_registrations
    ),
)
FAMILY = Family(_TYPES, _ROUTES)
