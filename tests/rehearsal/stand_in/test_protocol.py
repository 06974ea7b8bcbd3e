"""Resource Manager's protocol over HTTP, as the provider and the delivery scripts meet it."""

import json
import ssl
import urllib.error
import urllib.parse
import urllib.request
import uuid
from collections.abc import Iterable
from typing import NamedTuple, cast

import pytest
from starlette.requests import Request
from starlette.responses import Response

from rehearsal.stand_in import entra
from rehearsal.stand_in.blobs import guarded
from rehearsal.stand_in.faults import Fault
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.server import FAULTS, ZERO, StandIn

GROUP = f"/subscriptions/{ZERO}/resourceGroups/rg"
IDENTITY = f"{GROUP}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/id"
ROLES = f"/subscriptions/{ZERO}/providers/Microsoft.Authorization/roleDefinitions"
READER, CONTRIBUTOR, BLOB_READER = (
    f"{ROLES}/{id_}"
    for id_ in (
        "acdd72a7-3385-48ef-bd42-f606fba81ae7",
        "b24988ac-6180-42a0-ab88-20f7382dd24c",
        "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
    )
)
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


def _answer(status: int, headers: Iterable[tuple[str, str]], content: bytes) -> Answer:
    lower = {name.lower(): value for name, value in headers}
    spoken = lower.get("content-type", "").startswith("application/json")
    return Answer(status, lower, json.loads(content) if spoken else {})


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
                return _answer(answer.status, answer.headers.items(), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers.items(), error.read())

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


def test_what_is_sent_is_a_json_object(owner: Client) -> None:
    for sent in (b'{"location":', b"[1]"):
        url, bearer = f"{GROUP}?api-version=2024-01-01", f"Bearer {owner.bearer}"
        answer = owner.send("PUT", url, sent, Authorization=bearer)
        assert (answer.status, answer.code) == (400, "InvalidRequestContent")


@pytest.mark.parametrize(
    ("method", "name", "condition", "status"),
    [
        ("PUT", "there", {"If-Match": "*"}, 200),
        ("PUT", "new", {"If-Match": "*"}, 412),
        ("PUT", "there", {"If-None-Match": "*"}, 412),
        ("PUT", "new", {"If-None-Match": "*"}, 201),
        ("DELETE", "there", {"If-Match": "old"}, 412),
        ("DELETE", "there", {"If-Match": "*"}, 200),
    ],
)
def test_conditions(owner: Client, method: str, name: str, condition: dict[str, str], status: int) -> None:
    zone = f"{GROUP}/providers/Microsoft.Network/dnsZones"
    owner.ask("PUT", f"{zone}/there.com", {"location": "global"})
    answer = owner.ask(method, f"{zone}/{name}.com", {"location": "global"}, **condition)
    assert answer.status == status


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/subscriptions/{ZERO}/resourceGroups?api-version=2024-01-01&$skiptoken=x", 400, "InvalidSkipToken"),
        ("OPTIONS", GROUP, 405, "MethodNotAllowed"),
    ],
)
def test_what_cannot_be_asked(owner: Client, method: str, path: str, status: int, code: str) -> None:
    answer = owner.ask(method, path)
    assert (answer.status, answer.code) == (status, code)


def test_throttling_says_when_to_come_back(stand_in: StandIn, owner: Client) -> None:
    type_ = "Microsoft.Resources/resourceGroups"
    stand_in.faults.add(Fault("status", type_, method="GET", status=429, code="TooManyRequests", seconds=7))
    answer = owner.ask("GET", GROUP)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert owner.ask("GET", GROUP).status == 200


def test_a_fault_is_told_over_http(owner: Client) -> None:
    type_ = "Microsoft.Network/dnsZones"
    zone = f"{GROUP}/providers/{type_}/example.com"
    told = {"kind": "status", "type": type_, "status": 429, "code": "TooManyRequests", "seconds": 3}
    assert owner.ask("POST", FAULTS, told).body["count"] == 1
    refused = owner.ask("PUT", zone, {"location": "global"})
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "TooManyRequests", "3")
    assert owner.ask("PUT", zone, {"location": "global"}).status == 201
    assert [each["met"] for each in owner.ask("GET", FAULTS).body["value"]] == [1]


