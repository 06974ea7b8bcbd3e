"""Resource Manager's protocol over HTTP, as the provider and the delivery scripts use it."""

import http.client
import time
import urllib.error
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from starlette.requests import Request
from starlette.responses import Response

from rehearsal.stand_in import entra, resource_manager
from rehearsal.stand_in.azure_types import load_types
from rehearsal.stand_in.certificates import make_certificates
from rehearsal.stand_in.control import FAULTS_PATH
from rehearsal.stand_in.faults import Fault
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.server import ZERO, StandIn, run_stand_in
from tests.rehearsal.client import GROUP, HERE, Client, make_owner

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


def test_a_request_without_a_token_is_refused(stand_in: StandIn, owner: Client) -> None:
    owner.bearer = "nonsense"
    assert owner.ask("GET", GROUP).code == "AuthenticationFailed"
    assert stand_in.request_log.entries[-1]["status"] == 401


def test_a_request_without_an_api_version_is_refused(owner: Client) -> None:
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
        stand_in.resource_manager.put(f"{zone}/A/host{number}", {"properties": {}})
    stand_in.resource_manager.put(zone, {})
    names, link = set[str](), f"{zone}/A"
    pages = 0
    while link:
        page = owner.ask("GET", link).body
        names |= {record["name"] for record in page["value"]}
        link, pages = page.get("nextLink", ""), pages + 1
    assert (len(names), pages) == (250, 3)


def test_an_old_etag_is_refused(owner: Client) -> None:
    zone = f"{GROUP}/providers/Microsoft.Network/dnsZones/example.com"
    owner.ask("PUT", zone, {"location": "global"})
    etag = owner.ask("GET", zone).headers["etag"]
    assert owner.ask("PUT", zone, {"location": "global"}, **{"If-Match": etag}).status == 200
    assert owner.ask("PUT", zone, {"location": "global"}, **{"If-Match": etag}).code == "PreconditionFailed"


def test_a_body_must_be_a_json_object(owner: Client) -> None:
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
def test_if_match_and_if_none_match(
    owner: Client, method: str, name: str, condition: dict[str, str], status: int
) -> None:
    zone = f"{GROUP}/providers/Microsoft.Network/dnsZones"
    owner.ask("PUT", f"{zone}/there.com", {"location": "global"})
    answer = owner.ask(method, f"{zone}/{name}.com", {"location": "global"}, **condition)
    assert answer.status == status


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", f"/subscriptions/{ZERO}/resourceGroups?api-version=2021-04-01&$skiptoken=x", 400, "InvalidSkipToken"),
        ("OPTIONS", GROUP, 405, "MethodNotAllowed"),
    ],
)
def test_an_unknown_request_is_refused(owner: Client, method: str, path: str, status: int, code: str) -> None:
    answer = owner.ask(method, path)
    assert (answer.status, answer.code) == (status, code)


@pytest.mark.parametrize(
    ("type_", "sent"),
    [
        ("Microsoft.Resources/resourceGroups", HERE),
        ("Microsoft.ManagedIdentity/userAssignedIdentities", HERE),
        ("Microsoft.ContainerRegistry/registries", HERE | {"sku": {"name": "Basic"}}),
        ("Microsoft.Cdn/profiles", {"location": "global", "sku": {"name": "Standard_AzureFrontDoor"}}),
    ],
)
def test_a_patch_replaces_the_tags(owner: Client, type_: str, sent: Json) -> None:
    group = type_.endswith("/resourceGroups")
    path = f"{GROUP}-tagged" if group else f"{GROUP}/providers/{type_}/tagged123"
    made = owner.ask("PUT", path, sent | {"tags": {"kept": "1", "removed": "2"}})
    if "azure-asyncoperation" in made.headers:
        owner.ask("GET", made.headers["azure-asyncoperation"])
    assert owner.ask("PATCH", path, {"tags": {"kept": "1", "new": "3"}}).status < 300
    assert owner.ask("GET", path).body["tags"] == {"kept": "1", "new": "3"}


