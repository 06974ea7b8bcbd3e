"""Helpers for tests of synthesized JSON.

The first synth of a test run loads jsii. docs/benchmarks.md says what a stack costs after that.
"""

import atexit
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
atexit.register(_FOLDER.cleanup)


class SynthesizedResource(NamedTuple):
    """One resource of a synthesized stack."""

    stack: str
    type: str
    name: str
    body: TerraformJson

    @property
    def address(self) -> str:
        """The stack and Terraform's address: `production: azurerm_key_vault.key_vault`."""
        return f"{self.stack}: {self.type}.{self.name}"


@cache
def platform() -> Platform:
    """Return the checked settings, as they are written in `environments/`."""
    return load()


def app() -> App:
    """Return an app for a test. It gets a folder, because `Testing.app` would leave a new one behind at every call."""
    return Testing.app(outdir=_FOLDER.name)


def synthesize(stack: AzureStack) -> TerraformJson:
    """Return the Terraform JSON of one stack."""
    return cast(TerraformJson, json.loads(Testing.synth(stack)))


@cache
def synthesized() -> Mapping[str, TerraformJson]:
    """Return every stack of the application by name, from the settings as written. Do not change the result."""
    return {stack.node.id: synthesize(cast(AzureStack, stack)) for stack in add_stacks(app())}


def synthesized_from(settings: Platform) -> Mapping[str, TerraformJson]:
    """Return every stack of an application with these settings, by name."""
    test_app = app()
    stacks: list[AzureStack] = [
        SharedStack(test_app, platform=settings),
        *(
            PlatformStack(test_app, environment=environment, platform=settings)
            for environment in settings.environments.values()
        ),
    ]
    return {stack.node.id: synthesize(stack) for stack in stacks}


def resources(stacks: Mapping[str, TerraformJson] | None = None) -> Iterator[SynthesizedResource]:
    """Yield every resource of these stacks, or by default of all stacks of the application."""
    for stack, body in (stacks or synthesized()).items():
        for type_, named in body.get("resource", {}).items():
            for name, resource in named.items():
                yield SynthesizedResource(stack, type_, name, resource)


def build(make: Callable[[AzureStack], object], *, environment: str = "production") -> TerraformJson:
    """Return the Terraform JSON of a stack that has an environment's place, and contains only what `make` adds."""
    place = Place.of_environment(platform().environments[environment], platform())
    stack = AzureStack(app(), "test", place=place, state=State("sttest", "tfstate-test"))
    make(stack)
    return synthesize(stack)
