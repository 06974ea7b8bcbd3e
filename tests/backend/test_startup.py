"""backend/.azure/startup.sh, run with a fake alembic and a fake uvicorn that record how they were called.

That several instances can migrate at the same time was tried with five instances, Alembic 1.x and PostgreSQL 15; see
docs/contracts/application.md.
"""

import os
import subprocess
from pathlib import Path

import pytest

STARTUP = Path("backend/.azure/startup.sh").absolute()
OWNER = "postgresql+asyncpg://augeo_owner:owners-password@db:5432/augeo"  # pragma: allowlist secret
APPLICATION = "postgresql+asyncpg://augeo_app:apps-password@db:6432/augeo"  # pragma: allowlist secret
ALEMBIC = """#!/bin/sh
echo "$*|$DATABASE_URL" >> calls
case $(sed -n "$(wc -l < calls)p" outcomes 2>/dev/null) in
  "") exit 0 ;;
  ahead) echo "FAILED: Can't locate revision identified by 'abc123'" >&2; exit 255 ;;
  *) echo "cannot connect to $DATABASE_URL" >&2; exit 1 ;;
esac
"""
UVICORN = """#!/bin/sh
echo "$*" > served
env > environment
"""


def start(
    folder: Path, *, outcomes: str = "", startup: str = str(STARTUP), **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run startup.sh in `folder`.

    `outcomes` has a line for each call of alembic: empty for success, "ahead" or "broken".
    """
    binaries = folder / "bin"
    binaries.mkdir()
    for name, script in (("alembic", ALEMBIC), ("uvicorn", UVICORN)):
        (binaries / name).write_text(script)
        (binaries / name).chmod(0o755)
    (folder / "outcomes").write_text(outcomes)
    return subprocess.run(
        ["/bin/sh", startup],
        cwd=folder,
        env={
            "PATH": f"{binaries}:{os.environ['PATH']}",
            "DATABASE_URL": APPLICATION,
            "MIGRATION_PAUSE_SECONDS": "0",
            **settings,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def read_alembic_calls(folder: Path) -> list[str]:
    """Return the arguments and the DATABASE_URL of each call of alembic."""
    return (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []


def read_uvicorn_environment(folder: Path) -> dict[str, str]:
    """Return the environment variables that Uvicorn got."""
    return dict(line.split("=", maxsplit=1) for line in (folder / "environment").read_text().splitlines())


def test_it_migrates_as_the_owner_and_serves_as_the_application(tmp_path: Path) -> None:
    completed = start(tmp_path, MIGRATION_DATABASE_URL=OWNER)
    assert completed.returncode == 0, completed.stderr
    assert read_alembic_calls(tmp_path) == [f"upgrade head|{OWNER}"]
    environment = read_uvicorn_environment(tmp_path)
    assert environment["DATABASE_URL"] == APPLICATION
    assert OWNER not in environment.values()
    assert "MIGRATION_DATABASE_URL" not in environment


@pytest.mark.parametrize("settings", [{}, {"MIGRATION_DATABASE_URL": ""}])
def test_it_migrates_only_if_there_is_a_url(tmp_path: Path, settings: dict[str, str]) -> None:
    completed = start(tmp_path, **settings)
    assert completed.returncode == 0
    assert read_alembic_calls(tmp_path) == []
    assert (tmp_path / "served").exists()


def read_uvicorn_options(folder: Path) -> dict[str, str]:
    """Return Uvicorn's options; the application has the key "app"."""
    words = f"app {(folder / 'served').read_text()} ".replace("--proxy-headers", "--proxy-headers on").split()
    return dict(zip(words[::2], words[1::2], strict=True))


def test_uvicorn_gets_what_app_service_needs(tmp_path: Path) -> None:
    start(tmp_path, WEB_CONCURRENCY="3", WEBSITES_CONTAINER_STOP_TIME_LIMIT="120")
    options = read_uvicorn_options(tmp_path)
    assert options == {
        "app": "client_address:app",
        "--forwarded-allow-ips": "*",
        "--host": "0.0.0.0",  # noqa: S104
        "--port": "8000",
        "--workers": "3",
        "--proxy-headers": "on",
        "--timeout-graceful-shutdown": "119",
    }


def test_it_stops_within_the_time_that_app_service_gives_by_default(tmp_path: Path) -> None:
    start(tmp_path)
    options = read_uvicorn_options(tmp_path)
    assert options["--timeout-graceful-shutdown"] == "4"
    assert options["--workers"] == "1"


def test_an_image_without_the_module_that_finds_the_client_does_not_start(tmp_path: Path) -> None:
    copy = tmp_path / "startup.sh"
    copy.write_bytes(STARTUP.read_bytes())
    completed = start(tmp_path, startup=str(copy), MIGRATION_DATABASE_URL=OWNER)
    assert completed.returncode == 1
    assert f"{tmp_path}/client_address.py is missing: copy it into the image" in completed.stderr
    assert read_alembic_calls(tmp_path) == []


def test_the_loser_of_a_race_tries_again(tmp_path: Path) -> None:
    completed = start(tmp_path, outcomes="broken\n", MIGRATION_DATABASE_URL=OWNER)
    assert completed.returncode == 0
    assert len(read_alembic_calls(tmp_path)) == 2


def test_it_does_not_serve_on_a_database_that_cannot_be_migrated(tmp_path: Path) -> None:
    completed = start(tmp_path, outcomes="broken\n" * 9, MIGRATION_DATABASE_URL=OWNER)
    assert completed.returncode == 1
    assert len(read_alembic_calls(tmp_path)) == 3
    assert not (tmp_path / "served").exists()
    assert "this container does not start" in completed.stderr


def test_a_rollback_serves_on_the_newer_schema(tmp_path: Path) -> None:
    completed = start(tmp_path, outcomes="ahead\n", MIGRATION_DATABASE_URL=OWNER)
    assert completed.returncode == 0
    assert len(read_alembic_calls(tmp_path)) == 1
    assert "at a revision that this image does not know" in completed.stdout
    assert (tmp_path / "served").exists()


def test_unresolved_key_vault_references_are_all_named_and_nothing_starts(tmp_path: Path) -> None:
    """Guards against a reference that becomes the key that signs tokens, or the first administrator's password."""
    references = {
        "JWT_SECRET_KEY": "@Microsoft.KeyVault(VaultName=kv;SecretName=jwt-secret-key)",
        "SUPER_ADMIN_PASSWORD": " @microsoft.keyvault(SecretUri=https://kv.vault.azure.net/secrets/admin)",
        "MIGRATION_DATABASE_URL": "@Microsoft.KeyVault(VaultName=kv;SecretName=owner)",
    }
    completed = start(tmp_path, **references)
    assert completed.returncode == 1
    assert "JWT_SECRET_KEY MIGRATION_DATABASE_URL SUPER_ADMIN_PASSWORD." in completed.stderr
    assert "kv" not in completed.stderr
    assert read_alembic_calls(tmp_path) == []
    assert not (tmp_path / "served").exists()


def test_a_setting_that_only_mentions_a_reference_starts(tmp_path: Path) -> None:
    completed = start(tmp_path, HELP="write @Microsoft.KeyVault(...) into a setting")
    assert completed.returncode == 0
    assert (tmp_path / "served").exists()


@pytest.mark.parametrize("outcomes", ["", "ahead\n", "broken\n" * 9])
def test_no_secret_is_logged(tmp_path: Path, outcomes: str) -> None:
    completed = start(tmp_path, outcomes=outcomes, MIGRATION_DATABASE_URL=OWNER, JWT_SECRET_KEY="the-jwt-secret")  # noqa: S106
    logged = completed.stdout + completed.stderr
    assert "startup: " in logged
    for secret in ("owners-password", "apps-password", "the-jwt-secret"):
        assert secret not in logged
