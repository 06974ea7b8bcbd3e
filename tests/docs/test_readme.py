"""What the README, its picture and a decision record say of the code. `make snapshots` writes the tables anew."""

import re
from pathlib import Path

import pytest

from environments.settings import Environment
from tests.docs.pages import DOCS, assert_written
from tests.docs.test_contracts import table
from tests.support import platform, resources, synthesized

README = Path("README.md")
TABLE = re.compile(r"(?<=---------\n)(?:\w+ +\d+ +\d+  .*\n)+")
# The design's list of capabilities and shapes; what else there is has a reason in the decision record.
PLANNED = (
    "network web_app static_site database cache key_vault email observability alerts dns edge storage registry budget "
    "state_backend ci_identity tags private_endpoint diagnostics"
)


def counted(stack: str) -> tuple[int, int]:
    """How many resources a stack has, and of how many types."""
    types = [each.type for each in resources() if each.stack == stack]
    return len(types), len(set(types))


def test_the_output_of_make_synth_is_what_it_prints(pytestconfig: pytest.Config) -> None:
    printed = TABLE.search(README.read_text())
    assert printed
    seconds = {stack: taken for stack, *_, taken in (line.split() for line in printed.group().splitlines())}
    rows = ""
    for stack in synthesized():
        number, types = counted(stack)
        file = f"cdktf.out/stacks/{stack}/cdk.tf.json"
        rows += f"{stack:<10}{number:>13}{types:>9}  {file:<39}{seconds.get(stack, '0.20'):>11}\n"
    if pytestconfig.getoption("update_snapshots"):
        README.write_text(TABLE.sub(rows, README.read_text()))
    else:
        assert printed.group() == rows, "README.md is not what `make synth` prints: make snapshots"


def test_the_table_of_environments_is_what_they_have(pytestconfig: pytest.Config) -> None:
    environments = platform().environments
    rows = [
        ["API: App Service", *map(app, environments.values())],
        ["PostgreSQL 17", *map(database, environments.values())],
        ["Managed Redis", *map(cache, environments.values())],
        ["Front Door", *("with rate limits" if each.front_door else "" for each in environments.values())],
        ["About, USD a month", *map(price, environments)],
    ]
    assert_written(README, "the environments", table(f" | {' | '.join(environments)}", rows), pytestconfig)


def app(environment: Environment) -> str:
    """The plan of the API in a few words."""
    plan = environment.web_app
    workers = f"x{plan.autoscale.minimum} to x{plan.autoscale.maximum}" if plan.autoscale else f"x{plan.workers}"
    return f"{plan.sku} {workers}{' over zones' if plan.zone_balanced else ''}{', slot' if plan.slot else ''}"


def database(environment: Environment) -> str:
    """The database server in a few words."""
    server = environment.database
    extras = [server.high_availability or "", "geo backup" if server.geo_redundant_backup else ""]
    sku = server.sku.split("Standard_")[1]
    parts = [sku, f"{server.storage_gb} GB", f"backups {server.backup_retention_days} days", *extras]
    return ", ".join(part for part in parts if part)


def cache(environment: Environment) -> str:
    """The cache in a few words."""
    redis = environment.cache
    parts = [
        redis.sku,
        "high availability" if redis.high_availability else "",
        f"snapshot every {redis.persistence}" if redis.persistence else "",
    ]
    return ", ".join(part for part in parts if part)


def price(name: str) -> str:
    """What the environment's file says that it costs."""
    said = re.search(r"About (\d+) USD", Path(f"environments/{name}.py").read_text())
    return said[1] if said else "?"


def test_the_picture_shows_productions_topology() -> None:
    production = platform().environments["production"]
    picture = (DOCS / "images/production.svg").read_text()
    for chosen, drawn in (
        (production.front_door, "WAF with rate limits"),
        (production.web_app.zone_balanced and production.web_app.autoscale, "zone balanced, autoscale"),
        (production.web_app.slot, "slot for deployments"),
        (production.database.high_availability == "ZoneRedundant", "standby in another zone"),
        (production.database.pgbouncer, "PgBouncer"),
        (production.database.geo_redundant_backup, "geo-redundant backups"),
        (production.cache.high_availability, "high availability"),
        (production.cache.persistence, "snapshots"),
        (production.alerts.teams, "to mail and to Teams"),
    ):
        assert bool(chosen) == (drawn in picture), drawn


def test_a_file_that_was_not_planned_has_its_reason() -> None:
    record = (DOCS / "adr/0007-more-files-than-planned.md").read_text()
    explained = set(re.findall(r"^\| `(\w+)\.py` \|", record, re.MULTILINE))
    there = {path.stem for path in Path("constructs_lib").glob("*.py")} - {"__init__"}
    assert there == set(PLANNED.split()) | explained
