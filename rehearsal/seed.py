"""Puts into the stand-in what the shared stack makes for an environment, without applying the shared stack."""

import uuid

from environments import Environment, Platform
from rehearsal.stand_in.families.communication import RAISED_QUOTA
from rehearsal.stand_in.model import Json, Store
from rehearsal.stand_in.resource_manager import ResourceManager

ZONES = "Microsoft.Network/dnsZones"
IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"


def seed_shared(store: Store, platform: Platform) -> None:
    """Put the shared resource group, parent zone and registry there."""
    names = platform.shared.names
    group = _compose_group_path(store.subscription, names.compose("resource_group"))
    store.ensure(group, {"location": "eastus2"})
    store.put(f"{group}/providers/{ZONES}/{platform.shared.account.domain}", {"location": "global"})
    registry = f"Microsoft.ContainerRegistry/registries/{names.compose('container_registry')}"
    store.put(f"{group}/providers/{registry}", {"location": "eastus2"})


def seed_environment(store: Store, platform: Platform, environment: Environment) -> None:
    """Put an environment's resource group and DNS zone there, and the identities that its stack looks up."""
    for path, location in list_prerequisites(store.subscription, platform, environment).items():
        body: Json = {"location": location}
        if IDENTITIES in path:
            ids = {name: str(uuid.uuid4()) for name in ("clientId", "principalId")}
            body["properties"] = ids | {"tenantId": store.tenant}
        store.ensure(path, body)


def verify_mail(manager: ResourceManager) -> None:
    """Verify every mail domain, as a person does once its records are visible, and raise the quota of all of them.

    Terraform must not be running: the stand-in's own thread uses the resource manager then.
    """
    manager.put(
        f"/subscriptions/{manager.subscription}",
        {"subscriptionId": manager.subscription, "tenantId": manager.tenant, RAISED_QUOTA: True},
    )
    for domain in manager.list_resources("Microsoft.Communication/emailServices/domains"):
        for kind in domain.properties["verificationStates"]:
            manager.run_action(domain.id, "initiateVerification", {"verificationType": kind})


def list_prerequisites(subscription: str, platform: Platform, environment: Environment) -> dict[str, str]:
    """Return the paths of what an environment's stack needs before its first apply, with their locations.

    Parents come before children.
    They are the shared resource group, the environment's resource group and zone, and the identities of delivery, API
    and jobs.
    """
    names = platform.make_names(environment)
    shared_group = _compose_group_path(subscription, platform.shared.names.compose("resource_group"))
    own_group = _compose_group_path(subscription, names.compose("resource_group"))
    delivery, api, jobs = (names.compose("identity", role) for role in ("delivery", "api", "jobs"))
    zone = f"{environment.domain.label}.{platform.shared.account.domain}"
    return {
        shared_group: "eastus2",
        own_group: "eastus2",
        f"{shared_group}/providers/{IDENTITIES}/{delivery}": "eastus2",
        f"{own_group}/providers/{IDENTITIES}/{api}": "eastus2",
        f"{own_group}/providers/{IDENTITIES}/{jobs}": "eastus2",
        f"{own_group}/providers/{ZONES}/{zone}": "global",
    }


def compose_identity_path(subscription: str, platform: Platform, environment: Environment, job: str) -> str:
    """Return the path of the identity for a job (`plan`, `apply` or `delivery`) of an environment's pipeline."""
    shared_group = _compose_group_path(subscription, platform.shared.names.compose("resource_group"))
    return f"{shared_group}/providers/{IDENTITIES}/{platform.make_names(environment).compose('identity', job)}"


def _compose_group_path(subscription: str, name: str) -> str:
    return f"/subscriptions/{subscription}/resourceGroups/{name}"
