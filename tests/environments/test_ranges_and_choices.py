"""Every range of a number and every closed choice: values inside are accepted, values just outside are refused.

The bounds are written here by hand. The choices, and the descriptions in the messages, are read from the models.
"""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from environments.base import Settings, find_model
from environments.naming import ZONED_LOCATIONS
from environments.settings import Environment, KeyVaultSettings, Shared
from tests.environments.changes import Changes, change_settings, check, find_problems, get_written
from tests.environments.fields import fill, list_choices, read_choices

NO_CHANGES: Changes = {}


class Range(NamedTuple):
    """A setting that may be any integer from `lowest` to `highest`.

    `others` are changes that it needs, so that the range is the only rule which refuses a value.
    """

    where: str
    field: str
    lowest: int
    highest: int
    others: Changes = NO_CHANGES


class Choice(NamedTuple):
    """A setting that may be one of a few values. `others` are changes that it needs."""

    where: str
    field: str
    others: Changes | Callable[[object], Changes] = NO_CHANGES

    def get_others(self, choice: object) -> Changes:
        """Return the changes that a choice needs."""
        return self.others(choice) if callable(self.others) else self.others


def choose_replication(location: object) -> Changes:
    """Return a replication of the state that a region has."""
    return {"state.replication": "ZRS" if location in ZONED_LOCATIONS else "GRS"}


