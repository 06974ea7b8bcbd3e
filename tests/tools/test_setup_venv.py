"""tools/setup_venv.py: it installs what is pinned, once, and does nothing the second time."""

import ast
import hashlib
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools import setup_venv

SCRIPT = Path(setup_venv.__file__)


def write_wheel(folder: Path, name: str) -> str:
    """Write the smallest wheel into `folder`, and return the requirement that pins it."""
    file = folder / f"{name}-1.0-py3-none-any.whl"
    info = f"{name}-1.0.dist-info"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr(f"{name}.py", "")
        archive.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr(f"{info}/RECORD", "")
    return f"{name} @ {file.as_uri()} --hash=sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"


def run_setup(folder: Path, *requirements: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, ".venv", *requirements],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def find_installed(folder: Path) -> set[str]:
    return {file.stem for file in folder.glob(".venv/lib/python3.*/site-packages/pinned_*.py")}


@pytest.mark.slow
def test_an_environment_follows_its_requirement_files(tmp_path: Path) -> None:
    checkout = tmp_path / "a path with a space"
    checkout.mkdir()
    (checkout / "one.txt").write_text(write_wheel(tmp_path, "pinned_one"))
    (checkout / "two.txt").write_text(write_wheel(tmp_path, "pinned_two"))
    (tmp_path / "pip.conf").write_text(f"[global]\nuser = true\ntarget = {tmp_path / 'elsewhere'}\n")

    first = run_setup(checkout, "one.txt", PIP_CONFIG_FILE=str(tmp_path / "pip.conf"), PIP_USER="1")
    assert first.returncode == 0, first.stderr
    assert first.stdout == ".venv: installing one.txt (once, and again when it changes)\n"
    assert find_installed(checkout) == {"pinned_one"}

    more = run_setup(checkout, "one.txt", "two.txt")
    assert more.stdout == ".venv: installing two.txt (once, and again when it changes)\n"
    assert find_installed(checkout) == {"pinned_one", "pinned_two"}

    for requirements in (["one.txt"], ["one.txt", "two.txt"]):
        again = run_setup(checkout, *requirements)
        assert (again.returncode, again.stdout, again.stderr) == (0, "", "")

    (checkout / "one.txt").write_text(write_wheel(tmp_path, "pinned_three"))
    changed = run_setup(checkout, "one.txt")
    assert changed.returncode == 0, changed.stderr
    assert find_installed(checkout) == {"pinned_three"}, "a package that is no longer pinned must be removed"


@pytest.mark.slow
def test_what_failed_is_not_marked_as_installed(tmp_path: Path) -> None:
    requirement = write_wheel(tmp_path, "pinned_one")
    (tmp_path / "one.txt").write_text(requirement[:-9] + "00000000\n")
    failed = run_setup(tmp_path, "one.txt")
    assert failed.returncode == 1
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in failed.stderr
    assert ".venv: pip ended with 1" in failed.stderr
    assert find_installed(tmp_path) == set()
    assert not (tmp_path / ".venv/installed.json").exists()


def test_an_old_python_is_reported_in_one_line(tmp_path: Path) -> None:
    ast.parse(
        SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 6)
    )  # an old Python must be able to parse it, to get to the message
    old = "import runpy, sys; sys.version_info = (3, 10, 13); sys.version = '3.10.13'; runpy.run_path(sys.argv[1])"
    refused = subprocess.run(
        [sys.executable, "-c", old, SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert refused.returncode == 1
    assert refused.stderr == (
        f"Python 3.11 or newer is needed; {sys.executable} is 3.10.13. Name another: make PYTHON=python3.12 ...\n"
    )


def test_a_python_without_venv_is_reported_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)  # pyright: ignore[reportUnknownLambdaType, reportUnknownArgumentType]
    with pytest.raises(SystemExit, match=r"cannot make virtual environments.*python3-venv"):
        setup_venv.create(tmp_path / ".venv")
    assert not (tmp_path / ".venv").exists()
