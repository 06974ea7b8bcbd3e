"""Check every query of the synthesized stacks and of the pages: `make kql`.

The parser is Microsoft's own. `tables.json` has the tables and columns that the queries use, with their types, from
https://learn.microsoft.com/azure/azure-monitor/reference/tables-index. A query of another column needs it there.
"""

import json
import sys
from pathlib import Path

from tools.kql.parser import ParserMissingError, list_faults
from tools.kql.queries import list_page_queries, list_stack_queries

STACKS = Path("cdktf.out/stacks")


def main() -> int:
    stacks = sorted(STACKS.glob("*/cdk.tf.json"))
    if not stacks:
        print(f"tools.kql: {STACKS} has no stack; `make synth` writes them.", file=sys.stderr)
        return 2
    queries = [
        query for file in stacks for query in list_stack_queries(file.parent.name, json.loads(file.read_bytes()))
    ]
    queries += [query for page in sorted(Path("docs").rglob("*.md")) for query in list_page_queries(page)]
    try:
        faults = list_faults(queries)
    except ParserMissingError as error:
        print(f"tools.kql: {error}", file=sys.stderr)
        return 2
    for fault in faults:
        print(fault)
    if not faults:
        print(f"tools.kql: {len(queries)} queries, no fault")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
