"""PostgreSQL flexible servers: https://learn.microsoft.com/rest/api/postgresql."""

import re

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.global_names import make_name_check, require_global_name
from rehearsal.stand_in.model import (
    APPLY_LOG,
    Json,
    RefusedError,
    Resource,
    ResourceType,
    Store,
    Write,
    get_value,
    make_bad_request,
    make_conflict,
)

SERVER = "Microsoft.DBforPostgreSQL/flexibleServers"
CONFIGURATION = f"{SERVER}/configurations"
# The parameters that the stacks set, with the values that a new server has. The rehearsal knows no others.
# https://learn.microsoft.com/azure/postgresql/server-parameters/concepts-server-parameters
PARAMETERS = {
    "azure.extensions": "",
    "connection_throttle.enable": "off",
    "log_checkpoints": "on",
    "log_connections": "on",
    "log_disconnections": "on",
    "log_lock_waits": "off",
    "log_min_duration_statement": "-1",
    "log_parameter_max_length": "-1",
    "log_parameter_max_length_on_error": "0",
    "metrics.collector_database_activity": "off",
    "pgaudit.log": "none",
    "pgbouncer.enabled": "false",
    "pgbouncer.max_prepared_statements": "0",
    "pgbouncer.pool_mode": "transaction",
    "require_secure_transport": "on",
    "shared_preload_libraries": "pg_cron,pg_stat_statements",
    "ssl_min_protocol_version": "TLSv1.2",
}
# https://learn.microsoft.com/azure/postgresql/compute-storage/concepts-compute, as azurerm writes them:
# https://github.com/hashicorp/terraform-provider-azurerm/blob/v4.81.0/internal/services/postgres/validate/flexible_server_sku_name.go
_SKUS = {
    "Burstable": r"Standard_B((1|2|4|8|12|16|20)ms|2s)",
    "GeneralPurpose": r"Standard_D((2|4|8|16|32|48|64)(s_v3|ds_v4)|(2|4|8|16|32|48|64|96)(ds_v[56]|ads_v5)"
    r"|C(2|4|8|16|32|48|64|96)ads_v5)",
    "MemoryOptimized": r"Standard_E((2|4|8|16|20|32|48|64)s_v3|(2|4|6|8|16|20|32|48|64)ds_v4"
    r"|(2|4|8|16|20|32|48|64|96)ds_v5|(2|4|8|16|32|48|64|96)(ds_v6|ads_v5)|C(2|4|8|16|20|32|48|64|96)(ads|as)_v5)",
}
_STORAGE = (32, 64, 128, 256, 512, 1024, 2048, 4095, 4096, 8192, 16384, 32767)
"""In GiB: https://learn.microsoft.com/azure/postgresql/compute-storage/concepts-storage-premium-ssd."""
_ZONES = ("1", "2", "3")
_SWITCH = ("Enabled", "Disabled")
_STANDBY = ("SameZone", "ZoneRedundant")
_NEW_SERVER_MODES = (None, "Default", "Create")
"""The values of `createMode` for a server that is not restored or copied from another."""
SERVER_MINUTES, RESTORE_MINUTES, STANDBY_MINUTES = 5, 30, 5
_SOURCE = f"""
    {APPLY_LOG}: B_Standard_B1ms took 5.1 minutes, and a database 14 seconds.
    https://github.com/hashicorp/terraform-provider-azurerm/pull/33197: the test with geo-redundant backup took as long
    as the one without it, 541 and 547 seconds to create and to delete. So this backup adds no minutes here.
    https://learn.microsoft.com/azure/postgresql/backup-restore/concepts-backup-restore: a restore takes from a few
    minutes to a few hours. 30 minutes are an estimate. So are the minutes that a standby adds, and those of
    parameters, administrators and deletions.
"""


