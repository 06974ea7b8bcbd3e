"""Asks Azure whether a subscription can have an environment where its settings put it, before the first apply.

    make capabilities ENV=dev

Each question that Azure would otherwise answer in the middle of an apply has a row: what the settings want, Azure's
answer, and what to do. If a region cannot have something, the nearest one that can is named.

Exit codes: 0 the subscription can have everything; 3 it cannot; 1 Azure cannot be asked.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple, cast, get_args

from pydantic import JsonValue
from tabulate import tabulate

from environments import ENVIRONMENTS, Environment, SettingsError, load
from environments.naming import Location
from operations import azure_cli

CANNOT = 3
NAMESPACES = (
    "AlertsManagement", "Authorization", "Cache", "Cdn", "Communication", "Consumption", "ContainerRegistry",
    "DBforPostgreSQL", "Insights", "KeyVault", "Logic", "ManagedIdentity", "Network", "OperationalInsights", "Storage",
    "Web",
)  # fmt: skip
"""The resource providers that the stacks use; docs/quickstart.md registers them."""
NO_FRONT_DOOR = ("FreeTrial", "AzureForStudents", "Students", "DreamSpark")
"""The beginnings of the offers that cannot have Front Door.

https://learn.microsoft.com/azure/frontdoor/front-door-faq and
https://learn.microsoft.com/azure/cost-management-billing/costs/understand-cost-mgt-data
"""
PLAN_SKUS = {"B": "Basic", "S": "Standard", "P": "PremiumV3"}
"""By the first letter of a plan's sku: its tier, as `geoRegions` names it."""
VERSION = "api-version=2023-01-01"
"""The api-version of the questions about App Service."""
NO_ANSWER = "Azure does not answer:"
ASK_AGAIN = "register the resource providers, then ask again"
Ask = Callable[[str], Mapping[str, JsonValue]]
"""Returns Resource Manager's answer for a path with its api-version. Raises AzureCliError."""


class Finding(NamedTuple):
    """One question and Azure's answer."""

    what: str
    wanted: str
    answer: str
    possible: bool
    advice: str = ""


def find_capabilities(environment: Environment, subscription: str, ask: Ask) -> Iterator[Finding]:
    """Yield a finding for each question. A question that Azure does not answer is a finding, too.

    Raises:
        AzureCliError: Azure does not answer which resource providers and regions there are.
    """
    root = f"/subscriptions/{subscription}"
    yield _check_default_subscription(subscription)
    providers = _list_objects(ask(f"{root}/providers?api-version=2021-04-01"))
    yield from _check_providers(providers)
    if environment.front_door:
        yield _check_offer(ask(f"{root}?api-version=2022-12-01"))
    nearest = _sort_by_distance(environment.location, _list_objects(ask(f"{root}/locations?api-version=2022-12-01")))

    def explain_or_error(explain: Callable[[Location], str], location: Location) -> str:
        try:
            return explain(location)
        except azure_cli.AzureCliError as error:
            return f"{NO_ANSWER} {error}"

    def check(what: str, wanted: str, explain: Callable[[Location], str]) -> Finding:
        """Ask for the environment's region and, if it cannot, for the others, the nearest first."""
        reason = explain_or_error(explain, environment.location)
        if not reason:
            return Finding(what, wanted, f"{environment.location} has it", possible=True)
        if reason.startswith(NO_ANSWER):
            return Finding(what, wanted, reason, possible=False, advice=ASK_AGAIN)
        other = next((location for location in nearest if not explain_or_error(explain, location)), None)
        advice = f"the nearest that has it: {other}" if other else "no region that can be chosen has it"
        return Finding(what, wanted, reason, possible=False, advice=advice)

    database = environment.database
    geo_backup = "geo backup" if database.geo_redundant_backup else None
    wanted = ", ".join(part for part in (database.sku, database.high_availability, geo_backup) if part)

    def explain_database(location: Location) -> str:
        path = f"{root}/providers/Microsoft.DBforPostgreSQL/locations/{location}/capabilities"
        return _explain_database(environment, ask(f"{path}?api-version=2025-08-01"))

    yield check("PostgreSQL", wanted, explain_database)
    tier = PLAN_SKUS[environment.web_app.sku[0]]
    web = f"{root}/providers/Microsoft.Web"

    def explain_plan(location: Location) -> str:
        regions = ask(f"{web}/geoRegions?sku={tier}&linuxWorkersEnabled=true&{VERSION}")
        names = {_normalize(region["name"]) for region in _list_objects(regions)}
        return "" if location in names else f"{location} has no {tier} on Linux"

    yield check("App Service", f"{environment.web_app.sku} on Linux", explain_plan)
    yield from _check_quota(environment, lambda: ask(f"{web}/locations/{environment.location}/usages?{VERSION}"))
    clusters = {_normalize(name) for name in _list_locations(providers, "Microsoft.Cache", "redisEnterprise")}
    yield check(
        "Managed Redis",
        environment.cache.sku,
        lambda location: "" if location in clusters else f"{location} has no Managed Redis for this subscription",
    )


