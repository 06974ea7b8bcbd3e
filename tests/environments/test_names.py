"""Composed names: what they are, that Azure accepts all of them, and that names it would refuse are refused."""

import re
from collections.abc import Mapping
from dataclasses import FrozenInstanceError
from typing import get_args

import pytest

from environments import load
from environments.naming import (
    ENVIRONMENT_NAMES,
    LOCATION_CODES,
    LOCATION_NAMES,
    NAME_RULES,
    PAIRED_LOCATIONS,
    SHARED_NAMES,
    Kind,
    Location,
    Names,
    find_reserved_word,
)
from tests.environments.azure_names import AZURE_NAMES
from tests.environments.changes import check

PRODUCTION = {
    ("action_group", ""): "ag-augeo-prod-eus2",
    ("application_insights", "api"): "appi-augeo-api-prod-eus2",
    ("application_insights", "browser"): "appi-augeo-browser-prod-eus2",
    ("communication_service", ""): "acs-augeo-prod-x7k2",
    ("container_app_environment", ""): "cae-augeo-prod-eus2",
    ("container_app_job", "migrate"): "caj-augeo-migrate-prod-eus2",
    ("container_app_job", "console"): "caj-augeo-console-prod-eus2",
    ("email_service", ""): "acs-email-augeo-prod-x7k2",
    ("front_door", ""): "afd-augeo-prod-eus2",
    ("front_door_endpoint", ""): "fde-augeo-prod-x7k2",
    ("front_door_firewall", ""): "fdfpaugeoprodeus2",
    ("identity", "api"): "id-augeo-api-prod-eus2",
    ("identity", "jobs"): "id-augeo-jobs-prod-eus2",
    ("identity", "teams"): "id-augeo-teams-prod-eus2",
    ("identity", "plan"): "id-augeo-plan-prod-eus2",
    ("identity", "apply"): "id-augeo-apply-prod-eus2",
    ("identity", "delivery"): "id-augeo-delivery-prod-eus2",
    ("key_vault", ""): "kv-augeo-prod-x7k2",
    ("key_vault", "db"): "kv-augeo-db-prod-x7k2",
    ("log_analytics", ""): "log-augeo-prod-eus2",
    ("logic_app", ""): "logic-augeo-prod-eus2",
    ("managed_redis", ""): "amr-augeo-prod-x7k2",
    ("network_security_group", "app"): "nsg-augeo-app-prod-eus2",
    ("network_security_group", "jobs"): "nsg-augeo-jobs-prod-eus2",
    ("network_security_group", "endpoints"): "nsg-augeo-endpoints-prod-eus2",
    ("postgresql", ""): "psql-augeo-prod-x7k2",
    ("private_endpoint", "database"): "pep-augeo-database-prod-eus2",
    ("private_endpoint", "cache"): "pep-augeo-cache-prod-eus2",
    ("resource_group", ""): "rg-augeo-prod-eus2",
    ("service_plan", ""): "asp-augeo-prod-eus2",
    ("static_site", ""): "stapp-augeo-prod-eus2",
    ("storage", "uploads"): "staugeouploadsprodx7k2",
    ("storage", "evidence"): "staugeoevidenceprodx7k2",
    ("subnet", "app"): "snet-augeo-app-prod-eus2",
    ("subnet", "jobs"): "snet-augeo-jobs-prod-eus2",
    ("subnet", "endpoints"): "snet-augeo-endpoints-prod-eus2",
    ("virtual_network", ""): "vnet-augeo-prod-eus2",
    ("web_app", ""): "app-augeo-prod-x7k2",
}
SHARED = {
    ("action_group", ""): "ag-augeo-shared-eus2",
    ("container_registry", ""): "craugeosharedx7k2",
    ("identity", "plan"): "id-augeo-plan-shared-eus2",
    ("log_analytics", ""): "log-augeo-shared-eus2",
    ("resource_group", ""): "rg-augeo-shared-eus2",
    ("storage", "state"): "staugeostatesharedx7k2",
}
AZURE = {row.kind: row for row in AZURE_NAMES}
# Kinds whose names are kept shorter than Azure's page allows.
SHORTER_THAN_AZURE_ALLOWS: Mapping[Kind, int] = {
    "communication_service": 63,
    "email_service": 63,
    "logic_app": 43,
    "managed_redis": 60,
    "static_site": 40,
}
CHARACTERS = "aA0-_.("


