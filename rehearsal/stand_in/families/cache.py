"""Azure Managed Redis: https://learn.microsoft.com/rest/api/redis/redisenterprisecache."""

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.global_names import require_global_name
from rehearsal.stand_in.model import APPLY_LOG, Json, Resource, ResourceType, Store, Write, make_bad_request

CLUSTER = "Microsoft.Cache/redisEnterprise"
DATABASE = f"{CLUSTER}/databases"
_SOURCE = f"""
    {APPLY_LOG}: Balanced_B0 without high availability took 7.5 minutes with its database.
    https://github.com/hashicorp/terraform-provider-azurerm/pull/32722, TestAccManagedRedis_basic: with high
    availability, it took 14.5 minutes to create and to delete. How these are divided among cluster, database and
    deletion is an estimate.
    https://github.com/hashicorp/terraform-provider-azurerm/pull/30932: 30 minutes have not always been enough.
"""


# https://learn.microsoft.com/azure/redis/overview#choosing-the-right-tier. azurerm lists every size:
# https://registry.terraform.io/providers/hashicorp/azurerm/4.81.0/docs/resources/managed_redis#sku_name-1
_SIZES = {
    "Balanced_B": (0, 1, 3, 5, 10, 20, 50, 100, 150, 250, 350, 500, 700, 1000),
    "MemoryOptimized_M": (10, 20, 50, 100, 150, 250, 350, 500, 700, 1000, 1500, 2000),
    "ComputeOptimized_X": (3, 5, 10, 20, 50, 100, 150, 250, 350, 500, 700),
    "FlashOptimized_A": (250, 500, 700, 1000, 1500, 2000, 4500),
}
_SKUS = frozenset(f"{tier}{size}" for tier, sizes in _SIZES.items() for size in sizes)


def _complete_cluster(write: Write) -> None:
    write.require("location", "sku.name")
    require_global_name(write, r"[A-Za-z0-9](?!.*--)[A-Za-z0-9-]{0,58}[A-Za-z0-9]")
    if write.body["sku"]["name"] not in _SKUS:
        raise make_bad_request(f"'{write.body['sku']['name']}' is no SKU of Managed Redis.", "InvalidSku")
    write.require_choice("properties.highAvailability", "Enabled", "Disabled")
    write.require_choice("properties.publicNetworkAccess", "Enabled", "Disabled")
    write.require_choice("properties.minimumTlsVersion", "1.2")
    write.require_unchanged("properties.highAvailability")
    write.properties.update(
        hostName=f"{write.id.name}.{write.body['location']}.redis.azure.net",
        redisVersion="7.4",
        resourceState="Running",
        redundancyMode="ZR" if write.properties.get("highAvailability") == "Enabled" else "None",
    )


def _complete_database(write: Write) -> None:
    """Allowed values: https://learn.microsoft.com/azure/redis/architecture and .../how-to-persistence."""
    if write.id.name != "default":
        raise make_bad_request("A cluster has one database, and it is called default.", "InvalidDatabaseName")
    properties = write.properties
    properties.setdefault("port", 10000)
    properties.setdefault("clientProtocol", "Encrypted")
    properties.setdefault("clusteringPolicy", "OSSCluster")
    properties.setdefault("evictionPolicy", "VolatileLRU")
    properties.setdefault("modules", [])
    write.require_choice("properties.clusteringPolicy", "EnterpriseCluster", "OSSCluster", "NoCluster")
    write.require_choice("properties.clientProtocol", "Encrypted", "Plaintext")
    write.require_choice(
        "properties.evictionPolicy", "AllKeysLFU", "AllKeysLRU", "AllKeysRandom", "VolatileLRU", "VolatileLFU",
        "VolatileTTL", "VolatileRandom", "NoEviction",
    )  # fmt: skip
    write.require_choice("properties.persistence.rdbFrequency", "1h", "6h", "12h")
    write.require_choice("properties.persistence.aofFrequency", "1s", "always")
    write.require_unchanged("properties.clusteringPolicy", "properties.port")
    properties.update(resourceState="Running", redisVersion="7.4")


def _list_keys(_: Store, database: Resource, __: Json) -> Json:
    return {
        "primaryKey": f"redis-primary-{database.id.names[0]}",
        "secondaryKey": f"redis-secondary-{database.id.names[0]}",
    }


def _get_cluster_minutes(write: Write) -> float:
    """Return more minutes for a second node. No source says that a larger SKU takes longer."""
    create_minutes = 6 if write.properties.get("highAvailability") == "Disabled" else 8
    return create_minutes / 4 if write.previous else create_minutes


_TYPES = (
    ResourceType(
        CLUSTER,
        _complete_cluster,
        minutes=_get_cluster_minutes,
        source=_SOURCE,
        delete_minutes=5,
    ),
    ResourceType(
        DATABASE,
        _complete_database,
        minutes=1.5,
        source=_SOURCE,
        delete_minutes=1,
        actions={"listKeys": _list_keys},
    ),
)
FAMILY = Family(_TYPES)
