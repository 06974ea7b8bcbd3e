"""What the README, its picture and a decision record say of the code."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS
from tests.support import platform, resources

README = Path("README.md")
ROW = re.compile(r"^(shared|dev|staging|production) +(\d+) +(\d+)  ", re.MULTILINE)
# The design's list of capabilities and shapes; what else there is has a reason in the decision record.
PLANNED = (
    "network web_app static_site database cache key_vault email observability alerts dns edge storage registry budget "
    "state_backend ci_identity tags private_endpoint diagnostics bindings"
)


def counted(stack: str) -> tuple[int, int]:
    """How many resources a stack has, and of how many types."""
    types = [each.type for each in resources() if each.stack == stack]
    return len(types), len(set(types))


def test_the_output_of_make_synth_is_what_it_prints(pytestconfig: pytest.Config) -> None:
    def row(match: re.Match[str]) -> str:
        number, types = counted(match[1])
        return f"{match[1]:<10}{number:>13}{types:>9}  "

    text = README.read_text()
    assert len(ROW.findall(text)) == 4
    if pytestconfig.getoption("update_snapshots"):
        README.write_text(ROW.sub(row, text))
    else:
        assert ROW.sub(row, text) == text, "README.md is not what `make synth` prints: make snapshots"


def test_the_table_of_environments_is_what_they_have() -> None:
    table = README.read_text().split("| | dev |")[1].split("\n\n")[0]
    columns = zip(*(line.split("|")[2:5] for line in table.splitlines()[2:]), strict=True)
    for column, environment in zip(columns, platform().environments.values(), strict=True):
        app, database, cache, front_door, _ = column
        assert f"{environment.web_app.sku} x{environment.web_app.workers}" in app
        assert ("slot" in app) == environment.web_app.slot
        assert environment.database.sku.rsplit("Standard_", maxsplit=1)[1] in database
        assert f"{environment.database.storage_gb} GB" in database
        assert f"{environment.database.backup_retention_days} days" in database
        assert (environment.database.high_availability or "") in database
        assert environment.cache.sku in cache
        assert ("yes" in front_door) == (environment.front_door is not None)


def test_the_picture_shows_production_as_it_is() -> None:
    production, shared = platform().environments["production"], platform().shared
    picture = (DOCS / "images/production.svg").read_text()
    autoscale, front_door = production.web_app.autoscale, production.front_door
    assert autoscale
    assert front_door
    for fact in (
        f"in {production.location}",
        f"api.{production.domain.label}.",
        f"Virtual network {production.network.address_space}",
        f"{production.web_app.sku}, {autoscale.minimum} to {autoscale.maximum} zonal workers",
        f"rate limits {front_door.api_requests_a_minute}, {front_door.sign_in_requests_a_minute}",
        f"{production.static_site.tier}<",
        f">{production.database.sku}<",
        f"{production.database.high_availability}, PgBouncer",
        f"backups {production.database.backup_retention_days} days",
        f"{production.cache.sku}, high availability",
        f"snapshot every {production.cache.persistence}",
        f"backups: {production.storage.replication}",
        f"Log Analytics, {production.observability.retention_days} days",
        f"budget {production.budget.monthly_usd} USD",
        f"a container a stack, {shared.state.replication}",
    ):
        assert fact in picture


def test_a_file_that_was_not_planned_has_its_reason() -> None:
    record = (DOCS / "adr/0007-more-files-than-planned.md").read_text()
    explained = set(re.findall(r"^\| `(\w+)\.py` \|", record, re.MULTILINE))
    there = {path.stem for path in Path("constructs_lib").glob("*.py")} - {"__init__"}
    assert there == set(PLANNED.split()) | explained
