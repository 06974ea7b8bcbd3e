"""backend/.azure/job.py: the real Alembic, and the real PostgreSQL."""

import base64
import http.server
import json
import os
import subprocess
import sys
import threading
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Self

import pytest

from tests.backend.conftest import BINARIES, PASSWORD, Server

JOB = Path("backend/.azure/job.py").absolute()
APP_PASSWORD = "app's p@ss/word"  # pragma: allowlist secret  # noqa: S105
ENV_PY = """
import asyncio, os
from alembic import context
from sqlalchemy.ext.asyncio import create_async_engine

def run(connection):
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()

async def main():
    async with create_async_engine(os.environ["DATABASE_URL"]).connect() as connection:
        await connection.run_sync(run)

asyncio.run(main())
"""
MIGRATION = """
import time
from alembic import op
import sqlalchemy as sa

revision, down_revision = "{revision}", {down}

def upgrade():
{body}
"""
FIRST = 'op.create_table("bids", sa.Column("id", sa.Integer, primary_key=True), sa.Column("amount", sa.Integer))'


class Image:
    """A folder that stands for the working directory of an image, with its migrations."""

    def __init__(self, folder: Path, server: Server, database: str) -> None:
        self.folder = folder
        self.server = server
        self.database = database
        self.role = f"app_{database}"
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = %(here)s/migrations\n")
        (folder / "migrations/versions").mkdir(parents=True)
        (folder / "migrations/env.py").write_text(ENV_PY)
        (folder / "migrations/script.py.mako").write_text("")
        self._last: str | None = None

    def add_migration(self, revision: str, *lines: str) -> Self:
        body = "\n".join(f"    {line}" for line in lines)
        text = MIGRATION.format(revision=revision, down=repr(self._last), body=body)
        (self.folder / f"migrations/versions/{revision}.py").write_text(text)
        self._last = revision
        return self

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        """Run job.py. The passwords of both roles may never be in what it prints."""
        completed = subprocess.run(
            [sys.executable, JOB, *arguments],
            cwd=self.folder, env=self.make_environment() | settings, capture_output=True, text=True, check=False,
            timeout=60,
        )  # fmt: skip
        for secret in (PASSWORD, APP_PASSWORD, "p%40ss"):
            assert secret not in completed.stdout + completed.stderr
        return completed

    def make_environment(self) -> dict[str, str]:
        return {
            "PATH": f"{Path(sys.executable).parent}:{BINARIES}:{os.environ['PATH']}",
            "MIGRATION_DATABASE_URL": self.server.compose_url(self.database),
            "DATABASE_URL": self.server.compose_url(self.database, user=self.role, password=APP_PASSWORD),
            "MIGRATION_WAIT_SECONDS": "0",
        }

    def query(self, statement: str) -> str:
        return self.server.run(self.database, statement)

    def query_as_app(self, statement: str) -> str:
        return self.server.run(self.database, statement, user=self.role, password=APP_PASSWORD)


@pytest.fixture
def image(tmp_path: Path, postgresql: Server, database: str) -> Generator[Image]:
    image = Image(tmp_path, postgresql, database).add_migration("0001", FIRST)
    yield image
    if image.query(f"SELECT 1 FROM pg_roles WHERE rolname = '{image.role}'"):
        image.query(f"DROP OWNED BY {image.role}")
        image.query(f"DROP ROLE {image.role}")


def test_it_migrates_and_makes_a_role_that_can_use_the_rows_alone(image: Image) -> None:
    completed = image.run("migrate")
    assert completed.returncode == 0, completed.stderr
    assert image.query_as_app("INSERT INTO bids (amount) VALUES (5) RETURNING amount").startswith("5")
    assert image.query_as_app("SELECT version_num FROM alembic_version") == "0001"
    for forbidden in (
        "CREATE TABLE mine (id int)",
        "DROP TABLE bids",
        "ALTER TABLE bids ADD x int",
        "UPDATE alembic_version SET version_num = 'none'",
        "CREATE ROLE friend",
    ):
        with pytest.raises(subprocess.CalledProcessError):
            image.query_as_app(forbidden)


