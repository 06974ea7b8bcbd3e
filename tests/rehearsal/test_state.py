"""Terraform's real state protocol against Azurite, under Azure's own host names. Needs no provider."""

import re
import time

import pytest

from environments import load
from operations.terraform.state import find_state_lock
from rehearsal import __main__ as rehearsal_main
from rehearsal import state_alone
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World


@pytest.fixture(scope="module")
def containers(state_world: World) -> World:
    """The world, with the container that the shared stack would have made."""
    state_world.make_containers([state_alone.CONTAINER])
    return state_world


def stack(world: World, name: str, *, things: int, sleeps: int = 0) -> IsolatedTerraform:
    """A stack of resources that come with Terraform, whose state is in the container."""
    return state_alone.stack(world, load(), name, things=things, sleeps=sleeps)


def test_state_is_kept_in_the_container_and_read_back(containers: World) -> None:
    first = stack(containers, "kept", things=3)
    assert first.init().code == 0
    assert first.apply().code == 0
    assert len(first.read_state()["resources"][0]["instances"]) == 3
    assert first.plan().code == 0, "the second plan is empty"
    assert not (first.folder / "terraform.tfstate").exists()


def test_a_second_apply_waits_and_is_told_who_holds_the_state_and_a_killed_one_is_recovered(containers: World) -> None:
    slow = stack(containers, "held", sleeps=30, things=2)
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
    quick = stack(containers, "held", things=2)
    assert quick.apply().code == 0
    assert len(quick.read_state()["resources"][0]["instances"]) == 2


@pytest.mark.usefixtures("containers", "without_provider")
def test_state_alone_is_rehearsed_where_there_is_no_provider(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["rehearsal", "dev"])
    assert rehearsal_main.main() == 0
    said = capsys.readouterr().out
    assert "the azurerm provider cannot be had here" in said
    assert "the second plan is empty" in said


def test_nothing_but_the_stand_ins_was_asked_for(containers: World) -> None:
    assert containers.stand_in.proxy.refused == []
