"""What the stand-in holds, as JSON: for a person to look at, and for another stand-in to go on from."""

from typing import cast

from rehearsal.stand_in.azure import Azure
from rehearsal.stand_in.model import Json

PATH = "/rehearsal/store"
"""Where the stand-in shows it to a GET."""


def dumped(azure: Azure) -> Json:
    """Every resource as it is held, in the order of their making. Operations that still run are not in it."""
    return {
        "tenantId": azure.tenant,
        "subscriptionId": azure.subscription,
        "resources": [each.body for each in azure.all()],
    }


def load(azure: Azure, dump: Json) -> None:
    """Put everything of a dump there, as it is, beside what is there.

    Raises:
        ValueError: it is no dump, or one of another tenant or subscription.
    """
    if (dump.get("tenantId"), dump.get("subscriptionId")) != (azure.tenant, azure.subscription):
        raise ValueError(f"This is no dump of subscription {azure.subscription} in tenant {azure.tenant}.")
    for body in cast(list[Json], dump["resources"]):
        azure.put(body["id"], body)