def _check_default_subscription(subscription: str) -> Finding:
    """A bare `az` command of a page talks to the CLI's default, whatever the settings say."""
    default = azure_cli.get_default_subscription()
    same = default == subscription
    advice = "" if same else f"az account set --subscription {subscription}"
    return Finding("the CLI's default", subscription, default, same, advice)


def _check_providers(providers: Sequence[Mapping[str, JsonValue]]) -> Iterator[Finding]:
    registered = {
        str(provider["namespace"]).lower()
        for provider in providers
        if provider.get("registrationState") == "Registered"
    }
    missing = [name for name in NAMESPACES if f"microsoft.{name}".lower() not in registered]
    commands = "; ".join(f"az provider register --namespace Microsoft.{name} --wait" for name in missing)
    answer = f"not registered: {', '.join(missing)}" if missing else "all registered"
    yield Finding("resource providers", f"{len(NAMESPACES)} of them", answer, not missing, commands)


def _check_offer(answer: Mapping[str, JsonValue]) -> Finding:
    policies = cast(Mapping[str, JsonValue], answer.get("subscriptionPolicies") or {})
    offer = str(policies.get("quotaId", "unknown"))
    possible = not offer.startswith(NO_FRONT_DOOR)
    advice = "" if possible else "change the offer to Pay-As-You-Go, or set front_door=None"
    return Finding("Front Door", "an offer that may have it", offer, possible, advice)


def _explain_database(environment: Environment, answer: Mapping[str, JsonValue]) -> str:
    """Return why a region cannot have the environment's database, or an empty text."""
    capabilities = _list_objects(answer)
    if not capabilities:
        return "the region has no flexible servers"
    capability, settings = capabilities[0], environment.database
    if capability.get("restricted") == "Enabled":
        return f"closed to this subscription: {capability.get('reason') or 'Azure gives no reason'}"
    skus = {
        str(sku.get("name")): sku
        for edition in _list_objects(capability, "supportedServerEditions")
        for sku in _list_objects(edition, "supportedServerSkus")
    }
    name = settings.sku.partition("_")[2]
    if name not in skus:
        return f"no {name} here"
    modes = cast(Sequence[str], skus[name].get("supportedHaMode") or ())
    if settings.high_availability and settings.high_availability not in modes:
        return f"{name} has no {settings.high_availability} here"
    if settings.geo_redundant_backup and capability.get("geoBackupSupported") != "Enabled":
        return "no geo-redundant backup here"
    return ""


def _check_quota(environment: Environment, ask: Callable[[], Mapping[str, JsonValue]]) -> Iterator[Finding]:
    """Yield a finding for each quota that names the plan's sku, its tier, or all machines.

    Public refusals name either: https://github.com/Azure/azure-cli/issues/31665 (`PremiumV3 VMs`),
    https://github.com/Azure/Commercial-Marketplace-SaaS-Accelerator/issues/854 (`Basic VMs`) and
    https://github.com/DataDog/stratus-red-team/pull/875 (`Total VMs`).
    """
    sku, workers = environment.web_app.sku, environment.web_app.workers
    if environment.web_app.autoscale:
        workers = environment.web_app.autoscale.maximum
    try:
        answer = ask()
    except azure_cli.AzureCliError as error:
        answered = f"{NO_ANSWER} {error}"
        yield Finding("App Service quota", f"{workers} of {sku}", answered, possible=False, advice=ASK_AGAIN)
        return
    names = {sku.lower(), PLAN_SKUS[sku[0]].lower(), "total"}
    for usage in _list_objects(answer):
        name = str(cast(Mapping[str, JsonValue], usage.get("name") or {}).get("value", ""))
        if not names & set(name.lower().split()):
            continue
        used, limit = cast(int, usage.get("currentValue", 0)), cast(int, usage.get("limit", 0))
        left = limit - used
        advice = "" if left >= workers else "ask for more in the portal, under Quotas"
        answered = f"{name}: {left} of {limit} left"
        yield Finding("App Service quota", f"{workers} of {sku}", answered, left >= workers, advice)


