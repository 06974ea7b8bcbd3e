"""Bodies and api-versions, compared with Azure's own types before a family sees them."""

import gzip
import json
from pathlib import Path

import pytest

from rehearsal.stand_in import families
from rehearsal.stand_in.azure_types import FILE, AzureTypes, TypesFileError, read_types
from rehearsal.stand_in.body_checks import BodyChecks
from rehearsal.stand_in.ids import parse_id
from rehearsal.stand_in.model import Json, RefusedError
from rehearsal.stand_in.provisioning_states import has_provisioning_state
from rehearsal.stand_in.server import StandIn
from tests.rehearsal.client import GROUP, HERE, Client

NETWORK = f"{GROUP}/providers/Microsoft.Network/networkSecurityGroups/nsg"
STORAGE = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/account"
SITE = f"{GROUP}/providers/Microsoft.Web/sites/site"
ALERT = f"{GROUP}/providers/Microsoft.Insights/metricAlerts/alert"
SECRET = f"{GROUP}/providers/Microsoft.KeyVault/vaults/vault"


def make_rule(**changes: object) -> Json:
    """Return the body of a network security group with one rule. A change to None leaves the property out."""
    properties: Json = {
        "access": "Allow",
        "direction": "Inbound",
        "priority": 100,
        "protocol": "Tcp",
        "sourceAddressPrefix": "*",
        "sourcePortRange": "*",
        "destinationAddressPrefix": "*",
        "destinationPortRange": "443",
    }
    return HERE | {"properties": {"securityRules": [{"name": "rule", "properties": properties | changes}]}}


WRONG: dict[str, tuple[str, Json, str]] = {
    "a value outside a choice": (
        NETWORK,
        make_rule(direction="Sideways"),
        "Path 'properties.securityRules[0].properties.direction' has the value 'Sideways'. Allowed: Inbound, Outbound.",
    ),
    "a required property that is missing": (
        NETWORK,
        make_rule(priority=None),
        "Path 'properties.securityRules[0].properties' lacks the required property 'priority'.",
    ),
    "a lifecycle policy without a policy": (
        f"{STORAGE}/managementPolicies/default",
        {"properties": {}},
        "Path 'properties' lacks the required property 'policy'.",
    ),
    "a metric alert without a window": (
        ALERT,
        {
            "location": "global",
            "properties": {
                "criteria": {"odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria"},
                "enabled": True,
                "evaluationFrequency": "PT1M",
                "scopes": [STORAGE],
                "severity": 1,
            },
        },
        "Path 'properties' lacks the required property 'windowSize'.",
    ),
    "a text in place of a truth value": (
        SITE,
        HERE | {"properties": {"httpsOnly": "maybe"}},
        'Path \'properties.httpsOnly\': "maybe" is not of type "boolean".',
    ),
    "an unknown property": (
        SITE,
        HERE | {"properties": {"httpOnly": True}},
        "Path 'properties' has no property named 'httpOnly'.",
    ),
    "a number that is too high": (
        f"{GROUP}/providers/Microsoft.Storage/storageAccounts/account/blobServices/default",
        {"properties": {"deleteRetentionPolicy": {"enabled": True, "days": 366}}},
        "Path 'properties.deleteRetentionPolicy.days': 366 is greater than the maximum of 365.",
    ),
}


@pytest.mark.usefixtures("types")
@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_body_is_refused_before_anything_is_stored(stand_in: StandIn, owner: Client, name: str) -> None:
    path, body, message = WRONG[name]
    answer = owner.ask("PUT", path, body)
    assert (answer.status, answer.code) == (400, "InvalidRequestContent")
    assert message in answer.body["error"]["message"]
    assert stand_in.resource_manager.find(path) is None


@pytest.mark.usefixtures("types")
def test_everything_wrong_is_told_at_once(owner: Client) -> None:
    body = make_rule(direction="Sideways", priority=None) | {"colour": "green"}
    message = owner.ask("PUT", NETWORK, body).body["error"]["message"]
    assert all(part in message for part in ("'Sideways'", "'priority'", "'colour'"))


@pytest.mark.usefixtures("types")
def test_a_body_as_azure_takes_it_is_stored(owner: Client) -> None:
    assert owner.ask("PUT", NETWORK, make_rule()).status == 201


@pytest.mark.usefixtures("types")
def test_a_name_that_the_type_does_not_have_is_refused(owner: Client) -> None:
    answer = owner.ask("PUT", f"{STORAGE.upper()}/blobServices/second", {"properties": {}})
    assert (answer.status, answer.code) == (400, "InvalidResourceName")
    assert "Path 'name' has the value 'second'. Allowed: default." in answer.body["error"]["message"]


