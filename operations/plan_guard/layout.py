"""How a report is laid out: titled sections with tables, and indented paragraphs."""

import textwrap
from collections.abc import Iterator, Sequence

from tabulate import tabulate

WIDTH = 120


def format_section(title: str, rows: Sequence[Sequence[object]], *headers: str) -> Iterator[str]:
    """Yield a title and a table below it, or nothing if there are no rows."""
    if rows:
        yield f"\n{title}"
        yield from format_table(rows, *headers)


def format_table(rows: Sequence[Sequence[object]], *headers: str) -> Iterator[str]:
    """Yield an indented table, or nothing if there are no rows."""
    if rows:
        # Without `disable_numparse`, tabulate would write the text "1.10" as 1.1.
        yield textwrap.indent(tabulate(rows, headers=headers, disable_numparse=True), "  ")


def format_paragraph(text: str) -> str:
    """Return the text as an indented paragraph."""
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="    ", break_long_words=False)
