"""What a person sees of bad settings: all of them in words, an exit code, and the last good synth as it was."""

from pathlib import Path
from typing import NamedTuple

import pytest

from tests.environments.project import copy_project, edit, run

Written = dict[str, tuple[bytes, int]]
COMMANDS = {"main.py": ("main.py",), "tools.synth": ("-m", "tools.synth"), "one": ("-m", "tools.synth", "dev")}


class Project(NamedTuple):
    """A copy of the program with a good synth in it."""

    root: Path
    good: Written

    def written(self) -> Written:
        """Every synthesized file, with its bytes and the time of its last change."""
        return written(self.root / "cdktf.out")


def written(folder: Path) -> Written:
    return {
        str(file.relative_to(folder)): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in folder.rglob("*")
        if file.is_file()
    }


@pytest.fixture(scope="module")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Project:
    root = copy_project(tmp_path_factory.mktemp("bad settings"))
    done = run(root, "main.py")
    assert (done.returncode, done.stderr) == (0, "")
    good = written(root / "cdktf.out")
    assert {f"stacks/{stack}/cdk.tf.json" for stack in ("shared", "dev", "staging", "production")} < set(good)
    return Project(root, good)


@pytest.fixture(scope="module")
def planted(synthesized: Project) -> Project:
    """Five mistakes in three files, of the kinds that people make."""
    settings = synthesized.root / "environments"
    edit(settings / "shared.py", 'domain="augeo.example"', 'domain="augeo"')
    edit(settings / "dev.py", "storage_gb=32", "storage_gb=20")
    edit(settings / "dev.py", "front_door=None", "frontdoor=None")
    edit(settings / "production.py", "workers=2", "workers=200")
    return synthesized


@pytest.mark.parametrize("command", COMMANDS)
def test_every_mistake_is_told_and_nothing_is_written(planted: Project, command: str) -> None:
    done = run(planted.root, *COMMANDS[command])
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "5 settings are wrong; nothing was synthesized.\n"
        "  shared: account.domain = 'augeo': has the wrong form (a domain you have registered, lower case, "
        "without a trailing dot)\n"
        "  dev: front_door: is missing: FrontDoorSettings(...) or None\n"
        "  dev: database.storage_gb = 20: must be one of 32, 64, 128, 256, 512, 1024 or 2048 "
        "(the size at creation; the server grows by itself and never shrinks)\n"
        "  dev: frontdoor = None: no such setting; did you mean front_door?\n"
        "  production: web_app.workers = 200: must be at most 30 (workers before autoscale, if any, takes over)\n"
    )
    assert planted.written() == planted.good
    assert not list(planted.root.glob(".cdktf-synth-*")), "a temporary folder was left behind"


@pytest.mark.parametrize("command", ["main.py", "tools.synth"])
def test_a_bad_variable_is_told_like_a_bad_setting(
    synthesized: Project, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUGEO_TENANT_ID", "contoso")
    done = run(synthesized.root, *COMMANDS[command])
    assert (done.returncode, done.stdout) == (1, "")
    assert "shared: account.tenant_id = 'contoso' from AUGEO_TENANT_ID: has the wrong form (a GUID" in done.stderr
    assert "Traceback" not in done.stderr
    assert synthesized.written() == synthesized.good


def test_a_misspelt_env_is_told_with_the_known_ones(tmp_path: Path, synthesized: Project) -> None:
    """In a good copy of its own: whether the settings are right is asked first."""
    root = copy_project(tmp_path / "misspelt")
    done = run(root, "-m", "tools.synth", "prod", "--output", str(synthesized.root / "cdktf.out"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "1 setting is wrong; nothing was synthesized.",
        "  ENV = 'prod': must be one of shared, dev, staging, production",
    ]
    assert synthesized.written() == synthesized.good


def test_a_literal_of_any_shape_is_told_in_words(tmp_path: Path, synthesized: Project) -> None:
    """Nothing that Python can read raises where it is written."""
    root = copy_project(tmp_path / "shapes")
    dev, staging = root / "environments/dev.py", root / "environments/staging.py"
    edit(dev, "AlertSettings(teams=False)", "AlertSettings(False)")
    edit(dev, 'start="2026-12-01"', 'start="2026-02-30"')
    edit(staging, "AlertSettings(teams=True)", '"none"')
    edit(staging, "FrontDoorSettings(api_requests_a_minute=1000, sign_in_requests_a_minute=20)", "20")
    edit(root / "environments/__init__.py", '"production": PRODUCTION', '"production": None')
    done = run(root, "-m", "tools.synth", "--output", str(synthesized.root / "cdktf.out"))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        "6 settings are wrong; nothing was synthesized.",
        (
            "  dev: alerts.teams: is missing: True or False "
            "(True posts to the Teams webhook whose address the vault holds as 'teams-webhook-url')"
        ),
        "  dev: alerts = (False,): stands there without a setting's name; known: teams",
        "  dev: budget.start = '2026-02-30': is no day of the calendar",
        "  staging: front_door = 20: must be FrontDoorSettings(...) or None",
        "  staging: alerts = 'none': must be AlertSettings(...)",
        "  production: itself = None: must be Environment(...)",
    ]
    assert synthesized.written() == synthesized.good


@pytest.mark.parametrize(
    ("old", "new", "error"),
    [("storage_gb=32,", "storage_gb=32", "SyntaxError"), ("teams=False", "teams=false", "NameError")],
)
def test_what_python_cannot_read_it_tells_itself(
    old: str, new: str, error: str, tmp_path: Path, synthesized: Project
) -> None:
    """Its last lines name the file, the line and the mistake, and the last good synth stays."""
    root = copy_project(tmp_path / "python")
    edit(root / "environments/dev.py", old, new)
    done = run(root, "-m", "tools.synth", "--output", str(synthesized.root / "cdktf.out"))
    assert (done.returncode, done.stdout) == (1, "")
    *before, last = done.stderr.splitlines()
    assert last.startswith(f"{error}: ")
    assert 'environments/dev.py", line' in "".join(before[-3:])
    assert synthesized.written() == synthesized.good