@pytest.mark.usefixtures("types")
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_api_version_that_nobody_published_is_refused(owner: Client, method: str) -> None:
    answer = owner.ask(method, f"{NETWORK}?api-version=2024-13-01", make_rule() if method == "PUT" else None)
    assert (answer.status, answer.code) == (400, "NoRegisteredProviderFound")
    message = answer.body["error"]["message"]
    assert "'2024-13-01'" in message
    assert "2025-01-01" in message


def test_a_patch_needs_no_required_property(types: AzureTypes) -> None:
    checks, id_ = BodyChecks(types), parse_id(ALERT)
    checks.check_request(id_, "2018-03-01", {"tags": {"a": "b"}}, patch=True)
    with pytest.raises(RefusedError, match="'location'"):
        checks.check_request(id_, "2018-03-01", {"tags": {"a": "b"}}, patch=False)


def test_azure_ignores_what_is_read_only_and_what_is_null(types: AzureTypes) -> None:
    body: Json = HERE | {"id": "/anything", "etag": 1, "tags": None, "properties": {"provisioningState": "Unheard"}}
    BodyChecks(types).check_request(parse_id(NETWORK), "2025-01-01", body, patch=False)


def test_a_choice_may_be_written_with_a_space_after_a_comma(types: AzureTypes) -> None:
    for type_ in ("SystemAssigned, UserAssigned", "SystemAssigned,UserAssigned"):
        body = HERE | {"identity": {"type": type_}, "properties": {}}
        BodyChecks(types).check_request(parse_id(SITE), "2023-12-01", body, patch=False)


def test_a_configuration_is_compared_with_the_type_of_its_name(types: AzureTypes) -> None:
    checks, id_ = BodyChecks(types), parse_id(f"{SITE}/config/LOGS")
    checks.check_request(id_, "2023-12-01", {"properties": {"detailedErrorMessages": {"enabled": True}}}, patch=False)
    with pytest.raises(RefusedError, match="'SETTING'"):
        checks.check_request(id_, "2023-12-01", {"properties": {"SETTING": "1"}}, patch=False)
    checks.check_request(
        parse_id(f"{SITE}/config/appsettings"), "2023-12-01", {"properties": {"SETTING": "1"}}, patch=False
    )


def test_the_body_of_an_action_is_compared(types: AzureTypes) -> None:
    checks, id_ = BodyChecks(types), parse_id(STORAGE)
    checks.check_action(id_, "regenerateKey", "2025-08-01", {"keyName": "key1"})
    with pytest.raises(RefusedError, match="'keyName'"):
        checks.check_action(id_, "regenerateKey", "2025-08-01", {})


def test_a_type_that_the_file_lacks_is_not_checked() -> None:
    checks = BodyChecks(AzureTypes([], {}))
    checks.check_version("Microsoft.Web/sites", "1999-01-01")
    checks.check_request(parse_id(SITE), "1999-01-01", {"anything": 1}, patch=False)


@pytest.mark.parametrize(
    "content",
    [b"", b"nonsense", gzip.compress(b"[]"), gzip.compress(b"{}")[:-6]],
    ids=["empty", "not compressed", "no types", "cut"],
)
def test_a_damaged_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / FILE.name
    file.write_bytes(content)
    with pytest.raises(TypesFileError, match=r"azure-types\.json\.gz is no file of Azure's types"):
        read_types(file)


def test_a_file_is_read(tmp_path: Path) -> None:
    file = tmp_path / FILE.name
    document = {"types": [{"kind": "any"}], "resources": {"a/b@2": 0, "a/b@1": 0}, "actions": {"a/b@1/c": [0, None]}}
    file.write_bytes(gzip.compress(json.dumps(document).encode()))
    types = read_types(file)
    assert types.list_versions("A/b") == ["1", "2"]
    assert (types.find_body("A/B", "2"), types.find_body("a/b", "3")) == (0, None)
    assert (types.find_action_body("A/b", "1", "C"), types.find_action_body("A/b", "2", "C")) == (0, None)


def test_the_types_without_a_state_are_azures(types: AzureTypes) -> None:
    for type_ in families.TYPES:
        states = {BodyChecks(types).has_state(type_.name, version) for version in types.list_versions(type_.name)}
        assert not states or has_provisioning_state(type_.name) in states, type_.name
