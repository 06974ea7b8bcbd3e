"""Azure Managed Redis. It accepts TLS only, and is reached through its private endpoint only."""

from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.managed_redis import ManagedRedis, ManagedRedisDefaultDatabase

from constructs_lib.diagnostics import Categories, add_diagnostic_setting, send_diagnostics
from constructs_lib.network import Network
from constructs_lib.place import AzureStack, Capability
from constructs_lib.private_endpoint import add_private_endpoint
from constructs_lib.protection import protect
from environments.settings import CacheSettings


class Cache(Capability):
    """The Redis cluster (`redis`) and its one database, on port 10000."""

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        settings: CacheSettings,
        network: Network,
        workspace: LogAnalyticsWorkspace,
    ) -> None:
        super().__init__(scope, id_)
        self.redis = ManagedRedis(
            self,
            "redis",
            **self.place.compose_arguments("managed_redis"),
            sku_name=settings.sku,
            high_availability_enabled=settings.high_availability,
            public_network_access="Disabled",
            default_database=ManagedRedisDefaultDatabase(
                client_protocol="Encrypted",
                # Clients without cluster support need one endpoint. A change recreates the database.
                clustering_policy="EnterpriseCluster",
                eviction_policy=settings.eviction,
                # REDIS_URL contains an access key; the application does not use redis-py's Entra login.
                access_keys_authentication_enabled=True,
                persistence_redis_database_backup_frequency=settings.persistence,
            ),
        )
        protect(self.redis, "cache", place=self.place)
        send_diagnostics(self.redis, workspace)
        # The database sends logs, the cluster sends metrics.
        add_diagnostic_setting(
            self.redis, "cluster-diagnostics", target=self.redis.id, categories=Categories(), workspace=workspace
        )
        add_private_endpoint(self, role="cache", target=self.redis, network=network)
