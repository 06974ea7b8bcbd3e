"""Static Web Apps: https://learn.microsoft.com/rest/api/appservice/static-sites."""

import uuid

from rehearsal.stand_in.families.dns import has_cname
from rehearsal.stand_in.family import Family
from rehearsal.stand_in.model import ESTIMATE, Json, Resource, ResourceType, Store, Write, make_bad_request

SITE = "Microsoft.Web/staticSites"
LOCATIONS = ("westus2", "centralus", "eastus2", "westeurope", "eastasia")
"""https://learn.microsoft.com/azure/static-web-apps/overview."""


def _complete_site(write: Write) -> None:
    write.require("location", "sku.name")
    write.require_choice("location", *LOCATIONS)
    write.require_choice("sku.name", "Free", "Standard")
    write.body["sku"]["tier"] = write.body["sku"]["name"]
    previous = write.previous.properties if write.previous else {}
    write.properties.update(
        defaultHostname=previous.get("defaultHostname") or f"calm-rock-{uuid.uuid4().hex[:9]}.4.azurestaticapps.net",
        provider="None",
        contentDistributionEndpoint="https://content.infrastructure.4.azurestaticapps.net",
    )
    write.properties.setdefault("stagingEnvironmentPolicy", "Enabled")
    write.properties.setdefault("allowConfigFileUpdates", True)
    write.properties.setdefault("publicNetworkAccess", "Enabled")
    write.store.ensure(f"{write.id.path}/config/appsettings", {"properties": {}})
    write.store.ensure(
        f"{write.id.path}/basicAuth/default", {"properties": {"applicableEnvironmentsMode": "SpecifiedEnvironments"}}
    )
    write.store.ensure(f"{write.id.path}/builds/default", {"properties": {"status": "WaitingForDeployment"}})


def _list_secrets(_: Store, site: Resource, __: Json) -> Json:
    return {"properties": {"apiKey": f"static-site-token-{site.id.name}"}}


def _list_settings(store: Store, site: Resource, _: Json) -> Json:
    settings = store.find(f"{site.id.path}/config/appsettings")
    return {"properties": settings.properties if settings else {}}


def _complete_config(write: Write) -> None:
    """Pass a password on to the site: azurerm writes it at `config/basicAuth`, and reads it at `basicAuth/default`."""
    if write.id.name.lower() == "basicauth":
        _complete_basic_auth(write)
        write.store.put(f"{write.id.parent}/basicAuth/default", {"properties": dict(write.properties)})


def _complete_basic_auth(write: Write) -> None:
    """Keep the password to itself: https://learn.microsoft.com/azure/static-web-apps/password-protection."""
    has_password = write.properties.pop("password", None) is not None
    write.properties["secretState"] = "Password" if has_password else "None"


def _complete_domain(write: Write) -> None:
    """Check the CNAME record of a subdomain: https://learn.microsoft.com/azure/static-web-apps/custom-domain-external."""
    site = write.require_reference(write.id.parent, SITE)
    if not has_cname(write.store, write.id.name, site.properties["defaultHostname"]):
        raise make_bad_request(f"CNAME Record is invalid: {write.id.name} does not point to the site.", "BadRequest")
    write.properties.pop("validationMethod", None)  # it is sent, and never returned
    write.properties.update(status="Ready", domainName=write.id.name)


_POLL_ACTION = "Microsoft.Web/locations/operationResults/read"
"""Azure asks for this right at the subscription, where no role on the site's resource group counts.

For a domain: https://github.com/hashicorp/terraform-provider-azurerm/issues/28451. For the deletion of a site:
https://github.com/microsoft/vscode-azurestaticwebapps/issues/302.
"""
_TYPES = (
    ResourceType(
        SITE,
        _complete_site,
        minutes=0.5,
        source=ESTIMATE,
        delete_minutes=0.3,
        poll_action=_POLL_ACTION,
        created_status=200,
        actions={"listSecrets": _list_secrets, "listAppSettings": _list_settings},
    ),
    ResourceType(f"{SITE}/config", _complete_config, created_status=200),
    ResourceType(f"{SITE}/basicAuth", _complete_basic_auth, created_status=200),
    ResourceType(f"{SITE}/builds"),
    ResourceType(
        f"{SITE}/customDomains",
        _complete_domain,
        minutes=5,
        source=ESTIMATE,
        delete_minutes=0.3,
        poll_action=_POLL_ACTION,
        created_status=200,
    ),
)
FAMILY = Family(_TYPES)
