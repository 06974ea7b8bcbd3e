"""Azure Managed Redis: https://learn.microsoft.com/rest/api/redis/redisenterprisecache."""

from rehearsal.azure import Azure
from rehearsal.families.names import global_name
from rehearsal.model import Json, Resource, ResourceType, Write, bad_request

CLUSTER = "Microsoft.Cache/redisEnterprise"
DATABASE = f"{CLUSTER}/databases"


def _cluster(write: Write) -> None:
    write.require("location", "sku.name")
    global_name(write, r"[A-Za-z0-9](?!.*--)[A-Za-z0-9-]{0,58}[A-Za-z0-9]")
    if write.body["sku"]["name"].split("_")[0] not in (
        "Balanced",
        "MemoryOptimized",
        "ComputeOptimized",
        "FlashOptimized",
    ):
        raise bad_request(f"'{write.body['sku']['name']}' is no SKU of Managed Redis.", "InvalidSku")
    write.unchangeable("properties.highAvailability")
    write.properties.update(
        hostName=f"{write.id.name}.{write.body['location']}.redis.azure.net",
        redisVersion="7.4",
        resourceState="Running",
        redundancyMode="ZR" if write.properties.get("highAvailability") == "Enabled" else "None",
    )


def _database(write: Write) -> None:
    """Choices: https://learn.microsoft.com/azure/redis/architecture and .../how-to-persistence."""
    if write.id.name != "default":
        raise bad_request("A cluster has one database, and it is called default.", "InvalidDatabaseName")
    properties = write.properties
    properties.setdefault("port", 10000)
    properties.setdefault("clientProtocol", "Encrypted")
    properties.setdefault("clusteringPolicy", "OSSCluster")
    properties.setdefault("evictionPolicy", "VolatileLRU")
    properties.setdefault("modules", [])
    write.choice("properties.clusteringPolicy", "EnterpriseCluster", "OSSCluster", "NoCluster")
    write.choice("properties.clientProtocol", "Encrypted", "Plaintext")
    write.unchangeable("properties.clusteringPolicy", "properties.port")
    properties.update(resourceState="Running", redisVersion="7.4")


def _keys(_: Azure, database: Resource, __: Json) -> Json:
    return {
        "primaryKey": f"redis-primary-{database.id.names[0]}",
        "secondaryKey": f"redis-secondary-{database.id.names[0]}",
    }


TYPES = (
    ResourceType(
        CLUSTER,
        _cluster,
        minutes=10,
        source="https://learn.microsoft.com/azure/redis/quickstart-create-managed-redis",
        delete_minutes=5,
    ),
    ResourceType(
        DATABASE,
        _database,
        minutes=3,
        source="https://learn.microsoft.com/azure/redis/quickstart-create-managed-redis",
        delete_minutes=1,
        actions={"listKeys": _keys},
    ),
)
