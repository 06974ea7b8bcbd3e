"""How long an apply would take in Azure, as bars: each resource after all that it depends on."""

import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from html import escape

from operations.terraform.events import ResourceEvent, read_events
from rehearsal.stand_in.ids import is_within
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.resource_manager import Operation

SHOWN_FROM = 0.5
"""Bars of fewer minutes are left out of the picture, but counted."""


@dataclass(frozen=True)
class Bar:
    """One resource's provisioning, in minutes from the start."""

    address: str
    start: float
    minutes: float
    after: str | None
    """The dependency that ended last; None where it could start at once."""

    @property
    def end(self) -> float:
        """When it is there."""
        return self.start + self.minutes

    @property
    def type(self) -> str:
        """Such as `managed redis`."""
        return self.address.partition(".")[0].removeprefix("azurerm_").replace("_", " ")

    @property
    def name(self) -> str:
        """The last part of its address, without the hash that the CDK puts behind it."""
        return re.sub(r"_[0-9A-F]{8}$", "", self.address.partition(".")[2])


def durations(output: str, operations: Iterable[Operation] = (), *, seconds_per_minute: float = 1) -> dict[str, float]:
    """Minutes per address that an apply has created.

    They are Azure's typical time (of every long operation on the resource or on what came with it), and the time that
    the provider itself waits, which an apply here spends as it would there. Without operations, they are what was seen.
    """
    created = [
        event.hook
        for event in read_events(output)
        if isinstance(event, ResourceEvent) and event.type == "apply_complete" and event.hook.action == "create"
    ]
    paths = {hook.id_value for hook in created}
    azures: dict[str, float] = defaultdict(float)
    for operation in operations:
        # A server's databases have bars of their own; a cache's database came with it, and is part of its bar.
        holders = [path for path in paths if is_within(operation.resource.path, path)]
        azures[max(holders, key=len, default="")] += operation.minutes
    found: dict[str, float] = {}
    for hook in created:
        minutes = azures[hook.id_value]
        waited = max(0.0, hook.elapsed_seconds - minutes * seconds_per_minute)
        found[hook.resource.addr] = minutes + waited / 60
    return found


def bars(state: Json, minutes: Mapping[str, float]) -> list[Bar]:
    """Schedule everything as early as its dependencies (which Terraform's state records) allow."""
    needs = {
        f"{each['type']}.{each['name']}": each["instances"][0].get("dependencies", [])
        for each in state["resources"]
        if each["mode"] == "managed"
    }
    done: dict[str, Bar] = {}

    def schedule(address: str) -> Bar:
        if address not in done:
            before = [schedule(each) for each in needs.get(address, []) if each in minutes]
            last = max(before, key=lambda bar: bar.end, default=None)
            start = last.end if last else 0.0
            done[address] = Bar(address, start, minutes[address], last.address if last else None)
        return done[address]

    return sorted((schedule(address) for address in minutes), key=lambda bar: (bar.start, bar.end))


def longest_path(scheduled: list[Bar]) -> list[Bar]:
    """From the first resource to the one that ends last."""
    by_address = {bar.address: bar for bar in scheduled}
    bar = max(scheduled, key=lambda each: each.end)
    path = [bar]
    while bar.after:
        bar = by_address[bar.after]
        path.append(bar)
    return path[::-1]


def stretches(scheduled: list[Bar]) -> list[list[Bar]]:
    """The longest path, with bars of one type that follow each other as one stretch."""
    return [list(bars_) for _, bars_ in itertools.groupby(longest_path(scheduled), key=lambda bar: bar.type)]


def summary(scheduled: list[Bar]) -> str:
    """How long the longest path is, and what dominates it."""
    path = longest_path(scheduled)
    dominant = max(path, key=lambda bar: bar.minutes)
    return f"{path[-1].end:.1f} minutes on the longest path; {dominant.address} takes {dominant.minutes:.1f} of them"


def as_text(scheduled: list[Bar]) -> Iterator[str]:
    """The longest path in words, and what dominates it."""
    yield f"{summary(scheduled)}:"
    for bars_ in stretches(scheduled):
        more = f" and {len(bars_) - 1} more of its type" if len(bars_) > 1 else ""
        yield f"  {bars_[0].start:5.1f} - {bars_[-1].end:5.1f}  {bars_[0].address}{more}"


# The picture

