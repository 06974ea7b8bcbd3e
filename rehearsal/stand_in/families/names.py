"""Names that are one for all of Azure.

https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
"""

import re

from rehearsal.stand_in.application import Question, Route, route
from rehearsal.stand_in.model import Json, Write, bad_request, conflict


def global_name(write: Write, pattern: str) -> None:
    """Refuse a new resource whose name breaks the type's rule or is taken anywhere."""
    if write.previous:
        return
    if not re.fullmatch(pattern, write.id.name):
        raise bad_request(f"'{write.id.name}' is no name for a {write.id.type}.", "InvalidResourceName")
    if any(each.id.name.lower() == write.id.name.lower() for each in write.azure.all(write.id.type.lower())):
        raise conflict(f"The name '{write.id.name}' of {write.id.type} is already in use.", "NameAlreadyExists")


def available(type_: str, action: str) -> Route:
    """The search for a free name: `POST .../providers/NAMESPACE/checkNameAvailability`."""
    namespace = type_.split("/", 1)[0]

    def answer(question: Question) -> Json:
        if any(
            each.id.name.lower() == str(question.body.get("name", "")).lower()
            for each in question.azure.all(str(question.body.get("type", type_)).lower())
        ):
            return {"nameAvailable": False, "reason": "AlreadyExists", "message": "The name is already in use."}
        return {"nameAvailable": True}

    pattern = rf"/subscriptions/[^/]+/providers/{re.escape(namespace)}(?:/locations/[^/]+)?/{action}"
    return route("POST", pattern, f"{namespace}/{action}/read", answer)
