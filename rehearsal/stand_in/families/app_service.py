"""App Service plans, apps, slots and their configuration: https://learn.microsoft.com/rest/api/appservice."""

import re
import uuid

from rehearsal.stand_in.families.network import SUBNET, list_delegations
from rehearsal.stand_in.family import Family
from rehearsal.stand_in.global_names import make_name_check, require_global_name
from rehearsal.stand_in.model import (
    Json,
    Resource,
    ResourceType,
    Store,
    Write,
    get_objects,
    make_bad_request,
    make_conflict,
)

PLAN = "Microsoft.Web/serverFarms"
SITE = "Microsoft.Web/sites"
SLOT = f"{SITE}/slots"
_SOURCE = """
    https://github.com/hashicorp/terraform-provider-azurerm/pull/31320 and 32992: it takes about 5 minutes to create
    and to delete an app or a slot with its plan and group, whatever the runtime. How these are divided is an estimate.
"""

_SITE_CONFIG: Json = {
    "numberOfWorkers": 1,
    "linuxFxVersion": "",
    "alwaysOn": False,
    "http20Enabled": False,
    "minTlsVersion": "1.2",
    "scmMinTlsVersion": "1.2",
    "ftpsState": "FtpsOnly",
    "loadBalancing": "LeastRequests",
    "managedPipelineMode": "Integrated",
    "remoteDebuggingEnabled": False,
    "remoteDebuggingVersion": "VS2022",
    "use32BitWorkerProcess": True,
    "webSocketsEnabled": False,
    "vnetRouteAllEnabled": False,
    "localMySqlEnabled": False,
    "acrUseManagedIdentityCreds": False,
    "scmIpSecurityRestrictionsUseMain": False,
    "ipSecurityRestrictionsDefaultAction": "Allow",
    "scmIpSecurityRestrictionsDefaultAction": "Allow",
    "defaultDocuments": [
        "Default.htm", "Default.html", "Default.asp", "index.htm", "index.html", "iisstart.htm", "default.aspx",
        "index.php", "hostingstart.html",
    ],
    "minTlsCipherSuite": None,
    "autoHealEnabled": False,
    "detailedErrorLoggingEnabled": False,
    "requestTracingEnabled": False,
}  # fmt: skip


_TIERS = {
    "F": "Free", "D": "Shared", "B": "Basic", "S": "Standard", "I": "IsolatedV2", "Y": "Dynamic",
    "EP": "ElasticPremium", "WS": "WorkflowStandard", "FC": "FlexConsumption",
}  # fmt: skip
"""By the letters of the SKU's name, except the Premium ones, whose tier is their version."""


def _complete_plan(write: Write) -> None:
    """Rules for zones: https://learn.microsoft.com/azure/reliability/reliability-app-service."""
    write.require("location", "sku.name")
    sku = write.body["sku"]
    name = sku["name"]
    if not re.fullmatch(r"F1|D1|B[123]|S[123]|P[0-5]m?v[234]|P[123]v2|Y1|EP[123]|WS[123]|FC1|I[1-6]m?v2", name):
        raise make_bad_request(f"'{name}' is no SKU of an App Service plan.", "InvalidSku")
    tier = f"Premium{name[-2:].upper()}" if re.match("P[0-9]", name) else _TIERS[name.rstrip("mv0123456789")]
    sku.update(tier=tier, size=name, family=re.sub(r"\d", "", name, count=1))
    sku.setdefault("capacity", 1)
    if write.properties.get("zoneRedundant"):
        if not name.startswith(("P", "EP", "I")):
            raise make_bad_request("Zone redundancy needs a Premium plan.", "ZoneRedundancyNotSupported")
        if sku["capacity"] < 2:
            raise make_bad_request("Zone redundancy needs two workers or more.", "ZoneRedundancyNeedsWorkers")
    write.properties.setdefault("zoneRedundant", False)
    write.properties.setdefault("perSiteScaling", False)
    write.properties.setdefault("elasticScaleEnabled", False)
    write.properties.setdefault("isXenon", False)
    write.properties.setdefault("maximumElasticWorkerCount", 1)
    write.properties.update(status="Ready", numberOfWorkers=sku["capacity"])
    write.body["kind"] = "linux" if write.properties.get("reserved") else "app"


