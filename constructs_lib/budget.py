"""The monthly budget of the environment's resource group."""

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.consumption_budget_resource_group import (
    ConsumptionBudgetResourceGroup,
    ConsumptionBudgetResourceGroupNotification,
    ConsumptionBudgetResourceGroupTimePeriod,
)

from constructs_lib.place import AzureStack, Capability
from environments.settings import BudgetSettings

FIRST_OF_THE_MONTH = "${formatdate(\"YYYY-MM-01'T'00:00:00Z\", plantimestamp())}"
"""The first of the month of the plan. Azure refuses a budget that starts in an earlier month, or in more than a year.

https://learn.microsoft.com/rest/api/consumption/budgets/create-or-update#budgettimeperiod and
https://developer.hashicorp.com/terraform/language/functions/plantimestamp
"""
THRESHOLDS = ((80, "Actual"), (100, "Actual"), (100, "Forecasted"))
"""The percentages of the amount, spent (Actual) or foreseen (Forecasted), at which Azure sends mail."""


class Budget(Capability):
    """Azure mails the account's addresses before and when the month's budget is spent. It does not stop anything."""

    def __init__(self, scope: AzureStack, id_: str, *, settings: BudgetSettings) -> None:
        super().__init__(scope, id_)
        ConsumptionBudgetResourceGroup(
            self,
            "budget",
            name=f"budget-{self.place.names.environment}",
            resource_group_id=self.place.resource_group_id,
            amount=settings.monthly_usd,
            time_grain="Monthly",
            time_period=ConsumptionBudgetResourceGroupTimePeriod(start_date=FIRST_OF_THE_MONTH),
            # A change of the start would replace the budget every month.
            lifecycle=TerraformResourceLifecycle(ignore_changes=["time_period"]),
            notification=[
                ConsumptionBudgetResourceGroupNotification(
                    enabled=True,
                    operator="GreaterThanOrEqualTo",
                    threshold=threshold,
                    threshold_type=kind,
                    contact_emails=list(self.place.account.alert_emails),
                )
                for threshold, kind in THRESHOLDS
            ],
        )
