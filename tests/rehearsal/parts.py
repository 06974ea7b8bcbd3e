"""Takes synthesized stacks apart, and compares a state with what the stand-in holds."""

import json
import re
from collections.abc import Iterable
from functools import cache

from environments import load
from rehearsal import synthesis
from rehearsal.seed import seed_environment, seed_shared
from rehearsal.stand_in.families.monitor import DETECTOR_RULE
from rehearsal.stand_in.ids import is_within
from rehearsal.stand_in.model import Json, Store

SLOW_TYPES = ("azurerm_key_vault", "azurerm_management_lock", "azurerm_monitor_metric_alert")
"""The types at which the provider itself waits about two minutes, in Azure as here."""
REFERENCE = re.compile(r"\$\{(?:\w+\()?(azurerm_\w+\.[\w-]+)")


@cache
def synthesize_stack(name: str) -> Json:
    """Return a stack that can be destroyed: no prevent_destroy and, where the settings allow it, no locks."""
    platform = load()
    if name == "shared":
        return synthesis.remove_prevent_destroy(synthesis.synthesize_shared(platform))
    if name == "dev":
        return synthesis.synthesize_environment(platform, name, synthesis.declare_disposable)
    return synthesis.remove_prevent_destroy(synthesis.synthesize_environment(platform, name))


def extract_types(body: Json, *types: str) -> Json:
    """Return a stack with the resources of these types alone, and with everything that they refer to.

    What a resource only waits for (`depends_on`) is kept if it is a part of that stack anyway.
    """
    resources = {
        f"{type_}.{name}": resource for type_, named in body["resource"].items() for name, resource in named.items()
    }
    wanted = [address for address in resources if address.partition(".")[0] in types]
    kept: dict[str, Json] = {}
    while wanted:
        address = wanted.pop()
        if address not in kept and address in resources:
            kept[address] = {key: value for key, value in resources[address].items() if key != "//"}
            wanted += REFERENCE.findall(json.dumps(kept[address]))
    kept_by_type: dict[str, dict[str, Json]] = {}
    for address, resource in kept.items():
        resource["depends_on"] = [other for other in resource.get("depends_on", []) if other in kept]
        type_, _, name = address.partition(".")
        kept_by_type.setdefault(type_, {})[name] = resource
    return {
        "terraform": {key: value for key, value in body["terraform"].items() if key != "backend"},
        "provider": body["provider"],
        "resource": kept_by_type,
        **({"data": body["data"]} if "data" in body else {}),
    }


def remove_types(body: Json, *types: str) -> Json:
    """Return a stack without the resources of these types, and without everything that refers to them."""
    kept = {type_: dict(named) for type_, named in body["resource"].items() if type_ not in types}
    removed = {f"{type_}.{name}" for type_ in types for name in body["resource"].get(type_, {})}
    found_more = True
    while found_more:
        found_more = False
        for type_, named in kept.items():
            for name, resource in list(named.items()):
                if _refers_to(resource, removed):
                    removed.add(f"{type_}.{name}")
                    del named[name]
                    found_more = True
    for named in kept.values():
        for name, resource in named.items():
            dependencies = [address for address in resource.get("depends_on", []) if address not in removed]
            named[name] = resource | {"depends_on": dependencies}
    outputs = {name: output for name, output in body["output"].items() if not _refers_to(output, removed)}
    return body | {"resource": {type_: named for type_, named in kept.items() if named}, "output": outputs}


def _refers_to(value: object, addresses: set[str]) -> bool:
    return bool(addresses & set(REFERENCE.findall(json.dumps(value))))


def seed_platform(store: Store) -> None:
    """Put everything into the store that the shared stack makes for the environments."""
    platform = load()
    seed_shared(store, platform)
    for environment in platform.environments.values():
        seed_environment(store, platform, environment)


def list_mail_records(body: Json) -> list[str]:
    """Return the addresses of a stack's mail domain and of the DNS records that prove who owns it."""
    types = ("azurerm_email_communication_service_domain", "azurerm_dns_txt_record", "azurerm_dns_cname_record")
    resources = ((type_, name) for type_ in types for name in body["resource"].get(type_, {}))
    return [f"{type_}.{name}" for type_, name in resources if name.startswith("email_")]


def list_ids(state: Json) -> list[str]:
    """Return the Resource Manager IDs in a state."""
    ids = [
        str(instance["attributes"].get("id", ""))
        for resource in state["resources"]
        if resource["mode"] == "managed"
        for instance in resource["instances"]
    ]
    return [id_.split("|")[0] for id_ in ids if id_.startswith("/")]


def find_strangers(store: Store, known: Iterable[str], before: Iterable[str]) -> list[str]:
    """Return the paths of the resources in the store that neither state nor `before` knows.

    They are duplicates, or what a failed apply has left behind.

    Args:
        store: The stand-in's store.
        known: The IDs in the state.
        before: The keys of the resources that existed before Terraform ran.
    """
    roots, old = [*known], set(before)
    return [
        resource.id.path
        for resource in store.list_resources()
        if resource.id.key not in old
        and not any(is_within(resource.id.path, root) for root in roots)
        and not _is_side_effect(resource.id.type)
    ]


def _is_side_effect(type_: str) -> bool:
    """Return whether Azure makes resources of this type itself: with a private endpoint, or for a deleted vault."""
    return type_ in ("Microsoft.Network/networkInterfaces", "Microsoft.KeyVault/locations/deletedVaults", DETECTOR_RULE)
