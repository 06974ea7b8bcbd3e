"""Terraform's real state protocol against Azurite, under Azure's own host names. Needs no provider."""

import re
import time

import pytest

from environments import load
from rehearsal.terraform import Terraform, kill
from rehearsal.world import World

CONTAINER = "tfstate-dev"


def stack(world: World, name: str, *, sleeps: int = 0, inputs: int = 1) -> Terraform:
    """A stack of terraform_data resources, which come with Terraform, with the azurerm backend."""
    account = load().shared.account
    shared = load().shared.names
    keys = ", ".join(f'"{n}"' for n in range(inputs))
    resource: dict[str, object] = {"input": "${each.key}", "for_each": f"${{toset([{keys}])}}"}
    if sleeps:
        resource["provisioner"] = [{"local-exec": {"command": f"sleep {sleeps}"}}]
    body: dict[str, object] = {
        "terraform": {
            "backend": {
                "azurerm": {
                    "storage_account_name": shared("storage", "state"),
                    "container_name": CONTAINER,
                    "key": f"{name}.tfstate",
                    "tenant_id": account.tenant_id,
                    "use_azuread_auth": True,
                }
            }
        },
        "resource": {"terraform_data": {"thing": resource}},
    }
    return world.stack(name, body)


@pytest.fixture(scope="module")
def containers(state_world: World) -> World:
    """The world, with the container that the shared stack would have made."""
    account = f"{state_world.stand_in.azure.subscription}/resourceGroups/rg"
    path = f"/subscriptions/{account}/providers/Microsoft.Storage/storageAccounts/{state_world.accounts[0]}"
    state_world.stand_in.azure.put(f"{path}/blobServices/default/containers/{CONTAINER}", {})
    assert state_world.make_containers() == [CONTAINER]
    return state_world


def test_state_is_kept_in_the_container_and_read_back(containers: World) -> None:
    first = stack(containers, "kept", inputs=3)
    assert first.init().code == 0
    assert first.apply().code == 0
    assert len(first.state()["resources"][0]["instances"]) == 3
    assert first.plan().code == 0, "the second plan is empty"
    assert not (first.folder / "terraform.tfstate").exists()


def test_a_second_apply_waits_and_is_told_who_holds_the_state_and_a_killed_one_is_recovered(containers: World) -> None:
    slow = stack(containers, "held", sleeps=30, inputs=2)
    assert slow.init().code == 0
    process = slow.start("apply", "-auto-approve")
    assert any("Creating..." in line for line in process.stdout or ())
    started = time.monotonic()
    second = slow.run("plan", "-no-color", "-lock-timeout=2s")
    assert second.code == 1
    assert time.monotonic() - started >= 2, "it waited"
    assert "Error acquiring the state lock" in second.output
    assert re.search(r"Who:\s+\S+@\S+", second.output)
    lock = re.search(r"ID:\s+(\S+)", second.output)
    assert lock
    kill(process)
    assert slow.run("plan", "-no-color").code == 1, "the lease outlives the process that took it"
    assert slow.run("force-unlock", "-force", lock[1]).code == 0
    quick = stack(containers, "held", inputs=2)
    assert quick.apply().code == 0
    assert len(quick.state()["resources"][0]["instances"]) == 2


def test_nothing_but_the_stand_ins_was_asked_for(containers: World) -> None:
    assert containers.stand_in.proxy.refused == []
