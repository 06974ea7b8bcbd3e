"""Fixtures for everything that needs Terraform, Azurite or the provider. Each prints its reason once if one is missing.

Test files can run side by side: each stand-in has free ports and a folder of its own, and ends with its tests.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import pytest

pytest.importorskip("uvicorn", reason="the stand-in's server is not installed: make setup-dev installs it")

import bindings

bindings.install()  # before anything imports cdktf

from environments import load
from operations.terraform.runner import find_terraform
from rehearsal.azurite import find_azurite
from rehearsal.stand_in.azure_types import FILE, AzureTypes, load_types
from rehearsal.stand_in.certificates import make_certificates
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.server import StandIn, run_stand_in
from rehearsal.terraform import IsolatedTerraform, is_provider_missing, isolate_environment
from rehearsal.world import World, open_world
from tests.rehearsal import parts
from tests.rehearsal.client import Client, make_owner

PROBE: Json = {
    "terraform": {"required_providers": {"azurerm": {"source": "hashicorp/azurerm", "version": "4.81.0"}}},
    "provider": {"azurerm": [{"features": [{}], "resource_provider_registrations": "none"}]},
}
"""The smallest stack that needs the provider."""


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let xdist's workers start with the tests of the provider, so that all others run while these wait.

    `--dist=loadfile` is necessary: the tests of a file share worlds that take a minute to build, so one worker has to
    run them all. The order counts only with `--no-loadscope-reorder`.
    """
    if config.getoption("numprocesses", None) or hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.get_closest_marker("azure") is None)


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    """A stand-in of the test's own, in which a minute of Azure takes a twentieth of a second.

    On a busy machine, this is still long enough for a request to arrive while an operation is running.
    """
    with run_stand_in(make_certificates(tmp_path), seconds_per_minute=0.05, types=load_types()) as stand_in:
        yield stand_in


@pytest.fixture
def owner(stand_in: StandIn) -> Client:
    """The owner's client, with a resource group."""
    return make_owner(stand_in)


@pytest.fixture(scope="session")
def types() -> AzureTypes:
    """Azure's own types."""
    types = load_types()
    if types is None:
        pytest.skip(f"there is no {FILE.name}: `make azure-types FROM=...` brings it")
    return types


@pytest.fixture
def without_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Terraform find no provider anywhere, whatever is installed on this machine."""
    configuration = tmp_path / "terraformrc"
    mirror = f'filesystem_mirror {{ path = "{tmp_path}" }}'
    configuration.write_text(f"provider_installation {{ {mirror} }}", encoding="utf-8")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(configuration))


@pytest.fixture(scope="session")
def binary() -> str:
    """The path of Terraform or OpenTofu."""
    path = find_terraform()
    if path is None:
        pytest.skip("neither Terraform nor OpenTofu is installed")
    return path


@pytest.fixture(scope="session")
def azurite() -> None:
    """Azurite is installed."""
    if find_azurite() is None:
        pytest.skip("Azurite is not installed: make tools installs it")


@pytest.fixture(scope="session")
def provider(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `terraform init` has found the azurerm provider."""
    assert binary
    folder = tmp_path_factory.mktemp("provider")
    with open_world(folder, load(), blobs=False) as world:
        init = world.write_stack("probe", PROBE, local_state=True).init()
    if is_provider_missing(init):
        pytest.skip(
            "terraform init finds the azurerm provider nowhere: neither a registry, a mirror, nor a local folder"
        )
    assert init.code == 0, init.output
    return folder / "probe"


@pytest.fixture
def empty_world(provider: Path, tmp_path: Path) -> Iterator[World]:
    """An empty world of the test's own for the real provider, whose state stays in local files."""
    assert provider
    with open_world(tmp_path, load(), blobs=False) as world:
        yield world


@pytest.fixture
def azure_world(empty_world: World) -> World:
    """A world with everything that the shared stack makes for the environments."""
    parts.seed_platform(empty_world.stand_in.resource_manager)
    return empty_world


@pytest.fixture(scope="session")
def schemas(provider: Path, binary: str) -> Mapping[str, Json]:
    """The schema of every resource type, by the type's name."""
    terraform = IsolatedTerraform(provider, binary, isolate_environment({}))
    output = json.loads(terraform.read_output("providers", "schema", "-json"))
    providers = cast(dict[str, Json], output["provider_schemas"])
    return cast(Mapping[str, Json], next(iter(providers.values()))["resource_schemas"])
