"""From an authenticated request to the resource manager: routes, actions, lists and single resources."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.stand_in.authorizer import Authorizer
from rehearsal.stand_in.body_checks import BodyChecks
from rehearsal.stand_in.ids import GROUP_TYPE, ResourceId, parse_id
from rehearsal.stand_in.model import CheckLink, Json, RefusedError
from rehearsal.stand_in.paging import is_listed, make_page
from rehearsal.stand_in.polling import Polling
from rehearsal.stand_in.request_checks import check_preconditions
from rehearsal.stand_in.resource_manager import ResourceManager
from rehearsal.stand_in.routes import Route, RouteRequest

_VERBS = {"GET": "read", "HEAD": "read", "PUT": "write", "PATCH": "write", "DELETE": "delete"}
"""The last part of the action that a method needs."""


class Router:
    """Authorizes requests and passes them to a route or to the resource manager."""

    def __init__(
        self,
        manager: ResourceManager,
        authorizer: Authorizer,
        routes: Sequence[Route],
        polling: Polling,
        url: str,
        *,
        checks: BodyChecks | None = None,
    ) -> None:
        """Create the router.

        Args:
            manager: Holds the resources.
            authorizer: Knows the callers' rights.
            routes: The paths that are not one resource.
            polling: Makes the responses of long operations.
            url: The address of the stand-in, such as `https://localhost:1234`.
            checks: Compares api-versions and bodies with Azure's types. Without it, nothing is compared.
        """
        self._manager = manager
        self._authorizer = authorizer
        self._routes = routes
        self._polling = polling
        self._checks = checks
        self._url = url

    def answer(self, request: Request, body: Json, principal: str) -> Response:
        """Answer a request of a principal.

        Raises:
            RefusedError: Azure refuses the request, or the stand-in does not know how to answer it.
        """
        path, method = "/" + request.url.path.strip("/"), request.method
        version = request.query_params.get("api-version", "")
        for route in self._routes:
            if match := route.match(method, path):
                self._authorizer.authorize(principal, route.action, path, body)
                route_request = RouteRequest(self._manager, match, dict(request.query_params), body)
                return JSONResponse(route.handle(route_request))
        if method == "POST":
            return self._run_action(path, version, body, principal)
        try:
            id_ = parse_id(path)
        except ValueError:
            if method != "GET":
                raise _refuse_method(method, path) from None
            return self._list(path, request, principal)
        if method not in _VERBS:
            raise _refuse_method(method, id_.path)
        action = f"{_get_action_type(id_)}/{_VERBS[method]}"
        self._authorizer.authorize(principal, action, id_.path, body)
        self._check_version(id_, version)
        if _VERBS[method] == "read":
            return self._read(id_, method)
        check_preconditions(self._manager, id_, request.headers)
        if method == "DELETE":
            return self._polling.make_response(self._manager.delete(id_))
        if self._checks:
            self._checks.check_request(id_, version, body, patch=method == "PATCH")
        check_link = self._make_link_check(principal, action, id_)
        accepted = self._manager.write(id_, body, patch=method == "PATCH", check_link=check_link)
        return self._polling.make_response(accepted)

    def _run_action(self, path: str, version: str, body: Json, principal: str) -> Response:
        resource_path, _, name = path.rpartition("/")
        id_ = _parse_known_id(resource_path)
        self._authorizer.authorize(principal, f"{id_.type}/{name}/action", path, body)
        self._check_version(id_, version)
        if self._checks:
            self._checks.check_action(id_, name, version, body)
        return self._polling.make_response(self._manager.run_action(id_, name, body))

    def _read(self, id_: ResourceId, method: str) -> Response:
        body = self._manager.show(id_)
        if method == "HEAD":
            return Response(status_code=204)
        return JSONResponse(body, headers={"ETag": self._manager.get(id_).etag})

    def _list(self, path: str, request: Request, principal: str) -> Response:
        any_id = _parse_known_id(f"{path}/any")
        self._manager.get_type(any_id)
        self._authorizer.authorize(principal, f"{any_id.type}/read", path, {})
        self._check_version(any_id, request.query_params.get("api-version", ""))
        self._manager.require_parent(any_id)
        resources = self._manager.list_resources(any_id.type)
        bodies = [self._manager.show(resource.id) for resource in resources if is_listed(resource.id, path)]
        return JSONResponse(make_page(bodies, f"{self._url}{path}", request.query_params))

    def _check_version(self, id_: ResourceId, version: str) -> None:
        """Refuse an api-version of a known type, if Azure's types do not have it."""
        self._manager.get_type(id_)
        if self._checks:
            self._checks.check_version(id_.type, version)

    def _make_link_check(self, principal: str, action: str, id_: ResourceId) -> CheckLink:
        """Return the function that checks the principal's right on each resource to which a write links."""

        def check_link(linked_action: str, linked: ResourceId) -> None:
            try:
                self._authorizer.authorize(principal, linked_action, linked.path, {})
            except RefusedError as refused:
                raise RefusedError(
                    refused.status,
                    "LinkedAuthorizationFailed",
                    f"The client '{principal}' with object id '{principal}' has permission to perform action "
                    f"'{action}' on scope '{id_.path}'; however, it does not have permission to perform action(s) "
                    f"'{linked_action}' on the linked scope(s) '{linked.path}' (respectively) or the linked scope(s) "
                    "are invalid.",
                ) from refused

        return check_link


def _refuse_method(method: str, path: str) -> RefusedError:
    return RefusedError(405, "MethodNotAllowed", f"{method} {path} is no request that is known.")


def _parse_known_id(path: str) -> ResourceId:
    try:
        return parse_id(path)
    except ValueError:
        raise RefusedError(400, "InvalidResourceId", f"'{path}' is no resource that is known.") from None


def _get_action_type(id_: ResourceId) -> str:
    """Return the type as actions name it: there, resource groups are below subscriptions.

    https://learn.microsoft.com/azure/role-based-access-control/permissions/management-and-governance#microsoftresources
    """
    return "Microsoft.Resources/subscriptions/resourceGroups" if id_.type == GROUP_TYPE else id_.type
