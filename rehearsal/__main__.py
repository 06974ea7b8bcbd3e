"""Rehearse an environment's whole life on this machine: `python -m rehearsal [ENVIRONMENT]`, or `make rehearse`."""

import argparse
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

from tabulate import tabulate

from environments import ENVIRONMENTS, Platform, load
from rehearsal import azurite, state_alone, terraform
from rehearsal.steps import STEPS, Rehearsal, StepError, run
from rehearsal.world import World, world

HEADERS = ("step", "stack", "resources", "Terraform s", "ours s", "result")


def main() -> int:
    parser = argparse.ArgumentParser(prog="rehearsal", description=__doc__)
    parser.add_argument(
        "environment", nargs="?", default="dev", choices=list(ENVIRONMENTS), help="default: %(default)s"
    )
    parser.add_argument("--step", choices=STEPS, help="the last step to do; all, when none is named")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work in FOLDER and leave everything there")
    parser.add_argument("--output", type=Path, default=Path("cdktf.out/rehearsal"), help="default: %(default)s")
    arguments = parser.parse_args()
    if terraform.find() is None:
        print("rehearsal: neither Terraform nor OpenTofu is installed; nothing can be rehearsed.")
        return 1
    if azurite.find() is None:
        print("rehearsal: Azurite is not installed; `make tools` installs it.")
        return 1
    with _folder(arguments.keep) as folder:
        platform = load()
        with world(folder, platform) as here:
            if not _provider(here, platform):
                print(
                    "rehearsal: the azurerm provider cannot be had here (terraform init finds it nowhere): state alone."
                )
                state_alone.rehearse(here, platform, _say)
                return 0
            rehearsal = Rehearsal(here, platform, arguments.environment, _say, arguments.output)
            try:
                run(rehearsal, arguments.step)
            except StepError as error:
                print(f"rehearsal: {error}", file=sys.stderr)
                return 1
            finally:
                print(
                    tabulate(rehearsal.rows, headers=["step", "stack", "resources", "Terraform s", "ours s", "result"])
                )
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


def _provider(here: World, platform: Platform) -> bool:
    """Whether `terraform init` finds the provider."""
    from rehearsal import synthesis  # noqa: PLC0415  jsii is loaded only once Terraform is known to be there

    probe = here.stack("probe", synthesis.shared(platform), local_state=True)
    return not terraform.provider_missing(probe.run("init", "-no-color", "-backend=false"))


@contextlib.contextmanager
def _folder(keep: Path | None) -> Generator[Path]:
    if keep:
        shutil.rmtree(keep, ignore_errors=True)
        keep.mkdir(parents=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    sys.exit(main())
