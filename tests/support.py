"""What tests of synthesized JSON share. jsii is loaded once a run; docs/benchmarks.md says what a stack costs then."""

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple, cast

from cdktf import App, Testing

from constructs_lib.place import AzureStack, Place, State
from environments import Platform, load
from main import add_stacks
from stacks.platform import PlatformStack
from stacks.shared import SharedStack

TerraformJson = dict[str, Any]
_FOLDER = tempfile.TemporaryDirectory(prefix="tests-")


class SynthesizedResource(NamedTuple):
    """One resource of a synthesized stack."""

    stack: str
    type: str
    name: str
    body: TerraformJson

    @property
    def address(self) -> str:
        """As Terraform writes it, after the stack: `production: azurerm_key_vault.key_vault`."""
        return f"{self.stack}: {self.type}.{self.name}"


@cache
def platform() -> Platform:
    """The settings as they are written, checked."""
    return load()


def app() -> App:
    """An app for a test. Without a folder, `Testing.app` makes one at every call, and leaves it."""
    return Testing.app(outdir=_FOLDER.name)


def synthesize(stack: AzureStack) -> TerraformJson:
    """The Terraform JSON of one stack."""
    return cast(TerraformJson, json.loads(Testing.synth(stack)))


@cache
def synthesized() -> Mapping[str, TerraformJson]:
    """Every stack of the application, by name, from the settings as they are written. Read it, do not change it."""
    return {stack.node.id: synthesize(cast(AzureStack, stack)) for stack in add_stacks(app())}


def synthesized_from(settings: Platform) -> Mapping[str, TerraformJson]:
    """Every stack of an application with these settings, by name."""
    into = app()
    stacks: list[AzureStack] = [
        SharedStack(into, platform=settings),
        *(PlatformStack(into, environment=each, platform=settings) for each in settings.environments.values()),
    ]
    return {stack.node.id: synthesize(stack) for stack in stacks}


def resources(stacks: Mapping[str, TerraformJson] | None = None) -> Iterator[SynthesizedResource]:
    """Every resource of these stacks; of all stacks by default."""
    for stack, body in (stacks or synthesized()).items():
        for type_, named in body.get("resource", {}).items():
            for name, resource in named.items():
                yield SynthesizedResource(stack, type_, name, resource)


def build(make: Callable[[AzureStack], object], *, environment: str = "production") -> TerraformJson:
    """The Terraform JSON of what `make` adds to an otherwise empty stack that stands where an environment does."""
    place = Place.of_environment(platform().environments[environment], platform())
    stack = AzureStack(app(), "test", place=place, state=State("sttest", "tfstate-test"))
    make(stack)
    return synthesize(stack)
