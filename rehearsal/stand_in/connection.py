"""Dropping a connection in the middle of a request. ASGI has no message for this, so the stand-in defines one."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

DROP = "stand_in.connection.drop"
"""The type of the message. Its `status` is that of the response that the client does not get, or 0."""


async def drop_connection(send: Send, status: int = 0) -> None:
    """Close the connection without a (complete) response."""
    await send({"type": DROP, "status": status})


class DropConnections:
    """ASGI middleware that carries out the message. It must be the outermost one, because it needs uvicorn's `send`."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_or_drop(message: Message) -> None:
            if message["type"] == DROP:
                # uvicorn's `send` is a method of the object that holds the connection.
                send.__self__.transport.abort()  # pyright: ignore[reportFunctionMemberAccess]
            else:
                await send(message)

        await self._app(scope, receive, send_or_drop)
