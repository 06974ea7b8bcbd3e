"""What differs between two values of a plan, attribute by attribute."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from operations.plan_guard.pairs import Pair, pair_blocks
from operations.plan_guard.paths import Block, Path, format_path, get_place
from operations.plan_guard.redaction import Unknown, Value


@dataclass(frozen=True)
class Absent:
    """What stands in a list or a set before an element comes, or after it has gone."""


class Difference(NamedTuple):
    """An attribute that changes, or an element that comes or goes, with the values before and after."""

    path: Path
    old: Value | Absent
    new: Value | Absent

    @property
    def attribute(self) -> str:
        """The path as a report writes it."""
        return format_path(self.path)

    @property
    def place(self) -> str:
        """Where in the resource's schema it is: `site_config.ip_restriction.action`."""
        return get_place(self.path)

    @property
    def is_known_after_apply(self) -> bool:
        """Whether nobody knows the new value before the apply."""
        return isinstance(self.new, Unknown)


def find_differences(old: Value, new: Value, type_: str = "", path: Path = ()) -> Iterator[Difference]:
    """Yield every attribute, at any depth, that differs between two values.

    Args:
        old: The values before.
        new: The values after.
        type_: The type of the resource. It says by which key the blocks of a list or a set are paired.
        path: The path of the values.
    """
    if old == new or (_is_empty(old) and _is_empty(new)):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from find_differences(old.get(key), new.get(key), type_, (*path, key))
    elif (old_blocks := _get_blocks(old)) is not None and (new_blocks := _get_blocks(new)) is not None:
        yield from _find_block_differences(old_blocks, new_blocks, type_, path)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _find_element_differences(old, new, path)
    else:
        yield Difference(path, old, new)


def _is_empty(value: Value) -> bool:
    """Return whether the value is null, or an empty text, list or map: the provider's SDK does not tell these apart."""
    return value is None or value in ("", [], {})


def _get_blocks(value: Value) -> list[dict[str, Value]] | None:
    """Return the value if it is a list of blocks, also an empty one. A list that comes or goes counts as empty."""
    if value is None:
        return []
    if not isinstance(value, list):
        return None
    blocks = [element for element in value if isinstance(element, dict)]
    return blocks if len(blocks) == len(value) else None


def _find_block_differences(
    old: list[dict[str, Value]], new: list[dict[str, Value]], type_: str, path: Path
) -> Iterator[Difference]:
    """Compare each block with its counterpart."""
    pairs = list(pair_blocks(old, new, f"{type_}.{get_place(path)}"))
    found = [difference for pair in pairs for difference in _compare_pair(pair, type_, path)]
    yield from found
    old_order, new_order = list(_list_labels(old, pairs)), list(_list_labels(new, pairs))
    if not found and old_order != new_order:
        yield Difference(path, old_order, new_order)


def _compare_pair(pair: Pair, type_: str, path: Path) -> Iterator[Difference]:
    step = Block(pair.label)
    if pair.old is None:
        yield Difference((*path, step), Absent(), pair.new)
    elif pair.new is None:
        yield Difference((*path, step), pair.old, Absent())
    else:
        yield from find_differences(pair.old, pair.new, type_, (*path, step))


def _list_labels(blocks: Sequence[dict[str, Value]], pairs: Sequence[Pair]) -> Iterator[Value]:
    for block in blocks:
        yield next(pair.label for pair in pairs if block is pair.old or block is pair.new)


def _find_element_differences(old: list[Value], new: list[Value], path: Path) -> Iterator[Difference]:
    """Yield the elements that go and the elements that come, since a list may be a set, which has no order."""
    step = Block("")
    removed = [element for element in old if element not in new]
    added = [element for element in new if element not in old]
    for element in removed:
        yield Difference((*path, step), element, Absent())
    for element in added:
        yield Difference((*path, step), Absent(), element)
    if not removed and not added:  # only the order or the number of equal elements differs
        yield Difference(path, old, new)
