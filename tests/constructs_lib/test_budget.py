"""The monthly budget."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.budget import Budget
from tests.constructs_lib.neighbours import built, environment, only
from tests.support import TerraformJson

VARIANTS = {"minimal": partial(environment, "dev"), "production": partial(environment, "production")}


@cache
def budget(variant: str) -> TerraformJson:
    return built(
        "budget", lambda near: Budget(near.stack, "budget", settings=near.settings.budget), VARIANTS[variant]()
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert budget(variant) == snapshot


def test_mail_goes_out_before_the_money_is_gone() -> None:
    """Guards against hearing of it on the bill: issue 3 asks for 80 and 100 %, and for the forecast."""
    notes = only(budget("minimal"), "azurerm_consumption_budget_resource_group")["notification"]
    assert {(each["threshold"], each["threshold_type"]) for each in notes} == {
        (80, "Actual"),
        (100, "Actual"),
        (100, "Forecasted"),
    }
    assert all(each["enabled"] and each["contact_emails"] for each in notes)


def test_start_is_a_constant() -> None:
    """Guards against today's date: `start_date` is ForceNew, so each month would replace the budget."""
    period = only(budget("minimal"), "azurerm_consumption_budget_resource_group")["time_period"]
    assert period["start_date"] == "2026-12-01T00:00:00Z"
