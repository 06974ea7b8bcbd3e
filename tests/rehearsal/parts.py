"""Parts of the synthesized stacks, and what state and the stand-in must have in common."""

import json
import re
from collections.abc import Iterable
from functools import cache

from environments import load
from rehearsal import seed as seeds
from rehearsal import synthesis
from rehearsal.stand_in.ids import is_within
from rehearsal.stand_in.model import Json, Store
from rehearsal.stand_in.resource_manager import ResourceManager

REFERENCE = re.compile(r"\$\{(?:\w+\()?(azurerm_\w+\.[\w-]+)")


@cache
def stack(name: str) -> Json:
    """A stack as synthesized from disposable settings, where that is allowed: no locks, no prevent_destroy."""
    platform = load()
    if name == "shared":
        return synthesis.unprotected(synthesis.shared(platform))
    if name == "dev":
        return synthesis.environment(platform, name, synthesis.disposable)
    return synthesis.unprotected(synthesis.environment(platform, name))


def part(body: Json, *types: str) -> Json:
    """The resources of these types, with all that they refer to."""
    all_ = {
        f"{type_}.{name}": resource for type_, named in body["resource"].items() for name, resource in named.items()
    }
    wanted = [address for address in all_ if address.partition(".")[0] in types]
    kept: dict[str, Json] = {}
    while wanted:
        address = wanted.pop()
        if address not in kept and address in all_:
            kept[address] = {key: value for key, value in all_[address].items() if key not in ("//", "depends_on")}
            wanted += REFERENCE.findall(json.dumps(kept[address]))
    resources: dict[str, dict[str, Json]] = {}
    for address, resource in kept.items():
        type_, _, name = address.partition(".")
        resources.setdefault(type_, {})[name] = resource
    return {
        "terraform": {key: value for key, value in body["terraform"].items() if key != "backend"},
        "provider": body["provider"],
        "resource": resources,
    }


def without(body: Json, *types: str) -> Json:
    """A stack without the resources of these types, and without what refers to them."""
    kept = {type_: dict(named) for type_, named in body["resource"].items() if type_ not in types}
    gone = {f"{type_}.{name}" for type_ in types for name in body["resource"].get(type_, {})}
    growing = True
    while growing:
        growing = False
        for type_, named in kept.items():
            for name, resource in list(named.items()):
                if _refers(resource, gone):
                    gone.add(f"{type_}.{name}")
                    del named[name]
                    growing = True
    for named in kept.values():
        for name, resource in named.items():
            needed = [address for address in resource.get("depends_on", []) if address not in gone]
            named[name] = resource | {"depends_on": needed}
    outputs = {name: output for name, output in body["output"].items() if not _refers(output, gone)}
    return body | {"resource": kept, "output": outputs}


def _refers(value: object, addresses: set[str]) -> bool:
    return bool(addresses & set(REFERENCE.findall(json.dumps(value))))


def seed(store: Store) -> None:
    """Put there what the shared stack makes."""
    platform = load()
    seeds.shared(store, platform)
    for environment in platform.environments.values():
        seeds.environment(store, platform, environment)


def mail_records(body: Json) -> list[str]:
    """The addresses of a stack's mail domain and of the DNS records that prove it."""
    types = ("azurerm_email_communication_service_domain", "azurerm_dns_txt_record", "azurerm_dns_cname_record")
    named = ((type_, name) for type_ in types for name in body["resource"].get(type_, {}))
    return [f"{type_}.{name}" for type_, name in named if name.startswith("email_")]


def verify_mail(manager: ResourceManager) -> None:
    """Verify every mail domain, as a person does when its records can be seen."""
    for domain in manager.list_resources("Microsoft.Communication/emailServices/domains"):
        for kind in domain.properties["verificationStates"]:
            manager.run_action(domain.id, "initiateVerification", {"verificationType": kind})


def ids(state: Json) -> list[str]:
    """The Resource Manager ids in a state."""
    attributes = (
        instance["attributes"]
        for resource in state["resources"]
        if resource["mode"] == "managed"
        for instance in resource["instances"]
    )
    return [str(each["id"]).split("|")[0] for each in attributes if str(each.get("id", "")).startswith("/")]


def strangers(store: Store, known: Iterable[str], before: Iterable[str]) -> list[str]:
    """What the stand-in holds and neither state nor `before` knows: duplicates, or what a failed apply has left."""
    roots = [*known]
    old = set(before)
    return [
        each.id.path
        for each in store.list_resources()
        if each.id.key not in old
        and not any(is_within(each.id.path, root) for root in roots)
        and not _by_the_way(each.id.type)
    ]


def _by_the_way(type_: str) -> bool:
    """What Azure makes beside a private endpoint, and what it remembers of a deleted vault."""
    return type_ in ("Microsoft.Network/networkInterfaces", "Microsoft.KeyVault/locations/deletedVaults")
