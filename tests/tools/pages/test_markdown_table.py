"""tools/pages/markdown_table.py: Markdown that GitHub shows as a table, without padding."""

from tools.pages.markdown_table import render_table, render_table_block


def test_table() -> None:
    assert render_table(["name", "", "meaning"], [["`a`", "12", "a longer text"], ["`bb`", "", "12.50"]]) == (
        "| name |  | meaning |\n"
        "|---|---|---|\n"
        "| `a` | 12 | a longer text |\n"
        "| `bb` |  | 12.50 |\n"
    )  # fmt: skip


def test_block_has_an_empty_line_before_and_after() -> None:
    assert render_table_block(["a"], [["b"]]) == "\n| a |\n|---|\n| b |\n\n"
