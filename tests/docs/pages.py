"""What tests of pages share: parts of a page that the code knows better than a writer."""

import re
from pathlib import Path

import pytest

DOCS = Path("docs")


def assert_written(page: Path, part: str, expected: str, config: pytest.Config) -> None:
    """The part of the page between its two marks is what is expected; `make snapshots` writes it anew.

    Raises:
        AssertionError: it is not, or the page has no such part.
    """
    begin, end = f"<!-- {part}: written by `make snapshots` -->\n", f"<!-- end of {part} -->"
    marked = re.compile(f"(?<={re.escape(begin)}).*(?={re.escape(end)})", re.DOTALL)
    text = page.read_text(encoding="utf-8")
    found = marked.search(text)
    assert found, f"{page} has no part {part!r}"
    if config.getoption("update_snapshots"):
        page.write_text(marked.sub(lambda _: expected, text), encoding="utf-8")
    else:
        assert found.group() == expected, f"{page} is not what the code says: make snapshots"
