"""Everything that a rehearsal runs on: Resource Manager, Azurite for the state, and a folder for each stack."""

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
from operations.terraform.runner import SYNTHESIZED, find_terraform
from rehearsal.azurite import run_azurite
from rehearsal.endpoint import Endpoint
from rehearsal.stand_in import dump, entra
from rehearsal.stand_in.azure_types import load_types
from rehearsal.stand_in.blobs import make_blob_service
from rehearsal.stand_in.certificates import Certificates, make_certificates
from rehearsal.stand_in.hosts import BLOB_SUFFIX, LOGIN_HOST, VAULT_SUFFIX
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.proxy import Proxy, run_proxy
from rehearsal.stand_in.resource_manager import SECONDS_PER_MINUTE
from rehearsal.stand_in.server import StandIn, run_stand_in
from rehearsal.terraform import IsolatedTerraform, isolate_environment

LOCAL_BACKEND = "local_override.tf.json"
REQUESTS = "requests.jsonl"
"""The file to which the stand-in writes every request."""
STORE = "store.json"
"""The file to which the stand-in's store is written at the end."""


@dataclass(frozen=True)
class World:
    """A subscription, and the folder in which Terraform works on its stacks."""

    folder: Path
    endpoint: Endpoint
    """The address of Resource Manager."""
    proxy: Proxy
    """Leads Terraform to everything else under Azure's host names."""
    binary: str
    """Terraform or OpenTofu."""
    blob_port: int | None
    """Azurite's port. None if state is kept in local files."""
    accounts: tuple[str, ...]
    """The names of the storage accounts that Azurite stands in for."""
    own_stand_in: StandIn | None
    """The stand-in. None if `endpoint` is another Resource Manager."""

    @property
    def stand_in(self) -> StandIn:
        """The stand-in. Raises RuntimeError if `endpoint` is another Resource Manager."""
        if self.own_stand_in is None:
            raise RuntimeError(f"{self.endpoint.url} is no stand-in of ours.")
        return self.own_stand_in

    def make_variables(self) -> dict[str, str]:
        """Return the environment variables with which Terraform and its provider reach everything, as the owner."""
        return self.endpoint.make_variables() | {"HTTPS_PROXY": self.proxy.url}

    def write_stack(
        self, name: str, body: Json, *, local_state: bool = False, identity: Mapping[str, str] | None = None
    ) -> IsolatedTerraform:
        """Write a stack's Terraform JSON into its folder, and return Terraform for that folder.

        Args:
            name: The name of the stack and of its folder.
            body: Its Terraform JSON, as synthesized.
            local_state: Keep its state in its folder, whatever backend the JSON declares.
            identity: ARM_ variables to log in with instead of the owner's.
        """
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / SYNTHESIZED).write_text(json.dumps(body, indent=1), encoding="utf-8")
        override = folder / LOCAL_BACKEND
        if local_state:
            override.write_text(json.dumps({"terraform": {"backend": {"local": {}}}}), encoding="utf-8")
        else:
            override.unlink(missing_ok=True)
        variables = self.make_variables() | dict(identity or {})
        return IsolatedTerraform(folder, self.binary, isolate_environment(variables))

    def make_containers(self, names: Iterable[str]) -> None:
        """Make blob containers for state in Azurite. In Azure, Resource Manager would make them."""
        headers = {
            "Authorization": f"Bearer {self.endpoint.fetch_token('https://storage.azure.com')}",
            "x-ms-version": "2023-11-03",
        }
        for name in names:
            url = f"https://localhost:{self.blob_port}/{self.accounts[0]}/{name}?restype=container"
            self.endpoint.send("PUT", url, None, headers)

    def list_resource_ids(self, groups: Iterable[str]) -> set[str]:
        """Return the IDs of the resources that exist, in lower case.

        Args:
            groups: The paths of the resource groups that another endpoint is asked about. The stand-in ignores them
                and returns all that it holds.
        """
        if self.own_stand_in:
            return {resource.id.key for resource in self.own_stand_in.resource_manager.list_resources()}
        answers = [self.endpoint.request("GET", f"{group}/resources") for group in groups]
        return {str(resource["id"]).lower() for answer in answers for resource in answer["value"]}


