"""The stand-in over HTTP: which request is which question to `Azure`, and the log of all of them."""

import asyncio
import json
import re
import time
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import IO, cast
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.types import Receive, Scope, Send

from rehearsal.stand_in import entra
from rehearsal.stand_in.azure import Accepted, Azure
from rehearsal.stand_in.faults import Fault, Faults
from rehearsal.stand_in.ids import GROUP_TYPE, ResourceId, parse
from rehearsal.stand_in.model import Json, Link, RefusedError, bad_request

OPERATIONS = "/providers/Microsoft.Rehearsal/operations/"
VAULTS = ".vault.azure.net"
BLOBS = ".blob.core.windows.net"
PAGE = 100
"""How many items a list answers before it sends a `nextLink`."""
_METHODS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}


@dataclass(frozen=True)
class Question:
    """A request that is no plain read or write of one resource: a search, a check of a name."""

    azure: Azure
    found: re.Match[str]
    query: Mapping[str, str]
    body: Json


@dataclass(frozen=True)
class Route:
    """A path of its own, and who answers it."""

    method: str
    pattern: re.Pattern[str]
    action: str
    """What one must be allowed to do, such as `Microsoft.Storage/checknameavailability/read`."""
    answer: Callable[[Question], Json]


def route(method: str, pattern: str, action: str, answer: Callable[[Question], Json]) -> Route:
    """A path that families answer themselves, without regard to case."""
    return Route(method, re.compile(pattern, re.IGNORECASE), action, answer)


BlobService = Callable[[Azure, Request, bytes], Awaitable[Response]]
"""Answers for the blob service of every account: given the request and its body."""

Authorize = Callable[[Azure, str, str, str, Json], None]
"""Given principal, action, path and body, raises RefusedError (403) where no role assignment allows it."""


