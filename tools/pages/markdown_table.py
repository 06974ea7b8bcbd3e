"""Markdown tables. Their cells are not padded, so that one longer text does not change every line."""

from collections.abc import Iterable, Sequence

from tabulate import DataRow, TableFormat, tabulate

_ROW = DataRow("| ", " | ", " |")


def _format_rule(widths: Sequence[int], _: Sequence[str]) -> str:
    return "|---" * len(widths) + "|"


COMPACT = TableFormat(
    lineabove=None,
    linebelowheader=_format_rule,
    linebetweenrows=None,
    linebelow=None,
    headerrow=_ROW,
    datarow=_ROW,
    padding=0,
    with_header_hide=None,
)
"""tabulate's `github` format without padding."""


def render_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table that ends with a line break."""
    table = tabulate(
        list(rows), header, tablefmt=COMPACT, stralign=None, disable_numparse=True, preserve_whitespace=True
    )
    return f"{table}\n"


def render_table_block(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a Markdown table with an empty line before and after it, which Markdown needs next to a comment."""
    return f"\n{render_table(header, rows)}\n"
