"""A client of the stand-in over HTTP, without Terraform."""

import contextlib
import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from typing import NamedTuple, cast

from rehearsal.stand_in import entra
from rehearsal.stand_in.azure_types import load_types
from rehearsal.stand_in.ids import parse_id
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.server import ZERO, StandIn

GROUP = f"/subscriptions/{ZERO}/resourceGroups/rg"
HERE: Json = {"location": "eastus2"}


class Answer(NamedTuple):
    """A response. The header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: Json

    @property
    def code(self) -> str:
        """The error's code."""
        return self.body["error"]["code"]


def _read_answer(status: int, headers: Iterable[tuple[str, str]], content: bytes) -> Answer:
    lower_headers = {name.lower(): value for name, value in headers}
    is_json = lower_headers.get("content-type", "").startswith("application/json")
    return Answer(status, lower_headers, json.loads(content) if is_json else {})


class Client:
    """A client of a stand-in, with a token of its own."""

    def __init__(self, stand_in: StandIn, **form: str) -> None:
        self.url = stand_in.url
        self.context = ssl.create_default_context(cafile=stand_in.certificates.ca_file)
        form = {"client_id": entra.OWNER_CLIENT, "scope": "https://management.azure.com/.default"} | form
        answer = self.send("POST", f"/{ZERO}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode())
        self.bearer = cast(str, answer.body.get("access_token", answer.body.get("error", {}).get("code")))

    def send(self, method: str, url: str, data: bytes | None = None, **headers: str) -> Answer:
        """Send a request exactly as given. `url` may be a path."""
        address = url if url.startswith("https://") else self.url + url
        request = urllib.request.Request(address, data, headers, method=method)  # noqa: S310  https, to this machine
        try:
            with urllib.request.urlopen(request, context=self.context) as answer:  # noqa: S310
                return _read_answer(answer.status, answer.headers.items(), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _read_answer(error.code, error.headers.items(), error.read())

    def ask(self, method: str, path: str, body: Json | None = None, **headers: str) -> Answer:
        """Send a request to Resource Manager, with a token and an api-version."""
        data = None if body is None else json.dumps(body).encode()
        url = path if "api-version" in path else f"{path}?api-version={choose_version(path)}"
        return self.send(method, url, data, Authorization=f"Bearer {self.bearer}", **headers)


def choose_version(path: str) -> str:
    """Return the newest api-version of the resource type in a path: of the resource, its collection, or its action."""
    types = load_types()
    for candidate in (path, f"{path}/any", path.rpartition("/")[0]):
        with contextlib.suppress(ValueError):
            if types and (versions := types.list_versions(parse_id(candidate).type)):
                return versions[-1]
    return "2024-01-01"


def make_owner(stand_in: StandIn) -> Client:
    """Return the owner's client, and create a resource group."""
    client = Client(stand_in)
    assert client.ask("PUT", GROUP, HERE).status == 201
    return client
