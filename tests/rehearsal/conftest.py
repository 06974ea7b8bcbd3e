"""What these tests need, and one printed reason where it is not to be had.

They can run side by side: every stand-in takes free ports and a folder of its own, and ends with its test.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("uvicorn", reason="the stand-in's server is not installed: make setup-dev installs it")

import bindings

bindings.install()  # before anything imports cdktf

from environments import load
from operations.terraform.runner import find_terraform
from rehearsal import azurite
from rehearsal.stand_in.certificates import make_certificates
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.server import StandIn, run_stand_in
from rehearsal.terraform import is_provider_missing
from rehearsal.world import World, world

PROBE: Json = {
    "terraform": {"required_providers": {"azurerm": {"source": "hashicorp/azurerm", "version": "4.81.0"}}},
    "provider": {"azurerm": [{"features": [{}], "resource_provider_registrations": "none"}]},
}
"""The smallest stack that needs the provider."""


@pytest.fixture
def stand_in(tmp_path: Path) -> Iterator[StandIn]:
    """A stand-in of one's own, in which a minute of Azure takes a hundredth of a second."""
    with run_stand_in(make_certificates(tmp_path), seconds_per_minute=0.01) as stand_in:
        yield stand_in


@pytest.fixture
def without_provider(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Terraform that finds no provider anywhere, whatever this machine has."""
    nowhere = tmp_path / "terraformrc"
    nowhere.write_text(f'provider_installation {{ filesystem_mirror {{ path = "{tmp_path}" }} }}', encoding="utf-8")
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(nowhere))


@pytest.fixture(scope="session")
def binary() -> str:
    """Terraform or OpenTofu."""
    found = find_terraform()
    if found is None:
        pytest.skip("neither Terraform nor OpenTofu is installed")
    return found


@pytest.fixture(scope="module")
def state_world(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with Azurite for the state."""
    assert binary
    if azurite.find() is None:
        pytest.skip("Azurite is not installed: make tools installs it")
    with world(tmp_path_factory.mktemp("state"), load()) as here:
        yield here


@pytest.fixture(scope="session")
def provider(binary: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which `terraform init` has found the azurerm provider."""
    folder = tmp_path_factory.mktemp("provider")
    with world(folder, load(), blobs=False) as here:
        probe = here.stack("probe", PROBE, local_state=True)
        found = probe.init()
    if is_provider_missing(found):
        pytest.skip(
            "terraform init finds the azurerm provider nowhere: neither a registry, a mirror, nor a local folder"
        )
    assert found.code == 0, found.output
    assert binary
    return folder / "probe"


@pytest.fixture(scope="module")
def azure_world(provider: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world with the real provider, whose state stays in local files."""
    assert provider
    with world(tmp_path_factory.mktemp("azure"), load(), blobs=False) as here:
        yield here
