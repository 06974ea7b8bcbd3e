"""Schedules an apply as it would run in Azure: how long each resource takes, and which one it waits for."""

import itertools
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from operations.terraform.events import Hook, ResourceEvent, read_events
from rehearsal.stand_in.ids import is_within
from rehearsal.stand_in.model import Json
from rehearsal.stand_in.resource_manager import Operation


@dataclass(frozen=True)
class Bar:
    """The creation of one resource, in minutes from the start of the apply."""

    address: str
    start: float
    minutes: float
    after: str | None
    """The address of the dependency that ends last. None if the resource can start at once."""

    @property
    def end(self) -> float:
        """The minute in which the resource is ready."""
        return self.start + self.minutes

    @property
    def type(self) -> str:
        """The resource type in words, such as `managed redis`."""
        return self.address.partition(".")[0].removeprefix("azurerm_").replace("_", " ")

    @property
    def name(self) -> str:
        """The name in its address, without the hash that the CDK appends."""
        return re.sub(r"_[0-9A-F]{8}$", "", self.address.partition(".")[2])


def measure_minutes(
    output: str, operations: Iterable[Operation] = (), *, seconds_per_minute: float = 1
) -> dict[str, float]:
    """Return how many minutes each resource that an apply created would take in Azure, by address.

    The minutes of a resource are the sum of two parts. The first is Azure's typical time for every long operation on
    the resource, or on something that Azure made with it. The second is the time that the provider itself waits, which
    is the same here as in Azure. Without operations, the minutes are those that the apply took here.

    Args:
        output: What `terraform apply -json` printed.
        operations: The long operations of the stand-in that have finished.
        seconds_per_minute: How many seconds a minute of Azure took in the stand-in.
    """
    hooks = [event.hook for event in read_events(output) if isinstance(event, ResourceEvent) and _is_creation(event)]
    azure_minutes = _sum_minutes(operations, {hook.id_value for hook in hooks})
    minutes: dict[str, float] = {}
    for hook in hooks:
        operation_minutes = azure_minutes[hook.id_value]
        minutes[hook.resource.addr] = operation_minutes + _measure_wait(hook, operation_minutes * seconds_per_minute)
    return minutes


def _is_creation(event: ResourceEvent) -> bool:
    return event.type == "apply_complete" and event.hook.action == "create"


def _sum_minutes(operations: Iterable[Operation], created: Iterable[str]) -> defaultdict[str, float]:
    """Sum the operations' minutes by the created resource that each belongs to.

    This is the innermost resource that holds what the operation worked on. The databases of a PostgreSQL server are
    resources of their own. The database of a cache is made with the cache, so its minutes count as the cache's.
    """
    paths = list(created)
    minutes: defaultdict[str, float] = defaultdict(float)
    for operation in operations:
        holders = [path for path in paths if is_within(operation.resource.path, path)]
        minutes[max(holders, key=len, default="")] += operation.minutes
    return minutes


def _measure_wait(hook: Hook, operation_seconds: float) -> float:
    """Return how many minutes the provider waited by itself, after the long operations here were over."""
    return max(0.0, hook.elapsed_seconds - operation_seconds) / 60


def schedule_bars(state: Json, minutes: Mapping[str, float]) -> list[Bar]:
    """Schedule each resource as early as its dependencies allow, which Terraform's state records.

    Args:
        state: The state after the apply.
        minutes: How long each resource takes, by address.
    """
    dependencies = {
        f"{resource['type']}.{resource['name']}": resource["instances"][0].get("dependencies", [])
        for resource in state["resources"]
        if resource["mode"] == "managed"
    }
    bars: dict[str, Bar] = {}

    def schedule(address: str) -> Bar:
        if address not in bars:
            before = [schedule(dependency) for dependency in dependencies.get(address, []) if dependency in minutes]
            last = max(before, key=lambda bar: bar.end, default=None)
            start = last.end if last else 0.0
            bars[address] = Bar(address, start, minutes[address], last.address if last else None)
        return bars[address]

    return sorted((schedule(address) for address in minutes), key=lambda bar: (bar.start, bar.end))


def find_longest_path(bars: list[Bar]) -> list[Bar]:
    """Return the bars from the first resource to the one that ends last, in their order."""
    by_address = {bar.address: bar for bar in bars}
    bar = max(bars, key=lambda bar: bar.end)
    path = [bar]
    while bar.after:
        bar = by_address[bar.after]
        path.append(bar)
    return path[::-1]


def group_longest_path(bars: list[Bar]) -> list[list[Bar]]:
    """Return the longest path, with consecutive bars of one type as one group."""
    return [list(group) for _, group in itertools.groupby(find_longest_path(bars), key=lambda bar: bar.type)]


def summarize(bars: list[Bar]) -> str:
    """Return a sentence that says how long the longest path is, and which resource takes most of it."""
    path = find_longest_path(bars)
    dominant = max(path, key=lambda bar: bar.minutes)
    return f"{path[-1].end:.1f} minutes on the longest path; {dominant.address} takes {dominant.minutes:.1f} of them"


def describe(bars: list[Bar]) -> Iterator[str]:
    """Yield the summary, and a line for each group of the longest path."""
    yield f"{summarize(bars)}:"
    for group in group_longest_path(bars):
        more = f" and {len(group) - 1} more of its type" if len(group) > 1 else ""
        yield f"  {group[0].start:5.1f} - {group[-1].end:5.1f}  {group[0].address}{more}"