def _refuse_if_plan_is_used(store: Store, plan: Resource) -> None:
    for site in (*store.list_resources(SITE), *store.list_resources(SLOT)):
        if site.properties["serverFarmId"].lower() == plan.id.key:
            raise make_conflict(
                f"Server farm '{plan.id.name}' cannot be deleted because it has web app(s) '{site.id.name}'."
            )


def _complete_site(write: Write) -> None:
    write.require("location", "properties.serverFarmId")
    is_slot = write.id.type.lower() == SLOT.lower()
    # https://learn.microsoft.com/azure/role-based-access-control/permissions/web-and-mobile#microsoftweb
    plan = write.require_reference(write.properties["serverFarmId"], PLAN, "join/action")
    if is_slot:
        # https://learn.microsoft.com/azure/app-service/deploy-staging-slots
        if plan.body["sku"]["tier"] in ("Free", "Basic", "Shared"):
            raise make_conflict(f"The plan's tier {plan.body['sku']['tier']} has no slots.", "SlotsNotSupported")
        host = f"{write.id.names[0]}-{write.id.name}"
    else:
        require_global_name(write, r"[A-Za-z0-9](?!.*--)[A-Za-z0-9-]{0,58}[A-Za-z0-9]")
        host = write.id.name
    if subnet_id := write.properties.get("virtualNetworkSubnetId"):
        # https://learn.microsoft.com/azure/app-service/overview-vnet-integration#permissions
        subnet = write.require_reference(subnet_id, SUBNET, "join/action")
        if PLAN.lower() not in list_delegations(subnet):
            # https://learn.microsoft.com/azure/app-service/overview-vnet-integration#subnet-requirements
            raise make_bad_request(f"Subnet '{subnet_id}' is not delegated to {PLAN}.", "SubnetNotDelegated")
    sent: Json = write.properties.pop("siteConfig", None) or {}
    _put_configuration(write, sent)
    write.body.setdefault("kind", "app,linux,container")
    properties = write.properties
    defaults: Json = {
        "clientAffinityEnabled": True, "clientCertEnabled": False, "clientCertMode": "Required", "enabled": True,
        "httpsOnly": False, "keyVaultReferenceIdentity": "SystemAssigned", "publicNetworkAccess": "Enabled",
        "vnetBackupRestoreEnabled": False, "vnetImagePullEnabled": False, "vnetRouteAllEnabled": False,
        "storageAccountRequired": False, "hyperV": False, "scmSiteAlsoStopped": False,
    }  # fmt: skip
    for name, value in defaults.items():
        properties.setdefault(name, value)
    properties.update(
        state="Running",
        defaultHostName=f"{host}.azurewebsites.net".lower(),
        enabledHostNames=[f"{host}.azurewebsites.net", f"{host}.scm.azurewebsites.net"],
        outboundIpAddresses="203.0.113.10,203.0.113.11",
        possibleOutboundIpAddresses="203.0.113.10,203.0.113.11,203.0.113.12",
        customDomainVerificationId="A" * 64,
        reserved=True,
    )


