"""Make the file of Azure's own types against which the stand-in checks bodies: `make azure-types FROM=...`."""

import argparse
import gzip
import json
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict, cast

from rehearsal.stand_in import families
from rehearsal.stand_in.azure_types import FILE, TypeRow, read_types
from rehearsal.stand_in.model import Json

REPOSITORY = "https://github.com/Azure/bicep-types-az"
_KINDS = {
    "AnyType": "any",
    "ArrayType": "array",
    "BooleanType": "boolean",
    "DiscriminatedObjectType": "variants",
    "IntegerType": "integer",
    "NullType": "null",
    "ObjectType": "object",
    "StringLiteralType": "choice",
    "StringType": "string",
    "UnionType": "union",
}
_LIMITS = {
    "minValue": "min",
    "maxValue": "max",
    "minLength": "min",
    "maxLength": "max",
    "pattern": "pattern",
}


class Document(TypedDict):
    """The content of the file. `rehearsal/stand_in/azure_types.py` reads it."""

    source: str
    types: list[TypeRow]
    resources: dict[str, int]
    actions: dict[str, list[int | None]]


def main() -> int:
    parser = argparse.ArgumentParser(prog="make azure-types", description=__doc__)
    parser.add_argument("source", type=Path, help=f"a clone of {REPOSITORY}, or a file that was made from one")
    parser.add_argument("--output", type=Path, default=FILE, help="default: .tools/azure-types.json.gz")
    arguments = parser.parse_args()
    try:
        content = _make_content(arguments.source)
    except (OSError, ValueError) as error:
        print(f"make azure-types: {error}", file=sys.stderr)
        return 1
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = arguments.output.with_suffix(".unfinished")
    unfinished.write_bytes(content)
    unfinished.replace(arguments.output)
    resource_types, versions = read_types(arguments.output).count()
    print(f"{arguments.output.name}: {resource_types} resource types at {versions} api-versions")
    return 0


def _make_content(source: Path) -> bytes:
    if source.is_file():
        read_types(source)
        return source.read_bytes()
    document = collect_types(source, {type_.name.lower() for type_ in families.TYPES})
    return gzip.compress(json.dumps(document, separators=(",", ":"), sort_keys=True).encode(), mtime=0)


def collect_types(clone: Path, wanted: Iterable[str]) -> Document:
    """Return the types of some resources at all their api-versions.

    Args:
        clone: A clone of Azure/bicep-types-az. `generated/SERVICE/NAMESPACE/VERSION/types.json` are its files of types.
        wanted: The resource types, in lower case.

    Raises:
        OSError: A file cannot be read.
        ValueError: The folder is no such clone, or it has none of these resource types.
    """
    names = frozenset(wanted)
    namespaces = {name.partition("/")[0] for name in names}
    files = sorted(file for file in clone.glob("generated/*/*/*/types.json") if file.parts[-3].lower() in namespaces)
    if not files:
        raise ValueError(
            f"{clone} is no clone of {REPOSITORY}: it has no generated/SERVICE/NAMESPACE/VERSION/types.json."
        )
    document = Document(source=_describe_source(clone), types=[], resources={}, actions={})
    for file in files:
        _Collection(cast(list[Json], json.loads(file.read_bytes())), document).add_resources(names)
    if not document["resources"]:
        raise ValueError(f"{clone} has none of the stand-in's resource types.")
    return document


class _Collection:
    """The types of one file, of which those that are referred to are added to the document."""

    def __init__(self, rows: list[Json], document: Document) -> None:
        self._rows = rows
        self._document = document
        self._numbers: dict[int, int] = {}

    def add_resources(self, names: frozenset[str]) -> None:
        for row in self._rows:
            if row["$type"] == "ResourceType" and _get_type(row["name"]) in names:
                self._document["resources"][row["name"].lower()] = self._add(row["body"])
            if row["$type"] == "ResourceFunctionType" and row["resourceType"].lower() in names:
                key = f"{row['resourceType']}@{row['apiVersion']}/{row['name']}".lower()
                self._document["actions"][key] = [self._add_optional(row.get(part)) for part in ("input", "output")]

    def _add_optional(self, reference: Json | None) -> int | None:
        return self._add(reference) if reference else None

    def _add(self, reference: Json) -> int:
        """Add the type that a reference such as `{"$ref": "#/4"}` names, and return its number in the document."""
        position = int(reference["$ref"].rpartition("/")[2])
        if position not in self._numbers:
            number = self._numbers[position] = len(self._document["types"])
            self._document["types"].append({"kind": "any"})  # keeps the number, as types may refer to themselves
            self._document["types"][number] = self._translate(self._rows[position])
        return self._numbers[position]

    def _translate(self, row: Json) -> TypeRow:
        kind = _KINDS.get(row["$type"])
        if kind is None:
            raise ValueError(f"'{row['$type']}' is no kind of type that is known: {', '.join(_KINDS)}.")
        if kind == "choice":
            return {"kind": "choice", "values": [row["value"]]}
        if kind == "union":
            return self._translate_union(row)
        new: Json = {"kind": kind} | {_LIMITS[name]: row[name] for name in _LIMITS if row.get(name) is not None}
        if row.get("sensitive"):
            new["secret"] = True
        if kind == "array":
            new["of"] = self._add(row["itemType"])
        if kind in ("object", "variants"):
            properties: dict[str, Json] = row.get("properties") or row.get("baseProperties") or {}
            new["properties"] = {name: [self._add(value["type"]), value["flags"]] for name, value in properties.items()}
        if row.get("additionalProperties"):
            new["rest"] = self._add(row["additionalProperties"])
        if kind == "variants":
            new["by"] = row["discriminator"]
            new["variants"] = {name: self._add(value) for name, value in row["elements"].items()}
        return cast(TypeRow, new)

    def _translate_union(self, row: Json) -> TypeRow:
        """Return a choice if the members are strings. A plain string among them says that later versions add values."""
        members = [self._rows[int(element["$ref"].rpartition("/")[2])] for element in row["elements"]]
        values = [member["value"] for member in members if member["$type"] == "StringLiteralType"]
        others = [member for member in members if member["$type"] != "StringLiteralType"]
        if not values or any(member != {"$type": "StringType"} for member in others):
            return {"kind": "union", "of": [self._add(element) for element in row["elements"]]}
        return {"kind": "choice", "values": values, "open": True} if others else {"kind": "choice", "values": values}


def _get_type(name: str) -> str:
    """Return the type in a name such as `Microsoft.Cache/redisEnterprise@2025-07-01`, in lower case."""
    return name.partition("@")[0].lower()


def _describe_source(clone: Path) -> str:
    """Return where the types come from, with the commit if Git knows it."""
    command = ["git", "-C", str(clone), "rev-parse", "HEAD"]
    try:
        commit = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return REPOSITORY
    return f"{REPOSITORY}/tree/{commit}"


if __name__ == "__main__":
    sys.exit(main())
