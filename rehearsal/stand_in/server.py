"""Run the stand-in: a certificate made for the occasion, a free port, a thread."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

import trustme
import uvicorn
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from rehearsal.stand_in import dump, entra, families
from rehearsal.stand_in.application import BLOBS, VAULTS, Application, Question, Route, route
from rehearsal.stand_in.azure import SECONDS_PER_MINUTE, Azure
from rehearsal.stand_in.families.authorization import add_built_in_roles, authorize
from rehearsal.stand_in.faults import Faults, told
from rehearsal.stand_in.model import Json, bad_request
from rehearsal.stand_in.proxy import Proxy, proxying

CA = "ca.pem"
FAULTS = "/rehearsal/faults"
"""Where it is told to fail by a POST, and tells of its faults to a GET."""
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


def certify(folder: Path) -> tuple[Path, Path]:
    """Make a certificate authority, and a certificate with its key for every name that is stood in for here."""
    ca = trustme.CA()
    ca_file, certificate_file = folder / CA, folder / "server.pem"
    ca.cert_pem.write_to_path(ca_file)
    certificate = ca.issue_cert("localhost", f"*{VAULTS}", f"*{BLOBS}", entra.LOGIN)
    certificate.private_key_and_cert_chain_pem.write_to_path(certificate_file)
    return ca_file, certificate_file


def _store(question: Question) -> Json:
    return dump.dumped(question.azure)


STORE = route("GET", dump.PATH, "Microsoft.Rehearsal/store/read", _store)
"""What the stand-in holds, for whoever wants to see it."""


def _faults(faults: Faults) -> tuple[Route, Route]:
    """Tell it to fail, and see how often each fault was met."""

    def add(question: Question) -> Json:
        fault = told(question.body)
        if fault.type.lower() not in (each.name.lower() for each in families.TYPES):
            raise bad_request(f"The rehearsal does not know the resource type '{fault.type}'.", "InvalidFault")
        return asdict(faults.add(fault))

    return (
        route("POST", FAULTS, "Microsoft.Rehearsal/faults/write", add),
        route("GET", FAULTS, "Microsoft.Rehearsal/faults/read", lambda _: {"value": [asdict(each) for each in faults]}),
    )


def _open(application: Application) -> ASGIApp:
    """The application, behind what Entra tells anybody."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        told = entra.discovery(scope["path"]) if scope["type"] == "http" else None
        await (JSONResponse(told) if told else application)(scope, receive, send)

    return answer


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
    ca_file, certificate_file = certify(folder)
    azure = Azure(
        families.TYPES, subscription=subscription, tenant=tenant, seconds_per_minute=seconds_per_minute, clock=clock
    )
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        add_built_in_roles(azure)
        azure.base = f"https://localhost:{port}"
        faults = Faults()
        routes = (*families.ROUTES, STORE, *_faults(faults))
        application = Application(azure, routes, authorize, faults, log)
        server = uvicorn.Server(
            uvicorn.Config(
                _open(application),
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
            here = ("127.0.0.1", port)
            with proxying({VAULTS: here, entra.LOGIN: here}) as proxy:
                yield StandIn(application, port, ca_file, certificate_file, proxy)
        finally:
            server.should_exit = True
            thread.join()
