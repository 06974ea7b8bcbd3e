"""The stand-in refuses what Azure refuses. Each row takes a body that is accepted and breaks one rule.

The last tests are about rights on linked resources, DNS records, and the minutes that operations take.
"""

import copy
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from rehearsal.stand_in import families
from rehearsal.stand_in.built_in_roles import add_built_in_roles
from rehearsal.stand_in.families.communication import RAISED_QUOTA
from rehearsal.stand_in.families.database import RESTORE_MINUTES, STANDBY_MINUTES
from rehearsal.stand_in.families.front_door import CERTIFICATE_MINUTES
from rehearsal.stand_in.ids import parse_id
from rehearsal.stand_in.model import APPLY_LOG, ESTIMATE, Json, RefusedError, ResourceType
from rehearsal.stand_in.resource_manager import ResourceManager

SUBSCRIPTION = "00000000-0000-0000-0000-000000000001"
GROUP = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
ROLE = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Authorization/roleDefinitions/"
READER = f"{ROLE}acdd72a7-3385-48ef-bd42-f606fba81ae7"


def make_path(type_: str, *names: str) -> str:
    """Return the path of a resource in the group, as in `path_of("Microsoft.Web/sites/slots", "app", "staging")`."""
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
PRIVATE_ZONE, LINK = "Microsoft.Network/privateDnsZones", "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
NSG, IDENTITY = "Microsoft.Network/networkSecurityGroups", "Microsoft.ManagedIdentity/userAssignedIdentities"
PROFILE, EDGE_DOMAIN = "Microsoft.Cdn/profiles", "Microsoft.Cdn/profiles/customDomains"
FIREWALL = "Microsoft.Network/frontDoorWebApplicationFirewallPolicies"
BINDING, CERTIFICATE = "Microsoft.Web/sites/hostNameBindings", "Microsoft.Web/certificates"
STATIC, STATIC_DOMAIN = "Microsoft.Web/staticSites", "Microsoft.Web/staticSites/customDomains"

HERE: Json = {"location": "eastus2"}


def make_budget(start: str) -> Json:
    """Return the body of a monthly budget."""
    period = {"startDate": f"{start}T00:00:00Z"}
    return {"properties": {"amount": 100, "category": "Cost", "timeGrain": "Monthly", "timePeriod": period}}


def make_diagnostics_path(resource: str) -> str:
    """Return the path of a diagnostic setting of a resource."""
    return f"{resource}/providers/Microsoft.Insights/diagnosticSettings/all"


def send_to_workspace(**categories: list[Json]) -> Json:
    """Return the body of a diagnostic setting."""
    return {"properties": {"workspaceId": make_path(LOGS, "logs")} | categories}


def make_metric_alert(**changes: object) -> Json:
    """Return the body of an alert on the response time of the app, over one minute."""
    criterion: Json = {"metricNamespace": SITE, "metricName": "HttpResponseTime", "timeAggregation": "Average"}
    properties: Json = {
        "criteria": {"allOf": [criterion | changes]},
        "evaluationFrequency": "PT1M",
        "scopes": [make_path(SITE, "app")],
        "severity": 1,
        "windowSize": "PT1M",
    }
    return {"location": "global", "properties": properties}


