"""Budgets: https://learn.microsoft.com/rest/api/consumption/budgets/create-or-update."""

from datetime import UTC, date, datetime

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.model import ResourceType, Write, make_bad_request


def _complete_budget(write: Write) -> None:
    write.require("properties.amount", "properties.timeGrain", "properties.timePeriod.startDate")
    write.require_unchanged("properties.timePeriod.startDate", "properties.timeGrain")
    if write.previous is None:
        _check_start(date.fromisoformat(write.properties["timePeriod"]["startDate"][:10]))
    if len(write.properties.get("notifications", {})) > 5:
        raise make_bad_request("A budget takes five notifications.", "TooManyNotifications")
    write.properties["timePeriod"].setdefault("endDate", "2036-12-01T00:00:00Z")


def _check_start(start: date) -> None:
    """Check that a new budget starts on the first of this month, or of one of the next twelve.

    https://learn.microsoft.com/rest/api/consumption/budgets/create-or-update#budgettimeperiod
    """
    if start.day != 1:
        raise make_bad_request("A budget starts on the first of a month.", "InvalidStartDate")
    today = datetime.now(UTC).date()
    months = (start.year - today.year) * 12 + start.month - today.month
    if not 0 <= months <= 12:
        raise make_bad_request(f"A budget starts in this month or in the next twelve, not {start}.", "InvalidStartDate")


_TYPES = (ResourceType("Microsoft.Consumption/budgets", _complete_budget),)
FAMILY = Family(_TYPES)
