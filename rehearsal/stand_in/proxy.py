"""A proxy that leads Azure's real host names to the stand-in, and refuses every other host.

Go programs take HTTPS_PROXY from the environment. So a small CONNECT proxy (RFC 9110, 9.3.6) is enough: nobody edits
the hosts file or needs special rights. `NAME.vault.azure.net` goes to the stand-in. So does
`NAME.blob.core.windows.net`, because the stand-in checks roles before Azurite answers (`blobs.py`). Every other host is
refused, which also proves that a rehearsal sends nothing to other machines.
"""

import asyncio
import contextlib
import socket
import threading
from collections.abc import Generator, Mapping
from dataclasses import dataclass, field

HEADER_LIMIT = 65536

Address = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True)
class Proxy:
    """A proxy at a local port."""

    routes: Mapping[str, Address]
    """The destination of each host, by the end of its name."""
    port: int
    refused: list[str] = field(default_factory=list[str])
    """The hosts that were asked for and have no route."""

    @property
    def url(self) -> str:
        """The proxy's address, for HTTPS_PROXY."""
        return f"http://127.0.0.1:{self.port}"

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one CONNECT request, then copy bytes in both directions until one side closes."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError), contextlib.closing(writer):
            request = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            method, _, target = request.partition(" ")
            host = target.partition(" ")[0].rpartition(":")[0]
            address = next((address for suffix, address in self.routes.items() if host.endswith(suffix)), None)
            if method != "CONNECT" or address is None:
                self.refused.append(host)
                writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
                return
            server_reader, server_writer = await asyncio.open_connection(*address)
            with contextlib.closing(server_writer):
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@contextlib.contextmanager
def run_proxy(routes: Mapping[str, Address]) -> Generator[Proxy]:
    """Run a proxy on a free port in a thread of its own until the block ends.

    `routes` maps the end of a host's name to the address to which the host is led.
    """
    listener = socket.create_server(("127.0.0.1", 0))
    proxy = Proxy(routes, listener.getsockname()[1])
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        server = await asyncio.start_server(proxy.answer, sock=listener, limit=HEADER_LIMIT)
        async with server:
            await server.serve_forever()

    def run() -> None:
        with contextlib.suppress(asyncio.CancelledError):
            loop.run_until_complete(task)

    task = loop.create_task(serve())
    thread = threading.Thread(target=run, name="proxy")
    thread.start()
    try:
        yield proxy
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()
        _close_loop(loop)
        listener.close()


def _close_loop(loop: asyncio.AbstractEventLoop) -> None:
    """End the connections that are still open, then the loop."""
    tasks = asyncio.all_tasks(loop)
    for task in tasks:
        task.cancel()
    if tasks:
        loop.run_until_complete(asyncio.wait(tasks))
    loop.close()
