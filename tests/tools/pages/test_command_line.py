"""python -m tools.pages: writes stale blocks, or with --check lists them and ends with 1."""

import runpy
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tools.pages import catalog, stacks
from tools.pages.blocks import Block

STALE = "<!-- written by make docs: table -->\nold\n<!-- end -->\n"
CURRENT = STALE.replace("old", "new")


@pytest.fixture(name="run")
def _run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., None]:
    """Run the command in a folder that has one page with one block."""
    monkeypatch.chdir(tmp_path)
    block = Block(Path("page.md"), "table", lambda _present: "new\n")
    monkeypatch.setattr(stacks, "synthesize_stacks", dict[str, stacks.TerraformJson])

    def list_blocks(_stacks: Mapping[str, stacks.TerraformJson]) -> list[Block]:
        return [block]

    monkeypatch.setattr(catalog, "list_blocks", list_blocks)

    def run(*arguments: str) -> None:
        monkeypatch.setattr(sys, "argv", ["pages", *arguments])
        runpy.run_module("tools.pages.__main__", run_name="__main__")

    return run


def test_check_lists_a_stale_block_and_writes_nothing(
    run: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "page.md"
    page.write_text(STALE, encoding="utf-8")
    with pytest.raises(SystemExit) as ended:
        run("--check")
    assert ended.value.code == 1
    assert capsys.readouterr().out == "page.md: table is stale: make docs\n"
    assert page.read_text(encoding="utf-8") == STALE


def test_check_is_silent_when_every_block_is_current(
    run: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "page.md").write_text(CURRENT, encoding="utf-8")
    run("--check")
    assert capsys.readouterr().out == ""


def test_a_stale_block_is_written(run: Callable[..., None], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    page = tmp_path / "page.md"
    page.write_text(STALE, encoding="utf-8")
    run()
    assert page.read_text(encoding="utf-8") == CURRENT
    assert capsys.readouterr().out == "page.md: table is written anew\n"
