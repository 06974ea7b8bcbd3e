"""The pipeline's identities, logged in by GitHub's OIDC: each may do what its jobs need, and no more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from environments import load
from operations.terraform.events import find_errors
from rehearsal import azurite, seed, synthesis
from rehearsal.stand_in.authorizer import Authorizer
from rehearsal.stand_in.families.storage import CONTAINER
from rehearsal.stand_in.ids import ASSIGNMENT_TYPE, IDENTITY_TYPE
from rehearsal.stand_in.model import RefusedError
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World, world
from tests.rehearsal import parts
from tests.rehearsal.test_environments import WAITING

pytestmark = pytest.mark.azure


@pytest.fixture(scope="module")
def shared(provider: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which a person has applied the shared stack, with containers for state where there is Azurite."""
    assert provider
    with world(tmp_path_factory.mktemp("shared"), load(), blobs=azurite.find() is not None) as here:
        body = parts.without(synthesis.unprotected(synthesis.shared(load())), *WAITING)
        stack = here.stack("shared", body, local_state=True)
        assert stack.init().code == 0
        applied = stack.apply()
        assert applied.code == 0, find_errors(applied.output)
        if here.blob_port:
            here.make_containers(each.id.name for each in here.stand_in.resource_manager.list_resources(CONTAINER))
        yield here


def login(here: World, job: str) -> dict[str, str]:
    """ARM_ variables with which a job of dev logs in."""
    platform = load()
    path = seed.workflow(here.endpoint.subscription, platform, platform.environments["dev"], job)
    return here.endpoint.login(path)


def test_apply_and_plan_can_do_their_jobs(shared: World) -> None:
    body = parts.without(parts.stack("dev"), *WAITING)
    applying = shared.stack("dev", body, local_state=True, identity=login(shared, "apply"))
    assert applying.init().code == 0
    applied = applying.apply()
    assert applied.code == 0, find_errors(applied.output)
    planning = shared.stack("dev", body, local_state=True, identity=login(shared, "plan"))
    planned = planning.plan()
    assert planned.code == 0, planned.output[-3000:]


def test_plan_can_change_nothing(shared: World) -> None:
    body = parts.part(parts.stack("dev"), "azurerm_virtual_network")
    for network in body["resource"]["azurerm_virtual_network"].values():
        network["name"] = "vnet-of-its-own"
    planning = shared.stack("dev-by-plan", body, local_state=True, identity=login(shared, "plan"))
    assert planning.init().code == 0
    assert planning.plan().code == 2
    refused = planning.apply()
    assert refused.code == 1
    assert any("Microsoft.Network/virtualNetworks/write" in each for each in find_errors(refused.output))


def test_apply_reaches_no_other_environment(shared: World) -> None:
    body = parts.part(parts.stack("staging"), "azurerm_virtual_network")
    applying = shared.stack("staging-by-dev", body, local_state=True, identity=login(shared, "apply"))
    assert applying.init().code == 0
    refused = applying.apply()
    assert refused.code == 1
    assert any("AuthorizationFailed" in each for each in find_errors(refused.output))


def keeper_of_state(here: World, job: str, environment: str) -> IsolatedTerraform:
    """A job of dev at work on the state of an environment, with a resource of Terraform's own."""
    if here.blob_port is None:
        pytest.skip("Azurite is not installed: make tools installs it")
    body = {
        "terraform": {"backend": parts.stack(environment)["terraform"]["backend"]},
        "resource": {"terraform_data": {"thing": {"input": "kept"}}},
    }
    return here.stack(f"{environment}-state", body, identity=login(here, job))


REFUSED = "AuthorizationPermissionMismatch"


def test_apply_keeps_the_state_of_its_environment_and_plan_reads_it(shared: World) -> None:
    applying = keeper_of_state(shared, "apply", "dev")
    assert applying.init().code == 0
    applied = applying.apply()
    assert applied.code == 0, applied.output
    planning = keeper_of_state(shared, "plan", "dev")
    unlocked = planning.run("plan", "-no-color", "-detailed-exitcode", "-lock=false")
    assert unlocked.code == 0, unlocked.output
    for refused in (planning.run("plan", "-no-color"), planning.run("state", "rm", "terraform_data.thing")):
        assert refused.code == 1, "a lock is written beside the state"
        assert REFUSED in refused.output


@pytest.mark.parametrize("job", ["plan", "apply"])
def test_no_job_reaches_the_state_of_another_environment(shared: World, job: str) -> None:
    refused = keeper_of_state(shared, job, "staging").init()
    assert refused.code == 1
    assert REFUSED in refused.output


DELIVERY = {
    "Microsoft.Web/sites/restart/action": True,
    "Microsoft.Web/sites/config/write": True,
    "Microsoft.Web/staticSites/listSecrets/action": True,
    "Microsoft.Web/sites/write": False,
    "Microsoft.Web/sites/delete": False,
    "Microsoft.DBforPostgreSQL/flexibleServers/read": False,
    "Microsoft.KeyVault/vaults/secrets/write": False,
    "Microsoft.Authorization/roleAssignments/write": False,
    "Microsoft.Authorization/locks/delete": False,
}


@pytest.mark.parametrize("action", DELIVERY)
def test_delivery_may_deliver_and_nothing_else(shared: World, action: str) -> None:
    platform, manager = load(), shared.stand_in.resource_manager
    names = platform.names(platform.environments["dev"])
    principal = next(
        each for each in manager.list_resources(IDENTITY_TYPE) if each.id.name == names.compose("identity", "delivery")
    )
    group = f"/subscriptions/{manager.subscription}/resourceGroups/{names.compose('resource_group')}"
    path = f"{group}/providers/{action.rpartition('/')[0]}/it"

    def allowed() -> bool:
        try:
            Authorizer(manager).authorize(principal.properties["principalId"], action, path, {})
        except RefusedError:
            return False
        return True

    assert allowed() == DELIVERY[action]


CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"


@pytest.mark.parametrize(
    ("role", "kind", "ok"),
    [
        (SECRETS_USER, "ServicePrincipal", True),
        (SECRETS_USER, "User", False),
        (CONTRIBUTOR, "ServicePrincipal", False),
    ],
)
def test_apply_may_grant_only_what_its_condition_names(shared: World, role: str, kind: str, ok: bool) -> None:
    platform, manager = load(), shared.stand_in.resource_manager
    names = platform.names(platform.environments["dev"])
    principal = next(
        each for each in manager.list_resources(IDENTITY_TYPE) if each.id.name == names.compose("identity", "apply")
    )
    group = f"/subscriptions/{manager.subscription}/resourceGroups/{names.compose('resource_group')}"
    path = f"{group}/providers/{ASSIGNMENT_TYPE}/new"
    definition = f"/subscriptions/{manager.subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    body = {"properties": {"roleDefinitionId": definition, "principalType": kind, "principalId": "x"}}
    try:
        Authorizer(manager).authorize(principal.properties["principalId"], f"{ASSIGNMENT_TYPE}/write", path, body)
    except RefusedError:
        assert not ok
    else:
        assert ok
