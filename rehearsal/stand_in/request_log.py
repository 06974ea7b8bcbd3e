"""The log of all requests, and the ASGI middleware that writes it."""

import json
import time
from collections import deque
from typing import IO

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rehearsal.stand_in.connection import DROP
from rehearsal.stand_in.model import Json

_ENTRY = "stand_in.log_entry"
KEPT_ENTRIES = 10_000
"""How many requests are kept in memory. The file has all of them."""


class RequestLog:
    """The last requests."""

    def __init__(self, file: IO[str] | None = None) -> None:
        """If there is a `file`, every entry is also written to it, as a line of JSON."""
        self.entries: deque[Json] = deque(maxlen=KEPT_ENTRIES)
        """One entry for each of the last requests: method, path, query, fault, body, principal, status, seconds."""
        self._file = file

    def add(self, entry: Json) -> None:
        """Add an entry."""
        self.entries.append(entry)
        if self._file:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()


def get_entry(scope: Scope) -> Json:
    """Return the log entry of the request, to which the application adds what it learns about the request."""
    return scope[_ENTRY]


class LogRequests:
    """ASGI middleware that logs every request.

    An entry is complete before the client sees any of the response. Status 0 means that there was none.
    """

    def __init__(self, app: ASGIApp, log: RequestLog) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()
        request = Request(scope)
        entry: Json = {"method": request.method, "path": request.url.path, "query": dict(request.query_params)}

        async def log_and_send(message: Message) -> None:
            if message["type"] in ("http.response.start", DROP):
                entry.update(status=message["status"], seconds=round(time.perf_counter() - started, 4))
                self._log.add(entry)
            await send(message)

        await self._app({**scope, _ENTRY: entry}, receive, log_and_send)
