"""PostgreSQL 17 on a flexible server, reached through its private endpoint only."""

from cdktf import TerraformResource
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.postgresql_flexible_server import (
    PostgresqlFlexibleServer,
    PostgresqlFlexibleServerAuthentication,
    PostgresqlFlexibleServerHighAvailability,
    PostgresqlFlexibleServerMaintenanceWindow,
)
from cdktf_cdktf_provider_azurerm.postgresql_flexible_server_active_directory_administrator import (
    PostgresqlFlexibleServerActiveDirectoryAdministrator,
)
from cdktf_cdktf_provider_azurerm.postgresql_flexible_server_configuration import (
    PostgresqlFlexibleServerConfiguration,
)
from cdktf_cdktf_provider_azurerm.postgresql_flexible_server_database import PostgresqlFlexibleServerDatabase

from constructs_lib.checkov_exceptions import except_check
from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.network import Network
from constructs_lib.place import AzureStack, Capability
from constructs_lib.private_endpoint import add_private_endpoint
from constructs_lib.protection import protect
from environments.settings import DatabaseSettings

PARAMETERS = {
    "require_secure_transport": "on",
    "ssl_min_protocol_version": "TLSv1.2",
    "connection_throttle.enable": "on",
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_lock_waits": "on",
    "log_min_duration_statement": "1000",
    # Statements are logged, for their duration or their error, but never the values that they are run with.
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "azure.extensions": "CITEXT,PGAUDIT,PGCRYPTO,PG_STAT_STATEMENTS,UUID-OSSP",
    "shared_preload_libraries": "pg_stat_statements,pgaudit",
    "pgaudit.log": "ddl,role",
    "metrics.collector_database_activity": "on",
}
PGBOUNCER_PARAMETERS = {
    "pgbouncer.enabled": "true",
    "pgbouncer.pool_mode": "transaction",
    # asyncpg prepares statements. Without this setting PgBouncer loses them between transactions.
    "pgbouncer.max_prepared_statements": "200",
}
# https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-limits#maximum-connections
MAX_CONNECTIONS: dict[str, int] = {
    "B_Standard_B1ms": 50,
    "B_Standard_B2s": 429,
    "B_Standard_B2ms": 859,
    "GP_Standard_D2ds_v5": 859,
    "GP_Standard_D4ds_v5": 1718,
    "GP_Standard_D8ds_v5": 3437,
    "MO_Standard_E2ds_v5": 1718,
    "MO_Standard_E4ds_v5": 3437,
}
RESERVED_CONNECTIONS = 15
"""How many of a sku's connections the server reserves for itself."""

DAYS = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")


class Database(Capability):
    """The server (`server`), its database (`database`), parameters, Entra administrators and private endpoint.

    `connection_limit` is the number of connections that the sku leaves to users.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        settings: DatabaseSettings,
        network: Network,
        workspace: LogAnalyticsWorkspace,
    ) -> None:
        super().__init__(scope, id_)
        self.connection_limit = MAX_CONNECTIONS[settings.sku] - RESERVED_CONNECTIONS
        self.server = PostgresqlFlexibleServer(
            self,
            "server",
            **self.place.compose_arguments("postgresql", name=settings.server_name),
            version="17",
            sku_name=settings.sku,
            storage_mb=settings.storage_gb * 1024,
            auto_grow_enabled=True,
            backup_retention_days=settings.backup_retention_days,
            geo_redundant_backup_enabled=settings.geo_redundant_backup,
            high_availability=PostgresqlFlexibleServerHighAvailability(mode=settings.high_availability)
            if settings.high_availability
            else None,
            # Azure patches servers without a window at least seven days before those with one, so a test environment
            # without one meets a bad patch first.
            # https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-maintenance
            maintenance_window=PostgresqlFlexibleServerMaintenanceWindow(
                day_of_week=DAYS.index(settings.maintenance_day),
                start_hour=settings.maintenance_hour_utc,
                start_minute=0,
            )
            if settings.maintenance_day
            else None,
            public_network_access_enabled=False,
            authentication=PostgresqlFlexibleServerAuthentication(
                active_directory_auth_enabled=True,
                password_auth_enabled=True,
                tenant_id=self.place.account.tenant_id,
            ),
            administrator_login="augeo_owner",
            # A write-only password: Terraform sends it once and keeps it in neither plan nor state. Afterwards a person
            # sets another one (docs/quickstart.md). It must stay here, because the provider refuses every update of the
            # server while it is null.
            administrator_password_wo="Aa1-${uuid()}",  # noqa: S106  an expression: Terraform makes up a value at each apply
            administrator_password_wo_version=1,
        )
        if not settings.geo_redundant_backup:
            except_check(self.server, "CKV_AZURE_136", "Only production keeps backups in a second region.")
        protect(
            self.server,
            "database_server",
            place=self.place,
            ignore_changes=[
                # After an import the version is unset, and Terraform would reset the password.
                "administrator_password_wo_version",
                # Azure chooses the zones, and exchanges them in a failover.
                "zone",
                "high_availability[0].standby_availability_zone",
                # The disk grows by itself, and never shrinks.
                "storage_mb",
                # A restored server keeps the values that it was created with.
                "create_mode",
                "source_server_id",
                "point_in_time_restore_time_in_utc",
            ],
        )
        send_diagnostics(self.server, workspace)
        # The server refuses an operation while another one runs, with the error ServerIsBusy:
        # https://github.com/hashicorp/terraform-provider-azurerm/issues/29177
        # Connecting the endpoint is such an operation. So endpoint, database, parameters and administrators are created
        # one after the other.
        endpoint = add_private_endpoint(self, role="database", target=self.server, network=network)
        self.database = PostgresqlFlexibleServerDatabase(
            self,
            "database",
            name="augeo",
            server_id=self.server.id,
            charset="UTF8",
            collation="en_US.utf8",
            depends_on=[endpoint],
        )
        protect(self.database, "database", place=self.place, lock=False)  # the server's lock covers it
        self._configure_one_at_a_time(PARAMETERS | (PGBOUNCER_PARAMETERS if settings.pgbouncer else {}))

    def _configure_one_at_a_time(self, parameters: dict[str, str]) -> None:
        previous: TerraformResource = self.database
        for name, value in parameters.items():
            previous = PostgresqlFlexibleServerConfiguration(
                self, name, name=name, value=value, server_id=self.server.id, depends_on=[previous]
            )
        PostgresqlFlexibleServerActiveDirectoryAdministrator(
            self,
            "entra-administrators",
            server_name=self.server.name,
            resource_group_name=self.place.resource_group,
            tenant_id=self.place.account.tenant_id,
            object_id=self.place.account.database_admins_object_id,
            principal_name=self.place.account.database_admins_name,
            principal_type="Group",
            depends_on=[previous],
        )
