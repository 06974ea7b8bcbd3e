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

from tabulate import tabulate

from environments import ENVIRONMENTS, Platform, SettingsError, load
from operations.terraform.runner import TerraformError, find_terraform
from rehearsal import azurite, state_alone
from rehearsal.progress import Progress
from rehearsal.state_alone import StateError
from rehearsal.steps import STEPS, Rehearsal, StepError, run
from rehearsal.terraform import is_provider_missing
from rehearsal.world import STORE, World, world

HEADERS = ("step", "stack", "resources", "Terraform s", "ours s", "result")
RESULT_WIDTH = 60
SERVE = "serve"
DEFAULT = "dev"
MARK = ".rehearsal"
"""Says of a folder that the next rehearsal may empty it."""


def main() -> int:
    parser = argparse.ArgumentParser(prog="rehearsal", description=__doc__)
    parser.add_argument(
        "environment", nargs="?", choices=list(ENVIRONMENTS), help=f"default: {DEFAULT}; none with {SERVE}"
    )
    parser.add_argument(
        "--step",
        choices=(*STEPS, SERVE),
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
    except (SettingsError, StateError, StepError, TerraformError, RuntimeError, OSError) as error:
        print(f"rehearsal: {error}", file=sys.stderr)
        return 1


def _is_address(url: str) -> bool:
    parts = urlsplit(url)
    try:
        return parts.scheme == "https" and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _run(arguments: argparse.Namespace) -> int:
    if find_terraform() is None:
        print("rehearsal: neither Terraform nor OpenTofu is installed; nothing can be rehearsed.")
        return 1
    if azurite.find() is None:
        print("rehearsal: Azurite is not installed; `make tools` installs it.")
        return 1
    progress = Progress(sys.stdout)
    with _folder(arguments.keep) as folder:
        platform = load()
        with world(folder, platform, elsewhere=arguments.endpoint, ca=arguments.ca) as here:
            if arguments.step == SERVE:
                from rehearsal.serve import serve  # noqa: PLC0415  as below

                try:
                    serve(here, platform, arguments.environment, arguments.store, progress.say)
                except (OSError, ValueError) as error:
                    print(f"rehearsal: {arguments.store}: {error}")
                    return 1
            if not _provider(here, platform):
                print(
                    "rehearsal: the azurerm provider cannot be had here (terraform init finds it nowhere): state alone."
                )
                state_alone.rehearse(here, platform, progress.say)
                return 0
            name = arguments.environment or DEFAULT
            return _rehearse(Rehearsal(here, platform, name, progress, arguments.output), arguments.step)


def _rehearse(rehearsal: Rehearsal, last: str | None) -> int:
    try:
        run(rehearsal, last)
    finally:
        if rehearsal.rows:
            print(tabulate(rehearsal.rows, headers=HEADERS, maxcolwidths=[*[None] * (len(HEADERS) - 1), RESULT_WIDTH]))
    return 0


def _provider(here: World, platform: Platform) -> bool:
    """Whether `terraform init` finds the provider."""
    from rehearsal import synthesis  # noqa: PLC0415  jsii is loaded only once Terraform is known to be there

    probe = here.stack("probe", synthesis.shared(platform), local_state=True)
    return not is_provider_missing(probe.init("-backend=false"))


@contextlib.contextmanager
def _folder(keep: Path | None) -> Generator[Path]:
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
    # As Ctrl-C does: `kill`, and a terminal that is closed. A shell starts what runs behind it with SIGINT ignored.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        print("\nrehearsal: ended; nothing is left running.", flush=True)
        # Ctrl-C has ended jsii's Node as well, and jsii's farewell to it at exit would be a traceback.
        sys.unraisablehook = lambda _: None
        sys.exit(128 + signal.SIGINT)
