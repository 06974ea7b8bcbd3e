"""Every link in the pages leads somewhere, and every path, page and make target that they name exists."""

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

from tests.docs.repository import PAGES, Link, iter_links, list_tracked_files, read_anchors, read_tokens

PLACEHOLDER = re.compile(r"[<>*{}$]|ENV|STACK|NAME")
CITATION = re.compile(r"(?<![\w/.-])(?P<page>docs/[\w/.-]+\.md)(?:#(?P<anchor>[\w-]+)(?:,\s+\"(?P<part>[^\"]+)\")?)?")
"""What code names of a page, as `docs/design.md#traps` or `docs/design.md#decisions, "Network"`."""


@pytest.mark.parametrize("link", list(iter_links()), ids=lambda link: f"{link.page}: {link.target}")
def test_link_leads_to_a_file_and_a_heading(link: Link) -> None:
    parts = urlsplit(link.target)
    target = link.page.parent / unquote(parts.path) if parts.path else link.page
    assert target.exists()
    if parts.fragment:
        assert parts.fragment in read_anchors(target)


def test_everything_that_code_cites_of_a_page_is_there() -> None:
    """Guards against a comment or docstring that sends its reader to a page, a heading or a row that is not there."""
    citations = {
        (file, Path(match["page"]), match["anchor"] or "", re.sub(r"\s+", " ", match["part"] or ""))
        for file in list_tracked_files()
        if file.suffix != ".md"
        for match in CITATION.finditer(file.read_text(encoding="utf-8", errors="ignore"))
    }
    assert (Path("tests/policy/rules/exposure.py"), Path("docs/design.md"), "decisions", "Network") in citations
    missing = [
        f'{file}: {page}#{anchor}, "{part}"'
        for file, page, anchor, part in sorted(citations)
        if not page.is_file() or (anchor and anchor not in read_anchors(page)) or part not in page.read_text()
    ]
    assert missing == []


def test_every_named_path_exists() -> None:
    top_level_folders = {path.parts[0] for path in list_tracked_files() if len(path.parts) > 1}
    missing = [
        f"{page}: {word}"
        for page in PAGES
        for token in read_tokens(page)
        if token.type in {"code_inline", "fence", "text"}
        for word in re.findall(r"[\w./-]+", "" if PLACEHOLDER.search(token.content) else token.content)
        if "/" in word and word.split("/")[0] in top_level_folders and not Path(word).exists()
    ]
    assert missing == []


def test_every_page_can_be_reached_from_the_readme() -> None:
    targets: dict[Path, set[Path]] = {}
    for link in iter_links():
        target = link.page.parent / unquote(urlsplit(link.target).path)
        targets.setdefault(link.page, set()).add(target.resolve().relative_to(Path.cwd()))
    reached: set[Path] = set()
    to_visit = {Path("README.md")}
    while to_visit:
        page = to_visit.pop()
        reached.add(page)
        to_visit |= {target for target in targets.get(page, ()) if target.suffix == ".md"} - reached
    assert set(PAGES) - reached == set()


def test_every_named_make_target_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", Path("Makefile").read_text(), re.MULTILINE))
    named = {target for page in PAGES for target in re.findall(r"`(?:\$ )?make ([a-z-]+)", page.read_text())}
    assert {"synth", "test", "check"} <= named
    assert named - targets == set()


def test_no_page_names_a_folder_of_one_machine() -> None:
    pages = [path for path in list_tracked_files() if path.suffix == ".md" or path.parts[0] == "docs"]
    assert Path("README.md") in pages
    machine_path = re.compile(r"(^|[\s`\"'(])/(work|tmp|root)/")
    assert [str(path) for path in pages if machine_path.search(path.read_text(encoding="utf-8"))] == []
