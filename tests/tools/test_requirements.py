"""requirements*.txt pin what pyproject.toml asks for, with hashes, and name no package index."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

PROJECT = tomllib.loads(Path("pyproject.toml").read_text(encoding="utf-8"))
ASKED = {
    "requirements.txt": PROJECT["project"]["dependencies"],
    "requirements-dev.txt": PROJECT["dependency-groups"]["dev"],
    "requirements-check.txt": PROJECT["dependency-groups"]["check"],
}


def read_pins(file: str) -> list[Requirement]:
    lines = Path(file).read_text(encoding="utf-8").splitlines()
    return [Requirement(line.removesuffix(" \\")) for line in lines if re.match(r"\w", line)]


@pytest.mark.parametrize(("file", "asked"), ASKED.items())
def test_every_dependency_is_pinned_as_asked_for(file: str, asked: list[str]) -> None:
    versions: dict[str, set[str]] = {}
    for pin in read_pins(file):
        (specifier,) = pin.specifier
        assert specifier.operator == "==", f"{pin} is not pinned"
        versions.setdefault(pin.name, set()).add(specifier.version)
    for requirement in map(Requirement, asked):
        pinned = versions.get(requirement.name)
        assert pinned, f"{file} lacks {requirement}: make lock"
        assert all(map(requirement.specifier.contains, pinned)), f"{file} has {pinned}, not {requirement}: make lock"


@pytest.mark.parametrize("file", ASKED)
def test_every_pin_has_its_hashes(file: str) -> None:
    text = Path(file).read_text(encoding="utf-8")
    blocks = re.findall(r"^\w[^\n]*\\\n(?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+", text, re.MULTILINE)
    assert len(blocks) == len(read_pins(file)) > 5


@pytest.mark.parametrize("file", [*ASKED, "package-lock.json", "tools/go.sum"])
def test_no_index_is_named(file: str) -> None:
    text = Path(file).read_text(encoding="utf-8")
    assert not re.search(r"--(extra-)?index-url|--find-links|\"resolved\"", text)
    assert not re.search(r"^[^#\n]*@ \w+://", text, re.MULTILINE)


def test_a_package_in_both_files_has_the_same_version() -> None:
    runtime = {pin.name: pin.specifier for pin in read_pins("requirements.txt")}
    for pin in read_pins("requirements-dev.txt"):
        assert runtime.get(pin.name, pin.specifier) == pin.specifier
