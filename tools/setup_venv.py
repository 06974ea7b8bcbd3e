"""Make a virtual environment hold exactly what requirement files pin, and nothing else.

    python3 tools/setup_venv.py .venv requirements.txt requirements-dev.txt

Runs under whatever Python the machine has, before anything is installed: standard library alone, and up to the version
check no syntax newer than Python 3.6. Says nothing and installs nothing when the environment already holds those files'
contents for this Python. Files that are no longer a continuation of what was installed (an edited pin, another Python)
start the environment afresh, so that nothing outlives its pin.
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
    found = f"{sys.executable} is {sys.version.split()[0]}"
    sys.exit(f"Python 3.11 or newer is needed; {found}. Name another: make PYTHON=python3.12 ...")

# The index, the proxy and the certificates in a user's pip configuration must work; where and how to install must not
# follow it. Options given here win over the configuration file and the environment. Nothing is compiled: a program uses
# some fifty of the provider's 1,500 modules, and compiling the rest costs 12 seconds and 200 MB.
PIP_INSTALL = (
    "-m", "pip", "--disable-pip-version-check", "--quiet", "install",
    "--no-user", "--target=", "--only-binary=:all:", "--no-deps", "--require-hashes", "--no-compile",
)  # fmt: skip


def digests(requirement_files: list[Path]) -> list[str]:
    """This Python and the files' contents, in the order of their installation."""
    python = f"{sys.version} {sys.base_prefix}"
    return [hashlib.sha256(python.encode() + file.read_bytes()).hexdigest() for file in requirement_files]


def create(venv: Path) -> None:
    """Make `venv` anew, empty but for pip."""
    if importlib.util.find_spec("ensurepip") is None or importlib.util.find_spec("venv") is None:
        sys.exit(f"{sys.executable} cannot make virtual environments: install its venv package (Debian: python3-venv).")
    import venv as venv_module  # noqa: PLC0415  (Debian without python3-venv lacks it)

    venv_module.EnvBuilder(clear=True, symlinks=True, with_pip=True).create(venv)


def install(venv: Path, requirement_files: list[Path]) -> None:
    """Bring `venv` to hold the given files; raises CalledProcessError when pip fails (its own message is on screen)."""
    stamp = venv / "installed.json"
    wanted = digests(requirement_files)
    installed: list[str] = json.loads(stamp.read_text()) if stamp.exists() else []
    common = min(len(wanted), len(installed))
    if not installed or wanted[:common] != installed[:common]:
        create(venv)
        installed = []
    for file, digest in list(zip(requirement_files, wanted, strict=True))[len(installed) :]:
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
    fcntl.flock(lock, fcntl.LOCK_EX)  # two `make` in one checkout must not install at once
    try:
        install(arguments.venv, arguments.requirements)
    except subprocess.CalledProcessError as error:
        sys.exit(f"{arguments.venv}: pip ended with {error.returncode}; nothing is marked as installed.")


if __name__ == "__main__":
    main()
