"""Asks Azure whether a subscription can have an environment where its settings put it, before the first apply.

    make capabilities ENV=dev

Each question that Azure would otherwise answer in the middle of an apply has a row: what the settings want, Azure's
answer, and what to do. If a region cannot have something, the nearest one that can is named.

Exit codes: 0 the subscription can have everything; 3 it cannot, or Azure does not answer; 1 the
settings are wrong.
"""

import argparse
import contextlib
import functools
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
    "AlertsManagement", "App", "Authorization", "Cache", "Cdn", "Communication", "Consumption", "ContainerRegistry",
    "DBforPostgreSQL", "Insights", "KeyVault", "Logic", "ManagedIdentity", "Network", "OperationalInsights", "Storage",
    "Web",
)  # fmt: skip
"""The resource providers that the stacks use; docs/quickstart.md registers them."""
PROVIDERS = ("resource providers", f"{len(NAMESPACES)} of them")
OFFER = ("Front Door", "an offer that may have it")
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
ASK_AGAIN = "log in (az login), register the resource providers, then ask again"
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
    """Yield a finding for each question. A question that Azure does not answer is a finding, too."""
    root = f"/subscriptions/{subscription}"
    regions = _Regions(root, environment, ask)
    yield from _check_or_tell(lambda: _check_default_subscription(subscription), "the CLI's default", subscription)
    yield from _check_or_tell(lambda: _check_providers(regions.list_providers()), *PROVIDERS)
    if environment.front_door:
        yield from _check_or_tell(lambda: _check_offer(ask(f"{root}?api-version=2022-12-01")), *OFFER)
    database = environment.database
    geo_backup = "geo backup" if database.geo_redundant_backup else None
    wanted = ", ".join(part for part in (database.sku, database.high_availability, geo_backup) if part)
    yield regions.check("PostgreSQL", wanted, regions.explain_database)
    yield regions.check("App Service", f"{environment.web_app.sku} on Linux", regions.explain_plan)
    usages = f"{root}/providers/Microsoft.Web/locations/{environment.location}/usages?{VERSION}"
    yield from _check_quota(environment, lambda: ask(usages))
    yield regions.check("Managed Redis", environment.cache.sku, regions.explain_cache)


class _Regions:
    """Asks for the environment's region and, if it cannot have something, for the others."""

    def __init__(self, root: str, environment: Environment, ask: Ask) -> None:
        """Ask about an environment. `root` is the subscription's path."""
        self._root = root
        self._environment = environment
        self._ask = functools.cache(ask)

    def list_providers(self) -> list[dict[str, JsonValue]]:
        return _list_objects(self._ask(f"{self._root}/providers?api-version=2021-04-01"))

    def check(self, what: str, wanted: str, explain: Callable[[Location], str]) -> Finding:
        """Return a finding about the environment's region. If it cannot, name the nearest that can.

        Args:
            what: What is asked for.
            wanted: What of it the settings want.
            explain: Returns why a region cannot have it, or an empty text.
        """
        location = self._environment.location
        try:
            reason = explain(location)
        except azure_cli.AzureCliError as error:
            return Finding(what, wanted, f"{NO_ANSWER} {error}", possible=False, advice=ASK_AGAIN)
        if not reason:
            return Finding(what, wanted, f"{location} has it", possible=True)
        return Finding(what, wanted, reason, possible=False, advice=self._advise(explain))

    def _advise(self, explain: Callable[[Location], str]) -> str:
        try:
            regions = _list_objects(self._ask(f"{self._root}/locations?api-version=2022-12-01"))
        except azure_cli.AzureCliError:
            return "another region may have it"
        for other in _sort_by_distance(self._environment.location, regions):
            with contextlib.suppress(azure_cli.AzureCliError):
                if not explain(other):
                    return f"the nearest that has it: {other}"
        return "no region that can be chosen has it"

    def explain_database(self, location: Location) -> str:
        path = f"{self._root}/providers/Microsoft.DBforPostgreSQL/locations/{location}/capabilities"
        return _explain_database(self._environment, self._ask(f"{path}?api-version=2025-08-01"))

    def explain_plan(self, location: Location) -> str:
        tier = PLAN_SKUS[self._environment.web_app.sku[0]]
        path = f"{self._root}/providers/Microsoft.Web/geoRegions"
        regions = self._ask(f"{path}?sku={tier}&linuxWorkersEnabled=true&{VERSION}")
        names = {_normalize(region["name"]) for region in _list_objects(regions)}
        return "" if location in names else f"{location} has no {tier} on Linux"

    def explain_cache(self, location: Location) -> str:
        locations = _list_locations(self.list_providers(), "Microsoft.Cache", "redisEnterprise")
        clusters = {_normalize(name) for name in locations}
        return "" if location in clusters else f"{location} has no Managed Redis for this subscription"


def _check_or_tell(check: Callable[[], Finding], what: str, wanted: str) -> Iterator[Finding]:
    """Yield a check's finding, or one that says that there is no answer."""
    try:
        yield check()
    except azure_cli.AzureCliError as error:
        yield Finding(what, wanted, f"{NO_ANSWER} {error}", possible=False, advice=ASK_AGAIN)


def _check_default_subscription(subscription: str) -> Finding:
    """A bare `az` command of a page talks to the CLI's default, whatever the settings say."""
    default = azure_cli.get_default_subscription()
    same = default == subscription
    advice = "" if same else f"az account set --subscription {subscription}"
    return Finding("the CLI's default", subscription, default, same, advice)


def _check_providers(providers: Sequence[Mapping[str, JsonValue]]) -> Finding:
    registered = {
        str(provider["namespace"]).lower()
        for provider in providers
        if provider.get("registrationState") == "Registered"
    }
    missing = [name for name in NAMESPACES if f"microsoft.{name}".lower() not in registered]
    commands = "; ".join(f"az provider register --namespace Microsoft.{name} --wait" for name in missing)
    answer = f"not registered: {', '.join(missing)}" if missing else "all registered"
    return Finding(*PROVIDERS, answer, not missing, commands)


def _check_offer(answer: Mapping[str, JsonValue]) -> Finding:
    policies = cast(Mapping[str, JsonValue], answer.get("subscriptionPolicies") or {})
    offer = str(policies.get("quotaId", "unknown"))
    possible = not offer.startswith(NO_FRONT_DOOR)
    advice = "" if possible else "change the offer to Pay-As-You-Go, or set front_door=None"
    return Finding(*OFFER, offer, possible, advice)


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
        findings = list(find_capabilities(environment, subscription, azure_cli.get_resource))
    except SettingsError as error:
        print(f"capabilities: {error}", file=sys.stderr)
        return 1
    print(format_findings(findings))
    return 0 if all(finding.possible for finding in findings) else CANNOT


if __name__ == "__main__":
    sys.exit(main())
