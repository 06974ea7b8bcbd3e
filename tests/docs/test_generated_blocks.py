"""The generated parts of the pages are what the code says. tests/tools/pages/ tests how they are rendered."""

import re

from tests.docs.repository import PAGES
from tests.support import synthesize_application
from tools.pages.blocks import find_stale_blocks
from tools.pages.catalog import list_blocks

MARKER = re.compile(r"^<!-- written by make docs: (.+) -->$", re.MULTILINE)


def test_no_block_is_stale() -> None:
    stale = [f"{block.page}: {block.name}" for block in find_stale_blocks(list_blocks(synthesize_application()))]
    assert stale == [], "make docs writes them anew"


def test_every_marked_block_is_written_by_the_package() -> None:
    """Guards against a block that looks generated and that nothing keeps current."""
    marked = {(str(page), name) for page in PAGES for name in MARKER.findall(page.read_text(encoding="utf-8"))}
    assert marked == {(str(block.page), block.name) for block in list_blocks(synthesize_application())}
