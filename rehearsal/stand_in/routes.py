"""Paths that a family answers itself, such as a search or the check of a name. Knows no HTTP server."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rehearsal.stand_in.model import Json, Store


@dataclass(frozen=True)
class RouteRequest:
    """A request that matches a route."""

    store: Store
    match: re.Match[str]
    """The match of the route's pattern with the path."""
    query: Mapping[str, str]
    body: Json


@dataclass(frozen=True)
class Route:
    """A path that is not one resource, its action for authorization, and the function that answers it."""

    method: str
    pattern: str
    """A regular expression for the whole path. Case is ignored."""
    action: str
    """The action that the caller must be allowed, such as `Microsoft.Storage/checknameavailability/read`."""
    handle: Callable[[RouteRequest], Json]
    """Returns the response's body, or raises RefusedError."""

    def match(self, method: str, path: str) -> re.Match[str] | None:
        """Return the match if this route answers the request, or None."""
        return re.fullmatch(self.pattern, path, re.IGNORECASE) if method == self.method else None
