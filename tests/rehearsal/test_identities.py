"""The pipeline's identities, logged in by GitHub's OIDC: each may do what its jobs need, and no more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from environments import Environment, load
from operations.terraform.events import find_errors
from rehearsal import synthesis
from rehearsal.azurite import find_azurite
from rehearsal.seed import compose_identity_path
from rehearsal.stand_in.authorizer import Authorizer
from rehearsal.stand_in.families.dns import ZONE
from rehearsal.stand_in.families.storage import CONTAINER
from rehearsal.stand_in.ids import ASSIGNMENT_TYPE, IDENTITY_TYPE
from rehearsal.stand_in.model import Json, RefusedError
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World, open_world
from tests.rehearsal import parts

pytestmark = pytest.mark.azure


@pytest.fixture(scope="module")
def shared(provider: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which a person has applied the shared stack. It has containers for state if Azurite is installed."""
    assert provider
    with open_world(tmp_path_factory.mktemp("shared"), load(), blobs=find_azurite() is not None) as world:
        body = parts.remove_types(parts.synthesize_stack("shared"), *parts.SLOW_TYPES)
        stack = world.write_stack("shared", body, local_state=True)
        assert stack.init().code == 0
        apply = stack.apply()
        assert apply.code == 0, find_errors(apply.output)
        if world.blob_port:
            containers = world.stand_in.resource_manager.list_resources(CONTAINER)
            world.make_containers(container.id.name for container in containers)
        yield world


def synthesize_delegated() -> Json:
    """Return dev, disposable, with its own host names."""

    def delegate(environment: Environment) -> Environment:
        domain = environment.domain.model_copy(update={"delegated": True})
        return synthesis.declare_disposable(environment).model_copy(update={"domain": domain})

    return synthesis.synthesize_environment(load(), "dev", delegate)


def make_login_variables(world: World, job: str) -> dict[str, str]:
    """Return ARM_ variables with which a job of dev logs in."""
    platform = load()
    subscription, environment = world.endpoint.subscription, platform.environments["dev"]
    return world.endpoint.make_login_variables(compose_identity_path(subscription, platform, environment, job))


def write_stack(world: World, name: str, body: Json, *, job: str) -> IsolatedTerraform:
    """Write a stack with local state, and return Terraform with the identity of a job of dev."""
    return world.write_stack(name, body, local_state=True, identity=make_login_variables(world, job))


def test_apply_and_plan_can_do_their_jobs(shared: World) -> None:
    body = parts.remove_types(parts.synthesize_stack("dev"), *parts.SLOW_TYPES)
    terraform = write_stack(shared, "dev", body, job="apply")
    assert terraform.init().code == 0
    apply = terraform.apply()
    assert apply.code == 0, find_errors(apply.output)
    plan = write_stack(shared, "dev", body, job="plan").plan()
    assert plan.code == 0, plan.output[-3000:]


def test_they_can_do_them_with_own_host_names_too_and_apply_can_destroy(shared: World) -> None:
    """Runs after the test above, in the same state."""
    body = parts.remove_types(synthesize_delegated(), *parts.SLOW_TYPES)
    terraform = write_stack(shared, "dev", body, job="apply")
    apply = terraform.apply()
    assert apply.code == 0, find_errors(apply.output)
    plan = write_stack(shared, "dev", body, job="plan").plan()
    assert plan.code == 0, plan.output[-3000:]
    destroy = write_stack(shared, "dev", body, job="apply").destroy()
    assert destroy.code == 0, find_errors(destroy.output)


def test_an_environment_writes_nothing_into_the_parent_zone(shared: World) -> None:
    """Guards against a break-in in dev that takes production's host names."""
    assert not may_write_delegation(shared, "dev")
    assert not may_write_delegation(shared, "live")


def may_write_delegation(world: World, label: str) -> bool:
    """Return whether dev's apply may write the NS record of a label in the parent zone."""
    manager, platform = world.stand_in.resource_manager, load()
    group = platform.shared.names.compose("resource_group")
    domain = platform.shared.account.domain
    zone = f"/subscriptions/{manager.subscription}/resourceGroups/{group}/providers/{ZONE}/{domain}"
    try:
        Authorizer(manager).authorize(find_principal(world, "apply"), f"{ZONE}/NS/write", f"{zone}/NS/{label}", {})
    except RefusedError:
        return False
    return True


def test_plan_can_change_nothing(shared: World) -> None:
    body = parts.extract_types(parts.synthesize_stack("dev"), "azurerm_virtual_network")
    for network in body["resource"]["azurerm_virtual_network"].values():
        network["name"] = "vnet-of-its-own"
    terraform = write_stack(shared, "dev-by-plan", body, job="plan")
    assert terraform.init().code == 0
    assert terraform.plan().code == 2
    apply = terraform.apply()
    assert apply.code == 1
    assert any("Microsoft.Network/virtualNetworks/write" in error for error in find_errors(apply.output))


