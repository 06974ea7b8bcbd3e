"""How Terraform reaches the stand-ins under Azure's real host names, and nothing else.

Go programs take HTTPS_PROXY from the environment, so a small CONNECT proxy (RFC 9110, 9.3.6) needs neither the hosts
file nor rights: `NAME.vault.azure.net` goes to the stand-in, and so does `NAME.blob.core.windows.net`, which asks who
may do what before Azurite answers (`blobs.py`). Every other host is refused, which also proves that nothing of a
rehearsal leaves the machine.
"""

import asyncio
import contextlib
import threading
from collections.abc import Generator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field

HEADER_LIMIT = 65536

Address = tuple[str, int]
"""Host and port."""


@dataclass
class Proxy:
    """A running proxy."""

    routes: dict[str, Address]
    """By host suffix."""
    port: int = 0
    refused: list[str] = field(default_factory=list[str])
    """The hosts that were asked for and are not routed."""

    @property
    def url(self) -> str:
        """For HTTPS_PROXY."""
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one CONNECT, then pass bytes both ways until either side ends."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, _, rest = request.partition(" ")
            host = rest.partition(" ")[0].rpartition(":")[0]
            route = next((route for suffix, route in self.routes.items() if host.endswith(suffix)), None)
            if method != "CONNECT" or route is None:
                self.refused.append(host)
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                return
            upstream, downstream = await asyncio.open_connection(*route)
            with contextlib.closing(downstream):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_pass(reader, downstream), _pass(upstream, writer))


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def proxying(routes: Mapping[str, Address]) -> Generator[Proxy]:
    """Run a proxy on a free port until the block ends. `routes` maps host suffixes to where they are led."""
    proxy = Proxy(dict(routes))
    loop = asyncio.new_event_loop()
    started: Future[int] = Future()

    async def serve() -> None:
        server = await asyncio.start_server(proxy.serve, "127.0.0.1", 0, limit=HEADER_LIMIT)
        started.set_result(server.sockets[0].getsockname()[1])
        async with server:
            await server.serve_forever()

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    task = loop.create_task(serve())
    thread = threading.Thread(target=run, name="proxy")
    thread.start()
    try:
        proxy.port = started.result(timeout=10)
        yield proxy
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        _finish(loop)


def _finish(loop: asyncio.AbstractEventLoop) -> None:
    """End the connections that are still open, then the loop."""
    open_ = asyncio.all_tasks(loop)
    for task in open_:
        task.cancel()
    if open_:
        loop.run_until_complete(asyncio.wait(open_))
    loop.close()
