"""ASGI middleware that makes requests meet the faults of `faults.py`."""

import asyncio

from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rehearsal.stand_in.connection import drop_connection
from rehearsal.stand_in.faults import Fault, Faults
from rehearsal.stand_in.ids import parse_id
from rehearsal.stand_in.request_log import get_entry


class InjectFaults:
    """ASGI middleware that lets a request fail if it meets a fault. It needs `LogRequests` around it."""

    def __init__(self, app: ASGIApp, faults: Faults) -> None:
        self._app = app
        self._faults = faults

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        fault = self._take_fault(request)
        get_entry(scope)["fault"] = fault.kind if fault else None
        match fault:
            case None:
                await self._app(scope, receive, send)
            case Fault(kind="hang"):
                await asyncio.sleep(fault.seconds)
                await self._app(scope, receive, send)
            case Fault(kind="reset"):
                await request.body()
                await drop_connection(send)
            case Fault(kind="lost-answer"):
                await self._lose_answer(scope, receive, send)
            case Fault(kind="truncate"):
                await self._truncate_answer(scope, receive, send)
            case _:
                await request.body()
                headers = {"Retry-After": str(fault.seconds)} if fault.status == 429 else {}
                await JSONResponse(fault.error.body, fault.status, headers)(scope, receive, send)

    def _take_fault(self, request: Request) -> Fault | None:
        try:
            id_ = parse_id(request.url.path)
        except ValueError:
            return None
        return self._faults.take(request.method, id_)

    async def _lose_answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle the request, and drop the connection instead of sending the response."""
        start, _ = await self._collect_answer(scope, receive)
        await drop_connection(send, start["status"])

    async def _truncate_answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Announce the whole body, send half of it, and close the connection."""
        start, body = await self._collect_answer(scope, receive)
        await send(start)
        await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
        raise ConnectionResetError

    async def _collect_answer(self, scope: Scope, receive: Receive) -> tuple[Message, bytes]:
        """Handle the request, and return the first message of the response and the whole body."""
        messages: list[Message] = []

        async def collect(message: Message) -> None:
            messages.append(message)

        await self._app(scope, receive, collect)
        return messages[0], b"".join(message["body"] for message in messages[1:])
