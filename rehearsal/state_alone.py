"""Rehearses what needs no provider: Terraform's state and its locks, with resources that come with Terraform."""

from collections.abc import Callable

from environments import Platform
from operations.terraform.state import find_state_lock
from rehearsal.stand_in.model import Json
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World

CONTAINER = "tfstate-dev"


class StateError(Exception):
    """State or its lock did not behave as on Azure. The message is Terraform's output."""


def write_stack(world: World, platform: Platform, name: str, *, things: int = 1, seconds: int = 0) -> IsolatedTerraform:
    """Write a stack of terraform_data resources with the same backend as the platform's stacks.

    Args:
        world: A world with Azurite.
        platform: Its settings name the tenant.
        name: The name of the stack and of its state.
        things: How many resources it has.
        seconds: How long each of them takes to create.
    """
    keys = ", ".join(f'"{number}"' for number in range(things))
    resource: Json = {"input": "${each.key}", "for_each": f"${{toset([{keys}])}}"}
    if seconds:
        resource["provisioner"] = [{"local-exec": {"command": f"sleep {seconds}"}}]
    backend = {
        "storage_account_name": world.accounts[0],
        "container_name": CONTAINER,
        "key": f"{name}.tfstate",
        "tenant_id": platform.shared.account.tenant_id,
        "use_azuread_auth": True,
    }
    body: Json = {"terraform": {"backend": {"azurerm": backend}}, "resource": {"terraform_data": {"thing": resource}}}
    return world.write_stack(name, body)


def rehearse_state(world: World, platform: Platform, print_line: Callable[[str], None]) -> None:
    """Check that state is kept and read back, that a second run is told who holds it, and that a killed apply recovers.

    Raises:
        StateError: One of them did not happen.
    """
    world.make_containers([CONTAINER])
    slow = write_stack(world, platform, "state", things=2, seconds=30)
    _run(slow, "init", "-no-color")
    with slow.start("apply", "-auto-approve", "-no-color") as first:
        if not any("Creating..." in line for line in first.stdout or ()):
            raise StateError("The first apply ended before it made anything.")
        refusal = _run(slow, "apply", "-auto-approve", "-no-color", "-lock-timeout=2s", code=1)
    lock = find_state_lock(refusal)
    if lock is None:
        raise StateError(refusal)
    print_line(f"  the second run waited 2s and was told of {lock.holder}; the first was killed")
    _run(slow, "force-unlock", "-force", lock.id)
    quick = write_stack(world, platform, "state", things=2)
    _run(quick, "apply", "-auto-approve", "-no-color")
    _run(quick, "plan", "-no-color", "-detailed-exitcode")
    print_line("  it was unlocked; the next apply converged, and the second plan is empty")


def _run(terraform: IsolatedTerraform, *arguments: str, code: int = 0) -> str:
    """Run a command and return its output. Raises StateError if its exit code is not `code`."""
    run = terraform.run(*arguments)
    if run.code != code:
        raise StateError(run.output)
    return run.output
