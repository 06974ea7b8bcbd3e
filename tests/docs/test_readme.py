"""README's tree of folders, its picture, and a decision record, against the code."""

import re
from pathlib import Path

import pytest

from tests.docs.repository import DOCS, list_tracked_files
from tests.support import load_platform

README = Path("README.md")
LAYOUT = re.compile(r"^## Layout\n.*?^```\w*\n(?P<tree>.*?)^```$", re.MULTILINE | re.DOTALL)
# One file for each of these was planned from the start. Decision 0007 gives the reason for every other file.
PLANNED = (
    "network web_app static_site database cache key_vault email observability alerts dns edge storage registry budget "
    "state_backend ci_identity tags private_endpoint diagnostics"
)


def read_layout() -> list[Path]:
    """Return the paths that the lines of README's layout begin with."""
    match = LAYOUT.search(README.read_text(encoding="utf-8"))
    assert match, "README.md has no fenced block under '## Layout'"
    return [Path(line.split()[0]) for line in match["tree"].splitlines() if line.strip()]


def test_layout_names_every_top_level_folder() -> None:
    folders = {path.parts[0] for path in list_tracked_files() if len(path.parts) > 1}
    assert folders - {path.parts[0] for path in read_layout()} == set()


@pytest.mark.parametrize("parent", ["operations", "rehearsal"])
def test_layout_names_every_folder_of(parent: str) -> None:
    folders = {Path(*path.parts[:2]) for path in list_tracked_files() if path.parts[0] == parent and path.parts[2:]}
    assert folders
    assert folders - set(read_layout()) == set()


@pytest.mark.parametrize("folder", ["operations", "rehearsal"])
def test_layout_names_every_module_of(folder: str) -> None:
    files = {path for path in list_tracked_files() if path.parent == Path(folder) and path.suffix == ".py"}
    modules = files - {Path(folder, "__init__.py")}
    assert len(modules) > 3
    assert modules - set(read_layout()) == set()


def test_layout_names_nothing_that_is_not_there() -> None:
    assert [str(path) for path in read_layout() if not path.exists()] == []


def test_picture_shows_the_topology_of_production() -> None:
    production = load_platform().environments["production"]
    picture = (DOCS / "images/production.svg").read_text()
    for setting, label in (
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
        assert bool(setting) == (label in picture), label


def test_every_file_of_constructs_lib_that_was_not_planned_has_its_reason() -> None:
    record = (DOCS / "adr/0007-more-files-than-planned.md").read_text()
    explained = set(re.findall(r"^\| `(\w+)\.py` \|", record, re.MULTILINE))
    files = {path.stem for path in Path("constructs_lib").glob("*.py")} - {"__init__"}
    assert files == set(PLANNED.split()) | explained
