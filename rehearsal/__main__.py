"""Rehearse an environment's whole life on this machine: `python -m rehearsal [ENVIRONMENT]`, or `make rehearse`."""

import argparse
import contextlib
import shutil
import signal
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path
from urllib.parse import urlsplit

import bindings

bindings.install()  # before the imports below, some of which load cdktf

from tabulate import tabulate

from environments import ENVIRONMENTS, Platform, SettingsError, load
from operations.terraform.runner import TerraformError, find_terraform
from rehearsal.azurite import find_azurite
from rehearsal.progress import Progress
from rehearsal.serve import serve_world
from rehearsal.stand_in.azure_types import TypesFileError, load_types
from rehearsal.state_alone import StateError, rehearse_state
from rehearsal.steps import STEPS, Rehearsal, StepError, run_steps
from rehearsal.synthesis import synthesize_shared
from rehearsal.terraform import is_provider_missing
from rehearsal.world import STORE, World, open_world

HEADERS = ("step", "stack", "resources", "Terraform s", "ours s", "result")
RESULT_WIDTH = 60
SERVE = "serve"
DEFAULT = "dev"
MARK = ".rehearsal"
"""A file that says of its folder that the next rehearsal may empty it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="rehearsal", description=__doc__)
    parser.add_argument(
        "environment", nargs="?", choices=list(ENVIRONMENTS), help=f"default: {DEFAULT}; none with {SERVE}"
    )
    parser.add_argument(
        "--step",
        choices=(*(step.name for step in STEPS), SERVE),
        help=f"the last step to do; default: all. {SERVE}: run the stand-in alone, until Ctrl-C",
    )
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work in FOLDER and leave everything there")
    parser.add_argument("--store", type=Path, metavar="FILE", help=f"with {SERVE}: a {STORE} to start from")
    parser.add_argument("--endpoint", metavar="URL", help="another Resource Manager, instead of the stand-in")
    parser.add_argument("--ca", type=Path, metavar="FILE", help="its certificate authority; default: this machine's")
    parser.add_argument("--output", type=Path, default=Path("cdktf.out/rehearsal"), help="default: %(default)s")
    arguments = parser.parse_args()
    if arguments.endpoint and (arguments.step == SERVE or not _is_address(arguments.endpoint)):
        parser.error("--endpoint takes https://HOST:PORT, and is not served by us")
    if arguments.store and arguments.step != SERVE:
        parser.error(f"--store goes with --step {SERVE}")
    if arguments.ca and not arguments.endpoint:
        parser.error("--ca goes with --endpoint")
    try:
        return _run(arguments)
    except (SettingsError, StateError, StepError, TerraformError, TypesFileError, RuntimeError, OSError) as error:
        print(f"rehearsal: {error}", file=sys.stderr)
        return 1


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    try:
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:  # the port is no number, or out of range
        return False


def _run(arguments: argparse.Namespace) -> int:
    if find_terraform() is None:
        print("rehearsal: neither Terraform nor OpenTofu is installed; nothing can be rehearsed.")
        return 1
    if find_azurite() is None:
        print("rehearsal: Azurite is not installed; `make tools` installs it.")
        return 1
    progress = Progress(sys.stdout)
    if load_types() is None and not arguments.endpoint:
        progress.print_line(
            "Bodies are not checked against Azure's own types: `make azure-types FROM=...` brings them."
        )
    with _open_folder(arguments.keep) as folder:
        platform = load()
        with open_world(folder, platform, other_endpoint=arguments.endpoint, ca=arguments.ca) as world:
            if arguments.step == SERVE:
                try:
                    serve_world(world, platform, arguments.environment, arguments.store, progress.print_line)
                except (OSError, ValueError) as error:
                    print(f"rehearsal: {arguments.store}: {error}")
                    return 1
            if not _has_provider(world, platform):
                print(
                    "rehearsal: the azurerm provider cannot be had here (terraform init finds it nowhere): state alone."
                )
                rehearse_state(world, platform, progress.print_line)
                return 0
            name = arguments.environment or DEFAULT
            return _rehearse(Rehearsal(world, platform, name, progress, arguments.output), arguments.step)


def _rehearse(rehearsal: Rehearsal, last: str | None) -> int:
    """Do the steps, and print the table of those that were done, also after a step that failed."""
    try:
        run_steps(rehearsal, last)
    finally:
        if rehearsal.rows:
            print(tabulate(rehearsal.rows, headers=HEADERS, maxcolwidths=[*[None] * (len(HEADERS) - 1), RESULT_WIDTH]))
    return 0


def _has_provider(world: World, platform: Platform) -> bool:
    """Return whether `terraform init` finds the provider."""
    probe = world.write_stack("probe", synthesize_shared(platform), local_state=True)
    return not is_provider_missing(probe.init("-backend=false"))


@contextlib.contextmanager
def _open_folder(keep: Path | None) -> Generator[Path]:
    """Yield the folder to work in: an emptied `keep`, or a temporary one that is removed at the end."""
    if keep:
        if keep.exists() and any(keep.iterdir()) and not (keep / MARK).exists():
            raise SystemExit(f"rehearsal: {keep} holds something else than an earlier rehearsal; it is left as it is.")
        shutil.rmtree(keep, ignore_errors=True)
        keep.mkdir(parents=True)
        (keep / MARK).touch()
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:
        yield Path(folder)


if __name__ == "__main__":
    # `kill` and a closed terminal end it as Ctrl-C does. SIGINT is in the list because a shell starts a background
    # command with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nrehearsal: ended; nothing is left running.", flush=True)
        # Ctrl-C has ended jsii's Node as well. At exit jsii says goodbye to it, which would print a traceback.
        sys.unraisablehook = lambda _: None
        sys.exit(128 + signal.SIGINT)