@pytest.mark.parametrize(
    ("told", "named"),
    [
        ({"kind": "rain", "type": "Microsoft.Network/dnsZones"}, "kind"),
        ({"kind": "reset"}, "type"),
        ({"kind": "reset", "type": "Microsoft.Network/dnsZones", "often": 2}, "often"),
        ({"kind": "reset", "type": "Microsoft.Compute/virtualMachines"}, "Microsoft.Compute/virtualMachines"),
    ],
)
def test_what_is_no_fault_is_refused(owner: Client, told: Json, named: str) -> None:
    answer = owner.ask("POST", FAULTS, told)
    assert (answer.status, answer.code) == (400, "InvalidFault")
    assert named in answer.body["error"]["message"]


def test_every_request_is_logged(stand_in: StandIn, owner: Client) -> None:
    owner.ask("PUT", IDENTITY, HERE | {"tags": {"a": "b"}})
    logged = stand_in.application.requests[-1]
    assert (logged["method"], logged["path"], logged["status"]) == ("PUT", IDENTITY, 201)
    assert logged["body"] == HERE | {"tags": {"a": "b"}}
    assert logged["principal"] == entra.OWNER


ISSUER, SUBJECT = "https://token.actions.githubusercontent.com", "repo:augeo/platform:environment:dev"


def grant(owner: Client, principal: str, role: str, scope: str) -> None:
    """Assign a role."""
    body = {"properties": {"roleDefinitionId": role, "principalId": principal}}
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    assert owner.ask("PUT", path, body).status == 201


class Workflow(NamedTuple):
    """An identity without any role, and what it speaks through."""

    client: Client
    principal: str


@pytest.fixture
def workflow(stand_in: StandIn, owner: Client) -> Workflow:
    """A managed identity, logged in as by GitHub's OIDC."""
    made = owner.ask("PUT", IDENTITY, HERE).body["properties"]
    trust = {"properties": {"issuer": ISSUER, "subject": SUBJECT, "audiences": ["api://AzureADTokenExchange"]}}
    owner.ask("PUT", f"{IDENTITY}/federatedIdentityCredentials/github", trust)
    client = Client(stand_in, client_id=made["clientId"], client_assertion=entra.assertion(ISSUER, SUBJECT))
    return Workflow(client, made["principalId"])


def test_a_federated_identity_may_do_what_its_roles_allow_and_no_more(
    stand_in: StandIn, owner: Client, workflow: Workflow
) -> None:
    client = workflow.client
    id_ = owner.ask("GET", IDENTITY).body["properties"]["clientId"]
    stranger = entra.assertion(ISSUER, "repo:augeo/platform:environment:production")
    assert Client(stand_in, client_id=id_, client_assertion=stranger).bearer == "invalid_request"
    for_another = entra.assertion(ISSUER, SUBJECT, "https://github.com/augeo")
    assert Client(stand_in, client_id=id_, client_assertion=for_another).bearer == "invalid_request"
    assert Client(stand_in, client_id=id_).bearer == "invalid_client"
    assert client.ask("GET", GROUP).code == "AuthorizationFailed"

    stand_in.azure.propagation_seconds = 60
    grant(owner, workflow.principal, READER, GROUP)
    assert client.ask("GET", GROUP).code == "AuthorizationFailed", "a new assignment takes its time"
    stand_in.azure.propagation_seconds = 0
    assert client.ask("GET", GROUP).status == 200
    assert client.ask("DELETE", GROUP).code == "AuthorizationFailed"
    assert client.ask("PUT", f"{GROUP}x", HERE).code == "AuthorizationFailed"


