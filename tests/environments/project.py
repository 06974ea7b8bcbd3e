"""A copy of the files that the commands read, for tests that change settings in the files as a person does."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = (
    "backend/.azure",
    "bindings",
    "constructs_lib",
    "environments",
    "frontend/augeo-admin/.azure",
    "operations",
    "rehearsal",
    "scripts",
    "stacks",
    "tools",
)


def copy_project(to: Path) -> Path:
    """Copy the program and its settings without any synthesized files. Return the copy's root folder."""
    for part in PARTS:
        shutil.copytree(ROOT / part, to / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("main.py", "cdktf.json"):
        shutil.copy(ROOT / file, to / file)
    return to


def edit(file: Path, old: str, new: str) -> None:
    """Replace a text in a file. It must occur there exactly once."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the Python that runs the tests in the copy, and return the completed process."""
    return subprocess.run([sys.executable, *arguments], cwd=project, capture_output=True, text=True, check=False)