RANGES = (
    Range("staging", "web_app.workers", 1, 30),
    Range("staging", "web_app.web_concurrency", 1, 16),
    Range("staging", "jobs.migrate_minutes", 1, 240),
    Range("staging", "jobs.console_minutes", 1, 480),
    Range(
        "production",
        "web_app.autoscale.minimum",
        1,
        30,
        others={
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
        others={"web_app.zone_balanced": False, "web_app.autoscale.minimum": 1, "web_app.autoscale.maximum": 30},
    ),
    Range(
        "production",
        "web_app.autoscale.maximum",
        1,
        30,
        others={
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
        others={"web_app.autoscale.scale_in_below_cpu_percent": 5},
    ),
    Range("staging", "database.backup_retention_days", 7, 35),
    Range("staging", "database.maintenance_hour_utc", 0, 23),
    Range("staging", "key_vault.soft_delete_days", 7, 90, others={"key_vault": KeyVaultSettings()}),
    Range(
        "staging", "front_door.api_requests_a_minute", 11, 100_000, others={"front_door.sign_in_requests_a_minute": 10}
    ),
    Range(
        "staging", "front_door.sign_in_requests_a_minute", 10, 1_000, others={"front_door.api_requests_a_minute": 2_000}
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
    Choice("staging", "application_environment"),
    Choice("staging", "jobs.cpu"),
    Choice("staging", "location"),
    Choice("shared", "location", others=choose_replication),
    Choice("staging", "domain.own_names", others={"domain.delegated": True}),
    Choice("dev", "web_app.sku"),
    Choice("staging", "static_site.tier"),
    Choice("staging", "static_site.location"),
    Choice("dev", "database.sku"),
    Choice("staging", "database.storage_gb"),
    Choice("production", "database.high_availability"),
    Choice("staging", "database.maintenance_day"),
    Choice("staging", "cache.sku"),
    Choice("staging", "cache.eviction"),
    Choice("production", "cache.persistence"),
    Choice("staging", "email.domain", others={"email.sender": "donotreply"}),
    Choice("staging", "email.data_location"),
    Choice("staging", "alerts.web_test_minutes"),
    Choice("staging", "observability.retention_days"),
    Choice("shared", "observability.retention_days"),
    Choice("staging", "storage.replication"),
    Choice("shared", "registry.sku"),
    Choice("shared", "state.replication"),
)


@pytest.mark.parametrize("row", RANGES, ids=lambda row: f"{row.where}-{row.field}")
def test_a_range(row: Range) -> None:
    for inside in (row.lowest, row.highest):
        check({row.where: {**row.others, row.field: inside}})
    # Signing in must have the stricter limit, so the lowest value that is accepted is one above the bound of the range.
    bound = 10 if row.field == "front_door.api_requests_a_minute" else row.lowest
    for outside, right in (
        (bound - 1, f"must be at least {bound}"),
        (row.highest + 1, f"must be at most {row.highest}"),
    ):
        assert find_problems({row.where: {**row.others, row.field: outside}}) == [
            fill(f"{row.where}: {row.field} = {outside}: {right} (<description>)")
        ]


@pytest.mark.parametrize(("value", "right"), [(4, "must be at least 5"), (81, "must be at most 80")])
def test_the_cpu_below_which_a_worker_is_removed(value: int, right: str) -> None:
    """80 itself is refused by another rule: it must be at most half of the other percentage, which is at most 95."""
    field = "web_app.autoscale.scale_in_below_cpu_percent"
    check({"production": {field: 5}})
    assert find_problems({"production": {field: 80}}) == [
        f"production: {field} = 80: must be at most half of scale_out_above_cpu_percent (70), or the plan flaps"
    ]
    assert find_problems({"production": {field: value}}) == [
        fill(f"production: {field} = {value}: {right} (<description>)")
    ]


@pytest.mark.parametrize("where", ["staging", "shared"])
@pytest.mark.parametrize(
    ("value", "right"),
    [
        (0.04, "must be at least 0.05"),
        (100.1, "must be at most 100.0"),
        (float("inf"), "must be a finite number"),
        (float("nan"), "must be a finite number"),
    ],
)
def test_the_daily_cap(where: str, value: float, right: str) -> None:
    field = "observability.daily_cap_gb"
    for inside in (0.05, 0.5, 100):
        check({where: {field: inside}})
    assert find_problems({where: {field: value}}) == [fill(f"{where}: {field} = {value!r}: {right} (<description>)")]


@pytest.mark.parametrize("row", CHOICES, ids=lambda row: f"{row.where}-{row.field}")
def test_a_choice(row: Choice) -> None:
    choices = read_choices(row.where, row.field)
    for choice in choices:
        check({row.where: {**row.get_others(choice), row.field: choice}})
    for value in {"Nonsense", None}.difference(choices):
        assert find_problems({row.where: {**row.get_others(value), row.field: value}}) == [
            fill(f"{row.where}: {row.field} = {value!r}: must be one of {list_choices(choices)} (<description>)")
        ]


def test_a_setting_that_is_left_out_has_its_default() -> None:
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


def find_bounded_fields(model: type[Settings], prefix: str = "") -> set[str]:
    """Return the paths of all fields, in a model and in the models inside it, that have a bound or a closed choice."""
    bounded: set[str] = set()
    for name, field in model.model_fields.items():
        if inner_model := find_model(field):
            bounded |= find_bounded_fields(inner_model, f"{prefix}{name}.")
        is_range = any(hasattr(rule, "ge") or hasattr(rule, "le") for rule in field.metadata)
        if is_range or "Literal" in repr(field.annotation):
            bounded.add(f"{prefix}{name}")
    return bounded


@pytest.mark.parametrize(("where", "model"), [("staging", Environment), ("shared", Shared)])
def test_the_tables_name_every_range_and_choice(where: str, model: type[Settings]) -> None:
    """A new bound or choice in a model fails here until a row above tests it."""
    is_shared = where == "shared"
    fields_in_tables = {row.field for row in (*RANGES, *CHOICES) if (row.where == "shared") is is_shared}
    fields_with_tests = {"observability.daily_cap_gb", "web_app.autoscale.scale_in_below_cpu_percent"}
    fields = find_bounded_fields(model)
    assert len(fields) > (5 if is_shared else 25)
    assert fields - fields_in_tables - fields_with_tests == set()


def test_a_changed_copy_does_not_change_what_is_written() -> None:
    before = dict(vars(get_written("dev")))
    assert change_settings(get_written("dev"), {"web_app.workers": 2}) != get_written("dev")
    assert vars(get_written("dev")) == before
