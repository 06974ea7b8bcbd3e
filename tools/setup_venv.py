"""Make a virtual environment hold exactly what requirement files pin, and nothing else.

    python3 tools/setup_venv.py .venv requirements.txt requirements-dev.txt

It runs before anything is installed, under any Python that the machine has. So it uses the standard library alone, and
no syntax newer than Python 3.6 before its version check. If the environment already holds what those files pin for
this Python, it prints nothing and installs nothing. If a pin or the Python has changed, it builds the environment anew,
so that nothing outlives its pin.
"""

import argparse
import fcntl
import hashlib
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

OLDEST_PYTHON = (3, 11)

if sys.version_info < OLDEST_PYTHON:
    present = f"{sys.executable} is {sys.version.split()[0]}"
    sys.exit(f"Python 3.11 or newer is needed; {present}. Name another: make PYTHON=python3.12 ...")

# The package index, the proxy and the certificates of a user's pip configuration apply. Where and how to install does
# not depend on it: options given here win over the configuration file and the environment. Nothing is compiled, because
# a program uses some fifty of the provider's 1,500 modules, and compiling the rest costs 12 seconds and 200 MB.
PIP_INSTALL = (
    "-m", "pip", "--disable-pip-version-check", "--quiet", "install",
    "--no-user", "--target=", "--only-binary=:all:", "--no-deps", "--require-hashes", "--no-compile",
)  # fmt: skip


def compute_digests(requirement_files: list[Path]) -> list[str]:
    """Return a digest of this Python and of each file's content, in the order of their installation."""
    python = f"{sys.version} {sys.base_prefix}"
    return [hashlib.sha256(python.encode() + file.read_bytes()).hexdigest() for file in requirement_files]


def create(venv: Path) -> None:
    """Make `venv` anew. It holds nothing except pip."""
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        sys.exit(f"{sys.executable} cannot make virtual environments: install its venv package (Debian: python3-venv).")
    import venv as venv_module  # noqa: PLC0415  (Debian without python3-venv lacks it)

    venv_module.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(venv)


def install(venv: Path, requirement_files: list[Path]) -> None:
    """Install into `venv` what the given files pin, unless it is installed.

    Raises:
        CalledProcessError: pip failed, and has printed why.
    """
    stamp = venv / "installed.json"
    digests = compute_digests(requirement_files)
    installed: list[str] = json.loads(stamp.read_text()) if stamp.exists() else []
    common = min(len(digests), len(installed))
    if not installed or digests[:common] != installed[:common]:
        create(venv)
        installed = []
    for file, digest in list(zip(requirement_files, digests, strict=True))[len(installed) :]:
        print(f"{venv}: installing {file.name} (once, and again when it changes)", flush=True)
        subprocess.run([venv / "bin" / "python", *PIP_INSTALL, "--requirement", file], check=True)  # noqa: S603
        installed.append(digest)
        stamp.write_text(json.dumps(installed))


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a virtual environment hold exactly what requirement files pin.")
    parser.add_argument("venv", type=Path)
    parser.add_argument("requirements", type=Path, nargs="+")
    arguments = parser.parse_args()
    lock = os.open(".", os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` in one checkout must not install at the same time
    try:
        install(arguments.venv, arguments.requirements)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{arguments.venv}: pip ended with {error.returncode}; nothing is marked as installed.")


if __name__ == "__main__":
    main()
