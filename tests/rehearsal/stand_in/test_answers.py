"""What Azure accepts, the stand-in takes, and answers as Azure does. Each is a request that it once got wrong."""

import copy

import pytest

from rehearsal.stand_in import families
from rehearsal.stand_in.azure_types import AzureTypes
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.server import ZERO, StandIn
from tests.rehearsal.client import GROUP, HERE, Answer, Client

SUBSCRIPTION = f"/subscriptions/{ZERO}"
AUTHORIZATION = f"{SUBSCRIPTION}/providers/Microsoft.Authorization"
READER = f"{AUTHORIZATION}/roleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
NETWORK = f"{GROUP}/providers/Microsoft.Network/virtualNetworks/v"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/account"
WEB = f"{GROUP}/providers/Microsoft.Web"
VAULTS = "providers/Microsoft.KeyVault"
STORAGE: Json = HERE | {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}}


def put(owner: Client, path: str, body: Json) -> Json:
    """Put a resource, wait until it is there, and return it as a GET does."""
    answer = owner.ask("PUT", path, body)
    assert answer.status < 300, answer.body
    wait(owner, answer)
    return owner.ask("GET", path).body


def wait(owner: Client, answer: Answer) -> None:
    """Wait until the operation that an answer names has ended."""
    for header in ("azure-asyncoperation", "location"):
        if header in answer.headers:
            assert owner.ask("GET", answer.headers[header]).body["status"] == "Succeeded"


@pytest.mark.parametrize("name", [type_.name for type_ in families.TYPES if type_.name.count("/") == 1])
def test_every_top_level_type_is_listed_at_the_subscription(owner: Client, name: str) -> None:
    path = f"{SUBSCRIPTION}/resourceGroups" if name.endswith("/resourceGroups") else f"{SUBSCRIPTION}/providers/{name}"
    if name == "Microsoft.Resources/subscriptions":
        path = SUBSCRIPTION
    assert owner.ask("GET", path).status == 200


def test_an_account_that_is_replicated_otherwise_keeps_its_tier(owner: Client) -> None:
    put(owner, ACCOUNT, STORAGE)
    changed = put(owner, ACCOUNT, STORAGE | {"sku": {"name": "Standard_GRS"}})
    assert changed["sku"] == {"name": "Standard_GRS", "tier": "Standard"}


@pytest.mark.parametrize(
    ("kind", "sku", "services"),
    [
        ("StorageV2", "Standard_LRS", {"blob", "file", "queue", "table", "dfs", "web"}),
        ("BlobStorage", "Standard_LRS", {"blob", "table", "dfs"}),
        ("BlockBlobStorage", "Premium_LRS", {"blob", "dfs", "web"}),
        ("FileStorage", "Premium_LRS", {"file"}),
        ("StorageV2", "Premium_LRS", {"blob"}),
    ],
)
def test_an_account_has_the_services_of_its_kind(owner: Client, kind: str, sku: str, services: set[str]) -> None:
    account = put(owner, ACCOUNT, HERE | {"kind": kind, "sku": {"name": sku}})
    assert set(account["properties"]["primaryEndpoints"]) == services
    assert owner.ask("GET", f"{ACCOUNT}/fileServices/default").status == (200 if "file" in services else 404)


def test_file_shares_are_answered_with_what_was_not_sent(owner: Client) -> None:
    put(owner, ACCOUNT, STORAGE)
    smb = {"versions": "SMB3.1.1", "authenticationMethods": ""}
    sent: Json = {"properties": {"protocolSettings": {"smb": smb}}}
    shares = put(owner, f"{ACCOUNT}/fileServices/default", sent)
    assert shares["properties"]["protocolSettings"]["smb"] == {"versions": "SMB3.1.1"}
    assert shares["properties"]["shareDeleteRetentionPolicy"]["enabled"]


def test_a_changed_role_is_newer_than_its_creation(owner: Client) -> None:
    path = f"{AUTHORIZATION}/roleDefinitions/00000000-0000-0000-0000-00000000abcd"
    body: Json = {
        "properties": {
            "roleName": "reads",
            "assignableScopes": [SUBSCRIPTION],
            "permissions": [{"actions": ["*/read"]}],
        }
    }
    made, changed = (put(owner, path, copy.deepcopy(body))["properties"] for _ in range(2))
    assert made["createdOn"] == changed["createdOn"]
    assert made["updatedOn"] < changed["updatedOn"]


@pytest.mark.parametrize("scope", ["", SUBSCRIPTION, GROUP])
def test_a_role_is_found_by_its_name(owner: Client, scope: str) -> None:
    path = f"{scope}/providers/Microsoft.Authorization/roleDefinitions?api-version=2022-05-01-preview"
    answer = owner.ask("GET", f"{path}&$filter=roleName%20eq%20'Reader'")
    assert [role["id"] for role in answer.body["value"]] == [READER]
    assert owner.ask("GET", f"{path}&$filter=roleName%20eq%20'None'").body["value"] == []
    assert owner.ask("GET", f"{path}&$filter=name%20eq%20'Reader'").code == "UnsupportedFilter"


