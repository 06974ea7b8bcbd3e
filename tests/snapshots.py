"""Writes synthesized JSON in the form of a snapshot, whose diff shows only changes of meaning.

Three things can change without a change of meaning, so a snapshot omits them or writes them differently:

- A logical id that cdktf generates ends in a hash of the construct's path (`edge_profile_D8DF98D9`). The snapshot shows
  the path instead (`edge/profile`), as a key and in references. An explicit id (`database_server`) stays as it is,
  because it is the address of data in the state; see tests/stacks/test_state_addresses.py.
- cdktf's own notes under `//` (versions, paths, ids) are omitted. What constructs write there stays, such as exceptions
  from Checkov's rules.
- A string that is itself a JSON object (a workbook, an action of a Logic App) is shown as that object, under `(json)`.
"""

import json
import re
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

from cdktf import App, Testing

from tests.support import TerraformJson

GENERATED_ID = re.compile(r"[\w-]+_[0-9A-F]{8}\b")
BLOCKS = ("data", "resource")


def synthesize_files(add: Callable[[App], object]) -> dict[str, TerraformJson]:
    """Return the files that Terraform gets for the stacks that `add` adds to an app, by stack."""
    with TemporaryDirectory() as folder:
        app = Testing.app(outdir=folder)
        add(app)
        app.synth()
        return {file.parent.name: json.loads(file.read_bytes()) for file in Path(folder).glob("stacks/*/cdk.tf.json")}


def make_readable(stack: TerraformJson, construct: str = "") -> TerraformJson:
    """Return a stack as a snapshot shows it.

    Args:
        stack: The stack's file.
        construct: The id of a construct directly below the stack, to return only its resources and data.
    """
    paths = {
        metadata["uniqueId"]: metadata["path"].partition("/")[2]
        for block in BLOCKS
        for named in stack.get(block, {}).values()
        for metadata in (body["//"]["metadata"] for body in named.values())
    }

    def select(named: TerraformJson) -> TerraformJson:
        return {id_: body for id_, body in named.items() if f"{paths[id_]}/".startswith(f"{construct}/")}

    def replace_ids(text: str) -> str:
        return GENERATED_ID.sub(lambda match: paths.get(match[0], match[0]), text)

    def convert(value: object) -> object:
        if isinstance(value, dict):
            block = cast(TerraformJson, value)
            converted = {replace_ids(key): convert(inner) for key, inner in block.items() if key != "//"}
            notes = {name: note for name, note in block.get("//", {}).items() if name not in {"metadata", "outputs"}}
            return converted | ({"//": notes} if notes else {})
        if isinstance(value, list):
            return [convert(inner) for inner in cast(list[object], value)]
        if isinstance(value, str):
            return {"(json)": convert(json.loads(value))} if value.startswith('{"') else replace_ids(value)
        return value

    if construct:
        stack = {
            block: {type_: own for type_, named in stack.get(block, {}).items() if (own := select(named))}
            for block in BLOCKS
        }
    return cast(TerraformJson, convert({block: body for block, body in stack.items() if body}))