MARGIN, ROW, HEAD, FOOT = 16, 18, 92, 34
CHARTED = 620
"""Pixels that the longest path takes."""
TICKS = 20
"""The axis has about so many at most."""
LABEL = 46
"""Characters up to which a label has the resource's name behind its type."""
CHARACTER = 6.7
"""Pixels that a character of 11 pixels takes in the widest of the fonts that may be there."""
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


def label(bars_: list[Bar]) -> str:
    """What the picture calls bars of one type: `managed redis: cache`; how many, where there are several."""
    first = bars_[0]
    if len(bars_) > 1:
        return f"{first.type} \u00d7{len(bars_)}"
    whole = f"{first.type}: {first.name}"
    return whole if len(whole) <= LABEL else first.type


def rows(scheduled: list[Bar]) -> list[list[Bar]]:
    """What each row shows: a stretch of the longest path, or bars beside it of one type and at one time."""
    on_path = stretches(scheduled)
    path = {bar for stretch in on_path for bar in stretch}
    beside: dict[tuple[object, ...], list[Bar]] = {}
    for bar in scheduled:
        if bar not in path and bar.minutes >= SHOWN_FROM:
            beside.setdefault((bar.type, round(bar.start, 1), round(bar.minutes)), []).append(bar)
    return sorted([*on_path, *beside.values()], key=lambda row: row[0].start)


def as_svg(scheduled: list[Bar], title: str) -> str:
    """The bars as a picture, in light or dark as the reader's screen is; those of the longest path stand out."""
    path, shown = longest_path(scheduled), rows(scheduled)
    left = MARGIN + math.ceil(CHARACTER * max(len(label(row)) for row in shown)) + 8
    width = max(left + CHARTED + 80, 2 * MARGIN + math.ceil(CHARACTER * len(summary(scheduled))))
    bottom = HEAD + ROW * len(shown)
    scale = CHARTED / path[-1].end
    hidden = len(scheduled) - sum(map(len, shown))
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {bottom + FOOT}" role="img">',
        f"<title>{escape(title)}</title><desc>{escape(summary(scheduled))}</desc>",
        f"<style>{STYLE}</style>",
        f'<rect class="card" width="{width}" height="{bottom + FOOT}" rx="8"/>',
        _text(MARGIN, 28, title, "title"),
        _text(MARGIN, 48, summary(scheduled), "strong"),
        f'<rect class="path" x="{MARGIN}" y="60" width="18" height="10" rx="2"/>',
        _text(MARGIN + 24, 69, "on the longest path"),
        f'<rect class="bar" x="{MARGIN + 150}" y="60" width="18" height="10" rx="2"/>',
        _text(MARGIN + 174, 69, f"beside it (not shown: {hidden} that take less than half a minute)"),
    ]
    for minute in range(0, math.floor(path[-1].end) + 1, math.ceil(path[-1].end / TICKS)):
        x = left + scale * minute
        lines.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD - 6}" y2="{bottom}"/>')
        lines.append(_text(x, bottom + 16, f"{minute} min" if minute == 0 else str(minute), "tick"))
    tops = {bar.address: HEAD + ROW * index for index, row in enumerate(shown) for bar in row}
    for one, next_ in itertools.pairwise(stretches(scheduled)):
        x, from_, to = left + scale * one[-1].end, tops[one[0].address] + ROW / 2, tops[next_[0].address] + ROW / 2
        lines.append(f'<path class="link" d="M{x:.1f} {from_} V{to}"/>')
    for row in shown:
        start, end, top = row[0].start, max(bar.end for bar in row), tops[row[0].address]
        kind, bold = ("path", "strong") if row[0] in path else ("bar", "")
        x, long = left + scale * start, max(2.0, scale * (end - start))
        lines.append(_text(left - 8, top + 13, label(row), f"name {bold}".strip()))
        lines.append(f'<rect class="{kind}" x="{x:.1f}" y="{top + 3}" width="{long:.1f}" height="{ROW - 6}" rx="2"/>')
        lines.append(_text(x + long + 5, top + 13, f"{end - start:.1f}", bold))
    return "\n".join([*lines, "</svg>", ""])


def _text(x: float, y: float, text: str, kind: str = "") -> str:
    class_ = f' class="{kind}"' if kind else ""
    return f'<text{class_} x="{x:.1f}" y="{y}">{escape(text)}</text>'
