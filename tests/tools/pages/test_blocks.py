"""tools/pages/blocks.py: what stands between the two comments is replaced, and nothing else of the page."""

from pathlib import Path

import pytest

from tools.pages.blocks import Block, MissingBlockError, find_stale_blocks, replace_block, write_blocks

PAGE = """# Title

<!-- written by make docs: one -->
old
<!-- end -->

Text between.

<!-- written by make docs: two -->
present
<!-- end -->
The last line.
"""


def make_block(page: Path, name: str, text: str) -> Block:
    return Block(page, name, lambda _present: text)


@pytest.fixture(name="page")
def _page(tmp_path: Path) -> Path:
    page = tmp_path / "page.md"
    page.write_text(PAGE, encoding="utf-8")
    return page


def test_only_the_named_block_is_written(page: Path) -> None:
    """Guards against a block that reaches to the end of a later one."""
    write_blocks([make_block(page, "one", "new\nlines\n")])
    assert page.read_text(encoding="utf-8") == PAGE.replace("old\n", "new\nlines\n")


def test_several_blocks_of_a_page_are_written(page: Path) -> None:
    """Guards against the second block being written into the page's old text."""
    write_blocks([make_block(page, "one", "1\n"), make_block(page, "two", "2\n")])
    assert page.read_text(encoding="utf-8") == PAGE.replace("old\n", "1\n").replace("present\n", "2\n")


def test_a_block_may_keep_something_of_its_present_text() -> None:
    keeps = Block(Path("page.md"), "two", lambda present: present.upper())
    assert "\nPRESENT\n<!-- end -->" in replace_block(PAGE, keeps)


def test_a_stale_block_is_found_and_a_current_one_is_not(page: Path) -> None:
    stale, current = make_block(page, "one", "new\n"), make_block(page, "two", "present\n")
    assert find_stale_blocks([stale, current]) == [stale]


def test_a_backslash_in_a_block_is_written_as_it_is() -> None:
    r"""Guards against `\1` being read as a group of the regular expression."""
    assert "a \\1 \\| b\n<!-- end -->" in replace_block(PAGE, make_block(Path("page.md"), "one", "a \\1 \\| b\n"))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("# Title\n", 0),
        ("<!-- written by make docs: one -->\nnot closed\n", 0),
        (PAGE.replace("docs: two", "docs: one"), 2),
    ],
)
def test_a_page_without_exactly_one_such_block_is_refused(text: str, number: int) -> None:
    with pytest.raises(MissingBlockError, match=rf"^notes/page\.md has {number} blocks 'one'; must have 1"):
        replace_block(text, make_block(Path("notes/page.md"), "one", ""))
