"""No tracked file has the markers that git leaves where a merge has a conflict."""

import re

from tests.docs.repository import format_line, iter_matches

MARKER = re.compile(r"^(<{7}|>{7}) ")


def test_no_merge_conflict_is_left() -> None:
    """Guards against a page that shows both sides of a merge. The hook of `make hooks` looks only while git merges."""
    assert [format_line(*match) for match in iter_matches(MARKER)] == []