def _complete_server(write: Write) -> None:
    create = write.previous is None
    properties = write.properties
    mode = properties.pop("createMode", None)
    if create:
        write.require("location", "sku.name", "sku.tier", "properties.version", "properties.storage.storageSizeGB")
        require_global_name(write, r"[a-z0-9](?!.*--)[a-z0-9-]{1,61}[a-z0-9]")
        uses_password = get_value(properties, "authConfig.passwordAuth") != "Disabled" and mode in _NEW_SERVER_MODES
        has_login = properties.get("administratorLogin") and properties.get("administratorLoginPassword")
        if uses_password and not has_login:
            raise make_bad_request("Administrator login and password are required.", "InvalidParameterValue")
    password = properties.pop("administratorLoginPassword", None)
    if password is not None and not _is_strong(password):
        # https://learn.microsoft.com/azure/postgresql/flexible-server/security-access-control
        raise make_bad_request("The password is not complex enough.", "PasswordNotComplex")
    write.require_choice("properties.version", "13", "14", "15", "16", "17", "18")
    sku = write.body["sku"]
    if not re.fullmatch(_SKUS.get(sku["tier"], ""), sku["name"]):
        raise make_bad_request(f"There is no SKU '{sku['name']}' of tier '{sku['tier']}'.", "InvalidSku")
    write.require_choice("properties.storage.storageSizeGB", *_STORAGE)
    write.require_choice("properties.authConfig.activeDirectoryAuth", *_SWITCH)
    write.require_choice("properties.authConfig.passwordAuth", *_SWITCH)
    _check_zones(write)
    write.require_choice("properties.backup.geoRedundantBackup", *_SWITCH)
    backup = properties.setdefault("backup", {})
    backup.setdefault("backupRetentionDays", 7)
    backup.setdefault("geoRedundantBackup", "Disabled")
    if not 7 <= backup["backupRetentionDays"] <= 35:
        raise make_bad_request("Backups are kept for 7 to 35 days.", "InvalidBackupRetention")
    write.require_unchanged("properties.backup.geoRedundantBackup", "properties.administratorLogin")
    if (
        write.previous
        and properties["storage"]["storageSizeGB"] < write.previous.properties["storage"]["storageSizeGB"]
    ):
        raise make_conflict("Storage cannot shrink.", "StorageSizeCannotBeReduced")
    properties["storage"].setdefault("autoGrow", "Disabled")
    properties["storage"].setdefault("tier", "P4" if properties["storage"]["storageSizeGB"] <= 32 else "P6")
    properties["storage"].setdefault("iops", 120)
    properties.setdefault("network", {}).setdefault("publicNetworkAccess", "Enabled")
    auth = properties.setdefault("authConfig", {"activeDirectoryAuth": "Disabled", "passwordAuth": "Enabled"})
    auth.setdefault("tenantId", write.store.tenant)
    properties.setdefault(
        "maintenanceWindow", {"customWindow": "Disabled", "dayOfWeek": 0, "startHour": 0, "startMinute": 0}
    )
    for name, value in PARAMETERS.items():
        write.store.ensure(f"{write.id.path}/configurations/{name}", {"properties": _make_parameter(name, value)})
    properties.update(
        fullyQualifiedDomainName=f"{write.id.name}.postgres.database.azure.com",
        state="Ready",
        minorVersion="4",
        replicationRole="Primary",
        replicaCapacity=5,
    )


def _check_zones(write: Write) -> None:
    """Check the zones of server and standby: https://learn.microsoft.com/azure/reliability/reliability-postgresql-flexible-server."""
    zone = write.properties.setdefault("availabilityZone", _ZONES[0])
    write.require_choice("properties.availabilityZone", *_ZONES)
    standby = write.properties.setdefault("highAvailability", {"mode": "Disabled"})
    write.require_choice("properties.highAvailability.mode", "Disabled", *_STANDBY)
    write.require_choice("properties.highAvailability.standbyAvailabilityZone", *_ZONES)
    mode = standby.get("mode", "Disabled")
    if mode == "Disabled":
        return
    if write.body["sku"]["tier"] == "Burstable":
        raise make_bad_request("High availability is not supported for Burstable.", "HaNotSupportedForBurstable")
    same_zone_wanted = mode == "SameZone"
    default_zone = zone if same_zone_wanted else next(other for other in _ZONES if other != zone)
    standby_zone = standby.setdefault("standbyAvailabilityZone", default_zone)
    if (standby_zone == zone) != same_zone_wanted:
        raise make_bad_request(
            f"The standby of a server in zone {zone} cannot be {mode} in zone {standby_zone}.", "InvalidZone"
        )
    standby["state"] = "Healthy"


def _is_strong(password: str) -> bool:
    patterns = ("[a-z]", "[A-Z]", "[0-9]", "[^a-zA-Z0-9]")
    kinds = sum(bool(re.search(pattern, password)) for pattern in patterns)
    return 8 <= len(password) <= 128 and kinds >= 3


