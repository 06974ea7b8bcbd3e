"""Checks of a request before it reaches the resource manager: its content, its api-version, its preconditions."""

import json
from collections.abc import Mapping
from typing import cast

from starlette.requests import Request

from rehearsal.stand_in.ids import ResourceId
from rehearsal.stand_in.model import Json, RefusedError, Store, make_bad_request


def read_body(content: bytes) -> Json:
    """Return the request's body, which is a JSON object. No content is an empty object.

    https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors

    Raises:
        RefusedError: 400, because the content is not a JSON object.
    """
    try:
        body = cast(object, json.loads(content or b"{}"))
    except ValueError as error:
        raise make_bad_request(f"The request content is no JSON: {error}.", "InvalidRequestContent") from error
    if not isinstance(body, dict):
        raise make_bad_request("The request content is no JSON object.", "InvalidRequestContent")
    return cast(Json, body)


def check_api_version(request: Request) -> None:
    """Raise RefusedError (400) if the query has no api-version: https://learn.microsoft.com/rest/api/azure/#request-uri."""
    if "api-version" not in request.query_params:
        raise RefusedError(
            400, "MissingApiVersionParameter", "The api-version query parameter (?api-version=) is required."
        )


def check_preconditions(store: Store, id_: ResourceId, headers: Mapping[str, str]) -> None:
    """Check If-Match and If-None-Match before a write or a delete. `*` stands for any existing resource.

    https://github.com/microsoft/api-guidelines/blob/vNext/azure/Guidelines.md#conditional-requests, and RFC 9110, 13.1

    Raises:
        RefusedError: 412, because a condition does not hold.
    """
    resource = store.find(id_.path)
    matching = {resource.etag, "*"} if resource else set[str]()
    wanted, unwanted = headers.get("if-match"), headers.get("if-none-match")
    if wanted and wanted not in matching:
        raise RefusedError(412, "PreconditionFailed", f"If-Match: {wanted} does not hold for '{id_.path}'.")
    if unwanted and unwanted in matching:
        raise RefusedError(412, "PreconditionFailed", f"If-None-Match: {unwanted} does not hold for '{id_.path}'.")
