"""Generated blocks: the text of a page between two comments."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

END = "<!-- end -->"


class MissingBlockError(Exception):
    """A page does not have exactly one block with a name."""


@dataclass(frozen=True)
class Block:
    """A generated part of a page."""

    page: Path
    name: str
    """The name in the comment before the block."""
    render: Callable[[str], str]
    """Returns the block's text. It gets the text that the page has now, because some blocks keep a part of it."""


def find_block(text: str, name: str) -> re.Match[str]:
    """Find what stands between the two comments of a block.

    Raises:
        MissingBlockError: There is no such block, or more than one.
    """
    begin = f"<!-- written by make docs: {name} -->\n"
    matches = list(re.finditer(f"(?<={re.escape(begin)}).*?(?={re.escape(END)})", text, re.DOTALL))
    if len(matches) != 1:
        raise MissingBlockError(f"has {len(matches)} blocks {name!r}; must have 1, from {begin.strip()} to {END}")
    return matches[0]


def replace_block(text: str, block: Block) -> str:
    """Return a page's text with this block written anew.

    Raises:
        MissingBlockError: The text does not have exactly one such block.
    """
    try:
        match = find_block(text, block.name)
    except MissingBlockError as error:
        raise MissingBlockError(f"{block.page} {error}") from None
    return text[: match.start()] + block.render(match.group()) + text[match.end() :]


def find_stale_blocks(blocks: Iterable[Block]) -> list[Block]:
    """Return the blocks that differ from what the code would write.

    Raises:
        MissingBlockError: A page does not have exactly one such block.
    """
    texts = ((block, block.page.read_text(encoding="utf-8")) for block in blocks)
    return [block for block, text in texts if replace_block(text, block) != text]


def write_blocks(blocks: Iterable[Block]) -> None:
    """Write blocks into their pages.

    Raises:
        MissingBlockError: A page does not have exactly one such block.
    """
    for block in blocks:
        text = block.page.read_text(encoding="utf-8")
        block.page.write_text(replace_block(text, block), encoding="utf-8")
