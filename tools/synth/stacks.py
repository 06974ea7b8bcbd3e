"""Synthesize all stacks, or one, into cdktf.out, and print a table of them.

It writes what `cdktf synth` writes, byte for byte. Everything goes to a temporary folder first, so that bad settings or
a crash leave the last good synth untouched.
"""

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, TypedDict

import bindings

bindings.install()  # before the imports below, which load cdktf

from cdktf import App
from tabulate import tabulate

import main as program
from environments import SettingsError


class StackJson(TypedDict, total=False):
    """The part of a cdk.tf.json whose resources are counted."""

    resource: dict[str, dict[str, object]]


class SynthRow(NamedTuple):
    """A row of the table that is printed at the end: one stack."""

    stack: str
    resources: int
    types: int
    file: str
    seconds: float


def count_resources(output: Path, seconds: dict[str, float]) -> Iterator[SynthRow]:
    """Yield a row for each stack in `output`. `seconds`: how long each stack took to build."""
    for stack, taken in seconds.items():
        file = output / "stacks" / stack / "cdk.tf.json"
        synthesized: StackJson = json.loads(file.read_text(encoding="utf-8"))
        by_type = synthesized.get("resource", {})
        yield SynthRow(
            stack=stack,
            resources=sum(len(resources) for resources in by_type.values()),
            types=len(by_type),
            file=str(file),
            seconds=round(taken, 2),
        )


def publish(synthesized: Path, output: Path, *, only: str | None) -> None:
    """Move the finished files over those of the last synth, and remove the stacks that no longer exist.

    Terraform's own files in the stacks' folders (`.terraform`, its lock file) stay. `only`: replace this stack's files
    and leave all others as they are.
    """
    part = Path("stacks") / only if only else Path()
    for file in sorted(path for path in (synthesized / part).rglob("*") if path.is_file()):
        target = output / file.relative_to(synthesized)
        target.parent.mkdir(parents=True, exist_ok=True)
        file.replace(target)
    if only is None and (output / "stacks").is_dir():
        for stack in (output / "stacks").iterdir():
            if not (synthesized / "stacks" / stack.name).exists():
                shutil.rmtree(stack)


def synthesize(output: Path, *, only: str | None = None) -> list[SynthRow]:
    """Synthesize into `output`, and return a row for each stack. `only`: this stack alone.

    Raises:
        SettingsError: a setting is wrong. Nothing was written.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".cdktf-synth-", dir=output.parent) as temporary:
        folder = Path(temporary) / "out"
        app = App(outdir=str(folder))
        seconds: dict[str, float] = {}
        started = time.perf_counter()
        for stack in program.add_stacks(app, only):
            seconds[stack.node.id] = time.perf_counter() - started
            started = time.perf_counter()
        app.synth()
        publish(folder, output, only=only)
    return list(count_resources(output, seconds))


def main() -> None:
    parser = argparse.ArgumentParser(description="Synthesize all stacks, or one, into cdktf.out.")
    parser.add_argument("stack", nargs="?", help="all, when none is named")
    parser.add_argument("--output", type=Path, default=Path("cdktf.out"), help="default: %(default)s")
    arguments = parser.parse_args()
    try:
        table = synthesize(arguments.output, only=arguments.stack)
    except SettingsError as error:
        sys.exit(str(error))
    print(tabulate(table, headers="keys", floatfmt=".2f"))
