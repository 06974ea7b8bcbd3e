"""The pages of this repository, and its other tracked files, for the tests of this folder."""

import itertools
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

DOCS = Path("docs")
PAGES = sorted([*Path().glob("*.md"), *DOCS.rglob("*.md")])


class Link(NamedTuple):
    """A link or an image, and the page that has it."""

    page: Path
    target: str


@cache
def list_tracked_files() -> tuple[Path, ...]:
    """Return every file that git tracks and that is in the working tree."""
    command = ["git", "ls-files", "-z"]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return tuple(path for path in map(Path, filter(None, output.split("\0"))) if path.is_file())


@cache
def read_tokens(page: Path) -> tuple[Token, ...]:
    """Return everything that a page consists of, with the parts of each paragraph."""
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(page.read_text(encoding="utf-8"))
    return tuple(part for token in tokens for part in (token, *(token.children or ())))


def iter_links() -> Iterator[Link]:
    """Yield every link of every page that stays in the repository."""
    for page in PAGES:
        for token in read_tokens(page):
            target = token.attrGet("href") or token.attrGet("src")
            if isinstance(target, str) and not urlsplit(target).scheme:
                yield Link(page, target)


@cache
def read_anchors(page: Path) -> frozenset[str]:
    """Return the anchors that GitHub gives the headings of a page."""
    headings = [
        content.content for token, content in itertools.pairwise(read_tokens(page)) if token.type == "heading_open"
    ]
    return frozenset(re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings)


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
