"""No tracked file cites something that a reader of this repository cannot open."""

import re

from tests.docs.repository import DOCS, list_tracked_files

NUMBERED_ISSUE = re.compile(r"\bissues? #?\d", re.IGNORECASE)
"""An issue by its number alone. Issues of other projects are cited by their address, which has a slash before the number."""
DESIGN = re.compile(r"\bthe design\b|\bdesign,? section", re.IGNORECASE)
DESIGN_PAGE = DOCS / "design.md"


def find_lines(pattern: re.Pattern[str], *, unless: str) -> list[str]:
    """Return the lines of tracked files that match a pattern and do not contain a text, as `file:number: line`."""
    return [
        f"{file}:{number}: {line.strip()}"
        for file in list_tracked_files()
        for number, line in enumerate(file.read_text(encoding="utf-8", errors="ignore").splitlines(), start=1)
        if pattern.search(line) and unless not in line
    ]


def test_no_issue_is_cited_by_its_number_alone() -> None:
    """Guards against "issue 3": whose, and where? A citation has the issue's address."""
    assert find_lines(NUMBERED_ISSUE, unless="https://") == []


def test_the_design_is_cited_with_a_link() -> None:
    """Guards against "the design" without the page's path, which leaves its reader to search."""
    lines = find_lines(DESIGN, unless="design.md")
    assert [line for line in lines if not line.startswith(f"{DESIGN_PAGE}:")] == []
