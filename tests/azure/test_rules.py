"""What Azure refuses, the stand-in refuses: each row breaks one rule of a body that is otherwise taken."""

import copy
from collections.abc import Callable

import pytest

from rehearsal import families
from rehearsal.azure import Azure
from rehearsal.families.authorization import add_built_in_roles
from rehearsal.ids import parse
from rehearsal.model import Json, RefusedError

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
ROLE = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"
READER = f"{ROLE}acdd72a7-3385-48ef-bd42-f606fba81ae7"


def at(type_: str, *names: str) -> str:
    """A resource's path in the group: `at("Microsoft.Web/sites/slots", "app", "staging")`."""
    namespace, *kinds = type_.split("/")
    return f"{GROUP}/providers/{namespace}" + "".join(
        f"/{kind}/{name}" for kind, name in zip(kinds, names, strict=True)
    )


VNET, SUBNET = "Microsoft.Network/virtualNetworks", "Microsoft.Network/virtualNetworks/subnets"
SERVER, CLUSTER = "Microsoft.DBforPostgreSQL/flexibleServers", "Microsoft.Cache/redisEnterprise"
PLAN, SITE, SLOT = "Microsoft.Web/serverFarms", "Microsoft.Web/sites", "Microsoft.Web/sites/slots"
VAULT, ACCOUNT = "Microsoft.KeyVault/vaults", "Microsoft.Storage/storageAccounts"
LOGS, COMPONENT = "Microsoft.OperationalInsights/workspaces", "Microsoft.Insights/components"
SERVICE, DOMAIN = "Microsoft.Communication/communicationServices", "Microsoft.Communication/emailServices/domains"
LOCK, ASSIGNMENT = "Microsoft.Authorization/locks", "Microsoft.Authorization/roleAssignments"
PEP, ZONE = "Microsoft.Network/privateEndpoints", "Microsoft.Network/dnsZones"

HERE: Json = {"location": "eastus2"}
BODIES: dict[str, Json] = {
    GROUP: HERE,
    at(VNET, "v"): HERE | {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}},
    at(SUBNET, "v", "app"): {
        "properties": {
            "addressPrefix": "10.0.0.0/24",
            "delegations": [{"name": "d", "properties": {"serviceName": PLAN}}],
            "serviceEndpoints": [{"service": "Microsoft.Storage"}],
        }
    },
    at(SUBNET, "v", "ends"): {"properties": {"addressPrefix": "10.0.1.0/24"}},
    at(LOGS, "logs"): HERE | {"properties": {"retentionInDays": 30}},
    at(SERVER, "server"): HERE
    | {
        "sku": {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"},
        "properties": {
            "version": "17",
            "administratorLogin": "owner",
            "administratorLoginPassword": "Aa1-23456789",
            "storage": {"storageSizeGB": 64},
        },
    },
    at(f"{SERVER}/configurations", "server", "log_connections"): {"properties": {"value": "on"}},
    at(CLUSTER, "redis"): HERE | {"sku": {"name": "Balanced_B0"}, "properties": {"highAvailability": "Disabled"}},
    at(f"{CLUSTER}/databases", "redis", "default"): {"properties": {"clusteringPolicy": "EnterpriseCluster"}},
    at(PLAN, "plan"): HERE | {"sku": {"name": "B1"}, "properties": {"reserved": True}},
    at(SITE, "app"): HERE
    | {"properties": {"serverFarmId": at(PLAN, "plan"), "virtualNetworkSubnetId": at(SUBNET, "v", "app")}},
    at(VAULT, "vault-1"): HERE | {"properties": {"tenantId": "t", "sku": {"name": "standard", "family": "A"}}},
    at(ACCOUNT, "account"): HERE | {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}},
    at(COMPONENT, "appi"): HERE
    | {"kind": "web", "properties": {"Application_Type": "web", "WorkspaceResourceId": at(LOGS, "logs")}},
    at("Microsoft.Communication/emailServices", "mail"): {"location": "global"},
    at(DOMAIN, "mail", "example.com"): {"location": "global", "properties": {"domainManagement": "CustomerManaged"}},
    at(SERVICE, "acs"): {"location": "global", "properties": {"dataLocation": "United States"}},
    at(PEP, "pep"): HERE
    | {
        "properties": {
            "subnet": {"id": at(SUBNET, "v", "ends")},
            "privateLinkServiceConnections": [
                {"properties": {"privateLinkServiceId": at(SERVER, "server"), "groupIds": ["postgresqlServer"]}}
            ],
        }
    },
    at(ZONE, "example.com"): {"location": "global"},
    at("Microsoft.ManagedIdentity/userAssignedIdentities", "id"): HERE,
}
"""A little platform, in the order in which it can be made."""


@pytest.fixture
def azure() -> Azure:
    """The little platform, built."""
    clock = [0.0]
    built = Azure(families.TYPES, subscription=SUBSCRIPTION, tenant="t", clock=lambda: clock[0])
    add_built_in_roles(built)
    for path, body in BODIES.items():
        built.write(parse(path), copy.deepcopy(body))
        clock[0] += 1000
        built.settle()
    return built


