"""Run the stand-in on a free port of localhost, in a thread of its own."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass
from typing import IO

import uvicorn
from starlette.types import ASGIApp

from rehearsal.stand_in import families
from rehearsal.stand_in.application import Application
from rehearsal.stand_in.authorizer import Authorizer
from rehearsal.stand_in.azure_types import AzureTypes
from rehearsal.stand_in.blobs import BlobGate, BlobService
from rehearsal.stand_in.body_checks import BodyChecks
from rehearsal.stand_in.built_in_roles import add_built_in_roles
from rehearsal.stand_in.certificates import Certificates
from rehearsal.stand_in.connection import DropConnections
from rehearsal.stand_in.control import make_control_routes
from rehearsal.stand_in.fault_injection import InjectFaults
from rehearsal.stand_in.faults import Faults
from rehearsal.stand_in.hosts import BLOB_SUFFIX, LOGIN_HOST, VAULT_SUFFIX
from rehearsal.stand_in.polling import Polling
from rehearsal.stand_in.proxy import Proxy, run_proxy
from rehearsal.stand_in.request_log import LogRequests, RequestLog
from rehearsal.stand_in.resource_manager import SECONDS_PER_MINUTE, ResourceManager
from rehearsal.stand_in.routing import Router

ZERO = "00000000-0000-0000-0000-000000000000"
"""The default id of the subscription and the tenant."""


@dataclass(frozen=True)
class StandIn:
    """A running stand-in."""

    url: str
    """Its address, such as `https://localhost:1234`."""
    resource_manager: ResourceManager
    """Holds its resources."""
    faults: Faults
    """The faults that requests meet."""
    request_log: RequestLog
    """The requests so far."""
    certificates: Certificates
    proxy: Proxy
    """Leads Azure's host names to the stand-in."""


@contextlib.contextmanager
def run_stand_in(
    certificates: Certificates,
    *,
    subscription: str = ZERO,
    tenant: str = ZERO,
    seconds_per_minute: float = SECONDS_PER_MINUTE,
    propagation_seconds: float = 0.0,
    blobs: BlobService | None = None,
    types: AzureTypes | None = None,
    log: IO[str] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Generator[StandIn]:
    """Run a stand-in until the block ends.

    Args:
        certificates: Its certificates, as `make_certificates` makes them.
        subscription: The id of its subscription.
        tenant: The id of its tenant.
        seconds_per_minute: How many real seconds a minute of Azure takes.
        propagation_seconds: How long a new role assignment takes until it counts.
        blobs: Answers for Blob Storage, after a check of the caller's roles. Without it, there is no Blob Storage.
        types: Azure's own types. Without them, neither the bodies nor the api-versions of requests are checked.
        log: Gets a line of JSON for each request.
        clock: Returns the time in seconds.

    Raises:
        RuntimeError: The server did not start.
    """
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address: tuple[str, int] = listener.getsockname()
        url = f"https://localhost:{address[1]}"
        faults, request_log = Faults(), RequestLog(log)
        manager = ResourceManager(
            families.TYPES,
            subscription=subscription,
            tenant=tenant,
            seconds_per_minute=seconds_per_minute,
            clock=clock,
            fail_operation=faults.take_operation_failure,
        )
        add_built_in_roles(manager)
        authorizer = Authorizer(manager, propagation_seconds=propagation_seconds)
        polling = Polling(manager, authorizer, url)
        routes = (*families.ROUTES, *make_control_routes(faults, families.TYPES))
        router = Router(manager, authorizer, routes, polling, url, checks=BodyChecks(types) if types else None)
        gate = BlobGate(manager, authorizer, blobs) if blobs else None
        application = Application(manager, router, polling, gate, url)
        app = DropConnections(LogRequests(InjectFaults(application, faults), request_log))
        hosts = (VAULT_SUFFIX, LOGIN_HOST, BLOB_SUFFIX) if blobs else (VAULT_SUFFIX, LOGIN_HOST)
        with _serve(app, listener, certificates), run_proxy(dict.fromkeys(hosts, address)) as proxy:
            yield StandIn(url, manager, faults, request_log, certificates, proxy)


@contextlib.contextmanager
def _serve(app: ASGIApp, listener: socket.socket, certificates: Certificates) -> Generator[None]:
    """Serve an ASGI application on a socket, in a thread of its own, until the block ends."""
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            ssl_certfile=certificates.server_file,
            ssl_keyfile=certificates.server_file,
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
        yield
    finally:
        server.should_exit = True
        thread.join()
