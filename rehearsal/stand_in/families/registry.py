"""Container registries."""

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.global_names import make_name_check, require_global_name
from rehearsal.stand_in.model import APPLY_LOG, ResourceType, Write

REGISTRY = "Microsoft.ContainerRegistry/registries"


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


_TYPES = (
    ResourceType(
        REGISTRY,
        _complete_registry,
        minutes=0.3,
        source=f"{APPLY_LOG}: 18 seconds.",
    ),
    ResourceType(f"{REGISTRY}/replications"),
)
_ROUTES = (make_name_check(REGISTRY),)
FAMILY = Family(_TYPES, _ROUTES)
