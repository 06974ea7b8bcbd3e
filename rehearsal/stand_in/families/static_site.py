"""Static Web Apps: https://learn.microsoft.com/rest/api/appservice/static-sites."""

import uuid

from rehearsal.stand_in.azure import Azure
from rehearsal.stand_in.families.dns import points_at
from rehearsal.stand_in.model import ESTIMATE, Json, Resource, ResourceType, Write, bad_request

SITE = "Microsoft.Web/staticSites"
LOCATIONS = ("westus2", "centralus", "eastus2", "westeurope", "eastasia")
"""https://learn.microsoft.com/azure/static-web-apps/overview."""


def _site(write: Write) -> None:
    write.require("location", "sku.name")
    write.choice("location", *LOCATIONS)
    write.choice("sku.name", "Free", "Standard")
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
    write.azure.ensure(f"{write.id.path}/config/appsettings", {"properties": {}})
    write.azure.ensure(
        f"{write.id.path}/basicAuth/default", {"properties": {"applicableEnvironmentsMode": "SpecifiedEnvironments"}}
    )
    write.azure.ensure(f"{write.id.path}/builds/default", {"properties": {"status": "WaitingForDeployment"}})


def _secrets(_: Azure, site: Resource, __: Json) -> Json:
    return {"properties": {"apiKey": f"static-site-token-{site.id.name}"}}


def _settings(azure: Azure, site: Resource, _: Json) -> Json:
    found = azure.find(f"{site.id.path}/config/appsettings")
    return {"properties": found.properties if found else {}}


def _domain(write: Write) -> None:
    """A subdomain is validated by its CNAME: https://learn.microsoft.com/azure/static-web-apps/custom-domain-external."""
    site = write.refer(write.id.parent, SITE)
    if not points_at(write.azure, write.id.name, site.properties["defaultHostname"]):
        raise bad_request(f"CNAME Record is invalid: {write.id.name} does not point to the site.", "BadRequest")
    write.properties.update(status="Ready", domainName=write.id.name)


TYPES = (
    ResourceType(
        SITE,
        _site,
        minutes=0.5,
        source=ESTIMATE,
        delete_minutes=0.3,
        created_status=200,
        actions={"listSecrets": _secrets, "listAppSettings": _settings},
    ),
    ResourceType(f"{SITE}/config", has_state=False, created_status=200),
    ResourceType(f"{SITE}/basicAuth", created_status=200),
    ResourceType(f"{SITE}/builds"),
    ResourceType(
        f"{SITE}/customDomains",
        _domain,
        minutes=5,
        source=ESTIMATE,
        created_status=200,
    ),
)