def refused(azure: Azure, path: str, body: Json) -> str:
    """The code with which Azure refuses."""
    with pytest.raises(RefusedError) as error:
        azure.write(parse(path), body)
    return error.value.code


def broken(path: str, where: str, value: object) -> Json:
    """A body of the platform with one value changed, or removed by None."""
    body = copy.deepcopy(BODIES[path])
    *parents, last = where.split(".")
    inner = body
    for part in parents:
        inner = inner.setdefault(part, {})
    if value is None:
        inner.pop(last, None)
    else:
        inner[last] = value
    return body


CHANGES: dict[str, tuple[str, str, object, str]] = {
    "a vnet without addresses": (at(VNET, "v"), "properties.addressSpace", None, "InvalidRequest"),
    "a range that is none": (
        at(SUBNET, "v", "ends"),
        "properties.addressPrefix",
        "10.0.1.1/24",
        "InvalidAddressPrefixFormat",
    ),
    "a subnet outside": (
        at(SUBNET, "v", "ends"),
        "properties.addressPrefix",
        "10.1.0.0/24",
        "NetcfgSubnetRangeOutsideVnet",
    ),
    "subnets that overlap": (
        at(SUBNET, "v", "ends"),
        "properties.addressPrefix",
        "10.0.0.128/25",
        "NetcfgSubnetRangesOverlap",
    ),
    "two delegations": (
        at(SUBNET, "v", "ends"),
        "properties.delegations",
        [{"name": "a", "properties": {}}, {"name": "b", "properties": {}}],
        "SubnetDelegationsLimitExceeded",
    ),
    "logs kept too long": (at(LOGS, "logs"), "properties.retentionInDays", 731, "InvalidRetention"),
    "a version that is none": (at(SERVER, "server"), "properties.version", "9", "InvalidParameterValue"),
    "a tier that does not fit": (at(SERVER, "server"), "sku.tier", "Burstable", "InvalidSku"),
    "backups kept too long": (
        at(SERVER, "server"),
        "properties.backup",
        {"backupRetentionDays": 36},
        "InvalidBackupRetention",
    ),
    "storage that shrinks": (
        at(SERVER, "server"),
        "properties.storage.storageSizeGB",
        32,
        "StorageSizeCannotBeReduced",
    ),
    "geo backup later": (
        at(SERVER, "server"),
        "properties.backup",
        {"geoRedundantBackup": "Enabled"},
        "PropertyChangeNotAllowed",
    ),
    "a weak password": (
        at(SERVER, "server"),
        "properties.administratorLoginPassword",
        "password",
        "PasswordNotComplex",
    ),
    "a redis sku that is none": (at(CLUSTER, "redis"), "sku.name", "Standard_C1", "InvalidSku"),
    "redis ha later": (at(CLUSTER, "redis"), "properties.highAvailability", "Enabled", "PropertyChangeNotAllowed"),
    "another clustering policy": (
        at(f"{CLUSTER}/databases", "redis", "default"),
        "properties.clusteringPolicy",
        "OSSCluster",
        "PropertyChangeNotAllowed",
    ),
    "a plan sku that is none": (at(PLAN, "plan"), "sku.name", "B9", "InvalidSku"),
    "zones on Basic": (at(PLAN, "plan"), "properties.zoneRedundant", True, "ZoneRedundancyNotSupported"),
    "an undelegated subnet": (
        at(SITE, "app"),
        "properties.virtualNetworkSubnetId",
        at(SUBNET, "v", "ends"),
        "SubnetNotDelegated",
    ),
    "a plan that is not there": (
        at(SITE, "app"),
        "properties.serverFarmId",
        at(PLAN, "none"),
        "InvalidResourceReference",
    ),
    "a vault sku that is none": (at(VAULT, "vault-1"), "properties.sku.name", "gold", "InvalidParameterValue"),
    "purge protection off": (at(VAULT, "vault-1"), "properties.enablePurgeProtection", False, "BadRequest"),
    "a vault without the endpoint": (
        at(VAULT, "vault-1"),
        "properties.networkAcls",
        {"virtualNetworkRules": [{"id": at(SUBNET, "v", "app")}]},
        "SubnetsHaveNoServiceEndpointsConfigured",
    ),
    "an old TLS": (at(ACCOUNT, "account"), "properties.minimumTlsVersion", "SSL3", "InvalidParameterValue"),
    "a storage sku that is none": (at(ACCOUNT, "account"), "sku.name", "Gold_LRS", "InvalidParameterValue"),
    "classic insights": (at(COMPONENT, "appi"), "properties.WorkspaceResourceId", None, "BadRequest"),
    "data moved abroad": (at(SERVICE, "acs"), "properties.dataLocation", "Europe", "PropertyChangeNotAllowed"),
    "a domain not verified": (
        at(SERVICE, "acs"),
        "properties.linkedDomains",
        [at(DOMAIN, "mail", "example.com")],
        "DomainNotVerified",
    ),
    "a wrong group id": (
        at(PEP, "pep"),
        "properties.privateLinkServiceConnections",
        [{"properties": {"privateLinkServiceId": at(SERVER, "server"), "groupIds": ["server"]}}],
        "InvalidGroupId",
    ),
    "an endpoint in a delegated subnet": (
        at(PEP, "pep"),
        "properties.subnet.id",
        at(SUBNET, "v", "app"),
        "PrivateEndpointInDelegatedSubnet",
    ),
    "a group that moves": (GROUP, "location", "westus", "PropertyChangeNotAllowed"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_refused(azure: Azure, name: str) -> None:
    path, where, value, code = CHANGES[name]
    assert refused(azure, path, broken(path, where, value)) == code


@pytest.mark.parametrize("path", BODIES)
def test_the_whole_is_taken_again_unchanged(azure: Azure, path: str) -> None:
    if path == at(f"{SERVER}/configurations", "server", "log_connections"):
        azure.settle()
    assert azure.write(parse(path), copy.deepcopy(BODIES[path])).status in (200, 202)


NEW: dict[str, tuple[str, Json, str]] = {
    "a parent that is missing": (at(SUBNET, "none", "s"), {}, "ParentResourceNotFound"),
    "a group that is missing": (at(PLAN, "p").replace("/rg/", "/none/"), {}, "ResourceGroupNotFound"),
    "a name in use": (
        at(ACCOUNT, "account").replace("/rg/", "/rg2/"),
        BODIES[at(ACCOUNT, "account")],
        "NameAlreadyExists",
    ),
    "a name that is none": (at(ACCOUNT, "Upper_Case"), BODIES[at(ACCOUNT, "account")], "InvalidResourceName"),
    "slots on Basic": (at(SLOT, "app", "s"), BODIES[at(SITE, "app")], "SlotsNotSupported"),
    "a parameter that is none": (at(f"{SERVER}/configurations", "server", "nonsense"), {}, "ParameterNotFound"),
    "another redis database": (at(f"{CLUSTER}/databases", "redis", "second"), {}, "InvalidDatabaseName"),
    "a role for nobody": (
        f"{GROUP}/providers/{ASSIGNMENT}/a",
        {"properties": {"roleDefinitionId": READER, "principalId": "nobody"}},
        "PrincipalNotFound",
    ),
    "a role that is none": (
        f"{GROUP}/providers/{ASSIGNMENT}/a",
        {"properties": {"roleDefinitionId": READER[:-1] + "0", "principalId": "nobody"}},
        "InvalidResourceReference",
    ),
    "an unknown type": (at("Microsoft.Compute/virtualMachines", "vm"), HERE, "RehearsalUnknownType"),
}


@pytest.mark.parametrize("name", NEW)
def test_new_ones_refused(azure: Azure, name: str) -> None:
    azure.write(parse(GROUP.replace("/rg", "/rg2")), HERE)
    path, body, code = NEW[name]
    assert refused(azure, path, copy.deepcopy(body)) == code


def _locked(azure: Azure) -> str:
    azure.write(parse(f"{at(SERVER, 'server')}/providers/{LOCK}/l"), {"properties": {"level": "CanNotDelete"}})
    return at(SERVER, "server")


def _above_a_lock(azure: Azure) -> str:
    _locked(azure)
    return GROUP


def _below_a_lock(azure: Azure) -> str:
    azure.write(parse(f"{GROUP}/providers/{LOCK}/l"), {"properties": {"level": "CanNotDelete"}})
    return at(ZONE, "example.com")


DELETIONS: dict[str, tuple[Callable[[Azure], str], str]] = {
    "locked": (_locked, "ScopeLocked"),
    "above a lock": (_above_a_lock, "ScopeLocked"),
    "below a lock": (_below_a_lock, "ScopeLocked"),
    "a subnet in use": (lambda _: at(SUBNET, "v", "app"), "InUseSubnetCannotBeDeleted"),
    "a network in use": (lambda _: at(VNET, "v"), "InUseSubnetCannotBeDeleted"),
    "a plan with apps": (lambda _: at(PLAN, "plan"), "Conflict"),
}


@pytest.mark.parametrize("name", DELETIONS)
def test_deletion_refused(azure: Azure, name: str) -> None:
    prepare, code = DELETIONS[name]
    path = prepare(azure)
    with pytest.raises(RefusedError) as error:
        azure.delete(parse(path))
    assert error.value.code == code


def test_a_deleted_vault_keeps_its_name(azure: Azure) -> None:
    path = at(VAULT, "vault-1")
    azure.delete(parse(path))
    assert refused(azure, path, copy.deepcopy(BODIES[path])) == "ConflictError"
    assert azure.write(parse(path), broken(path, "properties.createMode", "recover")).status == 201


def test_no_password_is_kept(azure: Azure) -> None:
    assert "Aa1-23456789" not in str([each.body for each in azure.all()])
