"""Budgets: https://learn.microsoft.com/rest/api/consumption/budgets/create-or-update."""

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.model import ResourceType, Write, make_bad_request


def _complete_budget(write: Write) -> None:
    write.require("properties.amount", "properties.timeGrain", "properties.timePeriod.startDate")
    write.require_unchanged("properties.timePeriod.startDate", "properties.timeGrain")
    if write.properties["timePeriod"]["startDate"][8:10] != "01":
        raise make_bad_request("A budget starts on the first of a month.", "InvalidStartDate")
    if len(write.properties.get("notifications", {})) > 5:
        raise make_bad_request("A budget takes five notifications.", "TooManyNotifications")
    write.properties["timePeriod"].setdefault("endDate", "2036-12-01T00:00:00Z")


_TYPES = (ResourceType("Microsoft.Consumption/budgets", _complete_budget),)
FAMILY = Family(_TYPES)
