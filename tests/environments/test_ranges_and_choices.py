"""Every number's range and every closed choice: what is just inside is taken, what is just outside is refused.

`beside` is what must be changed as well, so that no cross-check speaks in the range's place.
"""

from collections.abc import Mapping
from typing import NamedTuple, get_args

import pytest

from environments import SettingsError
from environments.settings import Environment, KeyVaultSettings, Settings, Shared
from tests.environments.changes import Changes, changed, check, written

NO_CHANGES: Changes = {}


class Range(NamedTuple):
    """Integers from lowest to highest."""

    where: str
    field: str
    lowest: int
    highest: int
    beside: Changes = NO_CHANGES


class Choice(NamedTuple):
    """A closed choice; None among the values means that one may do without."""

    where: str
    field: str
    values: tuple[object, ...]
    beside: Changes = NO_CHANGES


RANGES = (
    Range("staging", "web_app.workers", 1, 30),
    Range("staging", "web_app.web_concurrency", 1, 16),
    Range(
        "production",
        "web_app.autoscale.minimum",
        1,
        30,
        beside={
            "web_app.zone_balanced": False,
            "web_app.workers": 30,
            "web_app.autoscale.default": 30,
            "web_app.autoscale.maximum": 30,
        },
    ),
    Range(
        "production",
        "web_app.autoscale.default",
        1,
        30,
        beside={"web_app.zone_balanced": False, "web_app.autoscale.minimum": 1, "web_app.autoscale.maximum": 30},
    ),
    Range(
        "production",
        "web_app.autoscale.maximum",
        1,
        30,
        beside={
            "web_app.zone_balanced": False,
            "web_app.workers": 1,
            "web_app.autoscale.minimum": 1,
            "web_app.autoscale.default": 1,
        },
    ),
    Range(
        "production",
        "web_app.autoscale.scale_out_above_cpu_percent",
        20,
        95,
        beside={"web_app.autoscale.scale_in_below_cpu_percent": 5},
    ),
    Range("staging", "database.backup_retention_days", 7, 35),
    Range("staging", "database.maintenance_hour_utc", 0, 23),
    Range("staging", "key_vault.soft_delete_days", 7, 90, beside={"key_vault": KeyVaultSettings()}),
    Range(
        "staging", "front_door.api_requests_a_minute", 11, 100_000, beside={"front_door.sign_in_requests_a_minute": 10}
    ),
    Range(
        "staging", "front_door.sign_in_requests_a_minute", 10, 1_000, beside={"front_door.api_requests_a_minute": 2_000}
    ),
    Range("staging", "storage.deleted_kept_days", 7, 365),
    Range("staging", "storage.backups_kept_days", 7, 3650),
    Range(
        "staging",
        "storage.evidence_kept_days",
        1,
        3650,
    ),
    Range("staging", "budget.monthly_usd", 1, 1_000_000),
    Range("shared", "state.deleted_kept_days", 30, 365),
)

CHOICES = (
    Choice("staging", "application_environment", ("development", "staging", "production")),
    Choice("staging", "location", ("eastus2", "centralus", "westeurope", "northeurope", "italynorth")),
    Choice(
        "shared",
        "location",
        ("eastus2", "centralus", "westeurope", "northeurope", "italynorth"),
        beside={"state.replication": "ZRS"},
    ),
    Choice("dev", "web_app.sku", ("B1", "B2", "B3", "S1", "S2", "S3", "P0v3", "P1v3", "P2v3", "P3v3")),
    Choice("staging", "static_site.tier", ("Free", "Standard")),
    Choice(
        "staging",
        "static_site.location",
        ("eastus2", "centralus", "westus2", "westeurope", "eastasia"),
    ),
    Choice(
        "dev",
        "database.sku",
        (
            "B_Standard_B1ms",
            "B_Standard_B2s",
            "B_Standard_B2ms",
            "GP_Standard_D2ds_v5",
            "GP_Standard_D4ds_v5",
            "GP_Standard_D8ds_v5",
            "MO_Standard_E2ds_v5",
            "MO_Standard_E4ds_v5",
        ),
    ),
    Choice(
        "staging",
        "database.storage_gb",
        (32, 64, 128, 256, 512, 1024, 2048),
    ),
    Choice("production", "database.high_availability", ("SameZone", "ZoneRedundant", None)),
    Choice(
        "staging",
        "database.maintenance_day",
        ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    ),
    Choice("staging", "cache.sku", ("Balanced_B0", "Balanced_B1", "Balanced_B3", "Balanced_B5", "Balanced_B10")),
    Choice("staging", "cache.eviction", ("VolatileLRU", "AllKeysLRU", "NoEviction")),
    Choice("production", "cache.persistence", ("1h", "6h", "12h", None)),
    Choice(
        "staging",
        "email.domain",
        ("azure", "customer"),
        beside={"email.sender": "donotreply"},
    ),
    Choice(
        "staging",
        "email.data_location",
        ("United States", "Europe", "UK"),
    ),
    Choice("staging", "observability.retention_days", (30, 60, 90, 120, 180, 270, 365, 550, 730)),
    Choice("shared", "observability.retention_days", (30, 60, 90, 120, 180, 270, 365, 550, 730)),
    Choice("staging", "storage.replication", ("LRS", "ZRS", "GRS", "GZRS")),
    Choice("shared", "registry.sku", ("Basic", "Standard", "Premium")),
    Choice("shared", "state.replication", ("ZRS", "GRS", "GZRS", "RAGZRS")),
)


