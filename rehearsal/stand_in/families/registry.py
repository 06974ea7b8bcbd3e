"""Container registries."""

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.global_names import make_name_check, require_global_name
from rehearsal.stand_in.model import APPLY_LOG, Json, Resource, ResourceType, Store, Write, make_bad_request

REGISTRY = "Microsoft.ContainerRegistry/registries"


_POLICIES: dict[str, Json] = {
    "quarantinePolicy": {"status": "disabled"},
    "trustPolicy": {"type": "Notary", "status": "disabled"},
    "retentionPolicy": {"days": 7, "status": "disabled"},
    "exportPolicy": {"status": "enabled"},
    "azureADAuthenticationAsArmPolicy": {"status": "enabled"},
    "softDeletePolicy": {"retentionDays": 7, "status": "disabled"},
}
"""A registry always shows its policies: https://learn.microsoft.com/rest/api/containerregistry/registries/get."""


def _complete_registry(write: Write) -> None:
    """Rule for names: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftcontainerregistry."""
    write.require("location", "sku.name")
    write.require_choice("sku.name", "Basic", "Standard", "Premium")
    require_global_name(write, r"[a-zA-Z0-9]{5,50}")
    write.body["sku"]["tier"] = write.body["sku"]["name"]
    write.properties.update(loginServer=f"{write.id.name.lower()}.azurecr.io", creationDate="2026-11-23T00:00:00Z")
    write.properties.setdefault("adminUserEnabled", False)
    write.properties.setdefault("publicNetworkAccess", "Enabled")
    write.properties.setdefault("zoneRedundancy", "Disabled")
    write.properties.setdefault("networkRuleBypassOptions", "AzureServices")
    write.properties.setdefault("anonymousPullEnabled", False)
    write.properties.setdefault("dataEndpointEnabled", False)
    policies = write.properties.setdefault("policies", {})
    for name, policy in _POLICIES.items():
        policies[name] = policy | policies.get(name, {})


def _list_credentials(_: Store, registry: Resource, __: Json) -> Json:
    """https://learn.microsoft.com/rest/api/containerregistry/registries/list-credentials."""
    name = registry.id.name
    if not registry.properties["adminUserEnabled"]:
        raise make_bad_request(f"The admin user of '{name}' is disabled.", "UnAuthorizedForCredentialOperations")
    passwords = [{"name": password, "value": f"{name}-{password}"} for password in ("password", "password2")]
    return {"username": name, "passwords": passwords}


_TYPES = (
    ResourceType(
        REGISTRY,
        _complete_registry,
        minutes=0.3,
        source=f"{APPLY_LOG}: 18 seconds.",
        actions={"listCredentials": _list_credentials},
    ),
    ResourceType(f"{REGISTRY}/replications"),
)
_ROUTES = (make_name_check(REGISTRY),)
FAMILY = Family(_TYPES, _ROUTES)
