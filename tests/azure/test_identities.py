"""The pipeline's identities, logged in by GitHub's OIDC: each may do what its jobs need, and no more."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from environments import load
from rehearsal import entra, synthesis
from rehearsal.entra import CREDENTIAL, IDENTITY
from rehearsal.model import Resource
from rehearsal.terraform import errors
from rehearsal.world import World, world
from tests.azure import parts
from tests.azure.test_environments import WAITING

pytestmark = pytest.mark.azure


@pytest.fixture(scope="module")
def shared(provider: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world in which a person has applied the shared stack."""
    assert provider
    with world(tmp_path_factory.mktemp("shared"), load(), blobs=False) as here:
        body = parts.without(synthesis.unprotected(synthesis.shared(load())), *WAITING)
        stack = here.stack("shared", body, local_state=True)
        assert stack.init().code == 0
        applied = stack.apply()
        assert applied.code == 0, errors(applied.output)
        yield here


def identity(here: World, job: str) -> Resource:
    """dev's identity for a job."""
    platform = load()
    name = platform.names(platform.environments["dev"])("identity", job)
    return next(each for each in here.stand_in.azure.all(IDENTITY) if each.id.name == name)


def login(here: World, job: str) -> dict[str, str]:
    """ARM_ variables with which a job of dev logs in."""
    found = identity(here, job)
    trust = next(here.stand_in.azure.all(CREDENTIAL, found.id.path)).properties
    token = entra.assertion(trust["issuer"], trust["subject"])
    return {
        "ARM_CLIENT_ID": found.properties["clientId"],
        "ARM_CLIENT_SECRET": "",
        "ARM_USE_OIDC": "true",
        "ARM_OIDC_TOKEN": token,
    }


def test_apply_and_plan_can_do_their_jobs(shared: World) -> None:
    body = parts.without(parts.stack("dev"), *WAITING)
    applying = shared.stack("dev", body, local_state=True, **login(shared, "apply"))
    assert applying.init().code == 0
    applied = applying.apply()
    assert applied.code == 0, errors(applied.output)
    planning = shared.stack("dev", body, local_state=True, **login(shared, "plan"))
    planned = planning.plan()
    assert planned.code == 0, planned.output[-3000:]
