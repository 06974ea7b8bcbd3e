"""Everything that a rehearsal runs on: Resource Manager, Azurite for the state, and stacks in folders of their own."""

import contextlib
import json
import os
import shutil
import ssl
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from environments import Platform
from operations.terraform.runner import find_terraform
from rehearsal import azurite
from rehearsal.endpoint import Endpoint
from rehearsal.stand_in import dump, entra
from rehearsal.stand_in.blobs import make_blob_service
from rehearsal.stand_in.certificates import Certificates, make_certificates
from rehearsal.stand_in.hosts import BLOB_SUFFIX, LOGIN_HOST, VAULT_SUFFIX
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.proxy import Proxy, run_proxy
from rehearsal.stand_in.resource_manager import SECONDS_PER_MINUTE
from rehearsal.stand_in.server import StandIn, run_stand_in
from rehearsal.terraform import IsolatedTerraform, isolate_environment

LOCAL_BACKEND = "local_override.tf.json"
STORE = "store.json"
"""Where the stand-in's store is written when it ends."""


@dataclass(frozen=True)
class World:
    """A subscription of one's own, and where its stacks are worked on."""

    folder: Path
    endpoint: Endpoint
    """Where Resource Manager answers."""
    proxy: Proxy
    """How Terraform reaches the rest under Azure's host names."""
    binary: str
    blob_port: int | None
    """Azurite's; None where state stays in local files."""
    accounts: tuple[str, ...]
    """The storage accounts that Azurite stands in for."""
    own: StandIn | None
    """The stand-in; None where Resource Manager is another's."""

    @property
    def stand_in(self) -> StandIn:
        """The stand-in. Raises RuntimeError where Resource Manager is another's."""
        if self.own is None:
            raise RuntimeError(f"{self.endpoint.url} is no stand-in of ours.")
        return self.own

    def environment(self) -> dict[str, str]:
        """The environment with which Terraform and its provider reach all of it, as its owner."""
        return self.endpoint.environment() | {"HTTPS_PROXY": self.proxy.url}

    def stack(
        self, name: str, body: Json, *, local_state: bool = False, identity: Mapping[str, str] | None = None
    ) -> IsolatedTerraform:
        """Write a stack's Terraform JSON into its folder, and give what works on it.

        Args:
            name: The stack's.
            body: Its Terraform JSON, as synthesized.
            local_state: Keep its state in its folder, whatever the JSON declares.
            identity: ARM_ variables to log in with, instead of the owner's.
        """
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "cdk.tf.json").write_text(json.dumps(body, indent=1), encoding="utf-8")
        override = folder / LOCAL_BACKEND
        if local_state:
            override.write_text(json.dumps({"terraform": {"backend": {"local": {}}}}), encoding="utf-8")
        else:
            override.unlink(missing_ok=True)
        variables = self.environment() | dict(identity or {})
        return IsolatedTerraform(folder, self.binary, isolate_environment(variables))

    def make_containers(self, names: Iterable[str]) -> None:
        """Make blob containers for state in Azurite, as Azure does when Resource Manager is asked for them."""
        headers = {
            "Authorization": f"Bearer {self.endpoint.token('https://storage.azure.com')}",
            "x-ms-version": "2023-11-03",
        }
        for name in names:
            url = f"https://localhost:{self.blob_port}/{self.accounts[0]}/{name}?restype=container"
            self.endpoint.send("PUT", url, None, headers)

    def inventory(self, groups: Iterable[str]) -> set[str]:
        """The ids of all that the stand-in holds; of another endpoint, of what it lists in these resource groups."""
        if self.own:
            return {resource.id.key for resource in self.own.resource_manager.list_resources()}
        listed = (each["id"] for group in groups for each in self.endpoint.ask("GET", f"{group}/resources")["value"])
        return {str(id_).lower() for id_ in listed}


