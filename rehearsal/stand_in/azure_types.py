"""Azure's own types of requests and answers, read from a file that `make azure-types` makes.

Microsoft generates them from Azure's OpenAPI documents and publishes them at https://github.com/Azure/bicep-types-az.
They are no part of this repository. Without the file, the stand-in checks no body against them.
"""

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import NotRequired, TypedDict, cast

NAME = "azure-types.json.gz"
_ROOT = Path(__file__).parents[2]
FILE = _ROOT / ".tools" / NAME
"""Where `make azure-types` writes the file."""
PLACES = (FILE, _ROOT.parent / "shared" / "azure" / NAME)
"""Where the file is looked for. A team can keep one file beside all its checkouts, in `shared/azure`."""

REQUIRED, READ_ONLY, WRITE_ONLY = 1, 2, 4
"""Flags of a property. https://github.com/Azure/bicep-types/blob/main/src/bicep-types/src/types.ts has them all."""


class TypesFileError(ValueError):
    """A file is no file of Azure's types."""


class TypeRow(TypedDict):
    """A type. Other types are referred to by their number. Which keys there are depends on `kind`."""

    kind: str
    """any, boolean, null, integer, string, choice, array, union, object or variants."""
    min: NotRequired[int]
    """The lowest value of an integer, or the shortest length of a string or an array."""
    max: NotRequired[int]
    pattern: NotRequired[str]
    secret: NotRequired[bool]
    values: NotRequired[list[str]]
    """The values of a choice."""
    open: NotRequired[bool]
    """Whether a later version of a choice may add values."""
    of: NotRequired[int | list[int]]
    """The type of an array's items, or those of a union."""
    by: NotRequired[str]
    """The property whose value chooses the variant."""
    properties: NotRequired[dict[str, list[int]]]
    """By name: the number of the type, and the flags."""
    rest: NotRequired[int]
    """The type of every other property. Without it, an object has no others."""
    variants: NotRequired[dict[str, int]]


class AzureTypes:
    """The types of resources at their api-versions."""

    def __init__(
        self,
        rows: Sequence[TypeRow],
        resources: Mapping[str, int],
        actions: Mapping[str, Sequence[int | None] | None] | None = None,
    ) -> None:
        """Create the types.

        Args:
            rows: All types. The position of a type is its number.
            resources: By `TYPE@VERSION` in lower case: the number of the resource's type.
            actions: By `TYPE@VERSION/ACTION` in lower case: the numbers of the types of the request and the answer.
        """
        self.rows = rows
        self._resources = resources
        self._actions = actions or {}
        self._versions: dict[str, list[str]] = {}
        for resource in sorted(resources):
            type_, _, version = resource.partition("@")
            self._versions.setdefault(type_, []).append(version)

    def list_versions(self, type_: str) -> Sequence[str]:
        """Return the api-versions of a resource type, oldest first. There are none if the file lacks the type."""
        return self._versions.get(type_.lower(), ())

    def count(self) -> tuple[int, int]:
        """Return how many resource types there are, and how many api-versions they have together."""
        return len(self._versions), len(self._resources)

    def find_body(self, type_: str, version: str) -> int | None:
        """Return the number of a resource's type, or None if the file lacks it."""
        return self._resources.get(f"{type_}@{version}".lower())

    def find_action_body(self, type_: str, version: str, action: str) -> int | None:
        """Return the number of the type of an action's request, or None if the file does not say it."""
        sent = self._actions.get(f"{type_}@{version}/{action}".lower())
        return sent[0] if sent else None


def read_types(file: Path) -> AzureTypes:
    """Read a file that `make azure-types` made.

    Raises:
        OSError: The file cannot be read.
        TypesFileError: It is no such file.
    """
    try:
        document: dict[str, object] = json.loads(gzip.decompress(file.read_bytes()))
        rows, resources, actions = document["types"], document["resources"], document["actions"]
    except (EOFError, gzip.BadGzipFile, zlib.error, KeyError, TypeError, ValueError) as error:
        raise TypesFileError(
            f"{file} is no file of Azure's types: {error!r}. `make azure-types FROM=...` writes one."
        ) from error
    return AzureTypes(
        cast(list[TypeRow], rows), cast(dict[str, int], resources), cast(dict[str, list[int | None] | None], actions)
    )


@cache
def load_types() -> AzureTypes | None:
    """Return the types of the first file in `PLACES` that exists, or None.

    Raises:
        TypesFileError: The file is damaged.
    """
    file = next((place for place in PLACES if place.is_file()), None)
    return read_types(file) if file else None