BODIES: dict[str, Json] = {
    GROUP: HERE,
    make_path(VNET, "v"): HERE | {"properties": {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}},
    make_path(SUBNET, "v", "app"): {
        "properties": {
            "addressPrefix": "10.0.0.0/24",
            "delegations": [{"name": "d", "properties": {"serviceName": PLAN}}],
            "serviceEndpoints": [{"service": "Microsoft.Storage"}],
        }
    },
    make_path(SUBNET, "v", "ends"): {"properties": {"addressPrefix": "10.0.1.0/24"}},
    make_path(LOGS, "logs"): HERE | {"properties": {"retentionInDays": 30}},
    make_path(SERVER, "server"): HERE
    | {
        "sku": {"name": "Standard_D2ds_v5", "tier": "GeneralPurpose"},
        "properties": {
            "version": "17",
            "administratorLogin": "owner",
            "administratorLoginPassword": "Aa1-23456789",
            "storage": {"storageSizeGB": 64},
        },
    },
    make_path(f"{SERVER}/configurations", "server", "log_connections"): {"properties": {"value": "on"}},
    make_path(CLUSTER, "redis"): HERE
    | {"sku": {"name": "Balanced_B0"}, "properties": {"highAvailability": "Disabled"}},
    make_path(f"{CLUSTER}/databases", "redis", "default"): {"properties": {"clusteringPolicy": "EnterpriseCluster"}},
    make_path(PLAN, "plan"): HERE | {"sku": {"name": "B1"}, "properties": {"reserved": True}},
    make_path(SITE, "app"): HERE
    | {
        "properties": {"serverFarmId": make_path(PLAN, "plan"), "virtualNetworkSubnetId": make_path(SUBNET, "v", "app")}
    },
    make_path(VAULT, "vault-1"): HERE | {"properties": {"tenantId": "t", "sku": {"name": "standard", "family": "A"}}},
    make_path(ACCOUNT, "account"): HERE | {"kind": "StorageV2", "sku": {"name": "Standard_LRS"}},
    make_path(COMPONENT, "appi"): HERE
    | {"kind": "web", "properties": {"Application_Type": "web", "WorkspaceResourceId": make_path(LOGS, "logs")}},
    make_path("Microsoft.Communication/emailServices", "mail"): {"location": "global"},
    make_path(DOMAIN, "mail", "example.com"): {
        "location": "global",
        "properties": {"domainManagement": "CustomerManaged"},
    },
    make_path(SERVICE, "acs"): {"location": "global", "properties": {"dataLocation": "United States"}},
    make_path(PEP, "pep"): HERE
    | {
        "properties": {
            "subnet": {"id": make_path(SUBNET, "v", "ends")},
            "privateLinkServiceConnections": [
                {"properties": {"privateLinkServiceId": make_path(SERVER, "server"), "groupIds": ["postgresqlServer"]}}
            ],
        }
    },
    make_path(ZONE, "example.com"): {"location": "global"},
    make_path(IDENTITY, "id"): HERE,
    make_path(PRIVATE_ZONE, "privatelink.example.com"): {"location": "global"},
    make_path(NSG, "nsg"): HERE,
    make_path(PROFILE, "edge"): {"location": "global", "sku": {"name": "Standard_AzureFrontDoor"}},
    make_path(FIREWALL, "waf"): {"location": "global", "sku": {"name": "Standard_AzureFrontDoor"}},
    make_path(EDGE_DOMAIN, "edge", "api"): {
        "properties": {
            "hostName": "api.example.com",
            "tlsSettings": {"certificateType": "ManagedCertificate", "minimumTlsVersion": "TLS12"},
        }
    },
    make_path(STATIC, "admin"): HERE | {"sku": {"name": "Standard"}},
}
"""The resources of a small platform, in an order in which they can be created."""


