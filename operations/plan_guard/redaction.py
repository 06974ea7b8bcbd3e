"""The values of a plan as a report may show them: sensitive values are hidden, and unknown values are named.

A plan says which values are sensitive or unknown in fields of their own, which are called marks here. A mark has the
structure of the value that it belongs to, and is `true` where everything at or below that place is marked.
https://developer.hashicorp.com/terraform/internals/json-format#change-representation
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import cast

from pydantic import JsonValue

from operations.terraform.plan import Change, Plan

COPY_LENGTH = 6
"""A text of this many characters or more is hidden wherever it equals a sensitive one.

Shorter ones, such as "true" or "8000", are the values of many other attributes as well.
"""

PART_LENGTH = 16
"""A sensitive text of this many characters or more also hides every text that contains it."""


@dataclass(frozen=True)
class Sensitive:
    """A value that can be compared but is never shown."""

    value: JsonValue = field(repr=False)


@dataclass(frozen=True)
class Unknown:
    """A value that is not known before the apply."""


Value = None | bool | int | float | str | list["Value"] | dict[str, "Value"] | Sensitive | Unknown


class Redactor:
    """Hides the sensitive values of a plan, and all copies of them.

    A provider may copy a sensitive value into an attribute that the plan does not mark, as `terraform_data` does with
    `output`.
    """

    def __init__(self, plan: Plan) -> None:
        """Collect the sensitive texts of the whole plan."""
        resources = (*plan.resource_changes, *plan.resource_drift)
        changes = (*(resource.change for resource in resources), *plan.output_changes.values())
        secrets = {
            secret for change in changes for value in hide_sensitive(change) for secret in _find_secret_texts(value)
        }
        self._secrets = {secret for secret in secrets if len(secret) >= COPY_LENGTH}
        self._long_secrets = {secret for secret in secrets if len(secret) >= PART_LENGTH}

    def redact(self, change: Change) -> tuple[Value, Value]:
        """Return the values before and after the change, without anything sensitive."""
        before, after = hide_sensitive(change)
        return self._hide_copies(before), _insert_unknown(self._hide_copies(after), change.after_unknown)

    def hide_copies(self, value: JsonValue) -> Value:
        """Return a value of the plan with every copy of something sensitive hidden."""
        return self._hide_copies(cast(Value, value))

    def _hide_copies(self, value: Value) -> Value:
        match value:
            case str() if value in self._secrets or self._contains_secret(value):
                return Sensitive(value)
            case dict() if any(self._contains_secret(key) for key in value):
                return Sensitive(list(value))
            case dict():
                return {key: self._hide_copies(item) for key, item in value.items()}
            case list():
                return [self._hide_copies(item) for item in value]
            case _:
                return value

    def _contains_secret(self, text: str) -> bool:
        return any(secret in text for secret in self._long_secrets)


def hide_sensitive(change: Change) -> tuple[Value, Value]:
    """Return the values before and after the change, with everything hidden that is sensitive on either side."""
    marks = (change.before_sensitive, change.after_sensitive)
    return _hide_marked(change.before, marks), _hide_marked(change.after, marks)


def cut_path(path: Iterable[str | int], change: Change) -> tuple[str | int, ...]:
    """Return the path of an attribute, cut off before the first step that is sensitive.

    The keys of a sensitive map are sensitive too.
    """
    marks: Sequence[JsonValue] = (change.before_sensitive, change.after_sensitive)
    visible: list[str | int] = []
    for step in path:
        if True in marks:
            break
        visible.append(step)
        marks = _get_marks_below(marks, step)
    return tuple(visible)


def _hide_marked(value: JsonValue, marks: Sequence[JsonValue]) -> Value:
    if True in marks:
        return Sensitive(value)
    match value:
        case dict():
            return {key: _hide_marked(item, _get_marks_below(marks, key)) for key, item in value.items()}
        case list():
            return [_hide_marked(item, _get_marks_below(marks, index)) for index, item in enumerate(value)]
        case _:
            return value


def _get_marks_below(marks: Sequence[JsonValue], step: str | int) -> list[JsonValue]:
    """Return the marks that apply one step further down.

    A plan writes a set as a list in no particular order, so the marks of all elements apply to every element.
    """
    below: list[JsonValue] = []
    for mark in marks:
        if isinstance(mark, list):
            below += mark
        elif isinstance(mark, dict) and isinstance(step, str) and step in mark:
            below.append(mark[step])
    return below


def _insert_unknown(value: Value, mark: JsonValue) -> Value:
    """Return the value with Unknown in every place that is marked. The plan itself leaves unknown values out."""
    if mark is True:
        return Unknown()
    if isinstance(value, Sensitive) or not _marks_anything(mark):
        return value
    match mark:
        case dict():
            items = dict(value) if isinstance(value, dict) else {}
            for key, mark_below in mark.items():
                if key in items or _marks_anything(mark_below):
                    items[key] = _insert_unknown(items.get(key), mark_below)
            return items
        case list():
            elements = value if isinstance(value, list) else []
            return [_insert_unknown(element, below) for element, below in itertools.zip_longest(elements, mark)]
        case _:
            return value


def _marks_anything(mark: JsonValue) -> bool:
    match mark:
        case dict():
            return any(_marks_anything(below) for below in mark.values())
        case list():
            return any(_marks_anything(below) for below in mark)
        case _:
            return mark is True


def _find_secret_texts(value: Value) -> Iterator[str]:
    """Yield every text inside the hidden parts of a value."""
    match value:
        case Sensitive():
            yield from _find_texts(value.value)
        case dict():
            for item in value.values():
                yield from _find_secret_texts(item)
        case list():
            for item in value:
                yield from _find_secret_texts(item)
        case _:
            pass


def _find_texts(value: JsonValue) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for item in value.values():
                yield from _find_texts(item)
        case list():
            for item in value:
                yield from _find_texts(item)
        case _:
            pass
