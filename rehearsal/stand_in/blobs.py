"""The authorization of Blob Storage. Azurite accepts any token, so this gate checks roles before it is asked.

https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from http.client import HTTPSConnection
from ssl import SSLContext

from starlette.requests import Request
from starlette.responses import Response

from rehearsal.stand_in.authorizer import Authorizer
from rehearsal.stand_in.entra import read_principal
from rehearsal.stand_in.families.storage import CONTAINER
from rehearsal.stand_in.model import RefusedError, Resource, Store

_BLOBS = f"{CONTAINER}/blobs"
_ACTIONS = {"GET": f"{_BLOBS}/read", "HEAD": f"{_BLOBS}/read", "DELETE": f"{_BLOBS}/delete"}
"""The action of a method. Every other method writes: a blob, its metadata, its lease."""
_CONNECTION_HEADERS = ("connection", "date", "keep-alive", "server", "transfer-encoding")
"""Headers that belong to one connection (RFC 9110, 7.6.1), and those that the stand-in's server sets itself."""

BlobService = Callable[[Request, bytes], Awaitable[Response]]
"""Answers for the blob service of every account. Called with a request and its content."""


class BlobGate:
    """A blob service that only answers principals with a role assignment on the container."""

    def __init__(self, store: Store, authorizer: Authorizer, service: BlobService) -> None:
        self._store = store
        self._authorizer = authorizer
        self._service = service

    async def answer(self, request: Request, content: bytes) -> Response:
        """Answer a request if its principal may access the container. Otherwise answer with Blob Storage's error."""
        try:
            self._check_access(request)
        except RefusedError as refused:
            return _make_refusal(refused)
        return await self._service(request, content)

    def _check_access(self, request: Request) -> None:
        principal = read_principal(request.headers.get("authorization", ""))
        container = self._find_container(request)
        action = _ACTIONS.get(request.method, f"{_BLOBS}/write")
        # If there is no such container, there is no role on it either.
        if not self._authorizer.may_access(principal, action, container.id.path if container else "/"):
            raise RefusedError(
                403,
                "AuthorizationPermissionMismatch",
                "This request is not authorized to perform this operation using this permission.",
            )

    def _find_container(self, request: Request) -> Resource | None:
        account, name = (request.url.hostname or "").split(".")[0], request.url.path.split("/")[1]
        for container in self._store.list_resources(CONTAINER):
            if (container.id.names[0], container.id.names[-1]) == (account, name):
                return container
        return None


def make_blob_service(port: int, context: SSLContext) -> BlobService:
    """Return a blob service that forwards every request to the Azurite at a local port.

    `context` must trust Azurite's certificate.
    """

    def forward(request: Request, content: bytes) -> Response:
        connection = HTTPSConnection("localhost", port, context=context, timeout=60)
        path = request.scope["raw_path"].decode()
        target = f"{path}?{request.url.query}" if request.url.query else path
        try:
            connection.request(request.method, target, content or None, _select_headers(request.headers))
            answer = connection.getresponse()
            answer_content = answer.read()
        finally:
            connection.close()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        length = {"content-length": str(len(answer_content))}
        return Response(answer_content, answer.status, length | _select_headers(headers))

    async def answer(request: Request, content: bytes) -> Response:
        return await asyncio.to_thread(forward, request, content)

    return answer


def _select_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers that are passed on."""
    return {name: value for name, value in headers.items() if name not in _CONNECTION_HEADERS}


def _make_refusal(refused: RefusedError) -> Response:
    """https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2."""
    text = (
        f'<?xml version="1.0" encoding="utf-8"?><Error><Code>{refused.code}</Code>'
        f"<Message>{refused.message}</Message></Error>"
    )
    return Response(text, refused.status, {"x-ms-error-code": refused.code}, "application/xml")
