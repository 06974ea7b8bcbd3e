"""docs/research.md: what each stack costs in a month, by its parts."""

from collections.abc import Mapping

from environments import Environment
from tools.pages.markdown_table import render_table_block
from tools.pages.stacks import TerraformJson
from tools.prices import estimate_costs


def sum_costs(stacks: Mapping[str, TerraformJson]) -> Mapping[str, float]:
    """Return what each stack costs in a month, in US dollars."""
    return {name: sum(cost.usd for cost in estimate_costs(body)) for name, body in stacks.items()}


def render_costs(stacks: Mapping[str, TerraformJson], environments: Mapping[str, Environment]) -> str:
    """Return a table with a row for each part, and a column for each stack."""
    costs = {name: dict(estimate_costs(body)) for name, body in stacks.items()}
    parts = sorted({part for of_stack in costs.values() for part in of_stack}, key=lambda part: -_sum_part(costs, part))
    rows = [
        [part, *(f"{of_stack[part]:.0f}" if part in of_stack else "" for of_stack in costs.values())] for part in parts
    ]
    sums = sum_costs(stacks)
    rows.append(["**together**", *(f"**{sums[name]:.0f}**" for name in stacks)])
    budgets = {name: environment.budget.monthly_usd for name, environment in environments.items()}
    rows.append(["budget", *(str(budgets.get(name, "")) for name in stacks)])
    return render_table_block(["USD a month", *stacks], rows)


def _sum_part(costs: Mapping[str, Mapping[str, float]], part: str) -> float:
    return sum(of_stack.get(part, 0.0) for of_stack in costs.values())