def refusal(where: str, changes: Changes) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        check({where: changes})
    return refused.value.problems


def brackets(where: str, path: str) -> str:
    """What stands after an error of this field: its description in the model."""
    model: object = Shared if where == "shared" else Environment
    described = ""
    for name in path.split("."):
        assert isinstance(model, type)
        assert issubclass(model, Settings)
        field = model.model_fields[name]
        model = next((each for each in (field.annotation, *get_args(field.annotation)) if is_settings(each)), None)
        described = field.description or ""
    assert described
    return f" ({described})"


def is_settings(annotation: object) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, Settings)


@pytest.mark.parametrize("row", RANGES, ids=lambda row: f"{row.where}-{row.field}")
def test_a_range(row: Range) -> None:
    for inside in (row.lowest, row.highest):
        check({row.where: {**row.beside, row.field: inside}})
    # Signing in has the stricter limit, so that the other's lowest value is one above the range's own bound.
    bound = 10 if row.field == "front_door.api_requests_a_minute" else row.lowest
    for outside, right in (
        (bound - 1, f"must be at least {bound}"),
        (row.highest + 1, f"must be at most {row.highest}"),
    ):
        assert refusal(row.where, {**row.beside, row.field: outside}) == [
            f"{row.where}: {row.field} = {outside}: {right}{brackets(row.where, row.field)}"
        ]


def test_the_cpu_that_removes_a_worker() -> None:
    """Its upper bound (80) lies above half of the other's upper bound (95), so that the other rule speaks first."""
    field = "web_app.autoscale.scale_in_below_cpu_percent"
    said = brackets("production", field)
    check({"production": {field: 5}})
    assert refusal("production", {field: 4}) == [f"production: {field} = 4: must be at least 5{said}"]
    assert refusal("production", {field: 81}) == [f"production: {field} = 81: must be at most 80{said}"]


@pytest.mark.parametrize("where", ["staging", "shared"])
def test_the_daily_cap(where: str) -> None:
    field, said = "observability.daily_cap_gb", "(gigabytes a day; past it nothing is recorded)"
    for inside in (0.05, 0.5, 100):
        check({where: {field: inside}})
    assert refusal(where, {field: 0.04}) == [f"{where}: {field} = 0.04: must be at least 0.05 {said}"]
    assert refusal(where, {field: 100.1}) == [f"{where}: {field} = 100.1: must be at most 100.0 {said}"]
    assert refusal(where, {field: float("inf")}) == [f"{where}: {field} = inf: must be a finite number {said}"]
    assert refusal(where, {field: float("nan")}) == [f"{where}: {field} = nan: must be a finite number {said}"]


@pytest.mark.parametrize("row", CHOICES, ids=lambda row: f"{row.where}-{row.field}")
def test_a_choice(row: Choice) -> None:
    for value in row.values:
        check({row.where: {**row.beside, row.field: value}})
    *others, last = map(repr, row.values)
    known = f"{', '.join(others)} or {last}"
    for value in {"Nonsense", None}.difference(row.values):
        assert refusal(row.where, {**row.beside, row.field: value}) == [
            f"{row.where}: {row.field} = {value!r}: must be one of {known}{brackets(row.where, row.field)}"
        ]


def test_what_may_be_left_out_has_its_default() -> None:
    platform = check({"production": {"web_app.autoscale.default": 3}})
    production = platform.environments["production"]
    assert production.disposable is False
    assert production.key_vault.soft_delete_days == 90
    assert production.web_app.web_concurrency == 2
    assert production.web_app.autoscale is not None
    assert production.web_app.autoscale.scale_out_above_cpu_percent == 70
    assert production.web_app.autoscale.scale_in_below_cpu_percent == 30
    assert production.database.server_name is None
    assert production.cache.loss_accepted is None


def numbers_and_choices(where: str, model: type[Settings], path: str = "") -> Mapping[str, str]:
    """Every field of a model, and of those inside it, that has a bound or a closed choice: its path, and which."""
    found: dict[str, str] = {}
    for name, field in model.model_fields.items():
        inner = [
            each for each in (field.annotation, *getattr(field.annotation, "__args__", ())) if isinstance(each, type)
        ]
        for each in inner:
            if issubclass(each, Settings):
                found |= numbers_and_choices(where, each, f"{path}{name}.")
        if any(hasattr(rule, "ge") or hasattr(rule, "le") for rule in field.metadata):
            found[f"{path}{name}"] = "range"
        elif "Literal" in repr(field.annotation):
            found[f"{path}{name}"] = "choice"
    return found


@pytest.mark.parametrize(("where", "model"), [("staging", Environment), ("shared", Shared)])
def test_the_tables_name_every_range_and_choice(where: str, model: type[Settings]) -> None:
    """A bound that is written in the settings tomorrow, without a row above, fails here."""
    shared = where == "shared"
    covered = {row.field for row in (*RANGES, *CHOICES) if (row.where == "shared") is shared}
    own_tests = {"observability.daily_cap_gb", "web_app.autoscale.scale_in_below_cpu_percent"}
    fields = numbers_and_choices(where, model)
    assert len(fields) > (5 if shared else 25)
    assert set(fields) - covered - own_tests == set()


def test_a_changed_copy_leaves_what_is_written_alone() -> None:
    before = dict(vars(written("dev")))
    assert changed(written("dev"), {"web_app.workers": 2}) != written("dev")
    assert vars(written("dev")) == before
