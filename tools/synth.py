"""Synthesize all stacks, or one, into cdktf.out, and say what came of it: `python -m tools.synth [STACK]`.

Writes what `cdktf synth` writes, byte for byte. Everything goes to a folder beside cdktf.out first: bad settings or a
crash leave the last good synth as it was.
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
    """The part of a cdk.tf.json that is counted here."""

    resource: dict[str, dict[str, object]]


class Row(NamedTuple):
    """One stack of the closing table."""

    stack: str
    resources: int
    types: int
    file: str
    seconds: float


def rows(output: Path, seconds: dict[str, float]) -> Iterator[Row]:
    """Count what `output` holds of the stacks that took `seconds` to build."""
    for stack, taken in seconds.items():
        file = output / "stacks" / stack / "cdk.tf.json"
        synthesized: StackJson = json.loads(file.read_text(encoding="utf-8"))
        by_type = synthesized.get("resource", {})
        yield Row(
            stack=stack,
            resources=sum(len(resources) for resources in by_type.values()),
            types=len(by_type),
            file=str(file),
            seconds=round(taken, 2),
        )


def publish(synthesized: Path, output: Path, *, only: str | None) -> None:
    """Move finished files over those of the last synth, and drop the stacks that are no longer.

    What Terraform keeps beside them (`.terraform`, its lock file) stays. With `only`, no file but that stack's changes.
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


def synthesize(output: Path, *, only: str | None = None) -> list[Row]:
    """Synthesize into `output`; raises SettingsError, with nothing written, when the settings cannot stand."""
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
    return list(rows(output, seconds))


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


if __name__ == "__main__":
    main()
