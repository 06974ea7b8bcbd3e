"""What runs inside the network besides the API: jobs of Container Apps, started by hand or by a delivery.

A job is a template. Whoever starts it says which image to run, by digest, so that a release migrates the database with
its own image. Until then the template names a public image that does nothing.

backend/.azure/job.py is what the jobs run. docs/contracts/application.md has the contract.
"""

from cdktf_cdktf_provider_azurerm.container_app_environment import (
    ContainerAppEnvironment,
    ContainerAppEnvironmentWorkloadProfile,
)
from cdktf_cdktf_provider_azurerm.container_app_job import (
    ContainerAppJob,
    ContainerAppJobIdentity,
    ContainerAppJobManualTriggerConfig,
    ContainerAppJobRegistry,
    ContainerAppJobTemplate,
    ContainerAppJobTemplateContainer,
    ContainerAppJobTemplateContainerEnv,
)
from cdktf_cdktf_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace

from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.key_vault import KeyVault
from constructs_lib.place import AzureStack, Capability
from environments.settings import JobsSettings

PLACEHOLDER = (
    "mcr.microsoft.com/k8se/quickstart"
    "@sha256:3a4d93c34c6753f24765ab17a36f1754aee9b02082b7d9553d17697b9e8252c4"  # pragma: allowlist secret
)
"""Microsoft's image for container apps that have none yet, by the digest that public projects pin."""
CONSUMPTION = "Consumption"
SCRIPT = ".azure/job.py"
"""Where the image has backend/.azure/job.py, from its working directory."""


class Jobs(Capability):
    """The Container Apps environment (`environment`), and the jobs `migrate` and `console` in it.

    The environment scales to zero. It still costs a load balancer and a public address for what goes out:
    https://learn.microsoft.com/azure/container-apps/custom-virtual-networks#managed-resources.

    Args:
        settings: The size and the time limits.
        subnet_id: The subnet that belongs to the environment alone.
        identity: Whom the jobs run as.
        registry: The registry's login server, `<name>.azurecr.io`.
        vault: The vault of the application's secrets.
        owner_vault: The vault of the database owner's URL, which only jobs read.
        workspace: Where the jobs' output goes.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        settings: JobsSettings,
        subnet_id: str,
        identity: DataAzurermUserAssignedIdentity,
        registry: str,
        vault: KeyVault,
        owner_vault: KeyVault,
        workspace: LogAnalyticsWorkspace,
    ) -> None:
        super().__init__(scope, id_)
        self.environment = ContainerAppEnvironment(
            self,
            "environment",
            **self.place.compose_arguments("container_app_environment"),
            infrastructure_subnet_id=subnet_id,
            internal_load_balancer_enabled=True,
            public_network_access="Disabled",
            # The diagnostic setting below sends the logs. The other way would need the workspace's shared key.
            logs_destination="azure-monitor",
            workload_profile=[
                ContainerAppEnvironmentWorkloadProfile(name=CONSUMPTION, workload_profile_type=CONSUMPTION)
            ],
        )
        send_diagnostics(self.environment, workspace)
        for name, minutes in (("migrate", settings.migrate_minutes), ("console", settings.console_minutes)):
            ContainerAppJob(
                self,
                name,
                **self.place.compose_arguments("container_app_job", name),
                container_app_environment_id=self.environment.id,
                workload_profile_name=CONSUMPTION,
                # A migration that has failed must be looked at, and a command may not run twice.
                replica_retry_limit=0,
                replica_timeout_in_seconds=minutes * 60,
                manual_trigger_config=ContainerAppJobManualTriggerConfig(parallelism=1, replica_completion_count=1),
                identity=ContainerAppJobIdentity(type="UserAssigned", identity_ids=[identity.id]),
                registry=[ContainerAppJobRegistry(server=registry, identity=identity.id)],
                template=ContainerAppJobTemplate(
                    container=[
                        ContainerAppJobTemplateContainer(
                            name=name,
                            image=PLACEHOLDER,
                            cpu=float(settings.cpu),
                            memory=f"{float(settings.cpu) * 2:g}Gi",
                            command=["python", SCRIPT, name],
                            # The secrets are read when the job runs, so that an apply does not need them.
                            env=[
                                ContainerAppJobTemplateContainerEnv(name=variable, value=value)
                                for variable, value in {
                                    "AZURE_CLIENT_ID": identity.client_id,
                                    "OWNER_VAULT_URI": owner_vault.vault.vault_uri,
                                    "VAULT_URI": vault.vault.vault_uri,
                                }.items()
                            ],
                        )
                    ]
                ),
            )
