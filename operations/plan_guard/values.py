"""Values as they may be shown: sensitive ones hidden, unknown ones named, and what differs between two of them."""

import itertools
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from pydantic import JsonValue

from operations.terraform.plan import Change, Plan

LONGEST = 70
"""How many characters of a value are shown."""

CONTEXT = 12
"""How many unchanged characters are shown around the part of a long text that changes."""

UNKNOWN = "(known after apply)"
NAME = re.compile(r"[A-Za-z0-9_-]+")

# Shorter ones, such as "true" or "8000", are values of much else as well.
COPY_LENGTH = 6
PART_LENGTH = 16


@dataclass(frozen=True)
class Sensitive:
    """A value that is compared, and never shown."""

    value: JsonValue = field(repr=False)


@dataclass(frozen=True)
class Unknown:
    """A value that the apply will bring."""


Shown = None | bool | int | float | str | list["Shown"] | dict[str, "Shown"] | Sensitive | Unknown


class Difference(NamedTuple):
    """An attribute, and its values before and after in words."""

    attribute: str
    old: str
    new: str


class Redactor:
    """Hides what a plan marks as sensitive, and copies of it.

    A provider may hand a sensitive value on in an attribute that is not marked, as `terraform_data` does with `output`.
    """

    def __init__(self, plan: Plan) -> None:
        changes = (
            *(each.change for each in (*plan.resource_changes, *plan.resource_drift)),
            *plan.output_changes.values(),
        )
        self._secrets = {
            text
            for change in changes
            for value in hidden(change)
            for text in _secret_texts(value)
            if len(text) >= COPY_LENGTH
        }
        self._long_secrets = [text for text in self._secrets if len(text) >= PART_LENGTH]

    def before(self, change: Change) -> Shown:
        """The values that there are."""
        return self._without_copies(hidden(change)[0])

    def after(self, change: Change) -> Shown:
        """The values that there will be."""
        return _with_unknown(self._without_copies(hidden(change)[1]), change.after_unknown)

    def differences(self, change: Change) -> list[Difference]:
        """Every attribute that changes."""
        return list(_differences("", self.before(change), self.after(change)))

    def _without_copies(self, shown: Shown) -> Shown:
        match shown:
            case str() if shown in self._secrets or self._has_part(shown):
                return Sensitive(shown)
            case dict() if any(map(self._has_part, shown)):
                return Sensitive(list(shown))
            case dict():
                return {name: self._without_copies(each) for name, each in shown.items()}
            case list():
                return [self._without_copies(each) for each in shown]
            case _:
                return shown

    def _has_part(self, text: str) -> bool:
        return any(secret in text for secret in self._long_secrets)


def hidden(change: Change) -> tuple[Shown, Shown]:
    """The values before and after, with all hidden that is marked as sensitive in either."""
    marks = (change.before_sensitive, change.after_sensitive)
    return _hide(change.before, *marks), _hide(change.after, *marks)


def visible_path(path: Iterable[str | int], change: Change) -> str:
    """A path into the attributes, as far as nothing on it is sensitive: a key of a sensitive map is sensitive too."""
    marks = [change.before_sensitive, change.after_sensitive]
    shown = ""
    for step in path:
        if True in marks:
            break
        shown = _join(shown, step)
        marks = [below for mark in marks for below in _below(mark, step)]
    return shown


def _hide(value: JsonValue, *marks: JsonValue) -> Shown:
    """The value with all that any of the marks points at hidden."""
    if True in marks:
        return Sensitive(value)
    match value:
        case dict():
            return {
                name: _hide(each, *(below for mark in marks for below in _below(mark, name)))
                for name, each in value.items()
            }
        case list():
            return [
                _hide(each, *(below for mark in marks for below in _below(mark, index)))
                for index, each in enumerate(value)
            ]
        case _:
            return value


def _below(mark: JsonValue, step: str | int) -> list[JsonValue]:
    """The marks that count for what is below one. A set has no order: the mark of one element counts for each."""
    match mark:
        case list():
            return mark
        case dict():
            return [mark[step]] if isinstance(step, str) and step in mark else []
        case _:
            return []