def test_a_patch_replaces_the_metadata_of_a_dns_record(owner: Client) -> None:
    zone = f"{GROUP}/providers/Microsoft.Network/dnsZones/example.com"
    assert owner.ask("PUT", zone, {"location": "global"}).status == 201
    sent: Json = {"TTL": 60, "NSRecords": [{"nsdname": "ns1.example.net"}], "metadata": {"kept": "1", "removed": "2"}}
    assert owner.ask("PUT", f"{zone}/NS/dev", {"properties": sent}).status == 201
    assert owner.ask("PATCH", f"{zone}/NS/dev", {"properties": {"metadata": {"kept": "1"}}}).status == 200
    assert owner.ask("GET", f"{zone}/NS/dev").body["properties"]["metadata"] == {"kept": "1"}


def test_a_top_level_type_is_listed_at_the_subscription_and_at_the_group(owner: Client) -> None:
    collection = "providers/Microsoft.Network/dnsZones"
    assert owner.ask("PUT", f"{GROUP}/{collection}/example.com", {"location": "global"}).status == 201
    for scope in (f"/subscriptions/{ZERO}", GROUP):
        answer = owner.ask("GET", f"{scope}/{collection}")
        assert [zone["name"] for zone in answer.body["value"]] == ["example.com"]
    assert owner.ask("GET", f"{GROUP}-none/{collection}").code == "ResourceGroupNotFound"
    assert owner.ask("GET", f"{GROUP}/{collection}/other.com/TXT").code == "ParentResourceNotFound"


def test_an_operation_can_be_polled_after_its_end_until_it_is_forgotten(
    stand_in: StandIn, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resource_manager, "ENDED_OPERATIONS", 1)
    path = f"{GROUP}/providers/Microsoft.Cache/redisEnterprise/redis"
    polls: list[str] = []
    for name in ("1", "2"):
        polls.append(
            owner.ask("PUT", path + name, HERE | {"sku": {"name": "Balanced_B0"}}).headers["azure-asyncoperation"]
        )
        assert owner.ask("GET", polls[-1]).body["status"] == "Succeeded"
    assert owner.ask("GET", polls[0]).code == "OperationNotFound"
    assert owner.ask("GET", polls[1]).body["status"] == "Succeeded"
    assert len(stand_in.resource_manager.finished_operations) == 1


def test_throttling_sends_retry_after(stand_in: StandIn, owner: Client) -> None:
    type_ = "Microsoft.Resources/resourceGroups"
    stand_in.faults.add(Fault("status", type_, method="GET", status=429, code="TooManyRequests", seconds=7))
    answer = owner.ask("GET", GROUP)
    assert (answer.status, answer.headers["retry-after"]) == (429, "7")
    assert owner.ask("GET", GROUP).status == 200


def test_a_fault_is_added_over_http(owner: Client) -> None:
    type_ = "Microsoft.Network/dnsZones"
    zone = f"{GROUP}/providers/{type_}/example.com"
    fault = {"kind": "status", "type": type_, "status": 429, "code": "TooManyRequests", "seconds": 3}
    assert owner.ask("POST", FAULTS_PATH, fault).body["count"] == 1
    refused = owner.ask("PUT", zone, {"location": "global"})
    assert (refused.status, refused.code, refused.headers["retry-after"]) == (429, "TooManyRequests", "3")
    assert owner.ask("PUT", zone, {"location": "global"}).status == 201
    assert [fault["met"] for fault in owner.ask("GET", FAULTS_PATH).body["value"]] == [1]


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"kind": "rain", "type": "Microsoft.Network/dnsZones"}, "kind"),
        ({"kind": "reset"}, "type"),
        ({"kind": "reset", "type": "Microsoft.Network/dnsZones", "often": 2}, "often"),
        ({"kind": "reset", "type": "Microsoft.Compute/virtualMachines"}, "Microsoft.Compute/virtualMachines"),
    ],
)
def test_an_invalid_fault_is_refused(owner: Client, fault: Json, named: str) -> None:
    answer = owner.ask("POST", FAULTS_PATH, fault)
    assert (answer.status, answer.code) == (400, "InvalidFault")
    assert named in answer.body["error"]["message"]


ZONE_TYPE = "Microsoft.Network/dnsZones"
ZONE = f"{GROUP}/providers/{ZONE_TYPE}/example.com"


