"""Finds the queries in synthesized stacks and in Markdown pages."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, cast

_FENCE = re.compile(r"^```kusto\n(.*?)^```", re.MULTILINE | re.DOTALL)


class Query(NamedTuple):
    """A query and where it stands."""

    place: str
    """A file, or a stack and a resource."""
    line: int
    """The number of the query's first line in the file; 0 if the place is no file."""
    text: str


def list_stack_queries(stack: str, body: dict[str, Any]) -> Iterator[Query]:
    """Yield the queries in a stack's Terraform JSON: every property `query`, also inside the JSON of a workbook."""
    for type_, named in cast(dict[str, dict[str, Any]], body["resource"]).items():
        for name, resource in named.items():
            for text in _list_texts(resource):
                yield Query(f"{stack}: {type_}.{name}", 0, text)


def _list_texts(value: object) -> Iterator[str]:
    if isinstance(value, list):
        for item in cast(list[object], value):
            yield from _list_texts(item)
    if isinstance(value, dict):
        for name, item in cast(dict[str, object], value).items():
            if name == "query" and isinstance(item, str):
                yield item
            elif name == "data_json" and isinstance(item, str):
                yield from _list_texts(json.loads(item))
            else:
                yield from _list_texts(item)


def list_page_queries(page: Path) -> Iterator[Query]:
    """Yield the queries in the ```kusto blocks of a page."""
    content = page.read_text(encoding="utf-8")
    for block in _FENCE.finditer(content):
        yield Query(str(page), content.count("\n", 0, block.start(1)) + 1, block[1])
