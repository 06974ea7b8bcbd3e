"""Key vaults and their secrets, as Resource Manager manages them. There is no data plane."""

from rehearsal.stand_in.families.network import SUBNET
from rehearsal.stand_in.family import Family
from rehearsal.stand_in.global_names import require_global_name
from rehearsal.stand_in.model import (
    Json,
    RefusedError,
    Resource,
    ResourceType,
    Store,
    Write,
    get_objects,
    get_value,
    make_bad_request,
    make_conflict,
)
from rehearsal.stand_in.routes import Route, RouteRequest

VAULT = "Microsoft.KeyVault/vaults"
DELETED = "Microsoft.KeyVault/locations/deletedVaults"


def _complete_vault(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/create-or-update."""
    write.require("location", "properties.tenantId", "properties.sku.name", "properties.sku.family")
    write.require_choice("properties.sku.name", "standard", "premium")
    write.require_choice("properties.sku.family", "A")
    require_global_name(write, r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]")
    deleted = _find_deleted_vault(write.store, write.id.name)
    recovers = write.properties.pop("createMode", "default") == "recover"
    if deleted and not recovers:
        # https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview
        raise make_conflict(
            f"A vault with the name '{write.id.name}' is soft-deleted; its name stays taken.", "ConflictError"
        )
    if deleted:
        write.store.remove(deleted.id.path)
    if get_value(write.body, "properties.enablePurgeProtection") is False:
        raise make_bad_request('The property "enablePurgeProtection" cannot be set to false.')
    write.require_unchanged("properties.enablePurgeProtection", "properties.softDeleteRetentionInDays")
    for rule in get_objects(write.body, "properties.networkAcls.virtualNetworkRules"):
        # https://learn.microsoft.com/azure/virtual-network/virtual-network-service-endpoints-overview#provisioning
        subnet = write.require_reference(rule["id"], SUBNET, "joinViaServiceEndpoint/action")
        endpoints = {endpoint["service"] for endpoint in get_objects(subnet.properties, "serviceEndpoints")}
        if "Microsoft.KeyVault" not in endpoints:
            raise make_bad_request(
                f"Subnet '{subnet.id.path}' has no service endpoint Microsoft.KeyVault.",
                "SubnetsHaveNoServiceEndpointsConfigured",
            )
    write.properties["vaultUri"] = f"https://{write.id.name}.vault.azure.net/"
    write.properties.setdefault("publicNetworkAccess", "Enabled")
    write.properties.setdefault("enableSoftDelete", True)
    write.properties.setdefault("accessPolicies", [])


def _find_deleted_vault(store: Store, name: str) -> Resource | None:
    for vault in store.list_resources(DELETED):
        if vault.id.name.lower() == name.lower():
            return vault
    return None


def _keep_deleted_vault(store: Store, vault: Resource) -> None:
    """Keep a deleted vault as soft-deleted, so that its name stays taken."""
    location = vault.body["location"]
    store.put(
        f"/subscriptions/{store.subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/"
        f"{vault.id.name}",
        {
            "properties": {
                "vaultId": vault.id.path,
                "location": location,
                "purgeProtectionEnabled": vault.properties.get("enablePurgeProtection", False),
            }
        },
    )


def _purge_vault(store: Store, vault: Resource, _: Json) -> Json:
    """https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview#purge-protection."""
    if vault.properties["purgeProtectionEnabled"]:
        raise make_conflict(
            f"Vault '{vault.id.name}' cannot be purged, because purge protection is enabled.", "PurgeNotAllowed"
        )
    store.remove(vault.id.path)
    return {}


def _get_deleted_vault(request: RouteRequest) -> Json:
    vault = _find_deleted_vault(request.store, request.match[1])
    if vault is None:
        raise RefusedError(404, "DeletedVaultNotFound", f"There is no deleted vault '{request.match[1]}'.")
    return vault.body


def _check_name(request: RouteRequest) -> Json:
    name = str(request.body.get("name", ""))
    names = [vault.id.name.lower() for vault in request.store.list_resources(VAULT)]
    if name.lower() in names or _find_deleted_vault(request.store, name):
        return {"nameAvailable": False, "reason": "AlreadyExists", "message": ""}
    return {"nameAvailable": True}


def _complete_secret(write: Write) -> None:
    """Complete a secret. Its value is never shown again.

    https://learn.microsoft.com/rest/api/keyvault/keyvault/secrets/create-or-update
    """
    write.require("properties.value")
    write.properties["secretUri"] = f"https://{write.id.names[0]}.vault.azure.net/secrets/{write.id.name}"


def _show_secret(_: Store, secret: Resource) -> Json:
    properties = {name: value for name, value in secret.properties.items() if name != "value"}
    return secret.body | {"properties": properties}


def _list_vaults(request: RouteRequest) -> Json:
    """List all vaults. The provider asks with `/resources?$filter=resourceType eq 'Microsoft.KeyVault/vaults'`."""
    return {"value": [vault.body for vault in request.store.list_resources(VAULT)]}


_TYPES = (
    ResourceType(VAULT, _complete_vault, before_delete=_keep_deleted_vault),
    # https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/purge-deleted
    ResourceType(DELETED, actions={"purge": _purge_vault}, long_actions={"purge": 0.5}, polling_header="Location"),
    ResourceType(f"{VAULT}/secrets", _complete_secret, show=_show_secret),
)
_PROVIDER = r"/subscriptions/[^/]+/providers/Microsoft.KeyVault"
_ROUTES = (
    Route("GET", rf"{_PROVIDER}/locations/[^/]+/deletedVaults/([^/]+)", f"{DELETED}/read", _get_deleted_vault),
    Route("POST", rf"{_PROVIDER}/checkNameAvailability", "Microsoft.KeyVault/checkNameAvailability/read", _check_name),
    Route("GET", r"/subscriptions/[^/]+/resources", f"{VAULT}/read", _list_vaults),
)
FAMILY = Family(_TYPES, _ROUTES)
