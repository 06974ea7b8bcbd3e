"""Terraform's real state protocol against Azurite, under Azure's own host names. Needs no provider."""

import re
import time
from collections.abc import Iterator

import pytest

from environments import load
from operations.terraform.state import find_state_lock
from rehearsal import __main__ as rehearsal_main
from rehearsal import state_alone
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World, open_world

pytestmark = pytest.mark.usefixtures("azurite")


@pytest.fixture(scope="module")
def world(binary: str, azurite: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:  # noqa: ARG001
    """A world with Azurite, and with the container that the shared stack would have made."""
    assert binary
    with open_world(tmp_path_factory.mktemp("state"), load()) as world:
        world.make_containers([state_alone.CONTAINER])
        yield world


def write_stack(world: World, name: str, *, things: int, seconds: int = 0) -> IsolatedTerraform:
    """Write a stack of resources that come with Terraform, whose state is in the container."""
    return state_alone.write_stack(world, load(), name, things=things, seconds=seconds)


def test_state_is_kept_in_the_container_and_read_back(world: World) -> None:
    stack = write_stack(world, "kept", things=3)
    assert stack.init().code == 0
    assert stack.apply().code == 0
    assert len(stack.read_state()["resources"][0]["instances"]) == 3
    assert stack.plan().code == 0, "the second plan is empty"
    assert not (stack.folder / "terraform.tfstate").exists()


@pytest.mark.slow
def test_a_second_apply_is_told_who_holds_the_state_and_a_killed_one_is_recovered(world: World) -> None:
    slow = write_stack(world, "held", things=2, seconds=30)
    assert slow.init().code == 0
    with slow.start("apply", "-auto-approve") as process:
        assert any("Creating..." in line for line in process.stdout or ())
        started = time.monotonic()
        second = slow.run("apply", "-auto-approve", "-no-color", "-lock-timeout=2s")
    assert second.code == 1
    assert time.monotonic() - started >= 2, "it waited"
    assert "Error acquiring the state lock" in second.output
    lock = find_state_lock(second.output)
    assert lock
    assert re.fullmatch(r"\S+@\S+", lock.holder)
    assert slow.run("plan", "-no-color").code == 1, "the lease outlives the process that took it"
    assert slow.run("force-unlock", "-force", lock.id).code == 0
    quick = write_stack(world, "held", things=2)
    assert quick.apply().code == 0
    assert len(quick.read_state()["resources"][0]["instances"]) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("without_provider")
def test_without_a_provider_state_alone_is_rehearsed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rehearsal", "dev"])
    assert rehearsal_main.main() == 0
    output = capsys.readouterr().out
    assert "the azurerm provider cannot be had here" in output
    assert "the second plan is empty" in output


def test_terraform_asked_for_no_other_host(world: World) -> None:
    """Last, because it looks at what the tests before it did."""
    assert world.stand_in.proxy.refused == []
