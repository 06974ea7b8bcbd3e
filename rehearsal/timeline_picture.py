"""Draws a timeline as an SVG picture."""

import itertools
import math
from collections.abc import Iterator
from html import escape

from rehearsal.timeline import Bar, find_longest_path, group_longest_path, summarize

SHOWN_FROM = 0.5
"""Bars of fewer minutes are left out of the picture, unless they are on the longest path. The legend counts them."""

MARGIN = 16
HEAD = 92
"""Pixels above the first row."""
FOOT = 34
"""Pixels below the last row."""
ROW = 18
"""Pixels from one row to the next."""
CHART_WIDTH = 620
"""Pixels that the longest path takes."""
TICKS = 20
"""The axis has about this many ticks at most."""
LABEL = 46
"""Characters that a label with the resource's name may have. A longer one is the type alone."""
CHARACTER = 6.7
"""Pixels that a character of 11 pixels takes in the widest of the fonts that a reader may have."""
STYLE = """
text { font: 11px -apple-system, 'Segoe UI', Helvetica, Arial, sans-serif; fill: #3d5266 }
.title { font-size: 15px; font-weight: 600; fill: #16283a }
.name { text-anchor: end; fill: #16283a }
.tick { text-anchor: middle }
.strong { font-weight: 600; fill: #b3360b }
.card { fill: #ffffff }
.grid { stroke: #dde4ec }
.bar { fill: #6f9bd1 }
.path { fill: #d9480f }
.link { fill: none; stroke: #d9480f; stroke-dasharray: 2 2 }
@media (prefers-color-scheme: dark) {
  text { fill: #a9b8c8 }
  .title, .name { fill: #e6edf3 }
  .strong { fill: #ff9a6b }
  .card { fill: #0d1117 }
  .grid { stroke: #2a3440 }
  .bar { fill: #4a78b5 }
  .path { fill: #f0703a }
  .link { stroke: #f0703a }
}
"""


def format_label(group: list[Bar]) -> str:
    """Return the label of bars of one type, such as `managed redis: cache`. Several bars have their number in it."""
    first = group[0]
    if len(group) > 1:
        return f"{first.type} \u00d7{len(group)}"
    label = f"{first.type}: {first.name}"
    return label if len(label) <= LABEL else first.type


def group_rows(bars: list[Bar]) -> list[list[Bar]]:
    """Return the bars of each row.

    A row is a group of the longest path, or it is the other bars of one type that start and end at about the same time.
    """
    path_groups = group_longest_path(bars)
    path = {bar for group in path_groups for bar in group}
    other_groups: dict[tuple[object, ...], list[Bar]] = {}
    for bar in bars:
        if bar not in path and bar.minutes >= SHOWN_FROM:
            other_groups.setdefault((bar.type, round(bar.start, 1), round(bar.minutes)), []).append(bar)
    return sorted([*path_groups, *other_groups.values()], key=lambda row: row[0].start)


def draw_svg(bars: list[Bar], title: str) -> str:
    """Draw the bars, with those of the longest path in a strong color. It follows the reader's light or dark mode."""
    path, rows = find_longest_path(bars), group_rows(bars)
    left = MARGIN + math.ceil(CHARACTER * max(len(format_label(row)) for row in rows)) + 8
    width = max(left + CHART_WIDTH + 80, 2 * MARGIN + math.ceil(CHARACTER * len(summarize(bars))))
    height = HEAD + ROW * len(rows) + FOOT
    scale = CHART_WIDTH / path[-1].end
    hidden = len(bars) - sum(map(len, rows))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">',
        f"<title>{escape(title)}</title><desc>{escape(summarize(bars))}</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="card" width="{width}" height="{height}" rx="8"/>',
        _draw_text(MARGIN, 28, title, "title"),
        _draw_text(MARGIN, 48, summarize(bars), "strong"),
        f'<rect class="path" x="{MARGIN}" y="60" width="18" height="10" rx="2"/>',
        _draw_text(MARGIN + 24, 69, "on the longest path"),
        f'<rect class="bar" x="{MARGIN + 150}" y="60" width="18" height="10" rx="2"/>',
        _draw_text(MARGIN + 174, 69, f"beside it (not shown: {hidden} that take less than half a minute)"),
        *_draw_axis(path[-1].end, left, scale, height - FOOT),
        *_draw_links(bars, rows, left, scale),
    ]
    for index, row in enumerate(rows):
        lines += _draw_row(row, HEAD + ROW * index, left, scale, is_on_path=row[0] in path)
    return "\n".join([*lines, "</svg>", ""])


def _draw_axis(minutes: float, left: float, scale: float, bottom: float) -> Iterator[str]:
    for minute in range(0, math.floor(minutes) + 1, math.ceil(minutes / TICKS)):
        x = left + scale * minute
        yield f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD - 6}" y2="{bottom}"/>'
        yield _draw_text(x, bottom + 16, f"{minute} min" if minute == 0 else str(minute), "tick")


def _draw_links(bars: list[Bar], rows: list[list[Bar]], left: float, scale: float) -> Iterator[str]:
    """Connect the groups of the longest path."""
    middles = {bar.address: HEAD + ROW * index + ROW / 2 for index, row in enumerate(rows) for bar in row}
    for group, next_group in itertools.pairwise(group_longest_path(bars)):
        x = left + scale * group[-1].end
        yield f'<path class="link" d="M{x:.1f} {middles[group[0].address]} V{middles[next_group[0].address]}"/>'


def _draw_row(row: list[Bar], top: float, left: float, scale: float, *, is_on_path: bool) -> Iterator[str]:
    start, end = row[0].start, max(bar.end for bar in row)
    x, width = left + scale * start, max(2.0, scale * (end - start))
    bar_class = "path" if is_on_path else "bar"
    text_class = "strong" if is_on_path else ""
    yield _draw_text(left - 8, top + 13, format_label(row), f"name {text_class}".strip())
    yield f'<rect class="{bar_class}" x="{x:.1f}" y="{top + 3}" width="{width:.1f}" height="{ROW - 6}" rx="2"/>'
    yield _draw_text(x + width + 5, top + 13, f"{end - start:.1f}", text_class)


def _draw_text(x: float, y: float, text: str, text_class: str = "") -> str:
    attribute = f' class="{text_class}"' if text_class else ""
    return f'<text{attribute} x="{x:.1f}" y="{y}">{escape(text)}</text>'
