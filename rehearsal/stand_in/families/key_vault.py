"""Key vaults and, through Resource Manager alone, their secrets."""

from rehearsal.stand_in.application import Question, route
from rehearsal.stand_in.azure import Azure
from rehearsal.stand_in.families.names import global_name
from rehearsal.stand_in.families.network import SUBNET
from rehearsal.stand_in.model import Json, RefusedError, Resource, ResourceType, Write, at, bad_request, conflict, items

VAULT = "Microsoft.KeyVault/vaults"
DELETED = "Microsoft.KeyVault/locations/deletedVaults"


def _vault(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/keyvault/keyvault/vaults/create-or-update."""
    write.require("location", "properties.tenantId", "properties.sku.name", "properties.sku.family")
    write.choice("properties.sku.name", "standard", "premium")
    write.choice("properties.sku.family", "A")
    global_name(write, r"[a-zA-Z](?!.*--)[a-zA-Z0-9-]{1,22}[a-zA-Z0-9]")
    deleted = _deleted(write.azure, write.id.name)
    recovers = write.properties.pop("createMode", "default") == "recover"
    if deleted and not recovers:
        # https://learn.microsoft.com/azure/key-vault/general/soft-delete-overview
        raise conflict(
            f"A vault with the name '{write.id.name}' is soft-deleted; its name stays taken.", "ConflictError"
        )
    if deleted:
        write.azure.remove(deleted.id.path)
    if at(write.body, "properties.enablePurgeProtection") is False:
        raise bad_request('The property "enablePurgeProtection" cannot be set to false.')
    write.unchangeable("properties.enablePurgeProtection", "properties.softDeleteRetentionInDays")
    for rule in items(write.body, "properties.networkAcls.virtualNetworkRules"):
        # https://learn.microsoft.com/azure/virtual-network/virtual-network-service-endpoints-overview#provisioning
        subnet = write.refer(rule["id"], SUBNET, "joinViaServiceEndpoint/action")
        endpoints = {each["service"] for each in items(subnet.properties, "serviceEndpoints")}
        if "Microsoft.KeyVault" not in endpoints:
            raise bad_request(
                f"Subnet '{subnet.id.path}' has no service endpoint Microsoft.KeyVault.",
                "SubnetsHaveNoServiceEndpointsConfigured",
            )
    write.properties["vaultUri"] = f"https://{write.id.name}.vault.azure.net/"
    write.properties.setdefault("publicNetworkAccess", "Enabled")
    write.properties.setdefault("enableSoftDelete", True)
    write.properties.setdefault("accessPolicies", [])


def _deleted(azure: Azure, name: str) -> Resource | None:
    return next((each for each in azure.all(DELETED.lower()) if each.id.name.lower() == name.lower()), None)


def _forgotten(azure: Azure, vault: Resource) -> None:
    location = vault.body["location"]
    azure.put(
        f"/subscriptions/{azure.subscription}/providers/Microsoft.KeyVault/locations/{location}/deletedVaults/"
        f"{vault.id.name}",
        {"properties": {"vaultId": vault.id.path, "location": location, "purgeProtectionEnabled": True}},
    )


def _find_deleted(question: Question) -> Json:
    found = _deleted(question.azure, question.found[1])
    if found is None:
        raise RefusedError(404, "DeletedVaultNotFound", f"There is no deleted vault '{question.found[1]}'.")
    return found.body


def _check_name(question: Question) -> Json:
    name = str(question.body.get("name", ""))
    taken = _deleted(question.azure, name) or any(
        each.id.name.lower() == name.lower() for each in question.azure.all(VAULT.lower())
    )
    return {"nameAvailable": not taken, "reason": "AlreadyExists", "message": ""} if taken else {"nameAvailable": True}


def _secret(write: Write) -> None:
    """The value is never shown again.

    https://learn.microsoft.com/rest/api/keyvault/keyvault/secrets/create-or-update
    """
    write.require("properties.value")
    write.properties["secretUri"] = f"https://{write.id.names[0]}.vault.azure.net/secrets/{write.id.name}"


def _secret_shown(_: Azure, secret: Resource) -> Json:
    return secret.body | {"properties": {k: v for k, v in secret.properties.items() if k != "value"}}


def _all_vaults(question: Question) -> Json:
    """The provider searches vaults by `/resources?$filter=resourceType eq 'Microsoft.KeyVault/vaults'`."""
    return {"value": [each.body for each in question.azure.all(VAULT.lower())]}


TYPES = (
    ResourceType(VAULT, _vault, deleted=_forgotten),
    ResourceType(DELETED),
    ResourceType(f"{VAULT}/secrets", _secret, readable=_secret_shown),
)
_PROVIDER = r"/subscriptions/[^/]+/providers/Microsoft.KeyVault"
ROUTES = (
    route("GET", rf"{_PROVIDER}/locations/[^/]+/deletedVaults/([^/]+)", f"{DELETED}/read", _find_deleted),
    route("POST", rf"{_PROVIDER}/checkNameAvailability", "Microsoft.KeyVault/checkNameAvailability/read", _check_name),
    route("GET", r"/subscriptions/[^/]+/resources", f"{VAULT}/read", _all_vaults),
)