@dataclass
class Application:
    """The ASGI application."""

    azure: Azure
    routes: tuple[Route, ...]
    authorize: Authorize
    faults: Faults = field(default_factory=Faults)
    log: IO[str] | None = None
    blobs: BlobService | None = None
    """Answers at `ACCOUNT.blob.core.windows.net`, where there is a blob service."""
    requests: list[Json] = field(default_factory=list[Json])
    """One entry a request: method, path, status, principal, body, seconds."""

    def __post_init__(self) -> None:
        def failure(id_: ResourceId) -> RefusedError | None:
            fault = self.faults.take("PUT", id_, operations=True)
            return fault.error if fault else None

        self.azure.fail_operation = failure

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return None
        request = Request(scope, receive)
        started = time.perf_counter()
        body = await request.body()
        entry: Json = {"method": request.method, "path": request.url.path, "query": dict(request.query_params)}
        fault = self._fault(request)
        entry["fault"] = fault.kind if fault else None
        if fault and fault.kind == "hang":
            await asyncio.sleep(fault.seconds)
        if fault and fault.kind == "reset":
            self._note(entry, 0, started)
            return _drop(send)
        if fault and fault.kind == "status":
            headers = {"Retry-After": str(fault.seconds)} if fault.status == 429 else {}
            response: Response = JSONResponse(fault.error.body, fault.status, headers)
        else:
            response = await self._answer(request, body, entry)
        self._note(entry, response.status_code, started)
        if fault and fault.kind == "lost-answer":
            return _drop(send)
        if fault and fault.kind == "truncate":
            return await _cut(send, response)
        await response(scope, receive, send)
        return None

    def _note(self, entry: Json, status: int, started: float) -> None:
        entry |= {"status": status, "seconds": round(time.perf_counter() - started, 4)}
        self.requests.append(entry)
        if self.log:
            self.log.write(json.dumps(entry) + "\n")
            self.log.flush()

    def _fault(self, request: Request) -> Fault | None:
        try:
            id_ = parse(request.url.path)
        except ValueError:
            return None
        return self.faults.take(request.method, id_)

    async def _answer(self, request: Request, raw: bytes, entry: Json) -> Response:
        path = request.url.path
        try:
            if answer := self._open_to_all(request, raw):
                return answer
            if self.blobs and (request.url.hostname or "").endswith(BLOBS):
                return await self.blobs(self.azure, request, raw)
            if OPERATIONS.lower() in path.lower():
                return await self._poll(path)
            body = entry["body"] = _content(raw)
            principal = entry["principal"] = entra.principal_of(request.headers.get("authorization", ""))
            _check_api_version(request)
            self.azure.settle()
            return self._manage(request, body, principal)
        except RefusedError as error:
            entry["refused"] = error.message
            return JSONResponse(error.body, error.status)
        except Exception as error:  # noqa: BLE001  a fault of the stand-in itself must be seen; 501 is not tried again
            traceback.print_exc()
            wrong = RefusedError(501, "RehearsalFailed", f"The rehearsal itself failed at {path}: {error!r}")
            return JSONResponse(wrong.body, wrong.status)

    def _open_to_all(self, request: Request, raw: bytes) -> Response | None:
        """What needs no token."""
        path = request.url.path
        if (request.url.hostname or "").endswith(VAULTS):
            return _closed_vault()
        if path == "/metadata/endpoints":
            return JSONResponse(metadata(self.azure.base))
        if path.endswith(("/oauth2/v2.0/token", "/oauth2/token")):
            return JSONResponse(entra.issue(self.azure, dict(parse_qsl(raw.decode()))))
        return None

    def _manage(self, request: Request, body: Json, principal: str) -> Response:
        path, method = "/" + request.url.path.strip("/"), request.method
        for each in self.routes:
            if method == each.method and (found := each.pattern.fullmatch(path)):
                self.authorize(self.azure, principal, each.action, path, body)
                return JSONResponse(
                    each.answer(Question(self.azure, found, dict(request.query_params), body)),
                )
        if method == "POST":
            resource, _, action = path.rpartition("/")
            id_ = _parse(resource)
            self.authorize(self.azure, principal, f"{id_.type}/{action}/action", path, body)
            return JSONResponse(self.azure.act(id_, action, body))
        try:
            id_ = parse(path)
        except ValueError:
            if method != "GET":
                raise RefusedError(405, "MethodNotAllowed", f"{method} {path} is no request that is known.") from None
            return self._list(path, request.query_params.get("$skiptoken", "0"), principal, request)
        return self._one(id_, request, body, principal)

    def _one(self, id_: ResourceId, request: Request, body: Json, principal: str) -> Response:
        method = request.method
        if method not in _METHODS:
            raise RefusedError(405, "MethodNotAllowed", f"{method} {id_.path} is no request that is known.")
        action = f"{_provider_type(id_)}/{_METHODS[method]}"
        self.authorize(self.azure, principal, action, id_.path, body)
        match method:
            case "GET" | "HEAD":
                shown = self.azure.show(id_)
                if method == "HEAD":
                    return Response(status_code=204)
                return JSONResponse(shown, headers={"ETag": self.azure.get(id_).etag})
            case "DELETE":
                _check_etag(self.azure, id_, request.headers)
                return self._accepted(self.azure.delete(id_))
            case _:
                _check_etag(self.azure, id_, request.headers)
                link = self._link(principal, action, id_)
                return self._accepted(self.azure.write(id_, body, patch=method == "PATCH", link=link))

    def _link(self, principal: str, action: str, id_: ResourceId) -> Link:
        def check(linked_action: str, linked: ResourceId) -> None:
            try:
                self.authorize(self.azure, principal, linked_action, linked.path, {})
            except RefusedError as refused:
                raise RefusedError(
                    refused.status,
                    "LinkedAuthorizationFailed",
                    f"The client '{principal}' with object id '{principal}' has permission to perform action "
                    f"'{action}' on scope '{id_.path}'; however, it does not have permission to perform action(s) "
                    f"'{linked_action}' on the linked scope(s) '{linked.path}' (respectively) or the linked scope(s) "
                    "are invalid.",
                ) from refused

        return check

    def _accepted(self, accepted: Accepted) -> Response:
        headers: dict[str, str] = {}
        if accepted.operation:
            url = f"{self.azure.base}/subscriptions/{self.azure.subscription}{OPERATIONS}{accepted.operation.id}"
            # Zero, because the poll itself waits until the operation ends: see _poll.
            headers = {accepted.polled_at: f"{url}?api-version=2024-01-01", "Retry-After": "0"}
        if accepted.body is None:
            return Response(status_code=accepted.status, headers=headers)
        return JSONResponse(accepted.body, accepted.status, headers)

    async def _poll(self, path: str) -> Response:
        """Answer when the operation has ended. Azure would answer `InProgress` at once and be asked again; whole
        seconds are the shortest pause that Retry-After can say, and would be most of a rehearsal's time."""
        operation = self.azure.operation(path.rsplit("/", 1)[1])
        await asyncio.sleep(self.azure.remaining(operation))
        self.azure.settle()
        body: Json = {"id": path, "name": operation.id, "status": operation.status}
        if operation.error:
            body |= operation.error.body
        return JSONResponse(body, headers={"Retry-After": "0"})

    def _list(self, path: str, skip: str, principal: str, request: Request) -> Response:
        type_ = _parse(f"{path}/any").type
        self.azure.type_of(_parse(f"{path}/any"))
        self.authorize(self.azure, principal, f"{type_}/read", path, {})
        parent = path.rsplit("/", 1)[0]
        if "/providers/" in parent.lower() and parent.lower().count("/") % 2 == 0 and not self.azure.find(parent):
            raise RefusedError(404, "ParentResourceNotFound", f"The Resource '{parent}' was not found.")
        found = [self.azure.show(each.id) for each in self.azure.all(type_.lower()) if _listed(each.id, path)]
        if not skip.isdecimal():
            raise bad_request(f"'{skip}' is no $skiptoken of a nextLink.", "InvalidSkipToken")
        start = int(skip)
        page: Json = {"value": found[start : start + PAGE]}
        if len(found) > start + PAGE:
            query = dict(request.query_params) | {"$skiptoken": str(start + PAGE)}
            page["nextLink"] = f"{self.azure.base}{path}?{urlencode(query)}"
        return JSONResponse(page)


