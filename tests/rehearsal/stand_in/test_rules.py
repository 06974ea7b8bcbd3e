"""What Azure refuses, the stand-in refuses: each row breaks one rule of a body that is otherwise taken.

Then what Azure asks besides: the right to link, what DNS says, and how long it takes.
"""

import copy
import re
from collections.abc import Callable

import pytest

from rehearsal.stand_in import families
from rehearsal.stand_in.azure import Azure
from rehearsal.stand_in.families.authorization import add_built_in_roles
from rehearsal.stand_in.families.database import RESTORE_MINUTES, STANDBY_MINUTES
from rehearsal.stand_in.families.front_door import CERTIFICATE_MINUTES
from rehearsal.stand_in.ids import parse
from rehearsal.stand_in.model import APPLY_LOG, ESTIMATE, Json, RefusedError, ResourceType

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
PRIVATE_ZONE, LINK = "Microsoft.Network/privateDnsZones", "Microsoft.Network/privateDnsZones/virtualNetworkLinks"
NSG, IDENTITY = "Microsoft.Network/networkSecurityGroups", "Microsoft.ManagedIdentity/userAssignedIdentities"
PROFILE, EDGE_DOMAIN = "Microsoft.Cdn/profiles", "Microsoft.Cdn/profiles/customDomains"
FIREWALL = "Microsoft.Network/frontDoorWebApplicationFirewallPolicies"
BINDING, CERTIFICATE = "Microsoft.Web/sites/hostNameBindings", "Microsoft.Web/certificates"
STATIC, STATIC_DOMAIN = "Microsoft.Web/staticSites", "Microsoft.Web/staticSites/customDomains"

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
    at(IDENTITY, "id"): HERE,
    at(PRIVATE_ZONE, "privatelink.example.com"): {"location": "global"},
    at(NSG, "nsg"): HERE,
    at(PROFILE, "edge"): {"location": "global", "sku": {"name": "Standard_AzureFrontDoor"}},
    at(FIREWALL, "waf"): {"location": "global", "sku": {"name": "Standard_AzureFrontDoor"}},
    at(EDGE_DOMAIN, "edge", "api"): {
        "properties": {
            "hostName": "api.example.com",
            "tlsSettings": {"certificateType": "ManagedCertificate", "minimumTlsVersion": "TLS12"},
        }
    },
    at(STATIC, "admin"): HERE | {"sku": {"name": "Standard"}},
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
    "another host name": (
        at(EDGE_DOMAIN, "edge", "api"),
        "properties.hostName",
        "www.example.com",
        "PropertyChangeNotAllowed",
    ),
    "a group that moves": (GROUP, "location", "westus", "InvalidResourceGroupLocation"),
    "a group in no region": (GROUP, "location", "nowhere", "LocationNotAvailableForResourceGroup"),
    "a group of no region": (GROUP, "location", "global", "LocationNotAvailableForResourceGroup"),
    "a vault that moves": (at(VAULT, "vault-1"), "location", "West US", "InvalidResourceLocation"),
    "a vault in no region": (at(VAULT, "vault-1"), "location", "nowhere", "LocationNotAvailableForResourceType"),
    "a server's sku that is none": (at(SERVER, "server"), "sku.name", "Standard_D3ds_v5", "InvalidSku"),
    "a disk of odd size": (at(SERVER, "server"), "properties.storage.storageSizeGB", 100, "InvalidParameterValue"),
    "a zone that is none": (at(SERVER, "server"), "properties.availabilityZone", "4", "InvalidParameterValue"),
    "a standby that is none": (
        at(SERVER, "server"),
        "properties.highAvailability",
        {"mode": "Sometimes"},
        "InvalidParameterValue",
    ),
    "a standby in the server's zone": (
        at(SERVER, "server"),
        "properties.highAvailability",
        {"mode": "ZoneRedundant", "standbyAvailabilityZone": "1"},
        "InvalidZone",
    ),
    "a backup that is none": (
        at(SERVER, "server"),
        "properties.backup",
        {"geoRedundantBackup": "Maybe"},
        "InvalidParameterValue",
    ),
    "a redis size that is none": (at(CLUSTER, "redis"), "sku.name", "Balanced_B7", "InvalidSku"),
    "an old TLS for redis": (at(CLUSTER, "redis"), "properties.minimumTlsVersion", "1.0", "InvalidParameterValue"),
    "an eviction that is none": (
        at(f"{CLUSTER}/databases", "redis", "default"),
        "properties.evictionPolicy",
        "Oldest",
        "InvalidParameterValue",
    ),
    "snapshots every minute": (
        at(f"{CLUSTER}/databases", "redis", "default"),
        "properties.persistence",
        {"rdbFrequency": "1m"},
        "InvalidParameterValue",
    ),
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
    "a workbook whose name is no GUID": (
        at("Microsoft.Insights/workbooks", "book"),
        HERE | {"properties": {"displayName": "a", "serializedData": "{}"}},
        "InvalidResourceName",
    ),
    "an alert of severity 5": (
        at("Microsoft.Insights/metricAlerts", "alert"),
        {"location": "global", "properties": {"criteria": {}, "severity": 5}},
        "InvalidParameterValue",
    ),
    "an alert every two minutes": (
        at("Microsoft.Insights/metricAlerts", "alert"),
        {"location": "global", "properties": {"criteria": {}, "severity": 1, "evaluationFrequency": "PT2M"}},
        "InvalidParameterValue",
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


def test_what_is_read_only_is_not_written_and_hands_out_no_keys(azure: Azure) -> None:
    path = at(ACCOUNT, "account")
    assert azure.act(parse(path), "listKeys", {})["keys"]
    azure.write(parse(f"{GROUP}/providers/{LOCK}/l"), {"properties": {"level": "ReadOnly"}})
    assert refused(azure, path, copy.deepcopy(BODIES[path])) == "ScopeLocked"
    with pytest.raises(RefusedError, match="cannot perform write operation"):
        azure.act(parse(path), "listKeys", {})


def test_a_deleted_vault_keeps_its_name(azure: Azure) -> None:
    path = at(VAULT, "vault-1")
    azure.delete(parse(path))
    assert refused(azure, path, copy.deepcopy(BODIES[path])) == "ConflictError"
    assert azure.write(parse(path), broken(path, "properties.createMode", "recover")).status == 201


def test_no_password_is_kept(azure: Azure) -> None:
    assert "Aa1-23456789" not in str([each.body for each in azure.all()])


def _network_rule(subnet: str) -> Json:
    return {"virtualNetworkRules": [{"id": at(SUBNET, "v", subnet)}]}


# What is written, its body, and what one must be allowed to do to what it refers to.
LINKS: dict[str, tuple[str, Json, dict[str, str]]] = {
    "a subnet and its security group": (
        at(SUBNET, "v", "ends"),
        broken(at(SUBNET, "v", "ends"), "properties.networkSecurityGroup", {"id": at(NSG, "nsg")}),
        {at(NSG, "nsg"): f"{NSG}/join/action"},
    ),
    "a private endpoint": (
        at(PEP, "pep"),
        BODIES[at(PEP, "pep")],
        {
            at(SUBNET, "v", "ends"): f"{SUBNET}/join/action",
            at(SERVER, "server"): f"{SERVER}/privateEndpointConnectionsApproval/action",
        },
    ),
    "a private endpoint's zone": (
        at(f"{PEP}/privateDnsZoneGroups", "pep", "default"),
        {
            "properties": {
                "privateDnsZoneConfigs": [
                    {"properties": {"privateDnsZoneId": at(PRIVATE_ZONE, "privatelink.example.com")}}
                ]
            }
        },
        {at(PRIVATE_ZONE, "privatelink.example.com"): f"{PRIVATE_ZONE}/join/action"},
    ),
    "a private zone's network": (
        at(LINK, "privatelink.example.com", "to"),
        {"location": "global", "properties": {"virtualNetwork": {"id": at(VNET, "v")}}},
        {at(VNET, "v"): f"{VNET}/join/action"},
    ),
    "a storage account's subnet": (
        at(ACCOUNT, "account"),
        broken(at(ACCOUNT, "account"), "properties.networkAcls", _network_rule("app")),
        {at(SUBNET, "v", "app"): f"{SUBNET}/joinViaServiceEndpoint/action"},
    ),
    "a vault's subnet": (
        at(VAULT, "vault-1"),
        broken(at(VAULT, "vault-1"), "properties.networkAcls", _network_rule("vaults")),
        {at(SUBNET, "v", "vaults"): f"{SUBNET}/joinViaServiceEndpoint/action"},
    ),
    "an app, its plan, subnet and identity": (
        at(SITE, "app"),
        BODIES[at(SITE, "app")] | {"identity": {"userAssignedIdentities": {at(IDENTITY, "id"): {}}}},
        {
            at(PLAN, "plan"): f"{PLAN}/join/action",
            at(SUBNET, "v", "app"): f"{SUBNET}/join/action",
            at(IDENTITY, "id"): f"{IDENTITY}/assign/action",
        },
    ),
    "a security policy's firewall": (
        at(f"{PROFILE}/securityPolicies", "edge", "limits"),
        {"properties": {"parameters": {"wafPolicy": {"id": at(FIREWALL, "waf")}, "associations": []}}},
        {at(FIREWALL, "waf"): f"{FIREWALL}/join/action"},
    ),
    "a diagnostic setting's workspace": (
        f"{at(SERVER, 'server')}/providers/Microsoft.Insights/diagnosticSettings/all",
        {"properties": {"workspaceId": at(LOGS, "logs"), "logs": [{"categoryGroup": "allLogs"}]}},
        {at(LOGS, "logs"): f"{LOGS}/sharedKeys/action"},
    ),
}


@pytest.mark.parametrize("name", LINKS)
def test_a_link_takes_a_right_on_what_it_leads_to(azure: Azure, name: str) -> None:
    endpoint = {"addressPrefix": "10.0.2.0/24", "serviceEndpoints": [{"service": "Microsoft.KeyVault"}]}
    azure.write(parse(at(SUBNET, "v", "vaults")), {"properties": endpoint})
    path, body, rights = LINKS[name]
    asked: dict[str, str] = {}
    azure.write(parse(path), copy.deepcopy(body), link=lambda action, linked: asked.update({linked.path: action}))
    assert asked == rights


def publish(azure: Azure, kind: str, name: str, *values: str) -> None:
    """Put a record into the zone example.com."""
    records: Json = (
        {"CNAMERecord": {"cname": values[0]}}
        if kind == "CNAME"
        else {"TXTRecords": [{"value": [value]} for value in values]}
    )
    azure.write(parse(at(f"{ZONE}/{kind}", "example.com", name)), {"properties": {"TTL": 3600} | records})


def test_front_door_approves_a_domain_when_dns_has_its_token_and_certifies_it_then(azure: Azure) -> None:
    path = parse(at(EDGE_DOMAIN, "edge", "api"))

    def states() -> tuple[str, str]:
        shown = azure.show(path)["properties"]
        return shown["domainValidationState"], shown["deploymentStatus"]

    token = azure.show(path)["properties"]["validationProperties"]["validationToken"]
    assert states() == ("Pending", "NotStarted")
    publish(azure, "TXT", "_dnsauth.api", "another token")
    publish(azure, "TXT", "_dnsauth.www", token)
    assert states() == ("Pending", "NotStarted")
    publish(azure, "TXT", "_dnsauth.api", token)
    assert states() == ("Approved", "InProgress")
    azure.delete(parse(at(f"{ZONE}/TXT", "example.com", "_dnsauth.api")))
    now = azure.clock() + CERTIFICATE_MINUTES * azure.seconds_per_minute
    azure.clock = lambda: now
    assert states() == ("Approved", "Succeeded")
    azure.write(path, copy.deepcopy(BODIES[path.path]))
    assert states() == ("Approved", "Succeeded"), "an update keeps what was found"


def test_a_wildcard_has_no_managed_certificate(azure: Azure) -> None:
    wildcard = broken(at(EDGE_DOMAIN, "edge", "api"), "properties.hostName", "*.example.com")
    assert refused(azure, at(EDGE_DOMAIN, "edge", "all"), wildcard) == "ManagedCertificateNotSupported"


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
def test_a_mail_domain_is_verified_by_its_records_alone(azure: Azure, kind: str) -> None:
    domain = parse(at(DOMAIN, "mail", "example.com"))
    type_, name, value = MAIL_RECORDS[kind]

    def verify() -> str:
        azure.act(domain, "initiateVerification", {"verificationType": kind})
        return azure.show(domain)["properties"]["verificationStates"][kind]["status"]

    publish(azure, type_, name, "something.else")
    assert verify() == "VerificationFailed"
    publish(azure, type_, name, value)
    assert verify() == "Verified"
    with pytest.raises(RefusedError, match="none of Domain, SPF"):
        azure.act(domain, "initiateVerification", {"verificationType": "MX"})


def test_a_mail_domain_is_linked_when_all_but_dmarc_is_verified(azure: Azure) -> None:
    domain = at(DOMAIN, "mail", "example.com")
    body = broken(at(SERVICE, "acs"), "properties.linkedDomains", [domain])
    publish(azure, "TXT", "@", MAIL_RECORDS["Domain"][2], MAIL_RECORDS["SPF"][2])
    for kind in ("Domain", "SPF", "DKIM", "DKIM2"):
        assert refused(azure, at(SERVICE, "acs"), copy.deepcopy(body)) == "DomainNotVerified"
        if kind.startswith("DKIM"):
            publish(azure, *MAIL_RECORDS[kind])
        azure.act(parse(domain), "initiateVerification", {"verificationType": kind})
    assert azure.write(parse(at(SERVICE, "acs")), body).status == 200


def test_an_app_takes_a_host_name_that_points_at_it_and_says_so(azure: Azure) -> None:
    path, body = at(BINDING, "app", "www.example.com"), Json(properties={"siteName": "app"})
    id_ = azure.show(parse(at(SITE, "app")))["properties"]["customDomainVerificationId"]
    publish(azure, "CNAME", "www", "app.azurewebsites.net.")
    assert refused(azure, path, body) == "InvalidHostname", "the app's id is missing"
    publish(azure, "TXT", "asuid.api", id_)
    assert refused(azure, at(BINDING, "app", "api.example.com"), body) == "InvalidHostname", "it points nowhere"
    publish(azure, "TXT", "asuid.www", id_)
    certificate = HERE | {"properties": {"serverFarmId": at(PLAN, "plan"), "canonicalName": "www.example.com"}}
    assert refused(azure, at(CERTIFICATE, "www"), certificate) == "HostNameNotBound"
    assert azure.write(parse(path), body).status == 200
    assert azure.write(parse(at(CERTIFICATE, "www")), certificate).status == 200


def test_a_static_site_takes_a_host_name_that_points_at_it(azure: Azure) -> None:
    path, body = at(STATIC_DOMAIN, "admin", "admin.example.com"), Json(properties={})
    publish(azure, "CNAME", "admin", "elsewhere.example.com")
    assert refused(azure, path, body) == "BadRequest"
    publish(azure, "CNAME", "admin", azure.show(parse(at(STATIC, "admin")))["properties"]["defaultHostname"])
    assert azure.write(parse(path), body).status == 200


def minutes(azure: Azure, path: str, body: Json) -> float:
    """What a write takes."""
    accepted = azure.write(parse(path), body)
    assert accepted.operation
    return accepted.operation.minutes


def test_a_second_node_of_redis_takes_longer(azure: Azure) -> None:
    single = BODIES[at(CLUSTER, "redis")]
    double = broken(at(CLUSTER, "redis"), "properties.highAvailability", "Enabled")
    assert minutes(azure, at(CLUSTER, "single"), copy.deepcopy(single)) < minutes(azure, at(CLUSTER, "double"), double)


def test_a_standby_and_a_restore_of_postgresql_take_longer(azure: Azure) -> None:
    path = at(SERVER, "server")
    plain = minutes(azure, at(SERVER, "plain"), copy.deepcopy(BODIES[path]))
    ready = broken(path, "properties.highAvailability", {"mode": "ZoneRedundant"})
    assert minutes(azure, at(SERVER, "ready"), copy.deepcopy(ready)) == plain + STANDBY_MINUTES
    restored = broken(path, "properties.createMode", "PointInTimeRestore")
    assert minutes(azure, at(SERVER, "restored"), restored) == RESTORE_MINUTES
    assert minutes(azure, path, ready) == plain / 4 + STANDBY_MINUTES, "a standby that is added later"
    now = azure.clock() + 1000
    azure.clock = lambda: now
    azure.settle()
    assert minutes(azure, path, copy.deepcopy(ready)) == plain / 4, "a standby that is there"


@pytest.mark.parametrize("type_", [each for each in families.TYPES if each.minutes], ids=lambda type_: type_.name)
def test_minutes_have_a_source(type_: ResourceType) -> None:
    assert re.search(rf"/pull/\d+|{ESTIMATE}|{APPLY_LOG}", type_.source)
