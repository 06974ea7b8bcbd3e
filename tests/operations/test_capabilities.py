"""operations/capabilities.py, with answers in the form of Azure's REST API.

https://learn.microsoft.com/rest/api/postgresql/capabilities-by-location/list,
https://learn.microsoft.com/rest/api/appservice/list-geo-regions, https://learn.microsoft.com/rest/api/resources/providers/list
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from pydantic import JsonValue

from environments import load
from operations import azure_cli
from operations.capabilities import NAMESPACES, Finding, find_capabilities, format_findings

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
ROOT = f"/subscriptions/{SUBSCRIPTION}"
Answers = dict[str, Any]


def make_database(**changes: object) -> Answers:
    skus: list[Answers] = [
        {"name": "Standard_B1ms", "supportedHaMode": []},
        {"name": "Standard_D2ds_v5", "supportedHaMode": ["SameZone", "ZoneRedundant"]},
    ]
    editions: list[Answers] = [{"name": "GeneralPurpose", "supportedServerSkus": skus}]
    known: Answers = {"restricted": "Disabled", "geoBackupSupported": "Enabled", "supportedServerEditions": editions}
    return {"value": [known | changes]}


def make_answers() -> Answers:
    """Return the answers of a subscription that can have production in eastus2, by the path without its query."""
    providers: list[Answers] = [
        {"namespace": f"Microsoft.{name}", "registrationState": "Registered", "resourceTypes": []}
        for name in NAMESPACES
    ]
    for provider in providers:
        if provider["namespace"] == "Microsoft.Cache":
            provider["resourceTypes"] = [{"resourceType": "redisEnterprise", "locations": ["East US 2", "Central US"]}]
    places = {"eastus2": (36.7, -78.4), "centralus": (41.6, -93.6), "westeurope": (52.4, 4.9)}
    return {
        ROOT: {"subscriptionPolicies": {"quotaId": "PayAsYouGo_2014-09-01"}},
        f"{ROOT}/providers": {"value": providers},
        f"{ROOT}/locations": {
            "value": [
                {"name": name, "metadata": {"latitude": str(latitude), "longitude": str(longitude)}}
                for name, (latitude, longitude) in places.items()
            ]
        },
        **{
            f"{ROOT}/providers/Microsoft.DBforPostgreSQL/locations/{name}/capabilities": make_database()
            for name in places
        },
        f"{ROOT}/providers/Microsoft.Web/geoRegions": {"value": [{"name": "East US 2"}, {"name": "West Europe"}]},
        f"{ROOT}/providers/Microsoft.Web/locations/eastus2/usages": {"value": []},
    }


@pytest.fixture(autouse=True)
def _default_subscription(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(azure_cli, "get_default_subscription", lambda: SUBSCRIPTION)


def find(answers: Answers, environment: str = "production") -> list[Finding]:
    def ask(path: str) -> Mapping[str, JsonValue]:
        return answers[path.partition("?")[0]]

    return list(find_capabilities(load().environments[environment], SUBSCRIPTION, ask))


def test_a_subscription_that_can_have_it_gets_no_advice() -> None:
    findings = find(make_answers())
    assert [finding.what for finding in findings] == [
        "the CLI's default", "resource providers", "Front Door", "PostgreSQL", "App Service", "Managed Redis",
    ]  # fmt: skip
    assert all(finding.possible and not finding.advice for finding in findings)
    assert "Front Door" not in [finding.what for finding in find(make_answers(), "dev")], "dev has none"


def restrict_database(answers: Answers) -> None:
    path = f"{ROOT}/providers/Microsoft.DBforPostgreSQL/locations/eastus2/capabilities"
    answers[path] = make_database(restricted="Enabled", reason="Provisioning is restricted in this region.")


def remove_standby(answers: Answers) -> None:
    for path in answers:
        if "/eastus2/capabilities" in path:
            answers[path]["value"][0]["supportedServerEditions"][0]["supportedServerSkus"][1]["supportedHaMode"] = []


def remove_geo_backup(answers: Answers) -> None:
    for path in answers:
        if path.endswith("/capabilities") and "westeurope" not in path:
            answers[path]["value"][0]["geoBackupSupported"] = "Disabled"


def unregister(answers: Answers) -> None:
    answers[f"{ROOT}/providers"]["value"][NAMESPACES.index("Cdn")]["registrationState"] = "NotRegistered"


def make_student(answers: Answers) -> None:
    answers[ROOT]["subscriptionPolicies"]["quotaId"] = "AzureForStudents_2018-01-01"


def close_app_service(answers: Answers) -> None:
    answers[f"{ROOT}/providers/Microsoft.Web/geoRegions"]["value"].pop(0)


def use_up_quota(answers: Answers, name: str = "P0v3 VMs") -> None:
    usage = {"name": {"value": name}, "currentValue": 8, "limit": 10}
    answers[f"{ROOT}/providers/Microsoft.Web/locations/eastus2/usages"]["value"] = [usage]


def close_redis(answers: Answers) -> None:
    for provider in answers[f"{ROOT}/providers"]["value"]:
        for resource_type in provider["resourceTypes"]:
            resource_type["locations"] = ["West Europe"]


@pytest.mark.parametrize(
    ("change", "what", "answer", "advice"),
    [
        (restrict_database, "PostgreSQL", "closed to this subscription: Provisioning is restricted", "centralus"),
        (
            remove_standby,
            "PostgreSQL",
            "Standard_D2ds_v5 has no ZoneRedundant here",
            "the nearest that has it: centralus",
        ),
        (remove_geo_backup, "PostgreSQL", "no geo-redundant backup here", "the nearest that has it: westeurope"),
        (unregister, "resource providers", "not registered: Cdn", "az provider register --namespace Microsoft.Cdn"),
        (make_student, "Front Door", "AzureForStudents_2018-01-01", "Pay-As-You-Go"),
        (close_app_service, "App Service", "eastus2 has no PremiumV3 on Linux", "the nearest that has it: westeurope"),
        (use_up_quota, "App Service quota", "2 of 10 left", "ask for more"),
        (close_redis, "Managed Redis", "eastus2 has no Managed Redis", "the nearest that has it: westeurope"),
    ],
)
def test_what_it_cannot_have_is_told_with_the_nearest_region_that_could(
    change: Callable[[Answers], None], what: str, answer: str, advice: str
) -> None:
    answers = copy.deepcopy(make_answers())
    change(answers)
    (finding,) = (finding for finding in find(answers) if not finding.possible)
    assert finding.what == what
    assert answer in finding.answer
    assert advice in finding.advice
    assert "NO" in format_findings([finding])


@pytest.mark.parametrize(
    ("unanswered", "what"),
    [
        (f"/subscriptions/{SUBSCRIPTION}", {"Front Door"}),
        (f"/subscriptions/{SUBSCRIPTION}/providers", {"resource providers", "Managed Redis"}),
        (f"/subscriptions/{SUBSCRIPTION}/locations", set[str]()),
    ],
)
def test_no_single_question_takes_the_table_away(unanswered: str, what: set[str]) -> None:
    answers = make_answers()
    restrict_database(answers)

    def ask(path: str) -> Mapping[str, JsonValue]:
        if path.partition("?")[0] == unanswered:
            raise azure_cli.AzureCliError("Forbidden", 1)
        return answers[path.partition("?")[0]]

    findings = list(find_capabilities(load().environments["production"], SUBSCRIPTION, ask))
    assert {finding.what for finding in findings if not finding.possible} == what | {"PostgreSQL"}
    assert {finding.what for finding in findings if "Forbidden" in finding.answer} == what


def test_a_cli_without_a_login_is_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> str:
        raise azure_cli.AzureCliError("Please run 'az login' to setup account.", 1)

    monkeypatch.setattr(azure_cli, "get_default_subscription", fail)
    (finding,) = (finding for finding in find(make_answers()) if not finding.possible)
    assert finding.answer == "Azure does not answer: Please run 'az login' to setup account."


def test_another_default_of_the_cli_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Guards against bare `az` commands of a page that change another subscription."""
    monkeypatch.setattr(azure_cli, "get_default_subscription", lambda: "somebody-elses")
    (finding,) = (finding for finding in find(make_answers()) if not finding.possible)
    assert finding.advice == f"az account set --subscription {SUBSCRIPTION}"


