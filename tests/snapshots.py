"""Synthesized JSON as a snapshot shows it: a diff of it holds what changed in meaning, and nothing else.

Three things change without any change of meaning, so they are left out or written differently:

- a logical id that cdktf made ends in a hash of the construct's path (`edge_profile_D8DF98D9`); it is shown as that
  path (`edge/profile`), as a key and in references. An explicit one (`database_server`) stays as it is: it is the
  address of data in the state, see tests/stacks/test_state_addresses.py;
- cdktf's own notes under `//` (versions, paths, ids) are left out. What constructs write there, such as exceptions
  from Checkov's rules, stays;
- a string that is itself a JSON object (a workbook, a Logic App's action) is shown as that object, under `(json)`.
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


def files(add: Callable[[App], object]) -> dict[str, TerraformJson]:
    """What Terraform gets of the stacks that `add` adds to an app, by stack: the files, with the notes under `//`."""
    with TemporaryDirectory() as folder:
        app = Testing.app(outdir=folder)
        add(app)
        app.synth()
        return {file.parent.name: json.loads(file.read_bytes()) for file in Path(folder).glob("stacks/*/cdk.tf.json")}


def readable(stack: TerraformJson, construct: str = "") -> TerraformJson:
    """A stack as a snapshot shows it.

    Args:
        stack: The stack's file.
        construct: The id of a construct directly below the stack: nothing but its resources and data is shown.
    """
    paths = {
        metadata["uniqueId"]: metadata["path"].partition("/")[2]
        for block in BLOCKS
        for named in stack.get(block, {}).values()
        for metadata in (body["//"]["metadata"] for body in named.values())
    }

    def of_construct(named: TerraformJson) -> TerraformJson:
        return {id_: body for id_, body in named.items() if f"{paths[id_]}/".startswith(f"{construct}/")}

    def text(written: str) -> str:
        return GENERATED_ID.sub(lambda found: paths.get(found[0], found[0]), written)

    def shown(value: object) -> object:
        if isinstance(value, dict):
            block = cast(TerraformJson, value)
            notes = {name: note for name, note in block.get("//", {}).items() if name not in {"metadata", "outputs"}}
            return {text(key): shown(inner) for key, inner in block.items() if key != "//"} | (
                {"//": notes} if notes else {}
            )
        if isinstance(value, list):
            return [shown(inner) for inner in cast(list[object], value)]
        if isinstance(value, str):
            return {"(json)": shown(json.loads(value))} if value.startswith('{"') else text(value)
        return value

    if construct:
        stack = {
            block: {type_: own for type_, named in stack.get(block, {}).items() if (own := of_construct(named))}
            for block in BLOCKS
        }
    return cast(TerraformJson, shown({block: body for block, body in stack.items() if body}))