def test_a_reset_drops_the_connection_before_the_request_is_handled(stand_in: StandIn, owner: Client) -> None:
    stand_in.faults.add(Fault("reset", ZONE_TYPE))
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        owner.ask("PUT", ZONE, {"location": "global"})
    entry = stand_in.request_log.entries[-1]
    assert (entry["path"], entry["fault"], entry["status"]) == (ZONE, "reset", 0)
    assert owner.ask("GET", ZONE).status == 404


def test_a_lost_answer_drops_the_connection_after_the_request_is_handled(stand_in: StandIn, owner: Client) -> None:
    stand_in.faults.add(Fault("lost-answer", ZONE_TYPE))
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        owner.ask("PUT", ZONE, {"location": "global"})
    entry = stand_in.request_log.entries[-1]
    assert (entry["path"], entry["fault"], entry["status"]) == (ZONE, "lost-answer", 201)
    assert owner.ask("GET", ZONE).status == 200


def test_a_truncated_answer_ends_in_the_middle(stand_in: StandIn, owner: Client) -> None:
    stand_in.faults.add(Fault("truncate", ZONE_TYPE))
    with pytest.raises(http.client.IncompleteRead) as read:
        owner.ask("PUT", ZONE, {"location": "global"})
    assert read.value.partial.startswith(b'{"location":"global"')
    assert abs(len(read.value.partial) - (read.value.expected or 0)) <= 1, "half of the body is missing"
    entry = stand_in.request_log.entries[-1]
    assert (entry["path"], entry["fault"], entry["status"]) == (ZONE, "truncate", 201)
    assert owner.ask("GET", ZONE).status == 200


def test_a_hanging_request_is_answered_late(stand_in: StandIn, owner: Client) -> None:
    stand_in.faults.add(Fault("hang", ZONE_TYPE, seconds=1))
    assert owner.ask("PUT", ZONE, {"location": "global"}).status == 201
    assert stand_in.request_log.entries[-1]["seconds"] >= 1


def test_every_request_is_logged(stand_in: StandIn, owner: Client) -> None:
    owner.ask("PUT", IDENTITY, HERE | {"tags": {"a": "b"}})
    logged = stand_in.request_log.entries[-1]
    assert (logged["method"], logged["path"], logged["status"]) == ("PUT", IDENTITY, 201)
    assert logged["body"] == HERE | {"tags": {"a": "b"}}
    assert logged["principal"] == entra.OWNER


ISSUER, SUBJECT = "https://token.actions.githubusercontent.com", "repo:augeo/platform:environment:dev"


def grant(owner: Client, principal: str, role: str, scope: str) -> None:
    """Assign a role to a principal."""
    body = {"properties": {"roleDefinitionId": role, "principalId": principal}}
    path = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{uuid.uuid4()}"
    assert owner.ask("PUT", path, body).status == 201


class Workflow(NamedTuple):
    """A managed identity without any role, and its client."""

    client: Client
    principal: str


def make_workflow(stand_in: StandIn, owner: Client) -> Workflow:
    """Create a managed identity, and log in as GitHub's OIDC does."""
    identity = owner.ask("PUT", IDENTITY, HERE).body["properties"]
    trust = {"properties": {"issuer": ISSUER, "subject": SUBJECT, "audiences": ["api://AzureADTokenExchange"]}}
    owner.ask("PUT", f"{IDENTITY}/federatedIdentityCredentials/github", trust)
    client = Client(stand_in, client_id=identity["clientId"], client_assertion=entra.make_assertion(ISSUER, SUBJECT))
    return Workflow(client, identity["principalId"])


@pytest.fixture
def workflow(stand_in: StandIn, owner: Client) -> Workflow:
    """A managed identity that is logged in as GitHub's OIDC does."""
    return make_workflow(stand_in, owner)