class StoppedClock:
    """A clock that stands still until a test advances it."""

    def __init__(self) -> None:
        self._now = 0.0

    def read(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


@pytest.fixture
def clock() -> StoppedClock:
    """The clock of the resource manager."""
    return StoppedClock()


@pytest.fixture
def manager(clock: StoppedClock) -> ResourceManager:
    """A resource manager that has created everything in `BODIES`."""
    manager = ResourceManager(families.TYPES, subscription=SUBSCRIPTION, tenant="t", clock=clock.read)
    add_built_in_roles(manager)
    for path, body in BODIES.items():
        manager.write(parse_id(path), copy.deepcopy(body))
        clock.advance(1000)
        manager.finish_due_operations()
    return manager


def get_refusal(manager: ResourceManager, path: str, body: Json) -> str:
    """Write a body that must be refused, and return the error's code."""
    with pytest.raises(RefusedError) as error:
        manager.write(parse_id(path), body)
    return error.value.code


def change_body(path: str, where: str, value: object) -> Json:
    """Return a body from `BODIES` with one value changed. The value None removes it."""
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
    "a vnet without addresses": (make_path(VNET, "v"), "properties.addressSpace", None, "InvalidRequest"),
    "an invalid range": (
        make_path(SUBNET, "v", "ends"),
        "properties.addressPrefix",
        "10.0.1.1/24",
        "InvalidAddressPrefixFormat",
    ),
    "a subnet outside the network": (
        make_path(SUBNET, "v", "ends"),
        "properties.addressPrefix",
        "10.1.0.0/24",
        "NetcfgSubnetRangeOutsideVnet",
    ),
    "subnets that overlap": (
        make_path(SUBNET, "v", "ends"),
        "properties.addressPrefix",
        "10.0.0.128/25",
        "NetcfgSubnetRangesOverlap",
    ),
    "two delegations": (
        make_path(SUBNET, "v", "ends"),
        "properties.delegations",
        [{"name": "a", "properties": {}}, {"name": "b", "properties": {}}],
        "SubnetDelegationsLimitExceeded",
    ),
    "logs kept too long": (make_path(LOGS, "logs"), "properties.retentionInDays", 731, "InvalidRetention"),
    "an unknown version": (make_path(SERVER, "server"), "properties.version", "9", "InvalidParameterValue"),
    "a tier that does not fit": (make_path(SERVER, "server"), "sku.tier", "Burstable", "InvalidSku"),
    "backups kept too long": (
        make_path(SERVER, "server"),
        "properties.backup",
        {"backupRetentionDays": 36},
        "InvalidBackupRetention",
    ),
    "storage that shrinks": (
        make_path(SERVER, "server"),
        "properties.storage.storageSizeGB",
        32,
        "StorageSizeCannotBeReduced",
    ),
    "geo backup enabled later": (
        make_path(SERVER, "server"),
        "properties.backup",
        {"geoRedundantBackup": "Enabled"},
        "PropertyChangeNotAllowed",
    ),
    "a weak password": (
        make_path(SERVER, "server"),
        "properties.administratorLoginPassword",
        "password",
        "PasswordNotComplex",
    ),
    "an unknown redis sku": (make_path(CLUSTER, "redis"), "sku.name", "Standard_C1", "InvalidSku"),
    "redis availability enabled later": (
        make_path(CLUSTER, "redis"),
        "properties.highAvailability",
        "Enabled",
        "PropertyChangeNotAllowed",
    ),
    "another clustering policy": (
        make_path(f"{CLUSTER}/databases", "redis", "default"),
        "properties.clusteringPolicy",
        "OSSCluster",
        "PropertyChangeNotAllowed",
    ),
    "an unknown plan sku": (make_path(PLAN, "plan"), "sku.name", "B9", "InvalidSku"),
    "zones on Basic": (make_path(PLAN, "plan"), "properties.zoneRedundant", True, "ZoneRedundancyNotSupported"),
    "an undelegated subnet": (
        make_path(SITE, "app"),
        "properties.virtualNetworkSubnetId",
        make_path(SUBNET, "v", "ends"),
        "SubnetNotDelegated",
    ),
    "a missing plan": (
        make_path(SITE, "app"),
        "properties.serverFarmId",
        make_path(PLAN, "none"),
        "InvalidResourceReference",
    ),
    "an unknown vault sku": (make_path(VAULT, "vault-1"), "properties.sku.name", "gold", "InvalidParameterValue"),
    "purge protection off": (make_path(VAULT, "vault-1"), "properties.enablePurgeProtection", False, "BadRequest"),
    "a vault without the endpoint": (
        make_path(VAULT, "vault-1"),
        "properties.networkAcls",
        {"virtualNetworkRules": [{"id": make_path(SUBNET, "v", "app")}]},
        "SubnetsHaveNoServiceEndpointsConfigured",
    ),
    "an old TLS": (make_path(ACCOUNT, "account"), "properties.minimumTlsVersion", "SSL3", "InvalidParameterValue"),
    "an unknown storage sku": (make_path(ACCOUNT, "account"), "sku.name", "Gold_LRS", "InvalidParameterValue"),
    "classic insights": (make_path(COMPONENT, "appi"), "properties.WorkspaceResourceId", None, "BadRequest"),
    "data moved to another location": (
        make_path(SERVICE, "acs"),
        "properties.dataLocation",
        "Europe",
        "PropertyChangeNotAllowed",
    ),
    "a domain not verified": (
        make_path(SERVICE, "acs"),
        "properties.linkedDomains",
        [make_path(DOMAIN, "mail", "example.com")],
        "DomainNotVerified",
    ),
    "a wrong group id": (
        make_path(PEP, "pep"),
        "properties.privateLinkServiceConnections",
        [{"properties": {"privateLinkServiceId": make_path(SERVER, "server"), "groupIds": ["server"]}}],
        "InvalidGroupId",
    ),
    "an endpoint in a delegated subnet": (
        make_path(PEP, "pep"),
        "properties.subnet.id",
        make_path(SUBNET, "v", "app"),
        "PrivateEndpointInDelegatedSubnet",
    ),
    "another host name": (
        make_path(EDGE_DOMAIN, "edge", "api"),
        "properties.hostName",
        "www.example.com",
        "PropertyChangeNotAllowed",
    ),
    "a group that moves": (GROUP, "location", "westus", "InvalidResourceGroupLocation"),
    "a group in an unknown region": (GROUP, "location", "nowhere", "LocationNotAvailableForResourceGroup"),
    "a global group": (GROUP, "location", "global", "LocationNotAvailableForResourceGroup"),
    "a vault that moves": (make_path(VAULT, "vault-1"), "location", "West US", "InvalidResourceLocation"),
    "a vault in an unknown region": (
        make_path(VAULT, "vault-1"),
        "location",
        "nowhere",
        "LocationNotAvailableForResourceType",
    ),
    "an unknown server sku": (make_path(SERVER, "server"), "sku.name", "Standard_D3ds_v5", "InvalidSku"),
    "a disk of odd size": (
        make_path(SERVER, "server"),
        "properties.storage.storageSizeGB",
        100,
        "InvalidParameterValue",
    ),
    "an unknown zone": (make_path(SERVER, "server"), "properties.availabilityZone", "4", "InvalidParameterValue"),
    "an unknown standby mode": (
        make_path(SERVER, "server"),
        "properties.highAvailability",
        {"mode": "Sometimes"},
        "InvalidParameterValue",
    ),
    "a standby in the server's zone": (
        make_path(SERVER, "server"),
        "properties.highAvailability",
        {"mode": "ZoneRedundant", "standbyAvailabilityZone": "1"},
        "InvalidZone",
    ),
    "an unknown backup mode": (
        make_path(SERVER, "server"),
        "properties.backup",
        {"geoRedundantBackup": "Maybe"},
        "InvalidParameterValue",
    ),
    "an unknown redis size": (make_path(CLUSTER, "redis"), "sku.name", "Balanced_B7", "InvalidSku"),
    "an old TLS for redis": (
        make_path(CLUSTER, "redis"),
        "properties.minimumTlsVersion",
        "1.0",
        "InvalidParameterValue",
    ),
    "an unknown eviction policy": (
        make_path(f"{CLUSTER}/databases", "redis", "default"),
        "properties.evictionPolicy",
        "Oldest",
        "InvalidParameterValue",
    ),
    "snapshots every minute": (
        make_path(f"{CLUSTER}/databases", "redis", "default"),
        "properties.persistence",
        {"rdbFrequency": "1m"},
        "InvalidParameterValue",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_broken_update_is_refused(manager: ResourceManager, name: str) -> None:
    path, where, value, code = CHANGES[name]
    assert get_refusal(manager, path, change_body(path, where, value)) == code


@pytest.mark.parametrize("path", BODIES)
def test_every_body_is_accepted_a_second_time(manager: ResourceManager, path: str) -> None:
    if path == make_path(f"{SERVER}/configurations", "server", "log_connections"):
        manager.finish_due_operations()
    assert manager.write(parse_id(path), copy.deepcopy(BODIES[path])).status in (200, 202)


NEW: dict[str, tuple[str, Json, str]] = {
    "a parent that is missing": (make_path(SUBNET, "none", "s"), {}, "ParentResourceNotFound"),
    "a group that is missing": (make_path(PLAN, "p").replace("/rg/", "/none/"), {}, "ResourceGroupNotFound"),
    "a name in use": (
        make_path(ACCOUNT, "account").replace("/rg/", "/rg2/"),
        BODIES[make_path(ACCOUNT, "account")],
        "NameAlreadyExists",
    ),
    "an invalid name": (make_path(ACCOUNT, "Upper_Case"), BODIES[make_path(ACCOUNT, "account")], "InvalidResourceName"),
    "slots on Basic": (make_path(SLOT, "app", "s"), BODIES[make_path(SITE, "app")], "SlotsNotSupported"),
    "an unknown parameter": (
        make_path(f"{SERVER}/configurations", "server", "nonsense"),
        {},
        "RehearsalUnknownParameter",
    ),
    "another redis database": (make_path(f"{CLUSTER}/databases", "redis", "second"), {}, "InvalidDatabaseName"),
    "a role for an unknown principal": (
        f"{GROUP}/providers/{ASSIGNMENT}/a",
        {"properties": {"roleDefinitionId": READER, "principalId": "nobody"}},
        "PrincipalNotFound",
    ),
    "an unknown role": (
        f"{GROUP}/providers/{ASSIGNMENT}/a",
        {"properties": {"roleDefinitionId": READER[:-1] + "0", "principalId": "nobody"}},
        "InvalidResourceReference",
    ),
    "a workbook whose name is no GUID": (
        make_path("Microsoft.Insights/workbooks", "book"),
        HERE | {"properties": {"displayName": "a", "serializedData": "{}"}},
        "InvalidResourceName",
    ),
    "an alert of severity 5": (
        make_path("Microsoft.Insights/metricAlerts", "alert"),
        {"location": "global", "properties": {"criteria": {}, "severity": 5}},
        "InvalidParameterValue",
    ),
    "an alert every two minutes": (
        make_path("Microsoft.Insights/metricAlerts", "alert"),
        {"location": "global", "properties": {"criteria": {}, "severity": 1, "evaluationFrequency": "PT2M"}},
        "InvalidParameterValue",
    ),
    "a diagnostic setting of a static site": (
        make_diagnostics_path(make_path(STATIC, "admin")),
        send_to_workspace(metrics=[{"category": "AllMetrics", "enabled": True}]),
        "ResourceTypeNotSupported",
    ),
    "a log category of another type": (
        make_diagnostics_path(make_path(SITE, "app")),
        send_to_workspace(logs=[{"category": "AuditEvent", "enabled": True}]),
        "BadRequest",
    ),
    "a category of metrics that the type does not have": (
        make_diagnostics_path(f"{make_path(CLUSTER, 'redis')}/databases/default"),
        send_to_workspace(metrics=[{"category": "AllMetrics", "enabled": True}]),
        "BadRequest",
    ),
    "an alert on an unknown metric": (
        make_path("Microsoft.Insights/metricAlerts", "alert"),
        make_metric_alert(metricName="HttpResponseTimes"),
        "RehearsalUnknownMetric",
    ),
    "an alert with an aggregation that the metric does not have": (
        make_path("Microsoft.Insights/metricAlerts", "alert"),
        make_metric_alert(timeAggregation="Total"),
        "BadRequest",
    ),
    "an alert with a dimension that the metric does not have": (
        make_path("Microsoft.Insights/metricAlerts", "alert"),
        make_metric_alert(dimensions=[{"name": "Colour", "operator": "Include", "values": ["*"]}]),
        "BadRequest",
    ),
    "an alert whose window is shorter than the metric's time grain": (
        make_path("Microsoft.Insights/metricAlerts", "alert"),
        make_metric_alert(metricName="HealthCheckStatus"),
        "BadRequest",
    ),
    "a sender at the default quota": (
        make_path(f"{DOMAIN}/senderUsernames", "mail", "example.com", "noreply"),
        {"properties": {"username": "noreply"}},
        "ResourceCreationFailed",
    ),
    "a budget that starts in an earlier month": (
        make_path("Microsoft.Consumption/budgets", "budget"),
        make_budget("2026-10-01"),
        "InvalidStartDate",
    ),
    "a budget that starts in more than a year": (
        make_path("Microsoft.Consumption/budgets", "budget"),
        make_budget("2099-01-01"),
        "InvalidStartDate",
    ),
    "an unknown type": (make_path("Microsoft.Compute/virtualMachines", "vm"), HERE, "RehearsalUnknownType"),
}


@pytest.mark.parametrize("name", NEW)
def test_a_broken_create_is_refused(manager: ResourceManager, name: str) -> None:
    manager.write(parse_id(GROUP.replace("/rg", "/rg2")), HERE)
    path, body, code = NEW[name]
    assert get_refusal(manager, path, copy.deepcopy(body)) == code


def _lock_server(manager: ResourceManager) -> str:
    manager.write(
        parse_id(f"{make_path(SERVER, 'server')}/providers/{LOCK}/l"), {"properties": {"level": "CanNotDelete"}}
    )
    return make_path(SERVER, "server")


def _lock_server_in_group(manager: ResourceManager) -> str:
    _lock_server(manager)
    return GROUP


def _lock_group(manager: ResourceManager) -> str:
    manager.write(parse_id(f"{GROUP}/providers/{LOCK}/l"), {"properties": {"level": "CanNotDelete"}})
    return make_path(ZONE, "example.com")


DELETIONS: dict[str, tuple[Callable[[ResourceManager], str], str]] = {
    "locked": (_lock_server, "ScopeLocked"),
    "above a lock": (_lock_server_in_group, "ScopeLocked"),
    "below a lock": (_lock_group, "ScopeLocked"),
    "a subnet in use": (lambda _: make_path(SUBNET, "v", "app"), "InUseSubnetCannotBeDeleted"),
    "a network in use": (lambda _: make_path(VNET, "v"), "InUseSubnetCannotBeDeleted"),
    "a plan with apps": (lambda _: make_path(PLAN, "plan"), "Conflict"),
}


@pytest.mark.parametrize("name", DELETIONS)
def test_a_deletion_is_refused(manager: ResourceManager, name: str) -> None:
    prepare, code = DELETIONS[name]
    path = prepare(manager)
    with pytest.raises(RefusedError) as error:
        manager.delete(parse_id(path))
    assert error.value.code == code


def test_a_read_only_lock_refuses_writes_and_listing_keys(manager: ResourceManager) -> None:
    path = make_path(ACCOUNT, "account")
    answer = manager.run_action(parse_id(path), "listKeys", {}).body
    assert answer
    assert answer["keys"]
    manager.write(parse_id(f"{GROUP}/providers/{LOCK}/l"), {"properties": {"level": "ReadOnly"}})
    assert get_refusal(manager, path, copy.deepcopy(BODIES[path])) == "ScopeLocked"
    with pytest.raises(RefusedError, match="cannot perform write operation"):
        manager.run_action(parse_id(path), "listKeys", {})


def test_a_deleted_vault_keeps_its_name(manager: ResourceManager) -> None:
    path = make_path(VAULT, "vault-1")
    manager.delete(parse_id(path))
    assert get_refusal(manager, path, copy.deepcopy(BODIES[path])) == "ConflictError"
    assert manager.write(parse_id(path), change_body(path, "properties.createMode", "recover")).status == 201


def test_no_password_is_stored(manager: ResourceManager) -> None:
    assert "Aa1-23456789" not in str([resource.body for resource in manager.list_resources()])


def _make_network_rule(subnet: str) -> Json:
    return {"virtualNetworkRules": [{"id": make_path(SUBNET, "v", subnet)}]}


# The resource that is written, its body, and the actions that the writer must be allowed on linked resources.
LINKS: dict[str, tuple[str, Json, dict[str, str]]] = {
    "a subnet and its security group": (
        make_path(SUBNET, "v", "ends"),
        change_body(make_path(SUBNET, "v", "ends"), "properties.networkSecurityGroup", {"id": make_path(NSG, "nsg")}),
        {make_path(NSG, "nsg"): f"{NSG}/join/action"},
    ),
    "a private endpoint": (
        make_path(PEP, "pep"),
        BODIES[make_path(PEP, "pep")],
        {
            make_path(SUBNET, "v", "ends"): f"{SUBNET}/join/action",
            make_path(SERVER, "server"): f"{SERVER}/privateEndpointConnectionsApproval/action",
        },
    ),
    "a private endpoint's zone": (
        make_path(f"{PEP}/privateDnsZoneGroups", "pep", "default"),
        {
            "properties": {
                "privateDnsZoneConfigs": [
                    {"properties": {"privateDnsZoneId": make_path(PRIVATE_ZONE, "privatelink.example.com")}}
                ]
            }
        },
        {make_path(PRIVATE_ZONE, "privatelink.example.com"): f"{PRIVATE_ZONE}/join/action"},
    ),
    "a private zone's network": (
        make_path(LINK, "privatelink.example.com", "to"),
        {"location": "global", "properties": {"virtualNetwork": {"id": make_path(VNET, "v")}}},
        {make_path(VNET, "v"): f"{VNET}/join/action"},
    ),
    "a storage account's subnet": (
        make_path(ACCOUNT, "account"),
        change_body(make_path(ACCOUNT, "account"), "properties.networkAcls", _make_network_rule("app")),
        {make_path(SUBNET, "v", "app"): f"{SUBNET}/joinViaServiceEndpoint/action"},
    ),
    "a vault's subnet": (
        make_path(VAULT, "vault-1"),
        change_body(make_path(VAULT, "vault-1"), "properties.networkAcls", _make_network_rule("vaults")),
        {make_path(SUBNET, "v", "vaults"): f"{SUBNET}/joinViaServiceEndpoint/action"},
    ),
    "an app, its plan, subnet and identity": (
        make_path(SITE, "app"),
        BODIES[make_path(SITE, "app")] | {"identity": {"userAssignedIdentities": {make_path(IDENTITY, "id"): {}}}},
        {
            make_path(PLAN, "plan"): f"{PLAN}/join/action",
            make_path(SUBNET, "v", "app"): f"{SUBNET}/join/action",
            make_path(IDENTITY, "id"): f"{IDENTITY}/assign/action",
        },
    ),
    "a security policy's firewall": (
        make_path(f"{PROFILE}/securityPolicies", "edge", "limits"),
        {"properties": {"parameters": {"wafPolicy": {"id": make_path(FIREWALL, "waf")}, "associations": []}}},
        {make_path(FIREWALL, "waf"): f"{FIREWALL}/join/action"},
    ),
    "a diagnostic setting's workspace": (
        f"{make_path(SERVER, 'server')}/providers/Microsoft.Insights/diagnosticSettings/all",
        {"properties": {"workspaceId": make_path(LOGS, "logs"), "logs": [{"categoryGroup": "allLogs"}]}},
        {make_path(LOGS, "logs"): f"{LOGS}/sharedKeys/action"},
    ),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_needs_a_right_on_the_linked_resource(manager: ResourceManager, name: str) -> None:
    endpoint = {"addressPrefix": "10.0.2.0/24", "serviceEndpoints": [{"service": "Microsoft.KeyVault"}]}
    manager.write(parse_id(make_path(SUBNET, "v", "vaults")), {"properties": endpoint})
    path, body, rights = LINKS[name]
    checked: dict[str, str] = {}
    manager.write(
        parse_id(path), copy.deepcopy(body), check_link=lambda action, linked: checked.update({linked.path: action})
    )
    assert checked == rights


def publish_record(manager: ResourceManager, kind: str, name: str, *values: str) -> None:
    """Write a record into the zone example.com."""
    records: Json = (
        {"CNAMERecord": {"cname": values[0]}}
        if kind == "CNAME"
        else {"TXTRecords": [{"value": [value]} for value in values]}
    )
    manager.write(parse_id(make_path(f"{ZONE}/{kind}", "example.com", name)), {"properties": {"TTL": 3600} | records})


def test_front_door_approves_a_domain_by_its_dns_token_and_then_issues_the_certificate(
    manager: ResourceManager, clock: StoppedClock
) -> None:
    path = parse_id(make_path(EDGE_DOMAIN, "edge", "api"))

    def read_states() -> tuple[str, str]:
        properties = manager.show(path)["properties"]
        return properties["domainValidationState"], properties["deploymentStatus"]

    token = manager.show(path)["properties"]["validationProperties"]["validationToken"]
    assert read_states() == ("Pending", "NotStarted")
    publish_record(manager, "TXT", "_dnsauth.api", "another token")
    publish_record(manager, "TXT", "_dnsauth.www", token)
    assert read_states() == ("Pending", "NotStarted")
    publish_record(manager, "TXT", "_dnsauth.api", token)
    assert read_states() == ("Approved", "InProgress")
    manager.delete(parse_id(make_path(f"{ZONE}/TXT", "example.com", "_dnsauth.api")))
    clock.advance(CERTIFICATE_MINUTES * manager.seconds_per_minute)
    assert read_states() == ("Approved", "Succeeded")
    manager.write(path, copy.deepcopy(BODIES[path.path]))
    assert read_states() == ("Approved", "Succeeded"), "an update keeps the validation"


def test_a_wildcard_has_no_managed_certificate(manager: ResourceManager) -> None:
    wildcard = change_body(make_path(EDGE_DOMAIN, "edge", "api"), "properties.hostName", "*.example.com")
    assert get_refusal(manager, make_path(EDGE_DOMAIN, "edge", "all"), wildcard) == "ManagedCertificateNotSupported"


MAIL_RECORDS = {
    "Domain": ("TXT", "@", "ms-domain-verification=0"),
    "SPF": ("TXT", "@", "v=spf1 include:spf.protection.outlook.com -all"),
    "DKIM": (
        "CNAME",
        "selector1-azurecomm-prod-net._domainkey",
        "selector1-azurecomm-prod-net._domainkey.azurecomm.net",
    ),
    "DKIM2": (
        "CNAME",
        "selector2-azurecomm-prod-net._domainkey",
        "selector2-azurecomm-prod-net._domainkey.azurecomm.net",
    ),
    "DMARC": ("TXT", "_dmarc", "v=DMARC1; p=quarantine"),
}


@pytest.mark.parametrize("kind", MAIL_RECORDS)
def test_a_mail_domain_is_verified_only_by_its_own_records(manager: ResourceManager, kind: str) -> None:
    domain = parse_id(make_path(DOMAIN, "mail", "example.com"))
    type_, name, value = MAIL_RECORDS[kind]

    def verify() -> str:
        manager.run_action(domain, "initiateVerification", {"verificationType": kind})
        return manager.show(domain)["properties"]["verificationStates"][kind]["status"]

    publish_record(manager, type_, name, "something.else")
    assert verify() == "VerificationFailed"
    publish_record(manager, type_, name, value)
    assert verify() == "Verified"
    with pytest.raises(RefusedError, match="none of Domain, SPF"):
        manager.run_action(domain, "initiateVerification", {"verificationType": "MX"})


def test_a_mail_domain_is_linked_when_all_but_dmarc_is_verified(manager: ResourceManager) -> None:
    domain = make_path(DOMAIN, "mail", "example.com")
    body = change_body(make_path(SERVICE, "acs"), "properties.linkedDomains", [domain])
    publish_record(manager, "TXT", "@", MAIL_RECORDS["Domain"][2], MAIL_RECORDS["SPF"][2])
    for kind in ("Domain", "SPF", "DKIM", "DKIM2"):
        assert get_refusal(manager, make_path(SERVICE, "acs"), copy.deepcopy(body)) == "DomainNotVerified"
        if kind.startswith("DKIM"):
            publish_record(manager, *MAIL_RECORDS[kind])
        manager.run_action(parse_id(domain), "initiateVerification", {"verificationType": kind})
    assert manager.write(parse_id(make_path(SERVICE, "acs")), body).status == 200


def test_an_app_accepts_a_host_name_with_a_cname_and_its_verification_id(manager: ResourceManager) -> None:
    path, body = make_path(BINDING, "app", "www.example.com"), Json(properties={"siteName": "app"})
    id_ = manager.show(parse_id(make_path(SITE, "app")))["properties"]["customDomainVerificationId"]
    publish_record(manager, "CNAME", "www", "app.azurewebsites.net.")
    assert get_refusal(manager, path, body) == "InvalidHostname", "the app's id is missing"
    publish_record(manager, "TXT", "asuid.api", id_)
    assert get_refusal(manager, make_path(BINDING, "app", "api.example.com"), body) == "InvalidHostname", (
        "it points nowhere"
    )
    publish_record(manager, "TXT", "asuid.www", id_)
    certificate = HERE | {"properties": {"serverFarmId": make_path(PLAN, "plan"), "canonicalName": "www.example.com"}}
    assert get_refusal(manager, make_path(CERTIFICATE, "www"), certificate) == "HostNameNotBound"
    assert manager.write(parse_id(path), body).status == 200
    assert manager.write(parse_id(make_path(CERTIFICATE, "www")), certificate).status == 200


def test_a_static_site_accepts_a_host_name_that_points_to_it(manager: ResourceManager) -> None:
    path, body = make_path(STATIC_DOMAIN, "admin", "admin.example.com"), Json(properties={})
    publish_record(manager, "CNAME", "admin", "elsewhere.example.com")
    assert get_refusal(manager, path, body) == "BadRequest"
    publish_record(
        manager, "CNAME", "admin", manager.show(parse_id(make_path(STATIC, "admin")))["properties"]["defaultHostname"]
    )
    assert manager.write(parse_id(path), body).status == 200


def get_minutes(manager: ResourceManager, path: str, body: Json) -> float:
    """Return how many minutes a write takes."""
    accepted = manager.write(parse_id(path), body)
    assert accepted.operation
    return accepted.operation.minutes


def test_a_second_node_of_redis_takes_longer(manager: ResourceManager) -> None:
    single = BODIES[make_path(CLUSTER, "redis")]
    double = change_body(make_path(CLUSTER, "redis"), "properties.highAvailability", "Enabled")
    assert get_minutes(manager, make_path(CLUSTER, "single"), copy.deepcopy(single)) < get_minutes(
        manager, make_path(CLUSTER, "double"), double
    )


def test_a_standby_and_a_restore_of_postgresql_take_longer(manager: ResourceManager, clock: StoppedClock) -> None:
    path = make_path(SERVER, "server")
    plain = get_minutes(manager, make_path(SERVER, "plain"), copy.deepcopy(BODIES[path]))
    ready = change_body(path, "properties.highAvailability", {"mode": "ZoneRedundant"})
    assert get_minutes(manager, make_path(SERVER, "ready"), copy.deepcopy(ready)) == plain + STANDBY_MINUTES
    restored = change_body(path, "properties.createMode", "PointInTimeRestore")
    assert get_minutes(manager, make_path(SERVER, "restored"), restored) == RESTORE_MINUTES
    assert get_minutes(manager, path, ready) == plain / 4 + STANDBY_MINUTES, "a standby that is added later"
    clock.advance(1000)
    manager.finish_due_operations()
    assert get_minutes(manager, path, copy.deepcopy(ready)) == plain / 4, "a standby that is there"


@pytest.mark.parametrize("type_", [type_ for type_ in families.TYPES if type_.minutes], ids=lambda type_: type_.name)
def test_minutes_have_a_source(type_: ResourceType) -> None:
    assert re.search(rf"/pull/\d+|{ESTIMATE}|{APPLY_LOG}", type_.source)


def test_an_alert_as_its_metric_allows_is_created(manager: ResourceManager) -> None:
    path = parse_id(make_path("Microsoft.Insights/metricAlerts", "alert"))
    body = make_metric_alert(dimensions=[{"name": "Instance", "operator": "Include", "values": ["*"]}])
    assert manager.write(path, body).status == 200


def test_a_sender_is_added_once_the_quota_is_raised(manager: ResourceManager) -> None:
    path = parse_id(make_path(f"{DOMAIN}/senderUsernames", "mail", "example.com", "noreply"))
    manager.put(f"/subscriptions/{SUBSCRIPTION}", {"subscriptionId": SUBSCRIPTION, RAISED_QUOTA: True})
    assert manager.write(path, {"properties": {"username": "noreply"}}).status == 201


def test_a_budget_starts_in_this_month(manager: ResourceManager) -> None:
    path = parse_id(make_path("Microsoft.Consumption/budgets", "budget"))
    assert manager.write(path, make_budget(f"{datetime.now(UTC):%Y-%m}-01")).status == 201