def _put_configuration(write: Write, sent: Json) -> None:
    """Put the resources that hold an app's configuration, as Azure does when it creates the app."""
    config = f"{write.id.path}/config"
    if "appSettings" in sent or write.previous is None:
        settings = {setting["name"]: setting.get("value") for setting in get_objects(sent, "appSettings")}
        write.store.put(f"{config}/appsettings", {"properties": settings})
    sent.pop("appSettings", None)
    web = write.store.find(f"{config}/web")
    old = web.properties if web else dict(_SITE_CONFIG)
    write.store.put(f"{config}/web", {"properties": old | sent})
    of_the_app = () if write.id.type.lower() == SLOT.lower() else ("slotConfigNames",)
    for name in ("connectionstrings", "azurestorageaccounts", *of_the_app):
        write.store.ensure(f"{config}/{name}", {"properties": {}})
    write.store.ensure(f"{config}/authsettings", {"properties": {"enabled": False}})
    write.store.ensure(
        f"{config}/authsettingsV2",
        {"properties": {"platform": {"enabled": False}, "globalValidation": {}, "login": {}, "httpSettings": {}}},
    )
    write.store.ensure(f"{config}/logs", {"properties": _make_disabled_logs()})
    write.store.ensure(f"{config}/metadata", {"properties": {}})
    user = f"${write.id.name}"
    write.store.ensure(
        f"{config}/publishingcredentials",
        {"properties": {"publishingUserName": user, "publishingPassword": uuid.uuid4().hex}},
    )
    for kind in ("ftp", "scm"):
        write.store.ensure(
            f"{write.id.path}/basicPublishingCredentialsPolicies/{kind}", {"properties": {"allow": True}}
        )


def _make_disabled_logs() -> Json:
    off: Json = {"enabled": False, "retentionInDays": 0}
    return {
        "applicationLogs": {"fileSystem": {"level": "Off"}, "azureBlobStorage": {"level": "Off"}},
        "httpLogs": {"fileSystem": off | {"retentionInMb": 35}, "azureBlobStorage": off},
        "failedRequestsTracing": {"enabled": False},
        "detailedErrorMessages": {"enabled": False},
    }


def _show_site(store: Store, site: Resource) -> Json:
    """Return the site with its configuration, but without the app settings."""
    web = store.find(f"{site.id.path}/config/web")
    settings = web.properties if web else {}
    site_config = {name: value for name, value in settings.items() if name != "appSettings"}
    return site.body | {"properties": site.properties | {"siteConfig": site_config}}


def _complete_config(write: Write) -> None:
    """Complete a configuration that is written on its own.

    `web` is merged with what was there, and `logs` with its defaults. The others are replaced.
    """
    if write.id.name.lower() == "web" and write.previous:
        write.resource.body["properties"] = write.previous.properties | write.properties
    if write.id.name.lower() == "authsettings":
        configured = {name: value for name, value in write.properties.items() if value != ""}
        write.body["properties"] = configured | {"configVersion": "v1"}
    if write.id.name.lower() == "authsettingsv2":
        # Version 2 then counts: https://learn.microsoft.com/azure/app-service/configure-authentication-file-based
        first_version = write.store.find(f"{write.id.parent}/config/authsettings")
        if first_version:
            first_version.properties["configVersion"] = "v2"
    if write.id.name.lower() == "logs":
        write.resource.body["properties"] = _make_disabled_logs() | write.properties


def _list_config(_: Store, config: Resource, __: Json) -> Json:
    return config.body


_TYPES = (
    ResourceType(
        PLAN, _complete_plan, minutes=0.5, source=_SOURCE, before_delete=_refuse_if_plan_is_used, created_status=200
    ),
    ResourceType(
        SITE, _complete_site, minutes=1, source=_SOURCE, show=_show_site, created_status=200, polling_header="Location"
    ),
    ResourceType(
        SLOT, _complete_site, minutes=1, source=_SOURCE, show=_show_site, created_status=200, polling_header="Location"
    ),
    *(
        ResourceType(
            f"{owner}/config",
            _complete_config,
            created_status=200,
            actions={"list": _list_config},
        )
        for owner in (SITE, SLOT)
    ),
    *(ResourceType(f"{owner}/basicPublishingCredentialsPolicies", created_status=200) for owner in (SITE, SLOT)),
)
_ROUTES = (make_name_check(SITE),)
FAMILY = Family(_TYPES, _ROUTES)
