"""No tracked file cites something that a reader of this repository cannot open."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.docs.repository import DOCS, list_tracked_files

NUMBERED_ISSUE = re.compile(r"\bissues? #?\d", re.IGNORECASE)
"""An issue by its number alone. The address of an issue has a slash before the number, so it does not match."""
DESIGN = re.compile(r"\bthe design\b|\bdesign,? (?:section|\d)", re.IGNORECASE)
DESIGN_PAGE = DOCS / "design.md"
LINES_NEAR = 2


def iter_matches(pattern: re.Pattern[str]) -> Iterator[tuple[Path, int, list[str]]]:
    """Yield every line of a tracked file that matches: the file, the line's index, and all lines of the file."""
    for file in list_tracked_files():
        lines = file.read_text(encoding="utf-8", errors="ignore").splitlines()
        for index, line in enumerate(lines):
            if pattern.search(line):
                yield file, index, lines


def format_line(file: Path, index: int, lines: list[str]) -> str:
    """Return `file:number: line`."""
    return f"{file}:{index + 1}: {lines[index].strip()}"


def test_no_issue_is_cited_by_its_number_alone() -> None:
    """Guards against a citation that does not say whose issue it is. An issue is cited by its full address."""
    cited = [format_line(*match) for match in iter_matches(NUMBERED_ISSUE) if "https://" not in match[2][match[1]]]
    assert cited == []


def test_the_design_is_cited_with_a_link() -> None:
    """Guards against a mention of the design, docs/design.md, that leaves its reader to search for it.

    A page must link it somewhere. In any other file the path must stand near the mention.
    """
    unlinked: list[str] = []
    for file, index, lines in iter_matches(DESIGN):
        near = lines if file.suffix == ".md" else lines[max(index - LINES_NEAR, 0) : index + LINES_NEAR + 1]
        if file != DESIGN_PAGE and not any("design.md" in line for line in near):
            unlinked.append(format_line(file, index, lines))
    assert unlinked == []
