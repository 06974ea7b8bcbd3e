"""Container Apps on the stand-in: what Azure refuses of environments and jobs."""

import copy

import pytest

from rehearsal.stand_in.model import Json
from tests.rehearsal.client import GROUP, HERE, Client
from tests.rehearsal.stand_in.test_answers import put

NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
SUBNET = f"{NETWORK}/subnets/jobs"
ENVIRONMENT = f"{GROUP}/providers/Microsoft.App/managedEnvironments/e"
JOB = f"{GROUP}/providers/Microsoft.App/jobs/j"


def make_environment(**properties: object) -> Json:
    profile = {"name": "Consumption", "workloadProfileType": "Consumption"}
    network = {"infrastructureSubnetId": SUBNET, "internal": True}
    return HERE | {"properties": {"workloadProfiles": [profile], "vnetConfiguration": network} | properties}


def make_job(cpu: float = 0.5, memory: str = "1Gi", **properties: object) -> Json:
    container = {"name": "j", "image": "mcr.microsoft.com/x", "resources": {"cpu": cpu, "memory": memory}}
    common = {
        "environmentId": ENVIRONMENT,
        "workloadProfileName": "Consumption",
        "configuration": {"triggerType": "Manual", "replicaTimeout": 60, "manualTriggerConfig": {"parallelism": 1}},
        "template": {"containers": [container]},
    }
    return HERE | {"properties": common | properties}


def make_subnet(owner: Client, prefix: str = "10.0.2.0/27", *services: str) -> None:
    put(owner, NETWORK, HERE | {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}})
    delegations = [{"name": service[-4:], "properties": {"serviceName": service}} for service in services]
    put(owner, SUBNET, {"properties": {"addressPrefixes": [prefix], "delegations": delegations}})


@pytest.fixture
def environment(owner: Client) -> None:
    make_subnet(owner, "10.0.2.0/27", "Microsoft.App/environments")
    put(owner, ENVIRONMENT, make_environment())


@pytest.mark.usefixtures("environment")
def test_an_environment_and_a_job_are_made_and_removed_in_order(owner: Client) -> None:
    assert owner.ask("GET", ENVIRONMENT).body["properties"]["publicNetworkAccess"] == "Disabled"
    put(owner, JOB, make_job())
    assert owner.ask("POST", f"{JOB}/listSecrets", {}).body == {"value": []}
    assert owner.ask("DELETE", ENVIRONMENT).code == "ManagedEnvironmentHasJobs"
    assert owner.ask("DELETE", SUBNET).code == "InUseSubnetCannotBeDeleted"


@pytest.mark.parametrize(
    ("prefix", "services", "code"),
    [
        ("10.0.2.0/27", (), "ManagedEnvironmentSubnetDelegationError"),
        ("10.0.2.0/27", ("Microsoft.Web/serverFarms",), "ManagedEnvironmentSubnetDelegationError"),
        ("10.0.2.0/28", ("Microsoft.App/environments",), "ManagedEnvironmentInvalidNetworkConfiguration"),
    ],
)
def test_a_subnet_has_to_be_delegated_and_large_enough(
    owner: Client, prefix: str, services: tuple[str, ...], code: str
) -> None:
    make_subnet(owner, prefix, *services)
    assert owner.ask("PUT", ENVIRONMENT, make_environment()).code == code


@pytest.mark.usefixtures("environment")
def test_a_subnet_belongs_to_one_environment(owner: Client) -> None:
    assert owner.ask("PUT", f"{ENVIRONMENT}2", make_environment()).code == "ManagedEnvironmentSubnetInUse"


@pytest.mark.usefixtures("environment")
def test_an_internal_environment_is_not_public(owner: Client) -> None:
    answer = owner.ask("PUT", ENVIRONMENT, make_environment(publicNetworkAccess="Enabled"))
    assert answer.code == "InvalidPublicNetworkAccess"


@pytest.mark.usefixtures("environment")
@pytest.mark.parametrize(
    ("cpu", "memory"), [(0.3, "0.6Gi"), (0.5, "2Gi"), (8, "16Gi"), (0, "0Gi")], ids=["step", "memory", "large", "none"]
)
def test_a_size_that_the_profile_does_not_have_is_refused(owner: Client, cpu: float, memory: str) -> None:
    assert owner.ask("PUT", JOB, make_job(cpu, memory)).code == "ContainerAppInvalidResourceTotal"


@pytest.mark.usefixtures("environment")
def test_a_job_needs_its_profile_and_its_trigger(owner: Client) -> None:
    assert owner.ask("PUT", JOB, make_job(workloadProfileName="D4")).code == "WorkloadProfileNotFound"
    configuration = {"triggerType": "Manual", "replicaTimeout": 60}
    assert owner.ask("PUT", JOB, make_job(configuration=configuration)).code == "InvalidRequest"
    body = copy.deepcopy(make_job())
    body["properties"]["configuration"]["registries"] = [{"server": "r.azurecr.io", "identity": f"{GROUP}/x"}]
    assert owner.ask("PUT", JOB, body).code == "ManagedIdentityNotAssigned"
