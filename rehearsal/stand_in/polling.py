"""Long operations over HTTP: the response that starts one, and the polling of its status.

https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations
"""

import asyncio

from starlette.responses import JSONResponse, Response

from rehearsal.stand_in.authorizer import Authorizer
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.resource_manager import AcceptedRequest, ResourceManager

_OPERATIONS = "/providers/Microsoft.Rehearsal/operations/"


class Polling:
    """Answers writes and deletes with the address of their operation, and answers the polls at that address."""

    def __init__(self, manager: ResourceManager, authorizer: Authorizer, url: str) -> None:
        """`url` is the address of the stand-in, such as `https://localhost:1234`."""
        self._manager = manager
        self._authorizer = authorizer
        self._operations = f"{url}/subscriptions/{manager.subscription}{_OPERATIONS}"

    def make_response(self, accepted: AcceptedRequest) -> Response:
        """Return the response to a write or a delete."""
        headers: dict[str, str] = {}
        if accepted.operation:
            address = f"{self._operations}{accepted.operation.id}?api-version=2024-01-01"
            # Retry-After is 0, because the poll itself waits until the operation ends: see `answer_poll`.
            headers = {accepted.polling_header: address, "Retry-After": "0"}
        if accepted.body is None:
            return Response(status_code=accepted.status, headers=headers)
        return JSONResponse(accepted.body, accepted.status, headers)

    def is_poll(self, path: str) -> bool:
        """Return whether the path is the address of an operation."""
        return _OPERATIONS.lower() in path.lower()

    async def answer_poll(self, path: str, principal: str) -> Response:
        """Wait until the operation has ended, and return its status to a principal.

        Azure answers `InProgress` at once, and the client asks again. Retry-After counts whole seconds, so one second
        is the shortest pause. Such pauses would be most of a rehearsal's time.

        Raises:
            RefusedError: 404, because there is no such operation, or 403, because the principal may not poll it.
        """
        operation = self._manager.get_operation(path.rsplit("/", 1)[1])
        if action := self._manager.get_type(operation.resource).poll_action:
            self._authorizer.authorize(principal, action, f"/subscriptions/{self._manager.subscription}", {})
        await asyncio.sleep(self._manager.get_remaining_seconds(operation))
        self._manager.finish_due_operations()
        body: Json = {"id": path, "name": operation.id, "status": operation.status}
        if operation.error:
            body |= operation.error.body
        return JSONResponse(body, headers={"Retry-After": "0"})
