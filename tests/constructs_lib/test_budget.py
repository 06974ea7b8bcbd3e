"""The monthly budget."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.budget import Budget
from tests.constructs_lib.neighbours import find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {"minimal": partial(make_environment, "dev"), "production": partial(make_environment, "production")}


@cache
def synthesize_budget(variant: str) -> TerraformJson:
    return synthesize_construct(
        "budget",
        lambda neighbours: Budget(neighbours.stack, "budget", settings=neighbours.settings.budget),
        VARIANTS[variant](),
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_budget(variant) == snapshot


def test_mail_goes_out_before_the_money_is_gone() -> None:
    """Guards against a budget that is exceeded unnoticed: mail goes out at 80 %, 100 % and a forecast of 100 %."""
    notifications = find_one(synthesize_budget("minimal"), "azurerm_consumption_budget_resource_group")["notification"]
    assert {(notification["threshold"], notification["threshold_type"]) for notification in notifications} == {
        (80, "Actual"),
        (100, "Actual"),
        (100, "Forecasted"),
    }
    assert all(notification["enabled"] and notification["contact_emails"] for notification in notifications)


def test_start_is_the_month_of_the_first_apply() -> None:
    """Guards against a start that Azure refuses, and against one that changes: a new start replaces the budget."""
    budget = find_one(synthesize_budget("minimal"), "azurerm_consumption_budget_resource_group")
    assert "plantimestamp()" in budget["time_period"]["start_date"]
    assert budget["lifecycle"]["ignore_changes"] == ["time_period"]
