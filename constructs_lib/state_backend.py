"""Where Terraform state lives: one account; for each stack a container of its state and one of its plans."""

from collections.abc import Mapping

from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace

from constructs_lib.place import AzureStack, Capability, Place, State
from constructs_lib.storage import blobs_rule, container, forget_old, storage_account, versions_rule
from environments.settings import StateSettings

PLANS_KEPT_DAYS = 30


def state_of(stack: str, *, shared: Place) -> State:
    """Where the state of the stack with this name is."""
    return State(account=shared.names.compose("storage", "state"), container=f"tfstate-{stack}")


class StateBackend(Capability):
    """The account, and by stack the containers of its state (`states`) and its plan files (`plans`).

    `stacks` tells by name where each stack stands: a disposable one's containers may go with it.

    Plan files hold sensitive values in clear, so they stay here, and are no build artifacts.
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
        self.account = storage_account(
            self,
            "state",
            replication=settings.replication,
            deleted_kept_days=settings.deleted_kept_days,
            workspace=workspace,
            admitted=None,
        )
        self.states = {
            name: container(self, self.account, state_of(name, shared=self.place).container, disposable=each.disposable)
            for name, each in stacks.items()
        }
        self.plans = {
            name: container(self, self.account, f"plans-{name}", disposable=each.disposable)
            for name, each in stacks.items()
        }
        forget_old(
            self,
            "lifecycle",
            self.account,
            versions_rule(settings.deleted_kept_days),
            blobs_rule(
                "forget-old-plans", delete_after=PLANS_KEPT_DAYS, prefixes=[f"plans-{name}/" for name in stacks]
            ),
        )
