"""Helpers for tests of synthesized JSON.

The first synth of a test run loads jsii. docs/benchmarks.md says what a stack costs after that.
"""

import atexit
import json
import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import cast

from cdktf import App, Testing

from constructs_lib.place import AzureStack, Place, StateLocation
from environments import Platform, load
from stacks.platform import PlatformStack
from stacks.shared import SharedStack
from tools.pages.stacks import SynthesizedResource, TerraformJson, synthesize_stacks, walk_resources

_FOLDER = tempfile.TemporaryDirectory(prefix="tests-")
atexit.register(_FOLDER.cleanup)


@cache
def load_platform() -> Platform:
    """Return the checked settings, as they are written in `environments/`."""
    return load()


def make_app() -> App:
    """Return an app for a test. It gets a folder, because `Testing.app` would leave a new one behind at every call."""
    return Testing.app(outdir=_FOLDER.name)


def synthesize(stack: AzureStack) -> TerraformJson:
    """Return the Terraform JSON of one stack."""
    return cast(TerraformJson, json.loads(Testing.synth(stack)))


@cache
def synthesize_application() -> Mapping[str, TerraformJson]:
    """Return every stack of the application by name, from the settings as written. Do not change the result."""
    return synthesize_stacks()


def synthesize_platform(settings: Platform) -> Mapping[str, TerraformJson]:
    """Return every stack of an application with these settings, by name."""
    test_app = make_app()
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
    yield from walk_resources(stacks or synthesize_application())


def synthesize_content(make: Callable[[AzureStack], object], *, environment: str = "production") -> TerraformJson:
    """Return the Terraform JSON of a stack that has an environment's place, and contains only what `make` adds."""
    place = Place.of_environment(load_platform().environments[environment], load_platform())
    stack = AzureStack(make_app(), "test", place=place, state=StateLocation("sttest", "tfstate-test"))
    make(stack)
    return synthesize(stack)
