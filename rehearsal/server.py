"""Run the stand-in: a certificate made for the occasion, a free port, a thread."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import trustme
import uvicorn

from rehearsal import entra, families
from rehearsal.azure import SECONDS_PER_MINUTE, Azure
from rehearsal.families.authorization import add_built_in_roles, authorize
from rehearsal.faults import Faults
from rehearsal.proxy import Proxy, proxying
from rehearsal.web import VAULTS, Application

BLOBS = ".blob.core.windows.net"

ZERO = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class StandIn:
    """A running stand-in."""

    application: Application
    port: int
    ca_file: Path
    """The certificate authority that made its certificate, for SSL_CERT_FILE."""
    certificate_file: Path
    """Its certificate and key, which are also good for the blob service of any account."""
    proxy: Proxy
    """How Terraform reaches it under Azure's host names."""

    @property
    def azure(self) -> Azure:
        """What it holds."""
        return self.application.azure

    @property
    def faults(self) -> Faults:
        """How it is told to fail."""
        return self.application.faults

    def environment(self) -> dict[str, str]:
        """The environment with which Terraform and its provider reach this stand-in, as its owner."""
        return {
            "ARM_METADATA_HOSTNAME": f"localhost:{self.port}",
            "ARM_TENANT_ID": self.azure.tenant,
            "ARM_SUBSCRIPTION_ID": self.azure.subscription,
            "ARM_CLIENT_ID": entra.OWNER_CLIENT,
            "ARM_CLIENT_SECRET": "unused",
            "ARM_USE_CLI": "false",
            "ARM_USE_MSI": "false",
            "SSL_CERT_FILE": str(self.ca_file),
            "HTTPS_PROXY": self.proxy.url,
        }


@contextlib.contextmanager
def running(
    folder: Path,
    *,
    subscription: str = ZERO,
    tenant: str = ZERO,
    seconds_per_minute: float = SECONDS_PER_MINUTE,
    log: IO[str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[StandIn]:
    """Run a stand-in on a free port of localhost, with its certificates in `folder`, until the block ends.

    Raises:
        RuntimeError: it did not start.
    """
    ca = trustme.CA()
    certificate = ca.issue_cert("localhost", f"*{VAULTS}", f"*{BLOBS}")
    ca_file, certificate_file = folder / "ca.pem", folder / "server.pem"
    ca.cert_pem.write_to_path(ca_file)
    certificate.private_key_and_cert_chain_pem.write_to_path(certificate_file)
    azure = Azure(
        families.TYPES, subscription=subscription, tenant=tenant, seconds_per_minute=seconds_per_minute, clock=clock
    )
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        add_built_in_roles(azure)
        azure.base = f"https://localhost:{port}"
        application = Application(
            azure,
            families.ROUTES,
            authorize,
            log=log,
        )
        server = uvicorn.Server(
            uvicorn.Config(
                application,
                ssl_certfile=certificate_file,
                ssl_keyfile=certificate_file,
                log_level="critical",
                timeout_graceful_shutdown=1,
                lifespan="off",
                http="h11",
                ws="none",
                timeout_keep_alive=60,
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="rehearsal")
        thread.start()
        try:
            deadline = time.monotonic() + 10
            while not server.started:
                if not thread.is_alive() or time.monotonic() > deadline:
                    raise RuntimeError("The stand-in did not start.")
                time.sleep(0.01)
            with proxying({VAULTS: port}) as proxy:
                yield StandIn(application, port, ca_file, certificate_file, proxy)
        finally:
            server.should_exit = True
            thread.join()