@pytest.mark.parametrize("name", ["P0v3 VMs", "PremiumV3 VMs", "Total VMs"])
def test_a_quota_is_that_of_the_sku_of_the_tier_or_of_all_machines(name: str) -> None:
    answers = make_answers()
    use_up_quota(answers, name)
    (finding,) = (finding for finding in find(answers) if not finding.possible)
    assert finding.answer == f"{name}: 2 of 10 left"
    use_up_quota(answers, "Basic VMs")
    assert all(finding.possible for finding in find(answers))


@pytest.mark.parametrize(
    ("unanswered", "what"),
    [
        ("/capabilities", ["PostgreSQL"]),
        ("/geoRegions", ["App Service"]),
        ("/usages", ["App Service quota"]),
        ("/centralus/capabilities", ["PostgreSQL"]),
    ],
)
def test_a_question_that_azure_does_not_answer_is_a_row_beside_the_others(unanswered: str, what: list[str]) -> None:
    """Guards against a table that is lost with its advice, because one resource provider is not registered."""
    answers = make_answers()
    unregister(answers)
    restrict_database(answers)

    def ask(path: str) -> Mapping[str, JsonValue]:
        if path.partition("?")[0].endswith(unanswered):
            raise azure_cli.AzureCliError("MissingSubscriptionRegistration", 1)
        return answers[path.partition("?")[0]]

    findings = list(find_capabilities(load().environments["production"], SUBSCRIPTION, ask))
    missing = [finding.what for finding in findings if not finding.possible]
    assert set(missing) == {"resource providers", "PostgreSQL", *what}
    if not unanswered.startswith("/centralus"):
        told = [finding for finding in findings if "MissingSubscriptionRegistration" in finding.answer]
        assert [finding.what for finding in told] == what
    else:
        assert "the nearest that has it: westeurope" in [finding.advice for finding in findings]