def test_a_table_of_a_later_migration_can_be_used_too(image: Image) -> None:
    assert image.run("migrate").returncode == 0
    image.add_migration("0002", 'op.create_table("lots", sa.Column("id", sa.Integer, primary_key=True))')
    assert image.run("migrate").returncode == 0
    assert image.query_as_app("SELECT count(*) FROM lots") == "0"


def test_a_second_run_changes_nothing(image: Image) -> None:
    assert image.run("migrate").returncode == 0
    before = image.query(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{image.role}'")
    completed = image.run("migrate")
    assert completed.returncode == 0
    assert "made the role" not in completed.stdout
    assert "set the password" not in completed.stdout
    assert image.query(f"SELECT rolpassword FROM pg_authid WHERE rolname = '{image.role}'") == before


def test_a_rotated_password_is_set(image: Image) -> None:
    assert image.run("migrate").returncode == 0
    image.query(f"ALTER ROLE {image.role} PASSWORD 'an older one'")
    assert f"set the password of {image.role}" in image.run("migrate").stdout
    assert image.query_as_app("SELECT 1") == "1"


def test_the_password_is_in_no_statement_that_postgresql_sees(image: Image) -> None:
    """The server of the tests logs every statement, as an audit does."""
    assert image.run("migrate").returncode == 0
    log = image.query("SELECT pg_read_file(current_setting('data_directory') || '/../log')")
    assert f"ALTER ROLE {image.role} LOGIN PASSWORD 'SCRAM-SHA-256$4096:" in log
    assert "app's p@ss" not in log
    assert "app''s p@ss" not in log


def test_two_at_once_migrate_once(image: Image) -> None:
    image.add_migration("0002", "time.sleep(1)", 'op.execute("INSERT INTO bids (amount) VALUES (1)")')
    with ThreadPoolExecutor(4) as pool:
        runs = list(pool.map(image.run, ["migrate"] * 4))
    assert [run.returncode for run in runs] == [0] * 4, [run.stderr for run in runs]
    assert image.query("SELECT count(*) FROM bids") == "1"
    assert sum("made the role" in run.stdout for run in runs) == 1


def test_a_migration_that_fails_changes_nothing_and_is_told_with_its_log(image: Image) -> None:
    assert image.run("migrate").returncode == 0
    image.add_migration("0002", 'op.create_table("half", sa.Column("id", sa.Integer))')
    image.add_migration(
        "0003", "raise RuntimeError('cannot reach ' + op.get_bind().engine.url.render_as_string(False))"
    )
    completed = image.run("migrate")
    assert completed.returncode == 1
    assert "job: The migration failed, and has changed nothing: alembic ended with 1." in completed.stderr
    assert "RuntimeError: cannot reach postgresql+asyncpg://***@127.0.0.1" in completed.stdout
    assert image.query("SELECT version_num FROM alembic_version") == "0001"
    assert image.query("SELECT to_regclass('half')") == ""


def test_an_older_image_leaves_a_newer_schema_alone(image: Image, tmp_path: Path) -> None:
    image.add_migration("0002", "pass")
    assert image.run("migrate").returncode == 0
    (tmp_path / "migrations/versions/0002.py").unlink()
    completed = image.run("migrate")
    assert completed.returncode == 0
    assert "at a revision that this image does not know" in completed.stdout
    assert image.run("wait").returncode == 0


def test_the_owner_or_an_administrator_is_no_role_for_the_api(image: Image) -> None:
    owner = image.make_environment()["MIGRATION_DATABASE_URL"]
    assert "must be a role other than the owner" in image.run("migrate", DATABASE_URL=owner).stderr
    image.query(f"CREATE ROLE {image.role} LOGIN CREATEROLE")
    assert "has rights of an administrator" in image.run("migrate").stderr


def test_the_api_waits_for_the_migration(image: Image) -> None:
    assert "the database cannot be asked for its revision" in image.run("wait").stderr
    assert image.run("migrate").returncode == 0
    assert image.run("wait").returncode == 0
    image.add_migration("0002", "pass")
    assert "the database is at 0001, and this image needs 0002, after 0 seconds" in image.run("wait").stderr
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(image.run, "wait", MIGRATION_WAIT_SECONDS="40")
        assert image.run("migrate").returncode == 0
        assert waiting.result().returncode == 0


# The console


def test_the_console_runs_a_command_as_the_owner_and_gives_its_exit_code(image: Image) -> None:
    completed = image.run("console", "psql", "-At", "-c", "select current_user")
    assert (completed.returncode, completed.stdout) == (0, "augeo_owner\njob: ended with 0\n")
    assert image.run("console", "sh", "-c", "exit 7").returncode == 7


def test_the_console_reads_only_unless_it_is_told_otherwise(image: Image) -> None:
    assert image.run("migrate").returncode == 0
    insert = ("console", "psql", "-c", "INSERT INTO bids (amount) VALUES (1)")
    assert "cannot execute INSERT in a read-only transaction" in image.run(*insert).stderr
    assert image.run(*insert, CONSOLE_WRITE="1").returncode == 0


def test_the_console_runs_a_script(image: Image) -> None:
    script = base64.b64encode(b'#!/bin/sh\necho "$1 from a script"\n').decode()
    assert image.run("console", "hello", CONSOLE_SCRIPT=script).stdout == "hello from a script\njob: ended with 0\n"


def test_redis_cli_gets_address_and_password(image: Image) -> None:
    command = image.folder / "redis-cli"
    command.write_text('#!/bin/sh\necho "$@ $REDISCLI_AUTH"\n')
    command.chmod(0o755)
    path = f"{image.folder}:{os.environ['PATH']}"
    completed = image.run("console", "redis-cli", "PING", PATH=path, REDIS_URL="rediss://:k%2Fey@cache.example:10000/0")
    assert completed.stdout == "-h cache.example -p 10000 --tls PING k/ey\njob: ended with 0\n"


def test_a_command_that_the_image_lacks_is_told(image: Image) -> None:
    assert image.run("console", "no-such-program").stderr == (
        "job: no-such-program cannot be run: No such file or directory. Is it in the image?\n"
    )


@pytest.mark.parametrize("arguments", [(), ("console",), ("migrate", "now")])
def test_an_unknown_job_is_answered_with_the_known_ones(image: Image, arguments: tuple[str, ...]) -> None:
    completed = image.run(*arguments)
    assert completed.returncode == 1
    assert "is no job: migrate, wait, or console with a command." in completed.stderr


# Secrets


@contextmanager
def serve_identity_and_vaults(secrets: dict[str, str]) -> Generator[str]:
    """Answer as the identity endpoint of Container Apps and as a vault do; give the address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            if path == "/token":
                allowed = self.headers["X-IDENTITY-HEADER"] == "header" and "client_id=the-client" in query
                body = {"access_token": "token"} if allowed else {}
            else:
                allowed = self.headers["Authorization"] == "Bearer token" and path in secrets
                body = {"value": secrets.get(path, "")}
            self.send_response(200 if allowed else 403)
            self.end_headers()
            self.wfile.write(json.dumps(body if allowed else {"error": {"code": "Forbidden"}}).encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_secrets_come_from_the_vaults_as_the_jobs_identity(image: Image) -> None:
    environment = image.make_environment()
    secrets = {
        "/owner/secrets/migration-database-url": environment["MIGRATION_DATABASE_URL"],
        "/app/secrets/database-url": environment["DATABASE_URL"],
    }
    with serve_identity_and_vaults(secrets) as address:
        settings = {
            "MIGRATION_DATABASE_URL": "",
            "DATABASE_URL": "",
            "OWNER_VAULT_URI": f"{address}/owner/",
            "VAULT_URI": f"{address}/app/",
            "IDENTITY_ENDPOINT": f"{address}/token",
            "IDENTITY_HEADER": "header",
            "AZURE_CLIENT_ID": "the-client",
        }
        assert image.run("migrate", **settings).returncode == 0
        assert image.query_as_app("SELECT count(*) FROM bids") == "0"
        del secrets["/owner/secrets/migration-database-url"]
        refused = image.run("migrate", **settings)
    assert refused.returncode == 1
    assert "/owner/secrets/migration-database-url answers 403" in refused.stderr
    assert (
        "Neither MIGRATION_DATABASE_URL nor OWNER_VAULT_URI is set."
        in image.run("migrate", MIGRATION_DATABASE_URL="").stderr
    )
