"""What differs between two values of a plan, attribute by attribute and in words."""

import json
from collections.abc import Iterator
from typing import NamedTuple

from operations.plan_guard.redaction import Sensitive, Unknown, Value, extend_path

LONGEST = 70
"""How many characters of a value are shown."""

CONTEXT = 12
"""How many unchanged characters are shown before the part of a long text that changes."""

UNKNOWN = "(known after apply)"


class Difference(NamedTuple):
    """An attribute that changes, with its old and its new value in words."""

    attribute: str
    old: str
    new: str


def find_differences(old: Value, new: Value, path: str = "") -> Iterator[Difference]:
    """Yield every attribute, at any depth, that differs between two values. `path` is the path of the values."""
    if old == new or (_is_empty(old) and _is_empty(new)):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            yield from find_differences(old.get(key), new.get(key), extend_path(path, key))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _find_list_differences(old, new, path)
    else:
        yield Difference(path, *_format_pair(old, new))


def format_value(value: Value) -> str:
    """Return a value in words: on one line, in ASCII, and at most LONGEST characters long."""
    return _shorten(_format_whole_value(value))


def _is_empty(value: Value) -> bool:
    """Return whether the value is null, or an empty text, list or map: the provider's SDK does not tell these apart."""
    return value is None or value in ("", [], {})


def _find_list_differences(old: list[Value], new: list[Value], path: str) -> Iterator[Difference]:
    """Compare two lists of blocks one by one if they are equally long.

    Of all other lists, yield the elements that go and the elements that come, since a list may be a set, which has no
    order.
    """
    if len(old) == len(new) and all(isinstance(element, dict) for element in (*old, *new)):
        for index, (old_block, new_block) in enumerate(zip(old, new, strict=True)):
            yield from find_differences(old_block, new_block, extend_path(path, index))
        return
    removed = [element for element in old if element not in new]
    added = [element for element in new if element not in old]
    for element in removed:
        yield Difference(f"{path}[]", format_value(element), "")
    for element in added:
        yield Difference(f"{path}[]", "", format_value(element))
    if not removed and not added:  # only the order or the number of equal elements differs
        yield Difference(path, format_value(old), format_value(new))


def _format_pair(old: Value, new: Value) -> tuple[str, str]:
    """Return both values in words. Of two long texts, show the part where they begin to differ."""
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > LONGEST:
        start = _count_common_characters(old, new) - CONTEXT
        if start > 0:
            return _shorten(f"...{json.dumps(old[start:])}"), _shorten(f"...{json.dumps(new[start:])}")
    return format_value(old), format_value(new)


def _count_common_characters(old: str, new: str) -> int:
    """Return how many characters at the beginning are the same."""
    for index, (old_character, new_character) in enumerate(zip(old, new, strict=False)):
        if old_character != new_character:
            return index
    return min(len(old), len(new))


def _shorten(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _format_whole_value(value: Value) -> str:
    match value:
        case Sensitive():
            return "(sensitive)"
        case Unknown():
            return UNKNOWN
        case dict():
            items = (f"{json.dumps(key)}: {_format_whole_value(item)}" for key, item in value.items())
            return f"{{{', '.join(items)}}}"
        case list():
            return f"[{', '.join(_format_whole_value(element) for element in value)}]"
        case _:
            return json.dumps(value)