def _require_ready_server(write: Write) -> Resource:
    server = write.store.find(write.id.parent)
    if server is None or server.state != "Succeeded":
        raise make_conflict(f"The server '{write.id.names[0]}' is busy.", "ServerIsBusy")
    return server


def _complete_configuration(write: Write) -> None:
    """Complete a parameter. The server applies one at a time and answers ServerIsBusy to a second one.

    https://learn.microsoft.com/azure/postgresql/flexible-server/concepts-server-parameters
    """
    server = _require_ready_server(write)
    for sibling in write.store.list_resources(CONFIGURATION, server.id.path):
        if sibling.state in ("Creating", "Updating"):
            raise make_conflict(f"The server is applying '{sibling.id.name}'.", "ServerIsBusy")
    if write.id.name.startswith("pgbouncer.") and server.body["sku"]["tier"] == "Burstable":
        raise make_bad_request("PgBouncer is not supported for Burstable.", "PgBouncerNotSupported")
    if write.id.name not in PARAMETERS:
        raise RefusedError(
            501,
            "RehearsalUnknownParameter",
            f"The rehearsal does not know the server parameter '{write.id.name}': add its default to PARAMETERS.",
        )
    write.resource.body["properties"] = _make_parameter(write.id.name, write.properties.get("value", ""))


def _make_parameter(name: str, value: str) -> Json:
    return {
        "value": value,
        "defaultValue": PARAMETERS[name],
        "dataType": "String",
        "isDynamicConfig": name != "shared_preload_libraries",
        "isReadOnly": False,
        "source": "system-default" if value == PARAMETERS[name] else "user-override",
    }


def _complete_database(write: Write) -> None:
    _require_ready_server(write)
    write.properties["charset"] = str(write.properties.get("charset", "UTF8")).upper()  # however it is sent
    write.properties.setdefault("collation", "en_US.utf8")


def _restart(_: Store, server: Resource, sent: Json) -> Json:
    """A failover exchanges the zones: https://learn.microsoft.com/azure/reliability/reliability-postgresql-flexible-server."""
    standby: Json = server.properties.get("highAvailability") or {}
    if sent.get("restartWithFailover") and standby.get("standbyAvailabilityZone"):
        zones = server.properties["availabilityZone"], standby["standbyAvailabilityZone"]
        standby["standbyAvailabilityZone"], server.properties["availabilityZone"] = zones
    return {}


def _complete_administrator(write: Write) -> None:
    server = _require_ready_server(write)
    if get_value(server.body, "properties.authConfig.activeDirectoryAuth") != "Enabled":
        raise make_conflict("Entra authentication is not enabled.", "AadAuthNotEnabled")
    write.properties["objectId"] = write.id.name


def _get_server_minutes(write: Write) -> float:
    """Return the minutes of a create, restore or update, and add those of a new standby.

    A restore replays backup and log first. A standby is made from the existing server.
    """
    old_mode = get_value(write.previous.body, "properties.highAvailability.mode") if write.previous else None
    new_mode = get_value(write.body, "properties.highAvailability.mode")
    adds_standby = new_mode in _STANDBY and old_mode not in _STANDBY
    if write.previous:
        minutes = SERVER_MINUTES / 4
    elif get_value(write.body, "properties.createMode") in _NEW_SERVER_MODES:
        minutes = SERVER_MINUTES
    else:
        minutes = RESTORE_MINUTES
    return minutes + (STANDBY_MINUTES if adds_standby else 0)


_TYPES = (
    ResourceType(
        SERVER,
        _complete_server,
        minutes=_get_server_minutes,
        source=_SOURCE,
        created_status=202,
        updated_status=202,
        delete_minutes=2,
        actions={"restart": _restart},
        # https://learn.microsoft.com/rest/api/postgresql/servers/restart#responses
        long_actions={"restart": 1},
    ),
    ResourceType(
        f"{SERVER}/databases",
        _complete_database,
        minutes=0.3,
        source=_SOURCE,
        created_status=202,
        updated_status=202,
        delete_minutes=0.3,
    ),
    ResourceType(
        CONFIGURATION, _complete_configuration, minutes=0.3, source=_SOURCE, created_status=202, updated_status=202
    ),
    ResourceType(
        f"{SERVER}/administrators",
        _complete_administrator,
        minutes=0.5,
        source=_SOURCE,
        created_status=202,
        updated_status=202,
        delete_minutes=0.5,
    ),
)
_ROUTES = (make_name_check(SERVER),)
FAMILY = Family(_TYPES, _ROUTES)
