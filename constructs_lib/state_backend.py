"""Where Terraform state is stored: one storage account, with a state container and a plan container per stack."""

from collections.abc import Mapping

from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.storage_container_immutability_policy import StorageContainerImmutabilityPolicy

from constructs_lib.place import AzureStack, Capability, Place, StateLocation
from constructs_lib.storage import (
    add_container,
    add_lifecycle_rules,
    add_storage_account,
    build_blobs_rule,
    build_versions_rule,
)
from environments.settings import StateSettings

PLANS_KEPT_DAYS = 30


def locate_state(stack: str, *, shared: Place) -> StateLocation:
    """Return where the state of the stack with this name is stored."""
    return StateLocation(account=shared.names.compose("storage", "state"), container=f"tfstate-{stack}")


class StateBackend(Capability):
    """The storage account (`account`), and the containers of state (`states`) and of plan files (`plans`), by stack.

    Plan files contain sensitive values in clear text, so they are kept here, and not as build artifacts. Nobody can
    change or delete a plan file once it is written, so the plan that was reviewed is the one that is applied.

    Args:
        settings: Replication, and days of soft delete.
        stacks: The place of each stack, by the stack's name. A disposable stack's containers may be deleted with it.
        workspace: Where the account's logs go.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        settings: StateSettings,
        stacks: Mapping[str, Place],
        workspace: LogAnalyticsWorkspace,
    ) -> None:
        super().__init__(scope, id_)
        self.account = add_storage_account(
            self,
            "state",
            replication=settings.replication,
            deleted_kept_days=settings.deleted_kept_days,
            workspace=workspace,
            admitted=None,
        )
        self.states = {
            name: add_container(
                self, self.account, locate_state(name, shared=self.place).container, disposable=place.disposable
            )
            for name, place in stacks.items()
        }
        self.plans = {
            name: add_container(self, self.account, f"plans-{name}", disposable=place.disposable)
            for name, place in stacks.items()
        }
        for name, container in self.plans.items():
            # The policy is not locked, so that a person can still remove an environment and its container. The plan's
            # own identity cannot: its role has no action on policies.
            # https://learn.microsoft.com/azure/storage/blobs/immutable-container-level-worm-policies
            StorageContainerImmutabilityPolicy(
                self,
                f"plans-{name}-immutability",
                storage_container_resource_manager_id=container.id,
                immutability_period_in_days=PLANS_KEPT_DAYS,
                locked=False,
            )
        add_lifecycle_rules(
            self,
            "lifecycle",
            self.account,
            build_versions_rule(settings.deleted_kept_days),
            build_blobs_rule(
                "forget-old-plans", delete_after=PLANS_KEPT_DAYS, prefixes=[f"plans-{name}/" for name in stacks]
            ),
        )