def test_a_federated_identity_may_do_only_what_its_roles_allow(
    stand_in: StandIn, owner: Client, workflow: Workflow
) -> None:
    client = workflow.client
    id_ = owner.ask("GET", IDENTITY).body["properties"]["clientId"]
    stranger = entra.make_assertion(ISSUER, "repo:augeo/platform:environment:production")
    assert Client(stand_in, client_id=id_, client_assertion=stranger).bearer == "invalid_request"
    for_another = entra.make_assertion(ISSUER, SUBJECT, "https://github.com/augeo")
    assert Client(stand_in, client_id=id_, client_assertion=for_another).bearer == "invalid_request"
    assert Client(stand_in, client_id=id_).bearer == "invalid_client"
    assert client.ask("GET", GROUP).code == "AuthorizationFailed"

    grant(owner, workflow.principal, READER, GROUP)
    assert client.ask("GET", GROUP).status == 200
    assert client.ask("DELETE", GROUP).code == "AuthorizationFailed"
    assert client.ask("PUT", f"{GROUP}x", HERE).code == "AuthorizationFailed"


class ShiftedClock:
    """A clock that a test can advance."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def read(self) -> float:
        return time.monotonic() + self._ahead

    def advance(self, seconds: float) -> None:
        self._ahead += seconds


def test_a_new_role_assignment_counts_after_its_propagation(tmp_path: Path) -> None:
    clock = ShiftedClock()
    with run_stand_in(
        make_certificates(tmp_path), propagation_seconds=60, types=load_types(), clock=clock.read
    ) as stand_in:
        owner = make_owner(stand_in)
        workflow = make_workflow(stand_in, owner)
        grant(owner, workflow.principal, READER, GROUP)
        assert workflow.client.ask("GET", GROUP).code == "AuthorizationFailed"
        clock.advance(60)
        assert workflow.client.ask("GET", GROUP).status == 200


def test_the_writer_of_a_resource_needs_a_right_on_linked_resources(owner: Client, workflow: Workflow) -> None:
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
def test_a_request_to_the_subscription_needs_a_role_there(
    owner: Client, workflow: Workflow, method: str, what: str
) -> None:
    path = f"/subscriptions/{ZERO}/{what}"
    grant(owner, workflow.principal, CONTRIBUTOR, GROUP)
    assert workflow.client.ask(method, path, {}).code == "AuthorizationFailed"
    grant(owner, workflow.principal, READER, f"/subscriptions/{ZERO}")
    assert workflow.client.ask(method, path, {}).status in (200, 404)


@pytest.fixture
def served() -> list[str]:
    """The requests that have reached the blob service."""
    return []


@pytest.fixture
def stand_in_with_blobs(tmp_path: Path, served: list[str]) -> Iterator[StandIn]:
    """A stand-in with a blob service that notes its requests."""

    async def serve(request: Request, _: bytes) -> Response:
        served.append(f"{request.method} {request.url.path}")
        return Response("a state")

    with run_stand_in(make_certificates(tmp_path), types=load_types(), blobs=serve) as stand_in:
        yield stand_in


def test_a_blob_needs_a_data_role_on_its_container(stand_in_with_blobs: StandIn, served: list[str]) -> None:
    owner = make_owner(stand_in_with_blobs)
    workflow = make_workflow(stand_in_with_blobs, owner)
    account = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/states"
    owner.ask("PUT", account, HERE | {"sku": {"name": "Standard_LRS"}, "kind": "StorageV2"})
    for name in ("mine", "other"):
        owner.ask("PUT", f"{account}/blobServices/default/containers/{name}", {"properties": {}})

    def ask(method: str, path: str) -> tuple[int, str]:
        headers = {"Host": "states.blob.core.windows.net", "Authorization": f"Bearer {workflow.client.bearer}"}
        answer = workflow.client.send(method, path, None, **headers)
        return answer.status, answer.headers.get("x-ms-error-code", "")

    refused = (403, "AuthorizationPermissionMismatch")
    grant(owner, workflow.principal, CONTRIBUTOR, account)
    assert ask("GET", "/mine/state") == refused, "the right to manage an account includes no right to read its content"
    grant(owner, workflow.principal, BLOB_READER, f"{account}/blobServices/default/containers/mine")
    assert ask("GET", "/mine/state") == (200, "")
    assert ask("PUT", "/mine/state") == refused
    assert ask("GET", "/other/state") == refused
    assert ask("GET", "/none/state") == refused
    workflow.client.bearer = "nonsense"
    assert ask("GET", "/mine/state") == (401, "AuthenticationFailed")
    assert served == ["GET /mine/state"]