def _listed(id_: ResourceId, path: str) -> bool:
    """Whether a list at `path` shows the resource; one at a subscription shows those of all its groups."""
    own = id_.path.rsplit("/", 1)[0].lower()
    scope, _, rest = path.lower().rpartition("/providers/")
    return own == path.lower() or (
        scope.count("/") == 2 and own.startswith(f"{scope}/") and own.endswith(f"/providers/{rest}")
    )


def _content(raw: bytes) -> Json:
    """The request's body: a JSON object, or nothing.

    https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors
    """
    try:
        body = cast(object, json.loads(raw or b"{}"))
    except ValueError as error:
        raise bad_request(f"The request content is no JSON: {error}.", "InvalidRequestContent") from error
    if not isinstance(body, dict):
        raise bad_request("The request content is no JSON object.", "InvalidRequestContent")
    return cast(Json, body)


def _parse(path: str) -> ResourceId:
    try:
        return parse(path)
    except ValueError:
        raise RefusedError(400, "InvalidResourceId", f"'{path}' is no resource that is known.") from None


def _provider_type(id_: ResourceId) -> str:
    """The type as actions name it; groups stand below subscriptions there.

    https://learn.microsoft.com/azure/role-based-access-control/permissions/management-and-governance#microsoftresources
    """
    return "Microsoft.Resources/subscriptions/resourceGroups" if id_.type == GROUP_TYPE else id_.type


def _closed_vault() -> Response:
    """A vault's data plane to a stranger: https://learn.microsoft.com/azure/key-vault/general/network-security."""
    closed = RefusedError(403, "Forbidden", "Client address is not authorized and caller is not a trusted service.")
    return JSONResponse(closed.body, closed.status)


def _check_api_version(request: Request) -> None:
    """https://learn.microsoft.com/rest/api/azure/#request-uri."""
    if "api-version" not in request.query_params:
        raise RefusedError(
            400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required."
        )


def _check_etag(azure: Azure, id_: ResourceId, headers: Mapping[str, str]) -> None:
    """If-Match and If-None-Match before a write or a delete; `*` is whatever is there.

    https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#conditional-requests, and RFC 9110, 13.1
    """
    found = azure.find(id_.path)
    there = {found.etag, "*"} if found else set[str]()
    wanted, unwanted = headers.get("if-match"), headers.get("if-none-match")
    if wanted and wanted not in there:
        raise RefusedError(412, "PreconditionFailed", f"If-Match: {wanted} does not hold for '{id_.path}'.")
    if unwanted and unwanted in there:
        raise RefusedError(412, "PreconditionFailed", f"If-None-Match: {unwanted} does not hold for '{id_.path}'.")


def _drop(send: Send) -> None:
    """End the connection without an answer. ASGI has no word for it; uvicorn's `send` belongs to what holds it."""
    send.__self__.transport.abort()  # pyright: ignore[reportFunctionMemberAccess]


async def _cut(send: Send, response: Response) -> None:
    """Announce the whole body, send half of it, and end the connection."""
    body = bytes(response.body)
    await send({"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers})
    await send({"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True})
    raise ConnectionResetError


def metadata(base: str) -> Json:
    """What a cloud says of itself.

    https://learn.microsoft.com/azure-stack/user/azure-stack-rest-api-use and the azurerm provider's metadata_host.
    """
    return {
        "name": "AzureCloud",
        "resourceManager": base,
        "authentication": {
            "loginEndpoint": base,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",  # with "common": whatever says otherwise is taken for Azure Stack
        },
        "graph": f"{base}/graph",
        "graphAudience": f"{base}/graph",
        "microsoftGraphResourceId": f"{base}/graph",
        "suffixes": {
            "storage": "core.windows.net",
            "keyVaultDns": "vault.azure.net",
            "acrLoginServer": "azurecr.io",
            "azureFrontDoorEndpointSuffix": "azurefd.net",
            "postgresqlServerEndpoint": "postgres.database.azure.com",
            "sqlServerHostname": "database.windows.net",
            "mysqlServerEndpoint": "mysql.database.azure.com",
            "mariadbServerEndpoint": "mariadb.database.azure.com",
        },
        "logAnalyticsResourceId": "https://api.loganalytics.io",
        "ossrDbmsResourceId": "https://ossrdbms-aad.database.windows.net",
    }
