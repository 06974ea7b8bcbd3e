"""What runs inside the network, in a job of Container Apps, with the image of a release.

    python job.py migrate     bring the database to this image's revision, then make sure of the API's role
    python job.py console ... run one command that reaches the database and the cache
    python job.py wait        wait until the database is at this image's revision or ahead; startup.sh calls it

The owner's URL of the database is in a vault that the API's identity cannot read. A job reads it when it runs, as its
own identity, so that neither Terraform nor the container's settings ever hold it.

    OWNER_VAULT_URI      the vault of `migration-database-url`
    VAULT_URI            the vault of `database-url` and `redis-url`
    AZURE_CLIENT_ID      the client id of the job's managed identity
    DATABASE_URL         for `wait`: the database as the API's role
    MIGRATION_WAIT_SECONDS  for `wait`: how long it waits; 300 by default

A value may be given as a variable instead of a secret: MIGRATION_DATABASE_URL, DATABASE_URL and REDIS_URL win over the
vaults. That is for a computer without Azure.

Exit codes: what Alembic or the command ends with; 1 for anything else that goes wrong, with a sentence that says what.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import os
import re
import secrets
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

MIGRATION_LOCK = 4_703_010_011
"""The key of the advisory lock. Only the migrations of one database compete for it."""
VERSION_TABLE = "alembic_version"
"""Where Alembic keeps the revision. The API's role may only read it."""
SCRAM_ITERATIONS = 4096  # PostgreSQL's own default
POLL_SECONDS = 2


class JobError(Exception):
    """The job cannot go on. The message says why, in a sentence without a secret."""


def log(sentence: str) -> None:
    """Write a line to the log, before anything that a child writes."""
    print(f"job: {sentence}", flush=True)


def fetch_secret(variable: str, vault_variable: str, name: str) -> str:
    """Return a secret: the value of `variable` or, if that is not set, the secret `name` of a vault.

    https://learn.microsoft.com/azure/container-apps/managed-identity#connect-to-azure-services-in-app-code
    https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret

    Raises:
        JobError: Neither is there, or the identity may not read the vault.
    """
    if value := os.environ.get(variable):
        return value
    vault = os.environ.get(vault_variable)
    if not vault:
        raise JobError(f"Neither {variable} nor {vault_variable} is set.")
    audience = "https://" + urllib.parse.urlsplit(vault).netloc.partition(".")[2]
    query = urllib.parse.urlencode(
        {"resource": audience, "api-version": "2019-08-01", "client_id": os.environ.get("AZURE_CLIENT_ID", "")}
    )
    identity = {"X-IDENTITY-HEADER": os.environ.get("IDENTITY_HEADER", "")}
    token = _get_json(f"{os.environ.get('IDENTITY_ENDPOINT', '')}?{query}", identity)["access_token"]
    url = f"{vault.rstrip('/')}/secrets/{name}?api-version=7.4"
    return _get_json(url, {"Authorization": f"Bearer {token}"})["value"]


def _get_json(url: str, headers: Mapping[str, str]) -> dict[str, str]:
    request = urllib.request.Request(url, headers=dict(headers))  # noqa: S310  the platform sets both addresses
    place = urllib.parse.urlsplit(url)._replace(query="").geturl()
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise JobError(f"{place} answers {error.code}: {error.read(400).decode(errors='replace')}") from None
    except (OSError, ValueError) as error:
        raise JobError(f"{place} cannot be read: {error}") from None


# Migrations


