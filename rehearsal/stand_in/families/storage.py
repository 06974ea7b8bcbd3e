"""Storage accounts, containers and their policies, as Resource Manager manages them. Azurite is the data plane."""

import copy
from typing import cast

from rehearsal.stand_in.families.network import SUBNET
from rehearsal.stand_in.family import Family
from rehearsal.stand_in.global_names import require_global_name
from rehearsal.stand_in.model import (
    ESTIMATE,
    Json,
    Resource,
    ResourceType,
    Store,
    Write,
    get_objects,
    get_value,
    make_bad_request,
    make_conflict,
)
from rehearsal.stand_in.routes import Route, RouteRequest

ACCOUNT = "Microsoft.Storage/storageAccounts"
BLOB = f"{ACCOUNT}/blobServices"
CONTAINER = f"{BLOB}/containers"
POLICY = f"{CONTAINER}/immutabilityPolicies"
_FILE_DEFAULTS: Json = {
    "shareDeleteRetentionPolicy": {"enabled": True, "days": 7},
    "protocolSettings": {"smb": {}},
    "cors": {"corsRules": []},
}


def _complete_account(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/storagerp/storage-accounts/create."""
    write.require("location", "sku.name", "kind")
    require_global_name(write, r"[a-z0-9]{3,24}")
    write.require_choice(
        "sku.name", "Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_RAGRS", "Standard_GZRS",
        "Standard_RAGZRS", "Premium_LRS", "Premium_ZRS",
    )  # fmt: skip
    write.require_choice("kind", "Storage", "StorageV2", "BlobStorage", "FileStorage", "BlockBlobStorage")
    write.require_choice("properties.minimumTlsVersion", "TLS1_0", "TLS1_1", "TLS1_2", "TLS1_3")
    write.body["sku"]["tier"] = write.body["sku"]["name"].split("_")[0]
    for rule in get_objects(write.body, "properties.networkAcls.virtualNetworkRules"):
        # https://learn.microsoft.com/azure/virtual-network/virtual-network-service-endpoints-overview#provisioning
        subnet = write.require_reference(rule["id"], SUBNET, "joinViaServiceEndpoint/action")
        if subnet.state == "Updating":
            # https://github.com/Azure/azure-rest-api-specs/issues/11143
            raise make_conflict(f"Subnet '{subnet.id.path}' is in the state Updating.", "SubnetsNotProvisioned")
        endpoints = {endpoint["service"] for endpoint in get_objects(subnet.properties, "serviceEndpoints")}
        if not endpoints & {"Microsoft.Storage", "Microsoft.Storage.Global"}:
            raise make_bad_request(
                f"Subnet '{subnet.id.path}' has no service endpoint Microsoft.Storage.",
                "SubnetsHaveNoServiceEndpointsConfigured",
            )
    write.require_unchanged("properties.encryption.requireInfrastructureEncryption")
    services = _list_services(write.body["kind"], write.body["sku"]["tier"])
    write.properties["primaryEndpoints"] = {
        service: f"https://{write.id.name}.{'z20.' if service == 'web' else ''}{service}.core.windows.net/"
        for service in services
    }
    write.properties.update(
        primaryLocation=write.body["location"], statusOfPrimary="available", creationTime="2026-11-23T00:00:00Z"
    )
    write.properties.setdefault("allowBlobPublicAccess", False)
    write.properties.setdefault("allowSharedKeyAccess", True)
    if write.body["kind"] not in ("Storage", "BlockBlobStorage"):
        # https://learn.microsoft.com/azure/storage/blobs/access-tiers-overview#default-account-access-tier-setting
        write.properties.setdefault("accessTier", "Hot")
    write.properties.setdefault("supportsHttpsTrafficOnly", True)
    write.properties.setdefault("networkAcls", {"bypass": "AzureServices", "defaultAction": "Allow"})
    write.properties.setdefault(
        "encryption",
        {"keySource": "Microsoft.Storage", "services": {"blob": {"enabled": True}, "file": {"enabled": True}}},
    )
    if "blob" in services:
        write.store.ensure(
            f"{write.id.path}/blobServices/default",
            {"properties": {"cors": {"corsRules": []}, "deleteRetentionPolicy": {"enabled": False}}},
        )
    if "file" in services:
        write.store.ensure(f"{write.id.path}/fileServices/default", {"properties": copy.deepcopy(_FILE_DEFAULTS)})


def _list_services(kind: str, tier: str) -> tuple[str, ...]:
    """Return the services that an account of this kind and tier has.

    https://learn.microsoft.com/azure/storage/common/storage-account-overview#types-of-storage-accounts
    """
    if kind == "FileStorage":
        return ("file",)
    if kind == "BlockBlobStorage":
        return ("blob", "dfs", "web")
    if kind == "BlobStorage":
        return ("blob", "dfs", "table")
    if tier == "Premium":  # page blobs
        return ("blob",)
    common = ("blob", "file", "queue", "table")
    return (*common, "dfs", "web") if kind == "StorageV2" else common


def _complete_file_service(write: Write) -> None:
    """Complete the settings of file shares with Azure's defaults, where they are not sent."""
    for name, value in _FILE_DEFAULTS.items():
        write.properties.setdefault(name, copy.deepcopy(value))
    smb = cast(Json, get_value(write.properties, "protocolSettings.smb") or {})
    for name in [name for name, value in smb.items() if value == ""]:
        del smb[name]  # the provider sends it for what is not configured


def _list_keys(_: Store, account: Resource, __: Json) -> Json:
    """https://learn.microsoft.com/rest/api/storagerp/storage-accounts/list-keys."""
    return {
        "keys": [
            {"keyName": name, "value": f"{account.id.name}-{name}", "permissions": "FULL"} for name in ("key1", "key2")
        ]
    }


def _check_name(request: RouteRequest) -> Json:
    name = str(request.body.get("name", ""))
    if any(account.id.name == name for account in request.store.list_resources(ACCOUNT)):
        return {"nameAvailable": False, "reason": "AlreadyExists", "message": ""}
    return {"nameAvailable": True}


def _complete_container(write: Write) -> None:
    """https://learn.microsoft.com/azure/storage/blobs/anonymous-read-access-prevent."""
    write.require_choice("properties.publicAccess", "None", "Blob", "Container")
    account = write.store.find(write.id.path.split("/blobServices/", maxsplit=1)[0])
    public = write.properties.get("publicAccess", "None") != "None"
    if public and account and not account.properties["allowBlobPublicAccess"]:
        raise make_conflict("Public access is not permitted on this storage account.", "PublicAccessNotPermitted")
    defaults: Json = {
        "publicAccess": "None",
        "leaseState": "Available",
        "leaseStatus": "Unlocked",
        "hasImmutabilityPolicy": False,
        "hasLegalHold": False,
        "defaultEncryptionScope": "$account-encryption-key",
        "denyEncryptionScopeOverride": False,
    }
    for name, value in defaults.items():
        write.properties.setdefault(name, value)


def _refuse_if_policy_is_locked(store: Store, container: Resource) -> None:
    """https://learn.microsoft.com/azure/storage/blobs/immutable-time-based-retention-policy-overview."""
    policy = store.find(f"{container.id.path}/immutabilityPolicies/default")
    if policy and policy.properties["state"] == "Locked":
        raise make_conflict("The container has a locked immutability policy.", "ContainerImmutabilityPolicyLocked")


def _complete_policy(write: Write) -> None:
    """https://learn.microsoft.com/rest/api/storagerp/blob-containers/create-or-update-immutability-policy."""
    if write.previous and write.previous.properties["state"] == "Locked":
        raise make_conflict("The immutability policy is locked.", "ContainerImmutabilityPolicyLocked")
    write.properties["state"] = "Unlocked"


def _refuse_if_locked(_: Store, policy: Resource) -> None:
    if policy.properties["state"] == "Locked":
        raise make_conflict("A locked immutability policy cannot be deleted.", "ContainerImmutabilityPolicyLocked")


def _lock_policy(_: Store, policy: Resource, __: Json) -> Json:
    policy.properties["state"] = "Locked"
    return policy.body


def _extend_policy(_: Store, policy: Resource, sent: Json) -> Json:
    """Extend a locked period, which cannot be shortened."""
    days = "immutabilityPeriodSinceCreationInDays"
    if sent["properties"][days] < policy.properties[days]:
        raise make_conflict("A locked immutability period cannot be shortened.", "ContainerImmutabilityPolicyLocked")
    policy.properties[days] = sent["properties"][days]
    return policy.body


_TYPES = (
    ResourceType(
        ACCOUNT,
        _complete_account,
        minutes=0.5,
        source=ESTIMATE,
        polling_header="Location",
        created_status=202,
        actions={"listKeys": _list_keys},
    ),
    ResourceType(BLOB, created_status=200),
    ResourceType(f"{ACCOUNT}/fileServices", _complete_file_service, created_status=200),
    ResourceType(CONTAINER, _complete_container, before_delete=_refuse_if_policy_is_locked),
    ResourceType(
        POLICY,
        _complete_policy,
        before_delete=_refuse_if_locked,
        created_status=200,
        actions={"lock": _lock_policy, "extend": _extend_policy},
    ),
    ResourceType(f"{ACCOUNT}/managementPolicies", created_status=200),
)
_CHECK = "Microsoft.Storage/checkNameAvailability"
_ROUTES = (Route("POST", rf"/subscriptions/[^/]+/providers/{_CHECK}", f"{_CHECK}/read", _check_name),)
FAMILY = Family(_TYPES, _ROUTES)