def _with_unknown(shown: Shown, unknown: JsonValue) -> Shown:
    """With all that is not known yet, which the plan's values leave out."""
    if unknown is True:
        return Unknown()
    if isinstance(shown, Sensitive) or not _any(unknown):
        return shown
    match unknown:
        case dict():
            known = shown if isinstance(shown, dict) else {}
            below = {name: each for name, each in unknown.items() if name in known or _any(each)}
            return known | {name: _with_unknown(known.get(name), each) for name, each in below.items()}
        case list():
            known = shown if isinstance(shown, list) else []
            return [_with_unknown(each, below) for each, below in itertools.zip_longest(known, unknown)]
        case _:
            return shown


def _any(mark: JsonValue) -> bool:
    """Whether the mark points at anything."""
    match mark:
        case dict():
            return any(map(_any, mark.values()))
        case list():
            return any(map(_any, mark))
        case _:
            return mark is True


def _secret_texts(shown: Shown) -> Iterator[str]:
    """Every text in what is hidden."""
    match shown:
        case Sensitive(value):
            yield from _texts(value)
        case dict():
            yield from itertools.chain.from_iterable(map(_secret_texts, shown.values()))
        case list():
            yield from itertools.chain.from_iterable(map(_secret_texts, shown))
        case _:
            pass


def _texts(value: JsonValue) -> Iterator[str]:
    """Every text in a value."""
    match value:
        case str():
            yield value
        case dict():
            yield from itertools.chain.from_iterable(map(_texts, value.values()))
        case list():
            yield from itertools.chain.from_iterable(map(_texts, value))
        case _:
            pass


def _differences(path: str, old: Shown, new: Shown) -> Iterator[Difference]:
    if old == new or (_is_empty(old) and _is_empty(new)):
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for name in sorted(old.keys() | new.keys()):
            yield from _differences(_join(path, name), old.get(name), new.get(name))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _list_differences(path, old, new)
    else:
        yield Difference(path, *_pair(old, new))


def _is_empty(shown: Shown) -> bool:
    """Whether the provider's SDK tells it from null, which it does of no empty text, list or map."""
    return shown is None or shown in ("", [], {})


def _list_differences(path: str, old: list[Shown], new: list[Shown]) -> Iterator[Difference]:
    """Blocks one by one where their number stays; else what goes and what comes, since a set has no order."""
    if len(old) == len(new) and all(isinstance(each, dict) for each in (*old, *new)):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _differences(_join(path, index), before, after)
        return
    gone, come = [each for each in old if each not in new], [each for each in new if each not in old]
    yield from (Difference(f"{path}[]", written(each), "") for each in gone)
    yield from (Difference(f"{path}[]", "", written(each)) for each in come)
    if not gone and not come:
        yield Difference(path, written(old), written(new))


def _join(path: str, step: str | int) -> str:
    if isinstance(step, int) or not NAME.fullmatch(step):
        return f"{path}[{json.dumps(step)}]"
    return f"{path}.{step}" if path else step


def _pair(old: Shown, new: Shown) -> tuple[str, str]:
    """Both values in words; of long texts the part that differs."""
    if isinstance(old, str) and isinstance(new, str) and max(len(old), len(new)) > LONGEST:
        same = next(
            (at for at, (left, right) in enumerate(zip(old, new, strict=False)) if left != right),
            min(len(old), len(new)),
        )
        if (start := same - CONTEXT) > 0:
            return _quoted(old[start:], "..."), _quoted(new[start:], "...")
    return written(old), written(new)


def written(shown: Shown) -> str:
    """A value in words, on one line, in ASCII, not longer than can be read."""
    text = _written(shown)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 3]}..."


def _quoted(text: str, lead: str) -> str:
    quoted = lead + json.dumps(text)
    return quoted if len(quoted) <= LONGEST else f"{quoted[: LONGEST - 3]}..."


def _written(shown: Shown) -> str:
    match shown:
        case Sensitive():
            return "(sensitive)"
        case Unknown():
            return UNKNOWN
        case dict():
            return "{" + ", ".join(f"{json.dumps(name)}: {_written(each)}" for name, each in shown.items()) + "}"
        case list():
            return "[" + ", ".join(map(_written, shown)) + "]"
        case _:
            return json.dumps(shown)