@contextlib.contextmanager
def world(
    folder: Path,
    platform: Platform,
    *,
    seconds_per_minute: float = SECONDS_PER_MINUTE,
    blobs: bool = True,
    elsewhere: str | None = None,
    ca: Path | None = None,
) -> Generator[World]:
    """Run a world in `folder` until the block ends; nothing of it stays but the folder.

    Args:
        folder: Takes the stacks, certificates, Azurite's data, every request, and at the end the store.
        platform: Names the subscription, the tenant and the state's account.
        seconds_per_minute: How long a minute of Azure takes here.
        blobs: Whether Azurite runs for the state.
        elsewhere: Another Resource Manager's address, such as `https://localhost:1234`, instead of the stand-in.
        ca: Its certificate authority; those of this machine where it is not named.

    Raises:
        RuntimeError: Terraform, or with `blobs` Azurite, is not installed.
    """
    binary = find_terraform()
    if binary is None:
        raise RuntimeError("Neither Terraform nor OpenTofu is installed.")
    accounts = (platform.shared.names.compose("storage", "state"),) if blobs else ()
    certificates = make_certificates(folder)
    with contextlib.ExitStack() as stack:
        blob_port = None
        if blobs:
            data = folder / "azurite"
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir()
            server_file = certificates.server_file
            blob_port = stack.enter_context(azurite.running(data, accounts=accounts, certificate=server_file))
        if elsewhere:
            manager = _elsewhere(certificates, platform, elsewhere, ca, blob_port)
        else:
            manager = _own(folder, certificates, platform, seconds_per_minute, blob_port)
        endpoint, proxy, own = stack.enter_context(manager)
        yield World(folder, endpoint, proxy, binary, blob_port, accounts, own)


class _Manager(NamedTuple):
    """A Resource Manager, and how it is reached."""

    endpoint: Endpoint
    proxy: Proxy
    own: StandIn | None


@contextlib.contextmanager
def _own(
    folder: Path, certificates: Certificates, platform: Platform, seconds_per_minute: float, blob_port: int | None
) -> Generator[_Manager]:
    """Run the stand-in, and write its store at the end."""
    tenant, subscription = platform.shared.account.tenant_id, platform.shared.account.subscription_id
    blobs = None
    if blob_port:
        blobs = make_blob_service(blob_port, ssl.create_default_context(cafile=certificates.ca_file))
    with (
        (folder / "requests.jsonl").open("w", encoding="utf-8") as log,
        run_stand_in(
            certificates,
            subscription=subscription,
            tenant=tenant,
            seconds_per_minute=seconds_per_minute,
            blobs=blobs,
            log=log,
        ) as own,
    ):
        try:
            yield _Manager(Endpoint(own.url, certificates.ca_file, tenant, subscription), own.proxy, own)
        finally:
            store = dump.dump_store(own.resource_manager)
            (folder / STORE).write_text(json.dumps(store, indent=1), encoding="utf-8")


@contextlib.contextmanager
def _elsewhere(
    certificates: Certificates, platform: Platform, url: str, ca: Path | None, blob_port: int | None
) -> Generator[_Manager]:
    """Use another Resource Manager, with the login that this shell's ARM_ variables name."""
    tenant, subscription = platform.shared.account.tenant_id, platform.shared.account.subscription_id
    ca_file = certificates.ca_file
    _trust(ca_file, ca)
    login = os.environ.get("ARM_CLIENT_ID", entra.OWNER_CLIENT), os.environ.get("ARM_CLIENT_SECRET", "unused")
    endpoint = Endpoint(url.rstrip("/"), ca_file, tenant, subscription, *login)
    there = urlsplit(endpoint.url)
    host, port = there.hostname or "", there.port or 443
    routes = dict.fromkeys((VAULT_SUFFIX, LOGIN_HOST, host), (host, port))
    if blob_port:
        routes[BLOB_SUFFIX] = ("127.0.0.1", blob_port)
    with run_proxy(routes) as proxy:
        yield _Manager(endpoint, proxy, None)


def _trust(ca_file: Path, other: Path | None) -> None:
    """Add another authority, or those that this machine trusts, to ours."""
    trusted = other or ssl.get_default_verify_paths().cafile
    if trusted:
        with ca_file.open("a", encoding="utf-8") as file:
            file.write(Path(trusted).read_text(encoding="utf-8"))
