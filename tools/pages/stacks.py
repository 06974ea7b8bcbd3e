"""The synthesized stacks that pages are written from."""

import json
import tempfile
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, cast

from cdktf import App, Testing

from main import add_stacks

TerraformJson = dict[str, Any]
"""The Terraform JSON of one stack."""


class SynthesizedResource(NamedTuple):
    """One resource of a synthesized stack."""

    stack: str
    type: str
    name: str
    body: TerraformJson

    @property
    def address(self) -> str:
        """The resource's address in Terraform, after the name of its stack: `dev: azurerm_key_vault.key_vault`."""
        return f"{self.stack}: {self.type}.{self.name}"


def synthesize_stacks() -> Mapping[str, TerraformJson]:
    """Return the Terraform JSON of every stack, by name, from the settings as they are written."""
    with tempfile.TemporaryDirectory(prefix="pages-") as folder:
        app = App(outdir=folder)
        return {stack.node.id: cast(TerraformJson, json.loads(Testing.synth(stack))) for stack in add_stacks(app)}


def walk_resources(stacks: Mapping[str, TerraformJson]) -> Iterator[SynthesizedResource]:
    """Yield every resource of these stacks."""
    for stack, body in stacks.items():
        for type_, resources in body.get("resource", {}).items():
            for name, resource in resources.items():
                yield SynthesizedResource(stack, type_, name, resource)
