"""Every link in the pages leads somewhere, and every path that they name is there."""

import itertools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

PAGES = sorted([*Path().glob("*.md"), *Path("docs").rglob("*.md")])
TOP = {
    "environments",
    "stacks",
    "constructs_lib",
    "tests",
    "scripts",
    "rehearsal",
    "tools",
    "bindings",
    "operations",
    "backend",
    "frontend",
    "docs",
    ".github",
}
PLACEHOLDER = re.compile(r"[<>*{}$]|ENV|STACK|NAME")


class Link(NamedTuple):
    """A link or an image, and the page that has it."""

    page: Path
    target: str


def tokens(page: Path) -> Iterator[Token]:
    """Everything in a page, inline parts too."""
    for token in MarkdownIt("gfm-like", {"linkify": False}).parse(page.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def links() -> Iterator[Link]:
    """Every link that stays in the repository."""
    for page in PAGES:
        for token in tokens(page):
            target = token.attrGet("href") or token.attrGet("src")
            if isinstance(target, str) and not urlsplit(target).scheme:
                yield Link(page, target)


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    parts = list(tokens(page))
    headings = [after.content for token, after in itertools.pairwise(parts) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("link", list(links()), ids=lambda link: f"{link.page}: {link.target}")
def test_a_link_leads_somewhere(link: Link) -> None:
    parts = urlsplit(link.target)
    target = link.page.parent / unquote(parts.path) if parts.path else link.page
    assert target.exists()
    if parts.fragment:
        assert parts.fragment in anchors(target)


def test_every_path_that_is_named_is_there() -> None:
    missing = [
        f"{page}: {word}"
        for page in PAGES
        for token in tokens(page)
        if token.type in {"code_inline", "fence", "text"}
        for word in re.findall(r"[\w./-]+", "" if PLACEHOLDER.search(token.content) else token.content)
        if "/" in word and word.split("/")[0] in TOP and not Path(word).exists()
    ]
    assert missing == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, todo = set[Path](), [Path("README.md")]
    targets: dict[Path, list[Path]] = {}
    for link in links():
        path = unquote(urlsplit(link.target).path)
        targets.setdefault(link.page, []).append(Path((link.page.parent / path).resolve().relative_to(Path.cwd())))
    while todo:
        page = todo.pop()
        if page not in reached:
            reached.add(page)
            todo += [target for target in targets.get(page, []) if target.suffix == ".md"]
    assert set(PAGES) - reached == set()


def test_every_make_target_that_is_named_is_there() -> None:
    known = set(re.findall(r"^([a-z-]+):", Path("Makefile").read_text(), re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"`(?:\$ )?make ([a-z-]+)", page.read_text())}
    assert {"synth", "test", "check"} <= named
    assert named - known == set()


def test_no_page_names_this_machine() -> None:
    tracked = subprocess.run(
        ["git", "ls-files", "README.md", "CONTRIBUTING.md", "docs"],  # noqa: S607
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    assert tracked
    assert [name for name in tracked if re.search(r"(^|[\s`\"'(])/(work|tmp|root)/", Path(name).read_text())] == []
