"""What the shared stack makes for an environment, put there without it."""

import uuid

from environments import Environment, Platform
from rehearsal.azure import Azure

IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


def shared(azure: Azure, platform: Platform) -> None:
    """The shared resource group, parent zone and registry."""
    names = platform.shared.names
    group = _group(azure, names("resource_group"))
    azure.put(f"{group}/providers/Microsoft.Network/dnsZones/{platform.shared.account.domain}", {"location": "global"})
    registry = f"Microsoft.ContainerRegistry/registries/{names('container_registry')}"
    azure.put(f"{group}/providers/{registry}", {"location": "eastus2"})


def environment(azure: Azure, platform: Platform, settings: Environment) -> None:
    """An environment's resource group, and the identities that its stack looks up."""
    names = platform.names(settings)
    central = _group(azure, platform.shared.names("resource_group"))
    own = _group(azure, names("resource_group"))
    for group, role in ((central, "delivery"), (own, "api")):
        ids = {key: str(uuid.uuid4()) for key in ("clientId", "principalId")}
        azure.ensure(
            f"{group}/providers/{IDENTITIES}/{names('identity', role)}",
            {"location": "eastus2", "properties": ids | {"tenantId": azure.tenant}},
        )


def _group(azure: Azure, name: str) -> str:
    path = f"/subscriptions/{azure.subscription}/resourceGroups/{name}"
    return azure.ensure(path, {"location": "eastus2"}).id.path
