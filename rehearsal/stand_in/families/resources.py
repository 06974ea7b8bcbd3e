"""Resource groups, subscriptions and what is asked of them."""

from rehearsal.stand_in.application import Question, route
from rehearsal.stand_in.ids import GROUP_TYPE, SUBSCRIPTION_TYPE
from rehearsal.stand_in.model import Json, ResourceType, Write


def _group(write: Write) -> None:
    write.require("location")


def _in_group(question: Question) -> Json:
    group = question.found[1]
    found = [
        {"id": each.id.path, "name": each.id.name, "type": each.id.type, "location": each.body.get("location")}
        for each in question.azure.children(group)
        if len(each.id.names) == 1 and each.id.scope.lower() == group.lower()
    ]
    return {"value": found}


def _no_registrations(_: Question) -> Json:
    """Registration is a subscription owner's act, and the provider is told not to do it.

    It asks all the same when it starts: https://github.com/hashicorp/terraform-provider-azurerm/issues/26628
    """
    return {"value": []}


TYPES = (ResourceType(SUBSCRIPTION_TYPE), ResourceType(GROUP_TYPE, _group, delete_minutes=0.5))

_SUBSCRIPTION = r"/subscriptions/[^/]+"
_GROUPS = "Microsoft.Resources/subscriptions/resourceGroups"
ROUTES = (
    route("GET", rf"({_SUBSCRIPTION}/resourceGroups/[^/]+)/resources", f"{_GROUPS}/resources/read", _in_group),
    route("GET", rf"{_SUBSCRIPTION}/providers", "Microsoft.Resources/subscriptions/providers/read", _no_registrations),
)
