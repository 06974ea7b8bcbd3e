"""Values that Terraform writes at the first apply and leaves alone later, through the real provider."""

import pytest

from rehearsal.world import World
from tests.rehearsal import parts

pytestmark = pytest.mark.azure
BUDGET = "azurerm_consumption_budget_resource_group"


def test_a_budget_of_an_earlier_month_is_left_alone(azure_world: World) -> None:
    """Guards against a budget that is replaced in every month, because its start is the month of the plan."""
    stack = azure_world.write_stack("dev", parts.extract_types(parts.synthesize_stack("dev"), BUDGET), local_state=True)
    assert stack.init().code == 0
    assert stack.apply().code == 0
    manager = azure_world.stand_in.resource_manager
    (budget,) = manager.list_resources("Microsoft.Consumption/budgets")
    budget.properties["timePeriod"]["startDate"] = "2026-01-01T00:00:00Z"
    plan = stack.plan()
    assert plan.code == 0, plan.output[-2000:]
