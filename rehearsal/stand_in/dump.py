"""The content of the store as JSON, for a person to read and for another stand-in to continue from."""

from typing import cast

from rehearsal.stand_in.model import Json, Store

PATH = "/rehearsal/store"
"""A GET of this path returns the dump."""


def dump_store(store: Store) -> Json:
    """Return every resource as it is held, in the order of creation. Running operations are not included."""
    return {
        "tenantId": store.tenant,
        "subscriptionId": store.subscription,
        "resources": [resource.body for resource in store.list_resources()],
    }


def load_store(store: Store, dump: Json) -> None:
    """Put all resources of a dump into the store, unchanged. Other resources stay.

    Raises:
        ValueError: It is no dump, or the dump of another tenant or subscription.
    """
    if (dump.get("tenantId"), dump.get("subscriptionId")) != (store.tenant, store.subscription):
        raise ValueError(f"This is no dump of subscription {store.subscription} in tenant {store.tenant}.")
    for body in cast(list[Json], dump["resources"]):
        store.put(body["id"], body)