def test_an_identity_of_the_resources_own_keeps_its_principal_and_can_be_granted_a_role(owner: Client) -> None:
    body = STORAGE | {"identity": {"type": "SystemAssigned"}}
    principals = {put(owner, ACCOUNT, copy.deepcopy(body))["identity"]["principalId"] for _ in range(2)}
    (principal,) = principals
    assignment = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-0000-0000-00000000abcd"
    properties = {"roleDefinitionId": READER, "principalId": principal}
    assert owner.ask("PUT", assignment, {"properties": properties}).status == 201
    without = put(owner, ACCOUNT, STORAGE | {"identity": {"type": "None"}})
    assert "principalId" not in without["identity"]
    again = put(owner, ACCOUNT, copy.deepcopy(body))
    assert again["identity"]["principalId"] != principal


DATABASE_SERVER = f"{GROUP}/providers/Microsoft.DBforPostgreSQL/flexibleServers/server"


def make_database_server(**properties: object) -> Json:
    common = {
        "version": "17",
        "administratorLogin": "owner",
        "administratorLoginPassword": "Aa1-23456789",
        "storage": {"storageSizeGB": 64},
    }
    sku = {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"}
    return HERE | {"sku": sku, "properties": common | properties}


def test_a_failover_exchanges_the_zones_of_server_and_standby(owner: Client) -> None:
    standby = {"mode": "ZoneRedundant", "standbyAvailabilityZone": "2"}
    put(owner, DATABASE_SERVER, make_database_server(availabilityZone="1", highAvailability=standby))
    failover = {"restartWithFailover": True, "failoverMode": "PlannedFailover"}
    wait(owner, owner.ask("POST", f"{DATABASE_SERVER}/restart", failover))
    properties = owner.ask("GET", DATABASE_SERVER).body["properties"]
    assert properties["availabilityZone"] == "2"
    assert properties["highAvailability"]["standbyAvailabilityZone"] == "1"


def test_a_registry_shows_the_policies_that_nobody_has_set(owner: Client) -> None:
    path = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/registry1"
    sent = {"policies": {"exportPolicy": {"status": "disabled"}}}
    policies = put(owner, path, HERE | {"sku": {"name": "Premium"}, "properties": sent})["properties"]["policies"]
    assert policies["trustPolicy"] == {"type": "Notary", "status": "disabled"}
    assert policies["exportPolicy"] == {"status": "disabled"}


def test_a_restart_is_a_long_operation(stand_in: StandIn, owner: Client) -> None:
    server = DATABASE_SERVER
    put(owner, server, make_database_server())
    stand_in.resource_manager.seconds_per_minute = 2  # so that a busy machine asks again before it ends
    restart = owner.ask("POST", f"{server}/restart", {})
    assert restart.status == 202
    assert owner.ask("POST", f"{server}/restart", {}).code == "AnotherOperationInProgress"
    wait(owner, restart)
    database = put(owner, f"{server}/databases/app", {"properties": {"charset": "utf8", "collation": "en_US.utf8"}})
    assert database["properties"]["charset"] == "UTF8"


def test_a_workspace_without_retention_keeps_logs_for_30_days(owner: Client) -> None:
    path = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/logs"
    for sent in ({}, {"retentionInDays": 0}):
        assert put(owner, path, HERE | {"properties": sent})["properties"]["retentionInDays"] == 30


def make_network(*subnets: Json) -> Json:
    """Return the body of a network with IPv4 and IPv6, and with these subnets."""
    space = {"addressPrefixes": ["10.0.0.0/16", "fd00:db8:deca::/48"]}
    return HERE | {"properties": {"addressSpace": space, "subnets": list(subnets)}}


def make_subnet(name: str, *prefixes: str) -> Json:
    """Return a subnet as it stands in the body of a network."""
    return {"name": name, "properties": {"addressPrefixes": list(prefixes)}}


def test_subnets_in_the_body_of_a_network_are_made_changed_and_removed(owner: Client) -> None:
    both = make_subnet("both", "10.0.0.0/24", "fd00:db8:deca:deed::/64")
    network = put(owner, NETWORK, make_network(both, make_subnet("gone", "10.0.1.0/24")))
    assert [subnet["name"] for subnet in network["properties"]["subnets"]] == ["both", "gone"]
    assert owner.ask("GET", f"{NETWORK}/subnets/gone").status == 200
    put(owner, NETWORK, make_network(make_subnet("both", "10.0.1.0/24")))
    assert owner.ask("GET", f"{NETWORK}/subnets/gone").status == 404
    assert owner.ask("GET", f"{NETWORK}/subnets/both").body["properties"]["addressPrefixes"] == ["10.0.1.0/24"]
    kept = make_network()
    del kept["properties"]["subnets"]
    assert len(put(owner, NETWORK, kept)["properties"]["subnets"]) == 1


@pytest.mark.parametrize(
    ("prefixes", "code"),
    [
        (["fd00:db8:beef::/64"], "NetcfgSubnetRangeOutsideVnet"),
        (["fd00:db8::/32"], "NetcfgSubnetRangeOutsideVnet"),
        (["10.0.0.0/25"], "NetcfgSubnetRangesOverlap"),
        (["10.0.9.0/24", "fd00:db8:deca::/60"], "NetcfgSubnetRangesOverlap"),
    ],
)
def test_ranges_of_subnets_are_checked_for_both_protocols(owner: Client, prefixes: list[str], code: str) -> None:
    first = make_subnet("first", "10.0.0.0/24", "fd00:db8:deca::/64")
    assert owner.ask("PUT", NETWORK, make_network(first, make_subnet("second", *prefixes))).code == code
    assert owner.ask("GET", f"{NETWORK}/subnets/first").status == 404


def test_a_registry_with_an_admin_user_has_credentials(owner: Client) -> None:
    path = f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/registry1"
    body: Json = HERE | {"sku": {"name": "Basic"}}
    put(owner, path, copy.deepcopy(body))
    assert owner.ask("POST", f"{path}/listCredentials").code == "UnAuthorizedForCredentialOperations"
    put(owner, path, body | {"properties": {"adminUserEnabled": True}})
    credentials = owner.ask("POST", f"{path}/listCredentials").body
    assert credentials["username"] == "registry1"
    assert [password["name"] for password in credentials["passwords"]] == ["password", "password2"]


@pytest.mark.parametrize("protected", [False, True])
def test_a_deleted_vault_can_be_purged_unless_it_is_protected(owner: Client, protected: bool) -> None:
    vault, deleted = (
        f"{GROUP}/{VAULTS}/vaults/vault-1",
        f"{SUBSCRIPTION}/{VAULTS}/locations/eastus2/deletedVaults/vault-1",
    )
    properties: Json = {"tenantId": ZERO, "sku": {"name": "standard", "family": "A"}}
    body = HERE | {"properties": properties | ({"enablePurgeProtection": True} if protected else {})}
    put(owner, vault, copy.deepcopy(body))
    assert owner.ask("DELETE", vault).status == 200
    assert owner.ask("PUT", vault, copy.deepcopy(body)).code == "ConflictError"
    purge = owner.ask("POST", f"{deleted}/purge")
    if protected:
        assert purge.code == "PurgeNotAllowed"
        return
    assert purge.status == 202
    wait(owner, purge)
    assert owner.ask("GET", deleted).status == 404
    put(owner, vault, body)


@pytest.mark.parametrize(
    ("name", "tier"),
    [
        ("F1", "Free"),
        ("D1", "Shared"),
        ("B2", "Basic"),
        ("S1", "Standard"),
        ("P0v3", "PremiumV3"),
        ("P1mv4", "PremiumV4"),
        ("EP1", "ElasticPremium"),
        ("WS2", "WorkflowStandard"),
        ("I1v2", "IsolatedV2"),
        ("I2mv2", "IsolatedV2"),
        ("Y1", "Dynamic"),
        ("FC1", "FlexConsumption"),
    ],
)
def test_a_plan_has_the_tier_of_its_size(owner: Client, name: str, tier: str) -> None:
    body: Json = HERE | {"sku": {"name": name}, "properties": {"reserved": True}}
    assert put(owner, f"{WEB}/serverFarms/plan", body)["sku"]["tier"] == tier


def test_what_is_not_configured_of_a_login_may_be_empty_and_the_last_version_counts(owner: Client) -> None:
    put(owner, f"{WEB}/serverFarms/plan", HERE | {"sku": {"name": "B1"}, "properties": {"reserved": True}})
    site = f"{WEB}/sites/app-1"
    put(owner, site, HERE | {"properties": {"serverFarmId": f"{WEB}/serverFarms/plan"}})
    sent: Json = {"properties": {"enabled": True, "defaultProvider": "", "unauthenticatedClientAction": ""}}
    assert owner.ask("PUT", f"{site}/config/authsettings", sent).status == 200
    shown = owner.ask("POST", f"{site}/config/authsettings/list").body["properties"]
    assert shown == {"enabled": True, "configVersion": "v1"}
    assert owner.ask("PUT", f"{site}/config/authsettingsV2", {"properties": {}}).status == 200
    assert owner.ask("POST", f"{site}/config/authsettings/list").body["properties"]["configVersion"] == "v2"


def test_a_login_of_an_unknown_provider_is_refused(owner: Client, types: AzureTypes) -> None:
    assert types
    wrong = {"properties": {"defaultProvider": "Nobody"}}
    assert owner.ask("PUT", f"{WEB}/sites/app-1/config/authsettings", wrong).code == "InvalidRequestContent"


def test_the_password_of_a_static_site_is_kept_to_itself(owner: Client) -> None:
    site = f"{WEB}/staticSites/admin"
    put(owner, site, HERE | {"sku": {"name": "Standard"}})
    sent = {"applicableEnvironmentsMode": "AllEnvironments", "password": "Super$3cret", "secretState": "Password"}
    assert owner.ask("PUT", f"{site}/config/basicAuth", {"properties": sent}).status == 200
    shown = owner.ask("GET", f"{site}/basicAuth/default").body["properties"]
    assert shown["applicableEnvironmentsMode"] == "AllEnvironments"
    assert shown["secretState"] == "Password"
    assert "password" not in shown