def test_apply_reaches_no_other_environment(shared: World) -> None:
    body = parts.extract_types(parts.synthesize_stack("staging"), "azurerm_virtual_network")
    terraform = write_stack(shared, "staging-by-dev", body, job="apply")
    assert terraform.init().code == 0
    apply = terraform.apply()
    assert apply.code == 1
    assert any("AuthorizationFailed" in error for error in find_errors(apply.output))


def write_stack_of_state(world: World, job: str, environment: str) -> IsolatedTerraform:
    """Write a stack without Azure resources, and return Terraform with the identity of a job of dev.

    Its state is where an environment's state is.
    """
    if world.blob_port is None:
        pytest.skip("Azurite is not installed: make tools installs it")
    body = {
        "terraform": {"backend": parts.synthesize_stack(environment)["terraform"]["backend"]},
        "resource": {"terraform_data": {"thing": {"input": "kept"}}},
    }
    return world.write_stack(f"{environment}-state", body, identity=make_login_variables(world, job))


REFUSED = "AuthorizationPermissionMismatch"


def test_apply_keeps_the_state_of_its_environment_and_plan_reads_it(shared: World) -> None:
    terraform = write_stack_of_state(shared, "apply", "dev")
    assert terraform.init().code == 0
    apply = terraform.apply()
    assert apply.code == 0, apply.output
    terraform = write_stack_of_state(shared, "plan", "dev")
    plan = terraform.run("plan", "-no-color", "-detailed-exitcode", "-lock=false")
    assert plan.code == 0, plan.output
    for run in (terraform.run("plan", "-no-color"), terraform.run("state", "rm", "terraform_data.thing")):
        assert run.code == 1, "both write a lock, which needs the right to write"
        assert REFUSED in run.output


@pytest.mark.parametrize("job", ["plan", "apply"])
def test_no_job_reaches_the_state_of_another_environment(shared: World, job: str) -> None:
    init = write_stack_of_state(shared, job, "staging").init()
    assert init.code == 1
    assert REFUSED in init.output


def find_principal(world: World, job: str) -> str:
    """Return the object ID of the identity of a job of dev."""
    platform = load()
    name = platform.make_names(platform.environments["dev"]).compose("identity", job)
    identities = world.stand_in.resource_manager.list_resources(IDENTITY_TYPE)
    return next(identity.properties["principalId"] for identity in identities if identity.id.name == name)


def is_allowed(world: World, job: str, action: str, path: str, body: Json) -> bool:
    """Return whether the identity of a job of dev may do something below the resource group of dev.

    Args:
        world: The world with the stand-in that is asked.
        job: The job.
        action: The action, such as `Microsoft.Web/sites/write`.
        path: The path below the resource group's `/providers/`.
        body: The body of the request.
    """
    platform, manager = load(), world.stand_in.resource_manager
    group = platform.make_names(platform.environments["dev"]).compose("resource_group")
    whole_path = f"/subscriptions/{manager.subscription}/resourceGroups/{group}/providers/{path}"
    try:
        Authorizer(manager).authorize(find_principal(world, job), action, whole_path, body)
    except RefusedError:
        return False
    return True


DELIVERY = {
    "Microsoft.App/jobs/start/action": True,
    "Microsoft.App/jobs/write": False,
    "Microsoft.App/jobs/listSecrets/action": False,
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
    path = f"{action.rpartition('/')[0]}/it"
    assert is_allowed(shared, "delivery", action, path, {}) == DELIVERY[action]


CONTRIBUTOR = "b24988ac-6180-42a0-ab88-20f7382dd24c"
SECRETS_USER = "4633458b-17de-408a-b874-0445c86b69e6"


@pytest.mark.parametrize(
    ("role", "kind", "expected"),
    [
        (SECRETS_USER, "ServicePrincipal", True),
        (SECRETS_USER, "User", False),
        (CONTRIBUTOR, "ServicePrincipal", False),
    ],
)
def test_apply_may_grant_only_what_its_condition_names(shared: World, role: str, kind: str, *, expected: bool) -> None:
    subscription = shared.stand_in.resource_manager.subscription
    definition = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/roleDefinitions/{role}"
    body = {"properties": {"roleDefinitionId": definition, "principalType": kind, "principalId": "x"}}
    assert is_allowed(shared, "apply", f"{ASSIGNMENT_TYPE}/write", f"{ASSIGNMENT_TYPE}/new", body) == expected
