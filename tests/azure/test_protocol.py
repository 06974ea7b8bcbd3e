"""Resource Manager's protocol over HTTP, as the provider and the delivery scripts meet it."""

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterable
from typing import NamedTuple, cast

import pytest

from rehearsal import entra
from rehearsal.faults import Fault
from rehearsal.model import Json
from rehearsal.server import ZERO, StandIn

GROUP = f"/subscriptions/{ZERO}/resourceGroups/rg"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"
READER = f"/subscriptions/{ZERO}/providers/Microsoft.Authorization/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
HERE: Json = {"location": "eastus2"}


class Answer(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: dict[str, str]
    body: Json

    @property
    def code(self) -> str:
        """The error's."""
        return self.body["error"]["code"]


def _lower(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers}


class Client:
    """Speaks to a stand-in as one client."""

    def __init__(self, stand_in: StandIn, **form: str) -> None:
        self.base = stand_in.azure.base
        self.context = ssl.create_default_context(cafile=str(stand_in.ca_file))
        form = {"client_id": entra.OWNER_CLIENT, "scope": "https://management.azure.com/.default"} | form
        answer = self.send("POST", f"/{ZERO}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode())
        self.bearer = cast(str, answer.body.get("access_token", answer.body.get("error", {}).get("code")))

    def send(self, method: str, url: str, data: bytes | None = None, **headers: str) -> Answer:
        """Send a request as it is."""
        whole = url if url.startswith("https://") else self.base + url
        request = urllib.request.Request(whole, data, headers, method=method)  # noqa: S310  https, to this machine
        try:
            with urllib.request.urlopen(request, context=self.context) as answer:  # noqa: S310
                return Answer(answer.status, _lower(answer.headers.items()), json.loads(answer.read() or b"{}"))
        except urllib.error.HTTPError as error:
            with error:
                return Answer(error.code, _lower(error.headers.items()), json.loads(error.read() or b"{}"))

    def ask(self, method: str, path: str, body: Json | None = None, **headers: str) -> Answer:
        """Send a request as Resource Manager wants it."""
        data = None if body is None else json.dumps(body).encode()
        url = path if "api-version" in path else f"{path}?api-version=2024-01-01"
        return self.send(method, url, data, Authorization=f"Bearer {self.bearer}", **headers)


@pytest.fixture
def owner(stand_in: StandIn) -> Client:
    """The owner, with a resource group."""
    client = Client(stand_in)
    assert client.ask("PUT", GROUP, HERE).status == 201
    return client


def test_no_token_no_answer(stand_in: StandIn, owner: Client) -> None:
    owner.bearer = "nonsense"
    assert owner.ask("GET", GROUP).code == "AuthenticationFailed"
    assert stand_in.application.requests[-1]["status"] == 401


def test_no_api_version_no_answer(owner: Client) -> None:
    answer = owner.send("GET", GROUP, Authorization=f"Bearer {owner.bearer}")
    assert (answer.status, answer.code) == (400, "MissingApiVersionParameter")


def test_an_unknown_type_is_refused_by_name(owner: Client) -> None:
    answer = owner.ask("PUT", f"{GROUP}/providers/Microsoft.Compute/virtualMachines/vm", HERE)
    assert answer.status == 501
    assert "Microsoft.Compute/virtualMachines" in answer.body["error"]["message"]


def test_a_long_operation_is_polled_to_its_end(owner: Client) -> None:
    path = f"{GROUP}/providers/Microsoft.Cache/redisEnterprise/redis"
    made = owner.ask("PUT", path, HERE | {"sku": {"name": "Balanced_B0"}})
    assert (made.status, made.body["properties"]["provisioningState"]) == (201, "Creating")
    assert made.headers["retry-after"] == "0"
    assert owner.ask("PUT", path, HERE | {"sku": {"name": "Balanced_B1"}}).code == "AnotherOperationInProgress"
    assert owner.ask("GET", made.headers["azure-asyncoperation"]).body["status"] == "Succeeded"
    assert owner.ask("GET", path).body["properties"]["provisioningState"] == "Succeeded"


def test_a_failed_operation_says_why(stand_in: StandIn, owner: Client) -> None:
    type_ = "Microsoft.Cache/redisEnterprise"
    stand_in.faults.add(Fault("failed-operation", type_, code="AllocationFailed"))
    made = owner.ask("PUT", f"{GROUP}/providers/{type_}/redis", HERE | {"sku": {"name": "Balanced_B0"}})
    ended = owner.ask("GET", made.headers["azure-asyncoperation"])
    assert (ended.body["status"], ended.code) == ("Failed", "AllocationFailed")
    again = owner.ask("GET", f"{GROUP}/providers/{type_}/redis")
    assert again.body["properties"]["provisioningState"] == "Failed"


def test_lists_page(stand_in: StandIn, owner: Client) -> None:
    zone = f"{GROUP}/providers/Microsoft.Network/dnsZones/example.com"
    for number in range(250):
        stand_in.azure.put(f"{zone}/A/host{number}", {"properties": {}})
    stand_in.azure.put(zone, {})
    names, link = set[str](), f"{zone}/A"
    pages = 0
    while link:
        page = owner.ask("GET", link).body
        names |= {each["name"] for each in page["value"]}
        link, pages = page.get("nextLink", ""), pages + 1
    assert (len(names), pages) == (250, 3)


def test_an_old_etag_is_refused(owner: Client) -> None:
    zone = f"{GROUP}/providers/Microsoft.Network/dnsZones/example.com"
    owner.ask("PUT", zone, {"location": "global"})
    etag = owner.ask("GET", zone).headers["etag"]
    assert owner.ask("PUT", zone, {"location": "global"}, **{"If-Match": etag}).status == 200
    assert owner.ask("PUT", zone, {"location": "global"}, **{"If-Match": etag}).code == "PreconditionFailed"


def test_throttling_says_when_to_come_back(stand_in: StandIn, owner: Client) -> None:
    type_ = "Microsoft.Resources/resourceGroups"
    stand_in.faults.add(Fault("status", type_, method="GET", status=429, code="TooManyRequests", seconds=7))
    answer = owner.ask("GET", GROUP)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert owner.ask("GET", GROUP).status == 200


def test_every_request_is_logged(stand_in: StandIn, owner: Client) -> None:
    owner.ask("PUT", IDENTITY, HERE | {"tags": {"a": "b"}})
    logged = stand_in.application.requests[-1]
    assert (logged["method"], logged["path"], logged["status"]) == ("PUT", IDENTITY, 201)
    assert logged["body"] == HERE | {"tags": {"a": "b"}}
    assert logged["principal"] == entra.OWNER


def test_a_federated_identity_may_do_what_its_roles_allow_and_no_more(stand_in: StandIn, owner: Client) -> None:
    issuer, subject = "https://token.actions.githubusercontent.com", "repo:augeo/platform:environment:dev"
    made = owner.ask("PUT", IDENTITY, HERE).body["properties"]
    trust = {"properties": {"issuer": issuer, "subject": subject, "audiences": ["api://AzureADTokenExchange"]}}
    owner.ask("PUT", f"{IDENTITY}/federatedIdentityCredentials/github", trust)

    stranger = entra.assertion(issuer, "repo:augeo/platform:environment:production")
    assert Client(stand_in, client_id=made["clientId"], client_assertion=stranger).bearer == "invalid_request"
    assert Client(stand_in, client_id=made["clientId"]).bearer == "invalid_client"
    client = Client(stand_in, client_id=made["clientId"], client_assertion=entra.assertion(issuer, subject))
    assert client.ask("GET", GROUP).code == "AuthorizationFailed"

    grant = {"properties": {"roleDefinitionId": READER, "principalId": made["principalId"]}}
    stand_in.azure.propagation_seconds = 60
    assignment = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/reads"
    assert owner.ask("PUT", assignment, grant).status == 201
    assert client.ask("GET", GROUP).code == "AuthorizationFailed", "a new assignment takes its time"
    stand_in.azure.propagation_seconds = 0
    assert client.ask("GET", GROUP).status == 200
    assert client.ask("DELETE", GROUP).code == "AuthorizationFailed"
    assert client.ask("PUT", f"{GROUP}x", HERE).code == "AuthorizationFailed"
