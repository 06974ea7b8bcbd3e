"""Makes a body wrong in every way that Azure's types tell: one change at a time."""

import copy
from collections.abc import Iterator
from typing import NamedTuple, cast

from rehearsal.stand_in.azure_types import READ_ONLY, REQUIRED, AzureTypes, TypeRow
from rehearsal.stand_in.model import Json

Path = tuple[str | int, ...]


class WrongBody(NamedTuple):
    """A body with one fault."""

    kind: str
    """The kind of the fault: missing, choice, unknown or json."""
    path: Path
    """Where the fault is."""
    body: Json


def make_wrong_bodies(types: AzureTypes, number: int, body: Json) -> Iterator[WrongBody]:
    """Yield copies of a body of a type, each with another fault. The name is left alone: it is not sent."""
    for kind, path, value in _list_faults(types, number, body, ()):
        if path[0] != "name":
            yield WrongBody(kind, path, _change(body, path, value))


_MISSING = object()


def _list_faults(types: AzureTypes, number: int, value: object, path: Path) -> Iterator[tuple[str, Path, object]]:
    row = types.rows[number]
    if row["kind"] == "any":
        return
    if path:
        yield "json", path, _make_other_json(row)
    if row["kind"] == "choice":
        yield "choice", path, "Sideways"
    if row["kind"] == "array":
        for position, item in enumerate(cast(list[object], value)):
            yield from _list_faults(types, cast(int, row.get("of")), item, (*path, position))
    if row["kind"] in ("object", "variants"):
        yield from _list_faults_of_object(types, row, cast(Json, value), path)


def _list_faults_of_object(
    types: AzureTypes, row: TypeRow, value: Json, path: Path
) -> Iterator[tuple[str, Path, object]]:
    properties = dict(row.get("properties", {}))
    if variants := row.get("variants"):
        variant = types.rows[variants[str(value[row.get("by", "")])]]
        properties |= variant.get("properties", {})
        row = variant
    rest = row.get("rest")
    if rest is None:
        yield "unknown", (*path, "sideways"), 1
    for name, item in value.items():
        type_, flags = properties.get(name, (rest, 0))
        if item is None or type_ is None or flags & READ_ONLY:
            continue
        if flags & REQUIRED:
            yield "missing", (*path, name), _MISSING
        yield from _list_faults(types, type_, item, (*path, name))


def _make_other_json(row: TypeRow) -> object:
    """Return a value that JSON writes in another way than those of the type."""
    return "maybe" if row["kind"] in ("boolean", "integer", "array", "object", "variants") else {"sideways": 1}


def _change(body: Json, path: Path, value: object) -> Json:
    """Return a copy of a body with another value at a path."""
    result = copy.deepcopy(body)
    place = cast(dict[str | int, object], result)
    for part in path[:-1]:
        place = cast(dict[str | int, object], place[part])
    if value is _MISSING:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return result
