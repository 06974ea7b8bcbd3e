"""Resource groups, subscriptions and what is asked of them."""

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.ids import GROUP_TYPE, SUBSCRIPTION_TYPE
from rehearsal.stand_in.model import Json, ResourceType, Write
from rehearsal.stand_in.routes import Route, RouteRequest


def _complete_group(write: Write) -> None:
    write.require("location")


def _list_group(request: RouteRequest) -> Json:
    group = request.match[1]
    found = [
        {"id": each.id.path, "name": each.id.name, "type": each.id.type, "location": each.body.get("location")}
        for each in request.store.list_children(group)
        if len(each.id.names) == 1 and each.id.scope.lower() == group.lower()
    ]
    return {"value": found}


def _list_registrations(_: RouteRequest) -> Json:
    """Registration is a subscription owner's act, and the provider is told not to do it.

    It asks all the same when it starts: https://github.com/hashicorp/terraform-provider-azurerm/issues/26628
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
