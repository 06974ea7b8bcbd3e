"""What can be rehearsed without the provider: Terraform's state and its locks, with resources of Terraform's own."""

from collections.abc import Callable

from environments import Platform
from operations.terraform.state import find_state_lock
from rehearsal.stand_in.model import Json
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World

CONTAINER = "tfstate-dev"


class StateError(Exception):
    """State or its lock did not behave as on Azure; the text is Terraform's."""


def stack(world: World, platform: Platform, name: str, *, things: int = 1, sleeps: int = 0) -> IsolatedTerraform:
    """So many terraform_data resources, with the backend of the platform's stacks; each may take some seconds."""
    keys = ", ".join(f'"{n}"' for n in range(things))
    resource: Json = {"input": "${each.key}", "for_each": f"${{toset([{keys}])}}"}
    if sleeps:
        resource["provisioner"] = [{"local-exec": {"command": f"sleep {sleeps}"}}]
    backend = {
        "storage_account_name": world.accounts[0],
        "container_name": CONTAINER,
        "key": f"{name}.tfstate",
        "tenant_id": platform.shared.account.tenant_id,
        "use_azuread_auth": True,
    }
    body: Json = {"terraform": {"backend": {"azurerm": backend}}, "resource": {"terraform_data": {"thing": resource}}}
    return world.stack(name, body)


def rehearse(world: World, platform: Platform, say: Callable[[str], None]) -> None:
    """State kept and read back, a second run told who holds it, a killed apply recovered.

    Raises:
        StateError: one of them did not go so.
    """
    world.make_containers([CONTAINER])
    slow = stack(world, platform, "state", things=2, sleeps=30)
    _ran(slow, "init", "-no-color")
    with slow.start("apply", "-auto-approve", "-no-color") as first:
        if not any("Creating..." in line for line in first.stdout or ()):
            raise StateError("The first apply ended before it made anything.")
        held = _ran(slow, "apply", "-auto-approve", "-no-color", "-lock-timeout=2s", code=1)
    lock = find_state_lock(held)
    if lock is None:
        raise StateError(held)
    say(f"  the second run waited 2s and was told of {lock.holder}; the first was killed")
    _ran(slow, "force-unlock", "-force", lock.id)
    quick = stack(world, platform, "state", things=2)
    _ran(quick, "apply", "-auto-approve", "-no-color")
    _ran(quick, "plan", "-no-color", "-detailed-exitcode")
    say("  it was unlocked; the next apply converged, and the second plan is empty")


def _ran(terraform: IsolatedTerraform, *arguments: str, code: int = 0) -> str:
    run = terraform.run(*arguments)
    if run.code != code:
        raise StateError(run.output)
    return run.output
