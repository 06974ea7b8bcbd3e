"""Lists of resources, page by page."""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from rehearsal.stand_in.ids import ResourceId
from rehearsal.stand_in.model import Json, make_bad_request

PAGE_SIZE = 100
"""How many items a page has. If there are more, it has a `nextLink`."""


def make_page(items: Sequence[Json], address: str, query: Mapping[str, str]) -> Json:
    """Return the page of `items` that the `$skiptoken` in `query` asks for.

    Args:
        items: The whole list.
        address: The list's address without a query, for `nextLink`.
        query: The request's query.

    Raises:
        RefusedError: 400, because the token is not one that a `nextLink` has.
    """
    token = query.get("$skiptoken", "0")
    if not token.isdecimal():
        raise make_bad_request(f"'{token}' is no $skiptoken of a nextLink.", "InvalidSkipToken")
    start = int(token)
    end = start + PAGE_SIZE
    page: Json = {"value": items[start:end]}
    if len(items) > end:
        page["nextLink"] = f"{address}?{urlencode({**query, '$skiptoken': str(end)})}"
    return page


def is_listed(id_: ResourceId, path: str) -> bool:
    """Return whether a list at `path` includes the resource. A list at a subscription includes all resource groups."""
    collection = id_.path.rsplit("/", 1)[0].lower()
    scope, _, type_ = path.lower().rpartition("/providers/")
    is_subscription = scope.count("/") == 2
    return collection == path.lower() or (
        is_subscription and collection.startswith(f"{scope}/") and collection.endswith(f"/providers/{type_}")
    )
