"""A copy of what a synth reads, for tests that change settings where their author changes them: in the files."""

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
    "scripts",
    "stacks",
    "tools",
)


def copy_project(to: Path) -> Path:
    """Copy the program and its settings, without what it has synthesized; returns the copy's root."""
    for part in PARTS:
        shutil.copytree(ROOT / part, to / part, ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("main.py", "cdktf.json"):
        shutil.copy(ROOT / file, to / file)
    return to


def edit(file: Path, old: str, new: str) -> None:
    """Replace text that stands exactly once in a file."""
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file.name}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def run(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run this Python in the copy."""
    return subprocess.run([sys.executable, *arguments], cwd=project, capture_output=True, text=True, check=False)
