"""Settings that are accepted: values just inside each rule, so that a rule which becomes too strict fails here."""

import pytest

from environments import ENVIRONMENTS, load
from environments.settings import AlertSettings, DatabaseSettings, WebAppSettings
from environments.shared import SHARED
from environments.validation import validate
from tests.environments.changes import Changes, change_settings, check

CHEAP: Changes = {
    "disposable": True,
    "database.high_availability": None,
    "database.geo_redundant_backup": False,
    "cache.high_availability": False,
    "cache.persistence": None,
    "web_app.zone_balanced": False,
}
GOOD: tuple[tuple[str, Changes], ...] = (
    ("dev", {"short_name": "d1"}),
    ("dev", {"short_name": "dev1"}),
    ("dev", {"domain.label": "d"}),
    ("dev", {"domain.label": "d" * 44}),
    ("dev", {"domain.label": "1-dev"}),
    ("dev", {"domain.delegated": True}),
    ("dev", {"database.server_name": "psq"}),
    ("dev", {"database.server_name": "p" * 63}),
    ("staging", {"email.sender": "n" * 64}),
    ("staging", {"email.sender": "1.no_reply-x"}),
    ("dev", {"email.sender_name": "A"}),
    ("dev", {"email.sender_name": "A" * 64}),
    ("shared", {"account.workload": "ab"}),
    ("shared", {"account.name_suffix": "abc"}),
    ("shared", {"account.workload": "augeo1", "account.name_suffix": "123"}),
    ("shared", {"account.subscription_id": "0123abcd-ef45-6789-0123-456789abcdef"}),
    ("shared", {"account.domain": "a.io"}),
    ("shared", {"account.domain": "sub-1.augeo.co.uk"}),
    ("shared", {"account.domain": "a." * 22 + "uk.co"}),
    ("shared", {"account.super_admin_email": "first.last+tag@mail.augeo.io"}),
    ("shared", {"account.alert_emails": tuple(f"{at}@augeo.example" for at in range(10))}),
    ("shared", {"account.github_repository": "Augeo-1/plat.form_x-y"}),
    ("shared", {"account.github_owner_id": "12345", "account.github_repository_id": "67890"}),
    ("shared", {"account.database_admins_name": "a"}),
    ("shared", {"account.owner_tag": "o" * 256, "account.cost_center_tag": "c" * 256}),
    ("shared", {"account.owner_tag": "o", "account.cost_center_tag": "c"}),
    *(
        (
            "dev",
            {
                "network.address_space": space,
                "network.app_subnet": app,
                "network.endpoints_subnet": endpoints,
                "jobs": None,
            },
        )
        for space, app, endpoints in (
            ("10.0.0.0/8", "10.0.0.0/24", "10.255.255.0/24"),
            ("172.16.0.0/12", "172.16.0.0/24", "172.31.255.0/24"),
            ("192.168.0.0/16", "192.168.0.0/24", "192.168.255.0/24"),
        )
    ),
    # The smallest subnet that is accepted for App Service, the smallest for endpoints, and no gap between them.
    ("dev", {"network.app_subnet": "10.10.0.0/26", "network.endpoints_subnet": "10.10.0.64/29"}),
    ("dev", {"network.app_subnet": "10.10.128.0/17", "network.endpoints_subnet": "10.10.0.0/17", "jobs": None}),
    ("dev", {"jobs.subnet": "10.10.255.224/27", "jobs.cpu": "0.25", "jobs.console_minutes": 480}),
    ("dev", {"web_app.workers": 3}),
    ("dev", {"web_app.sku": "S1", "web_app.workers": 10, "web_app.slot": True}),
    ("production", {"web_app.autoscale.default": 2, "web_app.autoscale.maximum": 2}),
    ("production", {"web_app.sku": "S1", "web_app.zone_balanced": False, "web_app.autoscale.maximum": 10}),
    ("production", {"web_app.autoscale.maximum": 30}),
    ("production", {"web_app.zone_balanced": False, "web_app.autoscale.minimum": 1}),
    ("production", {"web_app.workers": 5}),
    ("production", {"web_app.autoscale.scale_in_below_cpu_percent": 35}),
    (
        "production",
        {
            "web_app.autoscale.scale_out_above_cpu_percent": 95,
            "web_app.autoscale.scale_in_below_cpu_percent": 47,
        },
    ),
    ("production", {"web_app.zone_balanced": False, "front_door": None}),
    ("staging", {"front_door": None}),
    ("staging", {"front_door.sign_in_requests_a_minute": 999}),
    ("dev", {"database.sku": "GP_Standard_D2ds_v5", "database.high_availability": "ZoneRedundant"}),
    ("dev", {"database.sku": "MO_Standard_E2ds_v5", "database.pgbouncer": True}),
    ("dev", {"database.geo_redundant_backup": True}),
    ("dev", {"cache.persistence": "1h", "cache.loss_accepted": "ten chars."}),
    ("dev", {"cache.high_availability": True, "cache.persistence": "12h"}),
    ("staging", {"domain.delegated": True, "email.verified": True}),
    ("staging", {"email.domain": "azure", "email.sender": "donotreply"}),
    # Azure reserves these words at a name's start or as a whole name, and they are neither here.
    ("shared", {"account.workload": "login"}),
    ("shared", {"account.workload": "bingo"}),
    ("shared", {"account.workload": "xboy"}),
    ("dev", {"database.server_name": "psql-login"}),
    ("dev", {"database.server_name": "backoffice"}),
    ("dev", {"location": "italynorth", "storage.replication": "ZRS"}),
    ("shared", {"location": "italynorth", "state.replication": "ZRS"}),
    ("dev", {"disposable": True}),
    ("production", CHEAP),
    # One environment may adopt a restored server under its own name.
    ("production", {"database.server_name": "psql-augeo-restored"}),
)


