"""The check of every query: what it finds in stacks and pages, and that each kind of fault is seen."""

import gzip
import json
from pathlib import Path

import pytest

from tools.kql.parser import PARSER, list_faults
from tools.kql.queries import Query, list_page_queries, list_stack_queries

TABLES = json.loads(Path("tools/kql/tables.json").read_text(encoding="utf-8"))
REFERENCE = Path("../shared/azure/log-tables.json.gz")
"""Microsoft's table reference as data, which a team can keep beside its checkouts: {table: {column: type}}."""


@pytest.mark.parametrize(
    ("text", "code", "named"),
    [
        ("AppRequests | where Duration > 1", "KS142", "'Duration'"),
        ("AppRequest | take 1", "KS204", "'AppRequest'"),
        ("AppRequests | summarize last = max(TimeGenerated)", "KS228", "'last'"),
        ("AppRequests | wher Success", "KS176", "operator"),
        ("AppRequests | where startofday(Name) > now()", "KS107", "datetime"),
    ],
)
@pytest.mark.skipif(not PARSER.is_dir(), reason=f"{PARSER} is not there: make tools installs it")
def test_a_wrong_query_is_told_with_its_place(text: str, code: str, named: str) -> None:
    good = Query("page.md", 1, "AppRequests | count")
    faults = list_faults([good, Query("page.md", 7, f"AppRequests\n| count;\n{text}")])
    assert [fault for fault in faults if fault.startswith(f"page.md:9: {code}: ") and named in fault]
    assert not [fault for fault in faults if fault.startswith("page.md:1")]


@pytest.mark.skipif(not PARSER.is_dir(), reason=f"{PARSER} is not there: make tools installs it")
def test_every_query_of_the_pages_is_right() -> None:
    queries = [query for page in Path("docs").rglob("*.md") for query in list_page_queries(page)]
    assert len(queries) > 10
    assert list_faults(queries) == []


def test_queries_are_found_in_alerts_and_in_workbooks() -> None:
    tiles = json.dumps({"items": [{"content": {"query": "A"}}, {"content": {"json": "# text"}}]})
    body = {"resource": {"alert": {"one": {"criteria": [{"query": "B"}]}}, "workbook": {"two": {"data_json": tiles}}}}
    assert list(list_stack_queries("dev", body)) == [
        Query("dev: alert.one", 0, "B"),
        Query("dev: workbook.two", 0, "A"),
    ]


def test_a_query_of_a_page_has_its_line(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# Title\n\n```kusto\nA\n| take 1\n```\n\n```bash\nls\n```\n", encoding="utf-8")
    assert list(list_page_queries(page)) == [Query(str(page), 4, "A\n| take 1\n")]


def test_the_tables_are_microsofts() -> None:
    """`_LogOperation` is a function of every workspace, so it is in no table reference."""
    if not REFERENCE.is_file():
        pytest.skip(f"{REFERENCE} is not there, so the tables are not compared with Microsoft's reference")
    reference = json.loads(gzip.decompress(REFERENCE.read_bytes()))
    for table, columns in TABLES.items():
        if table != "_LogOperation":
            assert (
                columns.items()
                <= {name: kind.replace("double", "real") for name, kind in reference[table].items()}.items()
            )
