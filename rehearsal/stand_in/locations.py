"""Azure's regions, and the rule that a resource stays in its region."""

from rehearsal.stand_in.ids import GROUP_TYPE, ResourceId
from rehearsal.stand_in.model import Json, Resource, make_bad_request, make_conflict

GLOBAL = "global"
"""The location of a resource that belongs to no region, such as a DNS zone."""
REGIONS = {
    "australiacentral", "australiacentral2", "australiaeast", "australiasoutheast", "austriaeast", "belgiumcentral",
    "brazilsouth", "brazilsoutheast", "canadacentral", "canadaeast", "centralindia", "centralus", "chilecentral",
    "denmarkeast", "eastasia", "eastus", "eastus2", "francecentral", "francesouth", "germanynorth",
    "germanywestcentral", "indonesiacentral", "israelcentral", "italynorth", "japaneast", "japanwest",
    "jioindiacentral", "jioindiawest", "koreacentral", "koreasouth", "malaysiawest", "mexicocentral",
    "newzealandnorth", "northcentralus", "northeurope", "norwayeast", "norwaywest", "polandcentral", "qatarcentral",
    "southafricanorth", "southafricawest", "southcentralus", "southeastasia", "southindia", "spaincentral",
    "swedencentral", "swedensouth", "switzerlandnorth", "switzerlandwest", "uaecentral", "uaenorth", "uksouth",
    "ukwest", "westcentralus", "westeurope", "westindia", "westus", "westus2", "westus3",
}  # fmt: skip
"""https://learn.microsoft.com/azure/reliability/regions-list"""


def check_location(id_: ResourceId, body: Json, previous: Resource | None) -> None:
    """Check that a resource is in a region that exists, and that an update does not move it.

    https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors

    Raises:
        RefusedError: The region does not exist, or it is not the one that the resource is in.
    """
    if "location" not in body:
        return
    what, group = ("ResourceGroup", True) if id_.type == GROUP_TYPE else ("Resource", False)
    location = _normalize_region(body["location"])
    if location not in REGIONS and (group or location != GLOBAL):
        suffix = "" if group else "Type"
        raise make_bad_request(
            f"The provided location '{body['location']}' is not available for '{id_.type}'.",
            f"LocationNotAvailableFor{what}{suffix}",
        )
    if previous and _normalize_region(previous.body.get("location", location)) != location:
        raise make_conflict(f"'{id_.path}' already exists in '{previous.body['location']}'.", f"Invalid{what}Location")


def _normalize_region(location: object) -> str:
    """Return the region's name as an id. Azure accepts `East US 2` for `eastus2`."""
    return str(location).replace(" ", "").lower()