def compose_all(names: Names, kinds: tuple[tuple[Kind, tuple[str, ...]], ...]) -> dict[tuple[Kind, str], str]:
    return {(kind, role): names.compose(kind, role) for kind, roles in kinds for role in roles}


def test_the_names_of_production() -> None:
    """Names are written out because a changed name makes Terraform replace the resource."""
    platform = load()
    assert compose_all(platform.make_names(platform.environments["production"]), ENVIRONMENT_NAMES) == PRODUCTION


def test_the_names_of_the_shared_stack() -> None:
    assert compose_all(load().shared.names, SHARED_NAMES) == SHARED


def test_every_kind_has_a_rule_here_and_one_of_azures() -> None:
    assert set(AZURE) == set(NAME_RULES) == set(get_args(Kind))


@pytest.mark.parametrize("names", ["shared", "dev", "staging", "production"])
def test_azure_accepts_every_name(names: str) -> None:
    platform = load()
    if names == "shared":
        all_names = compose_all(platform.shared.names, SHARED_NAMES)
    else:
        all_names = compose_all(platform.make_names(platform.environments[names]), ENVIRONMENT_NAMES)
    assert [name for (kind, _), name in all_names.items() if not AZURE[kind].accepts(name)] == []


@pytest.mark.parametrize(
    ("workload", "short_name", "suffix"), [("augeo", "prd1", "x7k2z"), ("ab", "p1", "000"), ("a1", "pr", "zzz")]
)
def test_azure_accepts_the_longest_and_the_shortest_names(workload: str, short_name: str, suffix: str) -> None:
    platform = check(
        {
            "shared": {"account.workload": workload, "account.name_suffix": suffix},
            "production": {"short_name": short_name},
        }
    )
    all_names = compose_all(platform.make_names(platform.environments["production"]), ENVIRONMENT_NAMES)
    all_names |= compose_all(platform.shared.names, SHARED_NAMES)
    assert [name for (kind, _), name in all_names.items() if not AZURE[kind].accepts(name)] == []


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_rule_is_no_wider_than_azures(kind: Kind) -> None:
    """The candidates have lengths around the rule's bounds, and all sorts of characters in each position."""
    rule, azure = NAME_RULES[kind], AZURE[kind]
    candidates = [
        *("a" * length for length in (1, 2, 3, 4, azure.longest, azure.longest + 1)),
        *(
            f"{first}{middle}{last}"
            for first in CHARACTERS
            for middle in ("aaa", "a-a", "a--a", "a_a", "a.a", "aAa")
            for last in CHARACTERS
        ),
    ]
    accepted = [name for name in candidates if len(name) <= rule.longest and re.fullmatch(rule.pattern, name)]
    assert accepted, "the rule refuses every candidate, so this would test nothing"
    shortest = len(rule.abbreviation) + 3  # a composed name is never shorter than its parts
    assert [name for name in accepted if len(name) >= shortest and not azure.accepts(name)] == []


@pytest.mark.parametrize("kind", get_args(Kind))
def test_a_name_may_be_as_long_as_azure_allows(kind: Kind) -> None:
    assert NAME_RULES[kind].longest == SHORTER_THAN_AZURE_ALLOWS.get(kind, AZURE[kind].longest)


@pytest.mark.parametrize(("kind", "longest"), [(kind, NAME_RULES[kind].longest) for kind in get_args(Kind)])
def test_a_name_may_be_as_long_as_the_rule_says(kind: Kind, longest: int) -> None:
    def fill_up_to(length: int) -> Names:
        without_workload = Names("", "e", "eastus2", "x7k2").compose(kind)
        hyphen = 0 if NAME_RULES[kind].compact else 1
        return Names("w" * (length - len(without_workload) - hyphen), "e", "eastus2", "x7k2")

    assert len(fill_up_to(longest).compose(kind)) == longest
    assert list(fill_up_to(longest).find_problems([(kind, ("",))], "workload")) == []
    name = fill_up_to(longest + 2).compose(kind)
    [problem] = fill_up_to(longest + 2).find_problems([(kind, ("",))], "workload")
    assert problem == (
        f"the {kind} name '{name}' has {longest + 2} characters, Azure takes {longest}: shorten workload by 2"
    )


