"""No tracked file cites something that a reader of this repository cannot open."""

import re

from tests.docs.repository import DOCS, format_line, iter_matches

NUMBERED_ISSUE = re.compile(r"\bissues? #?\d", re.IGNORECASE)
"""An issue by its number alone. The address of an issue has a slash before the number, so it does not match."""
DESIGN = re.compile(r"\bthe design\b|\bdesign,? (?:section|\d)", re.IGNORECASE)
DESIGN_PAGE = DOCS / "design.md"
LINES_NEAR = 2


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
