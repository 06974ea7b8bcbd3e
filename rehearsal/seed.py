"""What the shared stack makes for an environment, put there without it."""

import uuid

from environments import Environment, Platform
from rehearsal.stand_in.model import Json, Store

IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


def shared(store: Store, platform: Platform) -> None:
    """The shared resource group, parent zone and registry."""
    names = platform.shared.names
    group = _group(store.subscription, names.compose("resource_group"))
    store.ensure(group, {"location": "eastus2"})
    store.put(f"{group}/providers/Microsoft.Network/dnsZones/{platform.shared.account.domain}", {"location": "global"})
    registry = f"Microsoft.ContainerRegistry/registries/{names.compose('container_registry')}"
    store.put(f"{group}/providers/{registry}", {"location": "eastus2"})


def environment(store: Store, platform: Platform, settings: Environment) -> None:
    """An environment's resource group, and the identities that its stack looks up."""
    for path in ground(store.subscription, platform, settings):
        body: Json = {"location": "eastus2"}
        if IDENTITIES in path:
            ids = {key: str(uuid.uuid4()) for key in ("clientId", "principalId")}
            body["properties"] = ids | {"tenantId": store.tenant}
        store.ensure(path, body)


def ground(subscription: str, platform: Platform, settings: Environment) -> list[str]:
    """The paths of the same, each after what it stands in."""
    names = platform.names(settings)
    central, own = (
        _group(subscription, group)
        for group in (platform.shared.names.compose("resource_group"), names.compose("resource_group"))
    )
    delivery, api = names.compose("identity", "delivery"), names.compose("identity", "api")
    return [central, own, f"{central}/providers/{IDENTITIES}/{delivery}", f"{own}/providers/{IDENTITIES}/{api}"]


def workflow(subscription: str, platform: Platform, settings: Environment, job: str) -> str:
    """The path of the identity as which a job (`plan`, `apply`, `delivery`) of an environment's pipeline works."""
    central = _group(subscription, platform.shared.names.compose("resource_group"))
    return f"{central}/providers/{IDENTITIES}/{platform.names(settings).compose('identity', job)}"


def _group(subscription: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{name}"