def _list_locations(providers: Sequence[Mapping[str, JsonValue]], namespace: str, type_: str) -> Sequence[str]:
    """Return the regions in which a resource provider has a type."""
    for provider in providers:
        if str(provider["namespace"]).lower() == namespace.lower():
            for resource_type in _list_objects(provider, "resourceTypes"):
                if str(resource_type["resourceType"]).lower() == type_.lower():
                    return cast(Sequence[str], resource_type["locations"])
    return ()


def _sort_by_distance(location: Location, regions: Sequence[Mapping[str, JsonValue]]) -> Sequence[Location]:
    """Return the other regions that the settings can name, the nearest first."""
    places: dict[str, tuple[float, float]] = {}
    for region in regions:
        metadata = cast(Mapping[str, JsonValue], region.get("metadata") or {})
        if "latitude" in metadata:
            places[str(region["name"])] = (float(str(metadata["latitude"])), float(str(metadata["longitude"])))
    here = places.get(location, (0.0, 0.0))
    others = [other for other in get_args(Location) if other != location and other in places]
    return sorted(others, key=lambda other: _measure_distance(here, places[other]))


def _measure_distance(one: tuple[float, float], two: tuple[float, float]) -> float:
    """Return the angle between two places on the globe: https://en.wikipedia.org/wiki/Haversine_formula."""
    (latitude, longitude), (other_latitude, other_longitude) = (tuple(map(math.radians, place)) for place in (one, two))
    half = math.sin((other_latitude - latitude) / 2) ** 2
    half += math.cos(latitude) * math.cos(other_latitude) * math.sin((other_longitude - longitude) / 2) ** 2
    return 2 * math.asin(math.sqrt(half))


def _list_objects(body: Mapping[str, JsonValue], name: str = "value") -> list[dict[str, JsonValue]]:
    return cast(list[dict[str, JsonValue]], body.get(name) or [])


def _normalize(region: JsonValue) -> str:
    """Return a region's name as an id: `East US 2` is `eastus2`."""
    return str(region).replace(" ", "").lower()


def format_findings(findings: Sequence[Finding]) -> str:
    """Return the findings as a table."""
    rows = [
        ["" if finding.possible else "NO", finding.what, finding.wanted, finding.answer, finding.advice]
        for finding in findings
    ]
    return tabulate(rows, ["", "question", "wanted", "Azure's answer", "what to do"], maxcolwidths=[2, 20, 30, 45, 45])


def ask_azure(path: str) -> Mapping[str, JsonValue]:
    """Return Resource Manager's answer, asked by the Azure CLI.

    Raises:
        AzureCliError: there is no answer.
    """
    return cast(Mapping[str, JsonValue], json.loads(azure_cli.get_resource(path)))


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m operations.capabilities", description="Ask Azure whether it can have an environment."
    )
    parser.add_argument("environment", choices=list(ENVIRONMENTS))
    arguments = parser.parse_args()
    try:
        platform = load()
        environment = platform.environments[arguments.environment]
        subscription = platform.shared.account.subscription_id
        print(f"Asking Azure about {environment.name} in {environment.location}.", flush=True)
        findings = list(find_capabilities(environment, subscription, ask_azure))
    except (SettingsError, azure_cli.AzureCliError) as error:
        print(f"capabilities: {error}", file=sys.stderr)
        return 1
    print(format_findings(findings))
    return 0 if all(finding.possible for finding in findings) else CANNOT


if __name__ == "__main__":
    sys.exit(main())
