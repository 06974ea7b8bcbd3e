"""Bad settings: every mistake is reported in words, the exit code is 1, and the last good synth stays as it was."""

import re
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.environments.fields import fill
from tests.environments.project import copy_project, edit, run

FileStates = dict[str, tuple[bytes, int]]
"""By path, a file's bytes and the time of its last change."""
COMMANDS = {"main.py": ("main.py",), "tools.synth": ("-m", "tools.synth"), "one": ("-m", "tools.synth", "dev")}


class Project(NamedTuple):
    """A copy of the program, with the files of a good synth in it."""

    root: Path
    good_synth: FileStates

    def read_synth(self) -> FileStates:
        """Return the state of every synthesized file."""
        return read_states(self.root / "cdktf.out")


def read_states(folder: Path) -> FileStates:
    return {
        str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = copy_project(tmp_path_factory.mktemp("bad settings"))
    completed = run(root, "main.py")
    assert (completed.returncode, completed.stderr) == (0, "")
    good_synth = read_states(root / "cdktf.out")
    assert {f"stacks/{stack}/cdk.tf.json" for stack in ("shared", "dev", "staging", "production")} < set(good_synth)
    return Project(root, good_synth)


@pytest.fixture(scope="module")
def planted(synthesized: Project) -> Project:
    """The project with five mistakes in three files, of the kinds that people make."""
    settings = synthesized.root / "environments"
    edit(settings / "shared.py", 'domain="augeo.example"', 'domain="augeo"')
    edit(settings / "dev.py", "storage_gb=32", "storage_gb=20")
    edit(settings / "dev.py", "front_door=None", "frontdoor=None")
    edit(settings / "production.py", "workers=2", "workers=200")
    return synthesized


@pytest.mark.parametrize("command", COMMANDS)
def test_every_mistake_is_reported_and_nothing_is_written(planted: Project, command: str) -> None:
    completed = run(planted.root, *COMMANDS[command])
    assert completed.returncode == 1
    assert completed.stdout == ""
    assert completed.stderr.splitlines() == [
        "5 settings are wrong; nothing was synthesized.",
        "  " + fill("shared: account.domain = 'augeo': has the wrong form (<description>)"),
        "  dev: front_door: is missing: FrontDoorSettings(...) or None",
        "  " + fill("dev: database.storage_gb = 20: must be one of <choices> (<description>)"),
        "  dev: frontdoor = None: no such setting; did you mean front_door?",
        "  " + fill("production: web_app.workers = 200: must be at most 30 (<description>)"),
    ]
    assert planted.read_synth() == planted.good_synth
    assert not list(planted.root.glob(".cdktf-synth-*")), "a temporary folder was left behind"


@pytest.mark.parametrize("command", ["main.py", "tools.synth"])
def test_a_bad_variable_is_reported_like_a_bad_setting(
    synthesized: Project, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGEO_TENANT_ID", "contoso")
    completed = run(synthesized.root, *COMMANDS[command])
    assert (completed.returncode, completed.stdout) == (1, "")
    assert "shared: account.tenant_id = 'contoso' from AUGEO_TENANT_ID: has the wrong form (a GUID" in completed.stderr
    assert "Traceback" not in completed.stderr
    assert synthesized.read_synth() == synthesized.good_synth


def test_a_misspelt_env_is_reported_with_the_valid_ones(tmp_path: Path, synthesized: Project) -> None:
    """Uses a good copy of its own, because the settings are checked before the name of the stack."""
    root = copy_project(tmp_path / "misspelt")
    completed = run(root, "-m", "tools.synth", "prod", "--output", str(synthesized.root / "cdktf.out"))
    assert (completed.returncode, completed.stdout) == (1, "")
    assert completed.stderr.splitlines() == [
        "1 setting is wrong; nothing was synthesized.",
        "  ENV = 'prod': must be one of shared, dev, staging, production",
    ]
    assert synthesized.read_synth() == synthesized.good_synth


def test_a_literal_of_any_shape_is_reported_in_words(tmp_path: Path, synthesized: Project) -> None:
    """Guards against a traceback: whatever Python can read as a literal is reported like any other mistake."""
    root = copy_project(tmp_path / "shapes")
    dev, staging = root / "environments/dev.py", root / "environments/staging.py"
    edit(dev, "AlertSettings(pages=False, web_test_minutes=15, teams=False)", "AlertSettings(False)")
    edit(dev, "monthly_usd=150", "monthly_usd=0")
    edit(staging, "AlertSettings(pages=False, web_test_minutes=15, teams=True)", '"none"')
    edit(staging, "FrontDoorSettings(api_requests_a_minute=15_000, sign_in_requests_a_minute=300)", "20")
    edit(root / "environments/__init__.py", '"production": PRODUCTION', '"production": None')
    completed = run(root, "-m", "tools.synth", "--output", str(synthesized.root / "cdktf.out"))
    assert (completed.returncode, completed.stdout) == (1, "")
    assert completed.stderr.splitlines() == [
        "6 settings are wrong; nothing was synthesized.",
        "  " + fill("dev: alerts.teams: is missing: True or False (<description>)"),
        (
            "  dev: alerts = (False,): stands there without a setting's name; "
            "known: pages, web_test_minutes, emails, teams"
        ),
        "  " + fill("dev: budget.monthly_usd = 0: must be at least 1 (<description>)"),
        "  staging: front_door = 20: must be FrontDoorSettings(...) or None",
        "  staging: alerts = 'none': must be AlertSettings(...)",
        "  production: itself = None: must be Environment(...)",
    ]
    assert synthesized.read_synth() == synthesized.good_synth


def test_python_reports_a_name_that_it_does_not_know(tmp_path: Path, synthesized: Project) -> None:
    """Python's last lines name the file, the line and the mistake. The last good synth stays."""
    root = copy_project(tmp_path / "python")
    edit(root / "environments/dev.py", "teams=False", "teams=false")
    completed = run(root, "-m", "tools.synth", "--output", str(synthesized.root / "cdktf.out"))
    assert (completed.returncode, completed.stdout) == (1, "")
    *before, last = completed.stderr.splitlines()
    assert last.startswith("NameError: ")
    assert 'environments/dev.py", line' in "".join(before[-3:])
    assert synthesized.read_synth() == synthesized.good_synth


@pytest.mark.parametrize("command", ["tools.synth", "operations.deploy", "operations.preflight", "rehearsal", "main"])
@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("storage_gb=32,", "storage_gb=32", "storage_gb=32"),
        ("DEV = Environment(", "<<<<<<< HEAD\nDEV = Environment(", "<<<<<<< HEAD"),
    ],
    ids=["no comma", "unfinished merge"],
)
def test_what_is_no_python_is_told_in_a_sentence(command: str, old: str, new: str, line: str, tmp_path: Path) -> None:
    root = copy_project(tmp_path / "python")
    edit(root / "environments/dev.py", old, new)
    completed = run(root, "-m", command)
    assert (completed.returncode, completed.stdout) == (1, "")
    assert re.fullmatch(
        rf"\S*/environments/dev.py, line \d+, is no Python: '{line}' \(invalid syntax.*\)\n", completed.stderr
    )
