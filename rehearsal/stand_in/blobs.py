"""Blob Storage's own authorization, before Azurite: it takes any token as good, so this asks what its identity may do.

https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http.client import HTTPSConnection
from ssl import SSLContext

from starlette.requests import Request
from starlette.responses import Response

from rehearsal.stand_in.application import BlobService
from rehearsal.stand_in.azure import Azure
from rehearsal.stand_in.entra import principal_of
from rehearsal.stand_in.families.authorization import may_access
from rehearsal.stand_in.families.storage import CONTAINER
from rehearsal.stand_in.model import RefusedError

_BLOBS = f"{CONTAINER}/blobs"
_ACTIONS = {"GET": f"{_BLOBS}/read", "HEAD": f"{_BLOBS}/read", "DELETE": f"{_BLOBS}/delete"}
"""Whatever else is sent writes: a blob, its metadata, its lease."""
_BETWEEN_TWO = ("connection", "date", "keep-alive", "server", "transfer-encoding")
"""Headers of one connection (RFC 9110, 7.6.1), and those that the server here sets itself."""


Serve = Callable[[Request, bytes], Awaitable[Response]]
"""A blob service: given the request and its body."""


def guarded(serve: Serve) -> BlobService:
    """The service, for those alone whom a role assignment on the container allows the request."""

    async def answer(azure: Azure, request: Request, body: bytes) -> Response:
        try:
            _authorize(azure, principal_of(request.headers.get("authorization", "")), request)
        except RefusedError as refused:
            return _refusal(refused)
        return await serve(request, body)

    return answer


def forwarding(port: int, context: SSLContext) -> Serve:
    """The Azurite at a local port, whose certificate `context` trusts."""

    def forward(request: Request, body: bytes) -> Response:
        connection = HTTPSConnection("localhost", port, context=context, timeout=60)
        path = request.scope["raw_path"].decode()
        target = f"{path}?{request.url.query}" if request.url.query else path
        try:
            connection.request(request.method, target, body or None, _passed_on(request.headers))
            answer = connection.getresponse()
            content = answer.read()
        finally:
            connection.close()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        return Response(content, answer.status, {"content-length": str(len(content))} | _passed_on(headers))

    async def serve(request: Request, body: bytes) -> Response:
        return await asyncio.to_thread(forward, request, body)

    return serve


def _authorize(azure: Azure, principal: str, request: Request) -> None:
    account, name = (request.url.hostname or "").split(".")[0], request.url.path.split("/")[1]
    container = next((each for each in azure.all(CONTAINER.lower()) if _is(each.id.names, account, name)), None)
    action = _ACTIONS.get(request.method, f"{_BLOBS}/write")
    # Where there is no such container, there is no role on it either.
    if not may_access(azure, principal, action, container.id.path if container else "/"):
        raise RefusedError(
            403,
            "AuthorizationPermissionMismatch",
            "This request is not authorized to perform this operation using this permission.",
        )


def _is(names: tuple[str, ...], account: str, container: str) -> bool:
    return (names[0], names[-1]) == (account, container)


def _passed_on(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _BETWEEN_TWO}


def _refusal(refused: RefusedError) -> Response:
    """https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2."""
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{refused.code}</Code>'
        f"<Message>{refused.message}</Message></Error>"
    )
    return Response(text, refused.status, {"x-ms-error-code": refused.code}, "application/xml")
