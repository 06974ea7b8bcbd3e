"""Container Apps: environments, and jobs in them. https://learn.microsoft.com/rest/api/resource-manager/containerapps."""

import uuid

from rehearsal.stand_in.families.network import SUBNET, get_subnet_ranges, list_delegations
from rehearsal.stand_in.family import Family
from rehearsal.stand_in.model import (
    ESTIMATE,
    Json,
    RefusedError,
    Resource,
    ResourceType,
    Store,
    Write,
    get_objects,
    get_value,
    make_bad_request,
)

ENVIRONMENT = "Microsoft.App/managedEnvironments"
JOB = "Microsoft.App/jobs"
DELEGATION = "Microsoft.App/environments"
_SUBNET_PATH = "properties.vnetConfiguration.infrastructureSubnetId"
LARGEST_PREFIX = 27
"""The smallest subnet of a workload profiles environment: https://learn.microsoft.com/azure/container-apps/networking."""


def _complete_environment(write: Write) -> None:
    write.require("location")
    write.require_unchanged(_SUBNET_PATH, "properties.vnetConfiguration.internal", "properties.zoneRedundant")
    if subnet := get_value(write.body, _SUBNET_PATH):
        _check_subnet(write, subnet)
    if get_value(write.properties, "appLogsConfiguration.destination") == "log-analytics":
        write.require("properties.appLogsConfiguration.logAnalyticsConfiguration.customerId")
    internal = bool(get_value(write.properties, "vnetConfiguration.internal"))
    if internal and write.properties.get("publicNetworkAccess") == "Enabled":
        raise make_bad_request("An internal environment has no public network access.", "InvalidPublicNetworkAccess")
    name, group = write.id.name, write.id.path.split("/")[4]
    location = write.body["location"]
    write.properties.setdefault("publicNetworkAccess", "Disabled" if internal else "Enabled")
    write.properties.setdefault("infrastructureResourceGroup", f"ME_{name}_{group}_{location}")
    write.properties.update(
        defaultDomain=f"happyhill-70162bb9.{location}.azurecontainerapps.io",
        staticIp="10.0.0.10" if internal else "20.42.33.145",
        eventStreamEndpoint=f"https://{location}.azurecontainerapps.dev{write.id.path}/eventstream",
    )
    domain = write.properties.setdefault("customDomainConfiguration", {})
    domain["customDomainVerificationId"] = uuid.uuid5(uuid.NAMESPACE_URL, write.id.key).hex.upper() * 2


def _check_subnet(write: Write, path: str) -> None:
    """Refuse a subnet that is not delegated, too small, or another environment's."""
    subnet = write.require_reference(path, SUBNET, "join/action")
    if write.properties.get("workloadProfiles") and list_delegations(subnet) != [DELEGATION.lower()]:
        raise make_bad_request(
            f"The subnet '{path}' must be delegated to the service '{DELEGATION}'.",
            "ManagedEnvironmentSubnetDelegationError",
        )
    if get_subnet_ranges(subnet.body)[0].prefixlen > LARGEST_PREFIX:
        raise make_bad_request(
            f"The subnet '{path}' must be /{LARGEST_PREFIX} or larger.", "ManagedEnvironmentInvalidNetworkConfiguration"
        )
    for other in write.store.list_resources(ENVIRONMENT):
        if other.id.key != write.id.key and str(get_value(other.body, _SUBNET_PATH)).lower() == path.lower():
            raise make_bad_request(
                f"The subnet '{path}' is in use by '{other.id.path}'.", "ManagedEnvironmentSubnetInUse"
            )


def _refuse_if_not_empty(store: Store, environment: Resource) -> None:
    for job in store.list_resources(JOB):
        if str(job.properties["environmentId"]).lower() == environment.id.key:
            raise RefusedError(
                409, "ManagedEnvironmentHasJobs", f"'{environment.id.name}' still has the job '{job.id.name}'."
            )


TRIGGERS = {"Manual": "manualTriggerConfig", "Schedule": "scheduleTriggerConfig", "Event": "eventTriggerConfig"}


def _complete_job(write: Write) -> None:
    write.require(
        "location", "properties.environmentId", "properties.configuration.triggerType",
        "properties.configuration.replicaTimeout", "properties.template.containers",
    )  # fmt: skip
    environment = write.require_reference(write.properties["environmentId"], ENVIRONMENT, "join/action")
    write.require_unchanged("properties.environmentId", "properties.configuration.triggerType")
    profiles = [profile["name"] for profile in get_objects(environment.properties, "workloadProfiles")]
    profile = write.properties.get("workloadProfileName")
    if profile and profile not in profiles:
        raise make_bad_request(f"The environment has no workload profile '{profile}'.", "WorkloadProfileNotFound")
    configuration: Json = write.properties["configuration"]
    write.require(f"properties.configuration.{TRIGGERS[configuration['triggerType']]}")
    assigned: Json = get_value(write.body, "identity.userAssignedIdentities") or {}
    identities = {path.lower() for path in assigned}
    for registry in get_objects(configuration, "registries"):
        identity = str(registry.get("identity") or "").lower()
        if identity.startswith("/") and identity not in identities:
            raise make_bad_request(
                f"The identity '{identity}' of the registry '{registry['server']}' is not assigned to the job.",
                "ManagedIdentityNotAssigned",
            )
    for container in get_objects(write.properties, "template.containers"):
        _check_resources(container)
    write.properties.setdefault("outboundIpAddresses", ["20.42.33.146"])
    location = write.body["location"]
    write.properties["eventStreamEndpoint"] = f"https://{location}.azurecontainerapps.dev{write.id.path}/eventstream"


def _check_resources(container: Json) -> None:
    """Refuse a size that the Consumption profile does not have.

    https://learn.microsoft.com/azure/container-apps/containers#allocations
    """
    cpu, memory = get_value(container, "resources.cpu"), str(get_value(container, "resources.memory"))
    if not isinstance(cpu, int | float) or cpu * 4 != int(cpu * 4) or not 0 < cpu <= 4 or memory != f"{cpu * 2:g}Gi":
        raise make_bad_request(
            f"The container '{container.get('name')}' asks for {cpu} cores and {memory}: the allowed total is 0.25 to "
            "4 cores in steps of 0.25, with twice as many Gi of memory.",
            "ContainerAppInvalidResourceTotal",
        )


def _list_secrets(_: Store, job: Resource, __: Json) -> Json:
    return {"value": get_objects(job.properties, "configuration.secrets")}


_TYPES = (
    ResourceType(
        ENVIRONMENT,
        _complete_environment,
        minutes=5,
        source=ESTIMATE,
        delete_minutes=5,
        before_delete=_refuse_if_not_empty,
    ),
    ResourceType(
        JOB,
        _complete_job,
        minutes=0.3,
        source=ESTIMATE,
        delete_minutes=0.3,
        actions={"listSecrets": _list_secrets},
    ),
)
FAMILY = Family(_TYPES)