@pytest.mark.parametrize(("where", "changes"), GOOD, ids=lambda part: part if isinstance(part, str) else "-".join(part))
def test_good_settings_are_accepted(where: str, changes: Changes) -> None:
    check({where: changes})


def test_the_settings_that_are_written_are_accepted() -> None:
    platform = load()
    assert list(platform.environments) == list(ENVIRONMENTS) == ["dev", "staging", "production"]
    assert all(platform.environments[name].name == name for name in platform.environments)


@pytest.mark.parametrize("name", ["dd", "d" * 16, "qa1"])
def test_a_good_name_is_accepted(name: str) -> None:
    assert list(validate(SHARED, {name: change_settings(ENVIRONMENTS["dev"], {"name": name})}).environments) == [name]


def test_the_longest_accepted_parts_fill_azures_24_characters() -> None:
    """`st`, workload, `evidence`, short name, suffix. test_bad_settings.py has a name with one character more."""
    platform = check({"shared": {"account.workload": "augeo", "account.name_suffix": "x7k2z"}})
    names = platform.make_names(platform.environments["production"])
    assert names.compose("storage", "evidence") == "staugeoevidenceprodx7k2z"
    assert len(names.compose("storage", "evidence")) == 24


def test_a_slice_may_be_written_as_a_dict() -> None:
    assert check({"dev": {"alerts": {"pages": False, "teams": True}}}).environments["dev"].alerts == change_settings(
        AlertSettings(pages=False, teams=False), {"teams": True}
    )


@pytest.mark.parametrize(
    ("sku", "tier"),
    [
        ("B1", "Basic"),
        ("B3", "Basic"),
        ("S1", "Standard"),
        ("S3", "Standard"),
        ("P0v3", "Premium"),
        ("P3v3", "Premium"),
    ],
)
def test_the_tier_of_a_plan(sku: str, tier: str) -> None:
    settings = change_settings(ENVIRONMENTS["dev"].web_app, {"sku": sku})
    assert isinstance(settings, WebAppSettings)
    assert settings.tier == tier


@pytest.mark.parametrize(
    ("sku", "tier"),
    [
        ("B_Standard_B2s", "Burstable"),
        ("GP_Standard_D4ds_v5", "General Purpose"),
        ("MO_Standard_E2ds_v5", "Memory Optimized"),
    ],
)
def test_the_tier_of_a_database(sku: str, tier: str) -> None:
    settings = change_settings(ENVIRONMENTS["dev"].database, {"sku": sku})
    assert isinstance(settings, DatabaseSettings)
    assert settings.tier == tier


@pytest.mark.parametrize(
    ("owner_id", "repository_id", "subject"),
    [("", "", "repo:augeo/platform"), ("12345", "67890", "repo:augeo@12345/platform@67890")],
)
def test_the_beginning_of_the_subject_of_a_github_token(owner_id: str, repository_id: str, subject: str) -> None:
    """Repositories created since 2026-07-15 have subjects with ids: https://docs.github.com/actions/reference/security/oidc"""
    ids = {"account.github_owner_id": owner_id, "account.github_repository_id": repository_id}
    assert check({"shared": ids}).shared.account.github_subject == subject