@contextlib.contextmanager
def open_world(
    folder: Path,
    platform: Platform,
    *,
    seconds_per_minute: float = SECONDS_PER_MINUTE,
    blobs: bool = True,
    other_endpoint: str | None = None,
    ca: Path | None = None,
) -> Generator[World]:
    """Run a world until the block ends. Nothing of it stays, except what is in its folder.

    Args:
        folder: Gets the stacks, the certificates, Azurite's data, every request, and at the end the store.
        platform: Names the subscription, the tenant and the storage account for state.
        seconds_per_minute: How many seconds a minute of Azure takes here.
        blobs: Run Azurite for the state.
        other_endpoint: The address of another Resource Manager to use instead of the stand-in, such as
            `https://localhost:1234`.
        ca: The certificate authority of `other_endpoint`. The default is those that this machine trusts.

    Raises:
        RuntimeError: Terraform is not installed, or `blobs` is set and Azurite is not installed.
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
            azurite = run_azurite(data, accounts=accounts, certificate=certificates.server_file)
            blob_port = stack.enter_context(azurite)
        if other_endpoint:
            manager = _reach_other_endpoint(certificates, platform, other_endpoint, ca, blob_port)
        else:
            manager = _run_own_stand_in(folder, certificates, platform, seconds_per_minute, blob_port)
        endpoint, proxy, stand_in = stack.enter_context(manager)
        yield World(folder, endpoint, proxy, binary, blob_port, accounts, stand_in)


class _Manager(NamedTuple):
    """A Resource Manager, and how to reach it."""

    endpoint: Endpoint
    proxy: Proxy
    stand_in: StandIn | None


@contextlib.contextmanager
def _run_own_stand_in(
    folder: Path, certificates: Certificates, platform: Platform, seconds_per_minute: float, blob_port: int | None
) -> Generator[_Manager]:
    """Run the stand-in, and write its store at the end."""
    tenant, subscription = platform.shared.account.tenant_id, platform.shared.account.subscription_id
    blobs = None
    if blob_port:
        blobs = make_blob_service(blob_port, ssl.create_default_context(cafile=certificates.ca_file))
    with (
        (folder / REQUESTS).open("w", encoding="utf-8") as log,
        run_stand_in(
            certificates,
            subscription=subscription,
            tenant=tenant,
            seconds_per_minute=seconds_per_minute,
            blobs=blobs,
            types=load_types(),
            log=log,
        ) as stand_in,
    ):
        try:
            endpoint = Endpoint(stand_in.url, certificates.ca_file, tenant, subscription)
            yield _Manager(endpoint, stand_in.proxy, stand_in)
        finally:
            store = dump.dump_store(stand_in.resource_manager)
            (folder / STORE).write_text(json.dumps(store, indent=1), encoding="utf-8")


@contextlib.contextmanager
def _reach_other_endpoint(
    certificates: Certificates, platform: Platform, url: str, ca: Path | None, blob_port: int | None
) -> Generator[_Manager]:
    """Use another Resource Manager, with the login that this shell's ARM_ variables name."""
    tenant, subscription = platform.shared.account.tenant_id, platform.shared.account.subscription_id
    ca_file = certificates.ca_file
    _add_trusted_authorities(ca_file, ca)
    login = os.environ.get("ARM_CLIENT_ID", entra.OWNER_CLIENT), os.environ.get("ARM_CLIENT_SECRET", "unused")
    endpoint = Endpoint(url.rstrip("/"), ca_file, tenant, subscription, *login)
    address = urlsplit(endpoint.url)
    host, port = address.hostname or "", address.port or 443
    routes = dict.fromkeys((VAULT_SUFFIX, LOGIN_HOST, host), (host, port))
    if blob_port:
        routes[BLOB_SUFFIX] = ("127.0.0.1", blob_port)
    with run_proxy(routes) as proxy:
        yield _Manager(endpoint, proxy, None)


def _add_trusted_authorities(ca_file: Path, ca: Path | None) -> None:
    """Append a certificate authority to ours, or those that this machine trusts if `ca` is None."""
    trusted = ca or ssl.get_default_verify_paths().cafile
    if trusted:
        with ca_file.open("a", encoding="utf-8") as file:
            file.write(Path(trusted).read_text(encoding="utf-8"))
