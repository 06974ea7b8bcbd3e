"""tools/prices.py: every type has a price, every budget room, and the sums are those of the price pages."""

import pytest

from environments import ENVIRONMENTS
from tests.policy.stacks import synthesize_checked_stacks
from tests.support import synthesize_application
from tools.prices import FREE, USAGE, UnknownPriceError, estimate_costs


def test_everything_in_every_phase_has_a_price() -> None:
    """Guards against something that bills and that nobody has counted."""
    for name, stack in synthesize_checked_stacks().items():
        assert estimate_costs(stack.body), name
    assert not FREE & USAGE


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_a_budget_has_room_for_a_normal_month(name: str) -> None:
    """Guards against a budget that cries every month: nobody would read it any more."""
    total = sum(cost.usd for cost in estimate_costs(synthesize_application()[name]))
    budget = ENVIRONMENTS[name].budget.monthly_usd
    assert 1.2 * total <= budget <= 1.4 * total, f"{total:.0f} USD"


def test_web_tests_cost_what_their_runs_cost() -> None:
    """Two tests from five places every five minutes: 5 places x 12 an hour x 730 hours x 0.0005 USD, twice."""
    test = {"geo_locations": ["a", "b", "c", "d", "e"], "frequency": 300}
    body = {"resource": {"azurerm_application_insights_standard_web_test": {"one": test, "two": test}}}
    assert dict(estimate_costs(body))["web tests"] == pytest.approx(43.8)


@pytest.mark.parametrize(
    ("resource", "reason"),
    [
        ({"azurerm_kubernetes_cluster": {"it": {}}}, "azurerm_kubernetes_cluster has no price"),
        ({"azurerm_service_plan": {"it": {"sku_name": "I1v2", "worker_count": 1}}}, "'I1v2' has no price"),
    ],
)
def test_what_has_no_price_is_named(resource: dict[str, object], reason: str) -> None:
    with pytest.raises(UnknownPriceError, match=reason):
        estimate_costs({"resource": resource})