def test_who_writes_a_resource_needs_a_right_on_what_it_links_to(owner: Client, workflow: Workflow) -> None:
    hub = f"{GROUP}-hub/providers/Microsoft.Network/virtualNetworks/hub"
    owner.ask("PUT", f"{GROUP}-hub", HERE)
    owner.ask("PUT", hub, HERE | {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}})
    grant(owner, workflow.principal, CONTRIBUTOR, GROUP)
    grant(owner, workflow.principal, READER, hub)
    zone = f"{GROUP}/providers/Microsoft.Network/privateDnsZones/privatelink.example.com"
    assert workflow.client.ask("PUT", zone, {"location": "global"}).status == 201

    link = {"location": "global", "properties": {"virtualNetwork": {"id": hub}}}
    refused = workflow.client.ask("PUT", f"{zone}/virtualNetworkLinks/hub", link)
    assert (refused.status, refused.code) == (403, "LinkedAuthorizationFailed")
    assert refused.body["error"]["message"] == (
        f"The client '{workflow.principal}' with object id '{workflow.principal}' has permission to perform action "
        f"'Microsoft.Network/privateDnsZones/virtualNetworkLinks/write' on scope '{zone}/virtualNetworkLinks/hub'; "
        "however, it does not have permission to perform action(s) 'Microsoft.Network/virtualNetworks/join/action' on "
        f"the linked scope(s) '{hub}' (respectively) or the linked scope(s) are invalid."
    )
    assert owner.ask("GET", f"{zone}/virtualNetworkLinks/hub").status == 404

    grant(owner, workflow.principal, CONTRIBUTOR, hub)
    assert workflow.client.ask("PUT", f"{zone}/virtualNetworkLinks/hub", link).status == 201


@pytest.mark.parametrize(
    ("method", "what"),
    [
        ("GET", "providers"),
        ("POST", "providers/Microsoft.Web/checknameavailability"),
        ("GET", "providers/Microsoft.OperationalInsights/deletedWorkspaces"),
        ("GET", "providers/Microsoft.KeyVault/locations/eastus2/deletedVaults/none"),
    ],
)
def test_what_is_asked_of_the_subscription_needs_a_role_there(
    owner: Client, workflow: Workflow, method: str, what: str
) -> None:
    path = f"/subscriptions/{ZERO}/{what}"
    grant(owner, workflow.principal, CONTRIBUTOR, GROUP)
    assert workflow.client.ask(method, path, {}).code == "AuthorizationFailed"
    grant(owner, workflow.principal, READER, f"/subscriptions/{ZERO}")
    assert workflow.client.ask(method, path, {}).status in (200, 404)


def test_a_blob_is_for_those_with_a_data_role_on_its_container(
    stand_in: StandIn, owner: Client, workflow: Workflow
) -> None:
    account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/states"
    owner.ask("PUT", account, HERE | {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"})
    for name in ("mine", "other"):
        owner.ask("PUT", f"{account}/blobServices/default/containers/{name}", {"properties": {}})
    served: list[str] = []

    async def serve(request: Request, _: bytes) -> Response:
        served.append(f"{request.method} {request.url.path}")
        return Response("a state")

    stand_in.application.blobs = guarded(serve)

    def ask(method: str, path: str) -> tuple[int, str]:
        headers = {"Host": "states.blob.core.windows.net", "Authorization": f"Bearer {workflow.client.bearer}"}
        answer = workflow.client.send(method, path, None, **headers)
        return answer.status, answer.headers.get("x-ms-error-code", "")

    refused = (403, "AuthorizationPermissionMismatch")
    grant(owner, workflow.principal, CONTRIBUTOR, account)
    assert ask("GET", "/mine/state") == refused, "to manage an account is not to read what is in it"
    grant(owner, workflow.principal, BLOB_READER, f"{account}/blobServices/default/containers/mine")
    assert ask("GET", "/mine/state") == (200, "")
    assert ask("PUT", "/mine/state") == refused
    assert ask("GET", "/other/state") == refused
    assert ask("GET", "/none/state") == refused
    workflow.client.bearer = "nonsense"
    assert ask("GET", "/mine/state") == (401, "AuthenticationFailed")
    assert served == ["GET /mine/state"]
