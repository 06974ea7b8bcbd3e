"""How long an apply would take in Azure, as bars: each resource after all that it depends on."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from html import escape

from rehearsal.azure import Azure
from rehearsal.ids import within
from rehearsal.model import Json
from rehearsal.terraform import events

SHOWN_FROM = 0.2
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


def durations(output: str, azure: Azure) -> dict[str, float]:
    """Minutes per address: Azure's typical time (of every long operation on the resource or on what came with it),
    and the time that the provider itself waits, which an apply here spends as it would there."""
    found: dict[str, float] = {}
    for event in events(output):
        hook = event.get("hook", {})
        if event.get("type") == "apply_complete" and hook.get("action") == "create":
            path = str(hook.get("id_value", ""))
            own = [each for each in azure.finished if within(each.resource.path, path)]
            scaled = sum(each.minutes for each in own) * azure.seconds_per_minute
            waited = max(0.0, float(hook.get("elapsed_seconds", 0)) - scaled)
            found[hook["resource"]["addr"]] = sum(each.minutes for each in own) + waited / 60
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


def as_text(scheduled: list[Bar]) -> Iterator[str]:
    """The longest path in words, and what dominates it."""
    path = longest_path(scheduled)
    dominant = max(path, key=lambda bar: bar.minutes)
    yield f"{path[-1].end:.1f} minutes on the longest path; {dominant.address} takes {dominant.minutes:.1f} of them:"
    for bar in path:
        yield f"  {bar.start:5.1f} - {bar.end:5.1f}  {bar.address}"


def as_svg(scheduled: list[Bar], title: str) -> str:
    """The bars as a picture; those of the longest path stand out."""
    path = set(longest_path(scheduled))
    shown = [bar for bar in scheduled if bar.minutes >= SHOWN_FROM or bar in path]
    end = max(bar.end for bar in scheduled)
    left, width, row = 330, 620, 16
    height = row * len(shown) + 60
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {left + width + 70} {height}" font-size="11">',
        "<style>text { font-family: sans-serif }</style>",
        f'<rect width="100%" height="100%" fill="#fff"/><text x="10" y="20" font-size="14">{escape(title)}</text>',
    ]
    for minute in range(int(end) + 1):
        x = left + width * minute / end
        lines.append(f'<line x1="{x:.0f}" x2="{x:.0f}" y1="30" y2="{height - 20}" stroke="#ddd"/>')
        lines.append(f'<text x="{x:.0f}" y="{height - 6}" text-anchor="middle" fill="#666">{minute} min</text>')
    for index, bar in enumerate(shown):
        y, colour = 34 + row * index, "#c2410c" if bar in path else "#2563eb"
        x, long = left + width * bar.start / end, max(2.0, width * bar.minutes / end)
        name = escape(bar.address.removeprefix("azurerm_"))
        lines.append(f'<text x="{left - 6}" y="{y + 10}" text-anchor="end">{name[:56]}</text>')
        lines.append(f'<rect x="{x:.1f}" y="{y}" width="{long:.1f}" height="{row - 4}" fill="{colour}"/>')
    return "\n".join([*lines, "</svg>", ""])
