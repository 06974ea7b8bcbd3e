"""The ASGI application that startup.sh runs: the API, which gets the address of its real client with each request.

Limits on sign-ins and audit logs count on `request.client.host`. In front of the container stand App Service's front
end and, where there is one, Front Door. This module needs no list of their addresses:

- Behind Front Door, the client is in `X-Azure-SocketIP`: the other end of the connection to Front Door. App Service
  admits no other Front Door than the one whose id is in FRONT_DOOR_ID. `X-Azure-ClientIP` is not used, because a client
  can choose it: it follows the `X-Forwarded-For` that the client has sent.
  https://learn.microsoft.com/azure/frontdoor/front-door-http-headers-protocol
  https://trustedsec.com/blog/azures-front-door-waf-wtf-ip-restriction-bypass
- Without Front Door, the client is the last address in `X-Forwarded-For`, which App Service's front end appends.
  https://learn.microsoft.com/azure/app-service/configure-language-python#detect-https-session names that header.

    APP_MODULE      the ASGI application; app.main:app by default
    FRONT_DOOR_ID   the id that the Front Door sends as X-Azure-FDID; empty or unset: there is no Front Door
"""

import os
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from ipaddress import ip_address
from typing import Any

from uvicorn.importer import import_from_string

Scope = MutableMapping[str, Any]
Application = Callable[[Scope, Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]], Awaitable[None]]


class ClientAddress:
    """ASGI middleware that sets `scope["client"]`. It leaves what Uvicorn has set if no proxy names a client."""

    def __init__(self, app: Application, *, front_door_id: str = "") -> None:
        self._app = app
        self._front_door_id = front_door_id

    async def __call__(
        self, scope: Scope, receive: Callable[..., Awaitable[Any]], send: Callable[..., Awaitable[Any]]
    ) -> None:
        if scope["type"] in ("http", "websocket"):
            address = find_client_address(scope["headers"], front_door_id=self._front_door_id)
            if address:
                scope["client"] = (address, 0)
        await self._app(scope, receive, send)


def find_client_address(headers: Iterable[tuple[bytes, bytes]], *, front_door_id: str) -> str | None:
    """Return the address of the client, without a port, or None if no header of a proxy names one."""
    pairs = [(name.lower(), value) for name, value in headers]
    is_from_front_door = front_door_id and _read_last(pairs, b"x-azure-fdid").lower() == front_door_id.lower()
    text = _read_last(pairs, b"x-azure-socketip" if is_from_front_door else b"x-forwarded-for")
    # IPv4 comes with or without a port, IPv6 without or as [address]:port.
    for candidate in (text, text.rpartition(":")[0]):
        try:
            return str(ip_address(candidate.strip("[]")))
        except ValueError:
            continue
    return None


def _read_last(pairs: Iterable[tuple[bytes, bytes]], name: bytes) -> str:
    """Return a header's last value. What a client has sent itself stands before it."""
    values = b",".join(value for key, value in pairs if key == name)
    return values.decode("latin-1").rpartition(",")[2].strip()


def __getattr__(name: str) -> ClientAddress:
    """Import the application when Uvicorn asks for `app`, so that the module can be imported without one."""
    if name != "app":
        raise AttributeError(name)
    application = import_from_string(os.environ.get("APP_MODULE") or "app.main:app")
    return ClientAddress(application, front_door_id=os.environ.get("FRONT_DOOR_ID", ""))
