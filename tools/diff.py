"""Show what the working tree changes in the synthesized Terraform JSON: `python -m tools.diff [STACK] [--base main]`.

It synthesizes the base commit and the working tree into temporary folders, both with the packages of .venv, and prints
`git diff` of the two. It asks neither Terraform nor Azure. cdktf.out stays as it is.
"""

import argparse
import contextlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from tools.synth_diff import run_git_diff

ROOT = Path(__file__).parent.parent


def export_commit(commit: str, folder: Path) -> None:
    """Write the files of a commit into `folder`.

    Raises:
        CalledProcessError: git does not know the commit, and has printed that.
    """
    command = ["git", "archive", "--format=tar", commit]
    archive = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE)  # noqa: S603
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")


def synthesize(checkout: Path, output: Path) -> Path:
    """Synthesize all stacks of a checkout, and return the folder that holds them.

    Raises:
        CalledProcessError: the settings are wrong, and the program has printed how.
    """
    environment = os.environ | {"CDKTF_OUTDIR": str(output)}
    subprocess.run([sys.executable, "main.py"], cwd=checkout, env=environment, check=True)
    return output / "stacks"


def compare(base: str, stack: str | None) -> str:
    """Return the difference between the base commit's JSON and the working tree's; empty if there is none.

    Raises:
        CalledProcessError: one of the two cannot be synthesized.
        FileNotFoundError: one of the two has no stack of this name.
    """
    with tempfile.TemporaryDirectory(prefix="diff-") as folder:
        checkout = Path(folder) / "checkout"
        export_commit(base, checkout)
        old = synthesize(checkout, Path(folder) / "base")
        new = synthesize(ROOT, Path(folder) / "now")
        color = "--color=always" if sys.stdout.isatty() else "--no-color"
        with contextlib.chdir(folder):  # so that git prints short paths
            return run_git_diff(old.relative_to(folder) / (stack or ""), new.relative_to(folder) / (stack or ""), color)


def main() -> int:
    parser = argparse.ArgumentParser(description="Show what the working tree changes in the synthesized JSON.")
    parser.add_argument("stack", nargs="?", help="all stacks, if none is named")
    parser.add_argument("--base", default="main", metavar="COMMIT", help="default: %(default)s")
    arguments = parser.parse_args()
    try:
        difference = compare(arguments.base, arguments.stack)
    except subprocess.CalledProcessError as error:
        return error.returncode
    except FileNotFoundError:
        print(f"diff: {arguments.base} or the working tree has no stack {arguments.stack!r}.", file=sys.stderr)
        return 1
    print(difference or f"No change against {arguments.base}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
