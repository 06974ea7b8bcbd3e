"""The ASGI application: the order in which a request is authenticated, checked and answered."""

import traceback

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from rehearsal.stand_in import entra
from rehearsal.stand_in.blobs import BlobGate
from rehearsal.stand_in.hosts import BLOB_SUFFIX
from rehearsal.stand_in.login import answer_without_token
from rehearsal.stand_in.model import Json, RefusedError
from rehearsal.stand_in.polling import Polling
from rehearsal.stand_in.request_checks import check_api_version, read_body
from rehearsal.stand_in.request_log import get_entry
from rehearsal.stand_in.resource_manager import ResourceManager
from rehearsal.stand_in.routing import Router


class Application:
    """Answers every request. It needs `LogRequests` around it."""

    def __init__(
        self, manager: ResourceManager, router: Router, polling: Polling, blobs: BlobGate | None, url: str
    ) -> None:
        """Create the application.

        Args:
            manager: Holds the resources.
            router: Answers authenticated requests.
            polling: Answers polls of operations.
            blobs: Answers at `ACCOUNT.blob.core.windows.net`, if there is a blob service.
            url: The address of the stand-in, such as `https://localhost:1234`.
        """
        self._manager = manager
        self._router = router
        self._polling = polling
        self._blobs = blobs
        self._url = url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        content, entry = await request.body(), get_entry(scope)
        try:
            response = await self._answer(request, content, entry)
        except RefusedError as error:
            entry["refused"] = error.message
            response = JSONResponse(error.body, error.status)
        except Exception as error:  # noqa: BLE001  an error of the stand-in itself must be visible; 501 is not retried
            traceback.print_exc()
            path = request.url.path
            failure = RefusedError(501, "RehearsalFailed", f"The rehearsal itself failed at {path}: {error!r}")
            response = JSONResponse(failure.body, failure.status)
        await response(scope, receive, send)

    async def _answer(self, request: Request, content: bytes, entry: Json) -> Response:
        if response := answer_without_token(self._manager, self._url, request, content):
            return response
        if self._blobs and (request.url.hostname or "").endswith(BLOB_SUFFIX):
            return await self._blobs.answer(request, content)
        principal = entry["principal"] = entra.read_principal(request.headers.get("authorization", ""))
        if self._polling.is_poll(request.url.path):
            return await self._polling.answer_poll(request.url.path, principal)
        body = entry["body"] = read_body(content)
        check_api_version(request)
        self._manager.finish_due_operations()
        return self._router.answer(request, body, principal)