@pytest.mark.parametrize(
    ("kind", "workload", "pattern"),
    [
        ("storage", "Augeo", r"[a-z0-9]{3,}"),
        ("storage", "au-geo", r"[a-z0-9]{3,}"),
        ("container_registry", "au_geo", r"[a-z0-9]{5,}"),
        ("key_vault", "au--geo", r"[a-z](?!.*--)[a-z0-9-]+[a-z0-9]"),
        ("managed_redis", "au--geo", r"[a-z](?!.*--)[a-z0-9-]*[a-z0-9]"),
        ("front_door_firewall", "au-geo", r"[a-z][a-z0-9]*"),
        ("web_app", "au.geo", r"[a-z][a-z0-9-]*[a-z0-9]"),
    ],
)
def test_characters_that_azure_refuses(kind: Kind, workload: str, pattern: str) -> None:
    names = Names(workload, "prod", "eastus2", "x7k2")
    assert list(names.find_problems([(kind, ("",))], "workload")) == [
        f"the {kind} name '{names.compose(kind)}' has characters that Azure refuses there ({pattern})"
    ]


# From https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-reserved-resource-name, without
# what no composed name can be: the names with "_" or ".", and "login", which is reserved only at the start.
WORDS = re.findall(
    r"\w+",
    """
    access azure bing bizspark biztalk cortana directx dotnet dynamics excel exchange forefront groove hololens hyperv
    kinect lync msdn o365 office office365 onedrive onenote outlook powerpoint sharepoint skype visio visualstudio xbox
    """,
)


@pytest.mark.parametrize("word", [*WORDS, "microsoft", "windows"])
def test_a_word_that_azure_reserves_is_refused_as_a_whole_name_and_as_a_part(word: str) -> None:
    assert find_reserved_word(word) == word
    assert find_reserved_word(f"app-{word}-prod") == word


@pytest.mark.parametrize("word", ["microsoft", "windows", "xbox"])
def test_a_word_that_azure_refuses_even_within_another(word: str) -> None:
    assert find_reserved_word(f"a{word}s") == word


@pytest.mark.parametrize(
    "name", ["backoffice", "app-backoffice-prod", "stazureuploadsprod", "bingo", "app-excelsior-dev", "app-login-dev"]
)
def test_names_that_azure_does_not_reserve(name: str) -> None:
    assert find_reserved_word(name) is None


def test_a_word_that_is_reserved_once_the_parts_are_joined() -> None:
    """In a name without hyphens, a short name and a suffix join into one word."""
    names = Names("augeo", "win", "eastus2", "dows")
    assert list(names.find_problems(ENVIRONMENT_NAMES, "short_name")) == [
        f"the storage name 'staugeo{role}windows' contains 'windows', which Azure reserves: change short_name"
        for role in ("uploads", "evidence")
    ]


@pytest.mark.parametrize(
    ("location", "code", "name"),
    [
        ("eastus2", "eus2", "East US 2"),
        ("centralus", "cus", "Central US"),
        ("westeurope", "weu", "West Europe"),
        ("northeurope", "neu", "North Europe"),
        ("italynorth", "itn", "Italy North"),
    ],
)
def test_a_location_in_names_and_in_service_health(location: Location, code: str, name: str) -> None:
    assert Names("augeo", "prod", location, "x7k2").compose("resource_group") == f"rg-augeo-prod-{code}"
    assert LOCATION_NAMES[location] == name


def test_names_cannot_be_changed() -> None:
    with pytest.raises(FrozenInstanceError):
        Names("augeo", "prod", "eastus2", "x7k2").suffix = "other"  # pyright: ignore[reportAttributeAccessIssue]


def test_every_location_has_a_code_and_a_name_and_its_pair_is_mutual() -> None:
    locations = set(get_args(Location))
    assert set(LOCATION_CODES) == set(LOCATION_NAMES) == locations
    assert len(set(LOCATION_CODES.values())) == len(set(LOCATION_NAMES.values())) == len(locations)
    assert all(PAIRED_LOCATIONS[pair] == location != pair for location, pair in PAIRED_LOCATIONS.items())
