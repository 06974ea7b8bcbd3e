"""Everything that a rehearsal runs on: the stand-in, Azurite for the state, and stacks in folders of their own."""

import contextlib
import json
import shutil
import urllib.request
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from ssl import create_default_context

from environments import Platform
from rehearsal import azurite, entra, terraform
from rehearsal.families.storage import CONTAINER
from rehearsal.model import Json
from rehearsal.server import BLOBS, StandIn, running
from rehearsal.terraform import Terraform

LOCAL_BACKEND = "local_override.tf.json"


@dataclass(frozen=True)
class World:
    """A subscription of one's own, and where its stacks are worked on."""

    folder: Path
    stand_in: StandIn
    binary: str
    blob_port: int | None
    """Azurite's; None where state stays in local files."""
    accounts: tuple[str, ...]
    """The storage accounts that Azurite stands in for."""

    def stack(
        self, name: str, body: Json, *, local_state: bool = False, identity: Mapping[str, str] | None = None
    ) -> Terraform:
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
        return Terraform(self.binary, folder, self.stand_in.environment() | dict(identity or {}))

    def make_containers(self) -> list[str]:
        """Make the blob containers that Resource Manager was asked for, in Azurite, as Azure does in one."""
        made: list[str] = []
        context = create_default_context(cafile=str(self.stand_in.ca_file))
        token = entra.issue(
            self.stand_in.azure, {"client_id": entra.OWNER_CLIENT, "scope": "https://storage.azure.com/.default"}
        )
        for container in self.stand_in.azure.all(CONTAINER.lower()):
            account, _, name = container.id.names
            if account not in self.accounts:
                continue
            request = urllib.request.Request(
                f"https://localhost:{self.blob_port}/{account}/{name}?restype=container",
                method="PUT",
                headers={"Authorization": f"Bearer {token['access_token']}", "x-ms-version": "2023-11-03"},
            )
            with urllib.request.urlopen(request, context=context):  # noqa: S310
                made.append(name)
        return made


@contextlib.contextmanager
def world(
    folder: Path, platform: Platform, *, seconds_per_minute: float = 0.02, blobs: bool = True
) -> Generator[World]:
    """Run a world in `folder` until the block ends; nothing of it stays but the folder.

    Raises:
        RuntimeError: Terraform, or with `blobs` Azurite, is not installed.
    """
    binary = terraform.find()
    if binary is None:
        raise RuntimeError("Neither Terraform nor OpenTofu is installed.")
    account = platform.shared.account
    accounts = (platform.shared.names("storage", "state"),) if blobs else ()
    with contextlib.ExitStack() as stack:
        log = stack.enter_context((folder / "requests.jsonl").open("w", encoding="utf-8"))
        stand_in = stack.enter_context(
            running(
                folder,
                subscription=account.subscription_id,
                tenant=account.tenant_id,
                seconds_per_minute=seconds_per_minute,
                log=log,
            )
        )
        port = None
        if blobs:
            data = folder / "azurite"
            shutil.rmtree(data, ignore_errors=True)
            data.mkdir()
            port = stack.enter_context(azurite.running(data, accounts=accounts, certificate=stand_in.certificate_file))
            stand_in.proxy.routes[BLOBS] = port
        yield World(folder, stand_in, binary, port, accounts)