async def migrate() -> None:
    """Run the migrations under an advisory lock, then make sure of the API's role.

    Two at once migrate once: the second waits for the lock, and finds nothing to do. Alembic runs an upgrade in one
    transaction by default, so a migration that fails changes nothing.

    Raises:
        JobError: A migration failed, or the API's role cannot be made.
    """
    owner = make_url(fetch_secret("MIGRATION_DATABASE_URL", "OWNER_VAULT_URI", "migration-database-url"))
    application = make_url(fetch_secret("DATABASE_URL", "VAULT_URI", "database-url"))
    if not application.username or application.username == owner.username:
        raise JobError(f"The user of database-url is {application.username!r}: it must be a role other than the owner.")
    engine = create_async_engine(owner, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        log("waiting for the migration lock")
        await connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": MIGRATION_LOCK})
        _upgrade(owner)
        await _ensure_role(connection, application, owner)
    log(f"done: the database is at this image's revision, and {application.username} may use it")


def _upgrade(owner: URL) -> None:
    """Run `alembic upgrade head` with the owner's URL as DATABASE_URL, which is what env.py reads."""
    url = owner.render_as_string(hide_password=False)
    log("alembic upgrade head")
    done = subprocess.run(
        ["alembic", "upgrade", "head"],  # noqa: S607  the one on the image's PATH
        env=os.environ | {"DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode == 0:
        print(_hide_passwords(done.stderr or done.stdout), end="", flush=True)
    elif "Can't locate revision identified by" in done.stdout + done.stderr:
        # After a rollback the database is newer than this image. By contract, the older release runs on it.
        log("the database is at a revision that this image does not know: nothing to migrate")
    else:
        print(_hide_passwords(done.stdout + done.stderr), end="", flush=True)
        raise JobError(f"The migration failed, and has changed nothing: alembic ended with {done.returncode}.")


def _hide_passwords(output: str) -> str:
    return re.sub(r"://[^@\n]*@", "://***@", output)


def _tell_first_line(error: DBAPIError | OSError) -> str:
    """Return what PostgreSQL or the network says, without the statement, which SQLAlchemy adds."""
    reason = error.orig if isinstance(error, DBAPIError) else error
    return _hide_passwords(str(reason).partition("\n")[0])


async def _ensure_role(connection: AsyncConnection, application: URL, owner: URL) -> None:
    """Make the API's role, or mend its password and its rights: rows, but no tables. Changes nothing that is right."""
    quote = connection.dialect.identifier_preparer.quote
    role, database = quote(application.username or ""), quote(owner.database or "")
    found = await connection.execute(
        text("SELECT rolsuper OR rolcreaterole OR rolcreatedb FROM pg_roles WHERE rolname = :name"),
        {"name": application.username},
    )
    row = found.one_or_none()
    if row is not None and row[0]:
        raise JobError(f"{application.username} has rights of an administrator, which the API's role must not have.")
    if row is None:
        await connection.exec_driver_sql(f"CREATE ROLE {role} LOGIN")
        log(f"made the role {application.username}")
    if not await _can_log_in(application):
        verifier = make_scram_verifier(application.password or "")
        await connection.exec_driver_sql(f"ALTER ROLE {role} LOGIN PASSWORD '{verifier}'")
        log(f"set the password of {application.username}")
        if not await _can_log_in(application):
            raise JobError(f"{application.username} cannot log in at {application.host}:{application.port}.")
    for statement in (
        f"GRANT CONNECT ON DATABASE {database} TO {role}",
        f"GRANT USAGE ON SCHEMA public TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO {role}",
        f"REVOKE INSERT, UPDATE, DELETE ON {VERSION_TABLE} FROM {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO {role}",
    ):
        await connection.exec_driver_sql(statement)


async def _can_log_in(url: URL) -> bool:
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect():
            return True
    except (DBAPIError, OSError):
        return False


def make_scram_verifier(password: str) -> str:
    """Return what PostgreSQL keeps of a password, so that no statement, and no log of one, ever holds the password.

    https://www.rfc-editor.org/rfc/rfc5802#section-3 and
    https://www.postgresql.org/docs/current/catalog-pg-authid.html
    """
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, SCRAM_ITERATIONS)
    stored = hashlib.sha256(hmac.digest(salted, b"Client Key", "sha256")).digest()
    server = hmac.digest(salted, b"Server Key", "sha256")
    encoded = [base64.b64encode(part).decode() for part in (salt, stored, server)]
    return f"SCRAM-SHA-256${SCRAM_ITERATIONS}:{encoded[0]}${encoded[1]}:{encoded[2]}"


# Waiting


async def wait() -> None:
    """Wait until the database is at this image's revision, or ahead of it.

    Raises:
        JobError: It was behind for the whole time.
    """
    seconds = float(os.environ.get("MIGRATION_WAIT_SECONDS", "300"))
    ends = time.monotonic() + seconds
    url = make_url(fetch_secret("DATABASE_URL", "VAULT_URI", "database-url"))
    scripts = ScriptDirectory.from_config(Config(os.environ.get("ALEMBIC_CONFIG", "alembic.ini")))
    told = ""
    while True:
        reason = await _explain_wait(url, scripts)
        if not reason:
            return
        if time.monotonic() >= ends:
            raise JobError(f"{reason}, after {seconds:.0f} seconds. Run the job `migrate` with this image.")
        if reason != told:
            log(f"{reason}: waiting")
            told = reason
        await asyncio.sleep(POLL_SECONDS)


async def _explain_wait(url: URL, scripts: ScriptDirectory) -> str:
    """Return why the API cannot start yet, or an empty text."""
    engine = create_async_engine(url, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            rows = await connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
            current = {str(row[0]) for row in rows}
    except (DBAPIError, OSError) as error:
        return f"the database cannot be asked for its revision ({_tell_first_line(error)})"
    heads = set(scripts.get_heads())
    if current == heads or not all(_is_known(scripts, revision) for revision in current):
        return ""
    known, needed = ", ".join(sorted(current)) or "no revision", ", ".join(sorted(heads))
    return f"the database is at {known}, and this image needs {needed}"


def _is_known(scripts: ScriptDirectory, revision: str) -> bool:
    """Return whether the image has a migration. If not, the database is ahead of the image, as after a rollback."""
    try:
        return scripts.get_revision(revision) is not None
    except CommandError:
        return False


# The console


def run_console(command: list[str]) -> int:
    """Run a command with the variables that psql and redis-cli read, and return its exit code.

    By default every transaction is read-only. CONSOLE_WRITE=1 allows writes. CONSOLE_SCRIPT is a script in base64. It
    is run with the command as its arguments.
    """
    owner = make_url(fetch_secret("MIGRATION_DATABASE_URL", "OWNER_VAULT_URI", "migration-database-url"))
    variables = {
        "DATABASE_URL": owner.render_as_string(hide_password=False),
        "PGHOST": owner.host or "",
        "PGPORT": str(owner.port or 5432),
        "PGUSER": owner.username or "",
        "PGPASSWORD": owner.password or "",
        "PGDATABASE": owner.database or "",
        "PGSSLMODE": "require" if owner.query.get("ssl") == "require" else "prefer",
        "PGOPTIONS": "" if os.environ.get("CONSOLE_WRITE") == "1" else "-c default_transaction_read_only=on",
    }
    with tempfile.TemporaryDirectory() as folder:
        if script := os.environ.get("CONSOLE_SCRIPT"):
            file = Path(folder) / "script"
            file.write_bytes(base64.b64decode(script))
            file.chmod(0o700)
            command = [str(file), *command]
        if command[:1] == ["redis-cli"]:
            redis = urllib.parse.urlsplit(fetch_secret("REDIS_URL", "VAULT_URI", "redis-url"))
            variables["REDISCLI_AUTH"] = urllib.parse.unquote(redis.password or "")
            tls = ["--tls"] if redis.scheme == "rediss" else []
            command[1:1] = ["-h", redis.hostname or "", "-p", str(redis.port or 6379), *tls]
        try:
            code = subprocess.run(command, env=os.environ | variables, check=False).returncode  # noqa: S603
        except OSError as error:
            raise JobError(f"{command[0]} cannot be run: {error.strerror}. Is it in the image?") from None
    log(f"ended with {code}")  # operations/jobs.py reads this, because Azure does not keep the code
    return code


def main(arguments: list[str]) -> int:
    match arguments:
        case ["migrate"]:
            asyncio.run(migrate())
        case ["wait"]:
            asyncio.run(wait())
        case ["console", *command] if command or os.environ.get("CONSOLE_SCRIPT"):
            return run_console(command)
        case _:
            raise JobError(f"{' '.join(arguments) or 'nothing'} is no job: migrate, wait, or console with a command.")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except JobError as error:
        sys.exit(f"job: {error}")
    except (DBAPIError, OSError) as error:
        sys.exit(f"job: {_tell_first_line(error)}")
