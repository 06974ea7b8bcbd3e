"""backend/.azure/startup.sh, run with a fake python and a fake uvicorn that record how they were called.

What `python job.py wait` does is tested in test_job.py.
"""

import os
import subprocess
from pathlib import Path

import pytest

STARTUP = Path("backend/.azure/startup.sh").absolute()
APPLICATION = "postgresql+asyncpg://augeo_app:apps-password@db:6432/augeo"  # pragma: allowlist secret
PYTHON = """#!/bin/sh
echo "$*" >> calls
exit $OUTCOME
"""
UVICORN = """#!/bin/sh
echo "$*" > served
env > environment
"""


def start(
    folder: Path, *, outcome: str = "0", startup: str = str(STARTUP), **settings: str
) -> subprocess.CompletedProcess[str]:
    """Run startup.sh in `folder`. `outcome` is the exit code of `python job.py wait`."""
    binaries = folder / "bin"
    binaries.mkdir()
    for name, script in (("python", PYTHON), ("uvicorn", UVICORN)):
        (binaries / name).write_text(script)
        (binaries / name).chmod(0o755)
    path = f"{binaries}:{os.environ['PATH']}"
    return subprocess.run(
        ["/bin/sh", startup],
        cwd=folder,
        env={"PATH": path, "DATABASE_URL": APPLICATION, "OUTCOME": outcome, **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def read_python_calls(folder: Path) -> list[str]:
    """Return the arguments of each call of python."""
    return (folder / "calls").read_text().splitlines() if (folder / "calls").exists() else []


def read_uvicorn_environment(folder: Path) -> dict[str, str]:
    """Return the environment variables that Uvicorn got."""
    return dict(line.split("=", maxsplit=1) for line in (folder / "environment").read_text().splitlines())


def test_it_waits_for_the_migration_and_serves(tmp_path: Path) -> None:
    completed = start(tmp_path)
    assert completed.returncode == 0, completed.stderr
    assert read_python_calls(tmp_path) == [f"{STARTUP.parent}/job.py wait"]
    assert read_uvicorn_environment(tmp_path)["DATABASE_URL"] == APPLICATION


def test_it_does_not_serve_on_a_database_that_is_behind(tmp_path: Path) -> None:
    completed = start(tmp_path, outcome="1")
    assert completed.returncode == 1
    assert not (tmp_path / "served").exists()


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


@pytest.mark.parametrize("present", [(), ("client_address.py",), ("job.py",)])
def test_an_image_without_a_file_beside_startup_does_not_start(tmp_path: Path, present: tuple[str, ...]) -> None:
    for name in ("startup.sh", *present):
        (tmp_path / name).write_bytes((STARTUP.parent / name).read_bytes())
    completed = start(tmp_path, startup=str(tmp_path / "startup.sh"))
    assert completed.returncode == 1
    missing = "job.py" if "client_address.py" in present else "client_address.py"
    assert f"{tmp_path}/{missing} is missing: copy it into the image" in completed.stderr
    assert read_python_calls(tmp_path) == []


def test_unresolved_key_vault_references_are_all_named_and_nothing_starts(tmp_path: Path) -> None:
    """Guards against a reference that becomes the key that signs tokens, or the first administrator's password."""
    references = {
        "JWT_SECRET_KEY": "@Microsoft.KeyVault(VaultName=kv;SecretName=jwt-secret-key)",
        "SUPER_ADMIN_PASSWORD": " @microsoft.keyvault(SecretUri=https://kv.vault.azure.net/secrets/admin)",
        "REDIS_URL": "@Microsoft.KeyVault(VaultName=kv;SecretName=redis-url)",
    }
    completed = start(tmp_path, **references)
    assert completed.returncode == 1
    assert "JWT_SECRET_KEY REDIS_URL SUPER_ADMIN_PASSWORD." in completed.stderr
    assert "kv" not in completed.stderr
    assert read_python_calls(tmp_path) == []
    assert not (tmp_path / "served").exists()


def test_a_setting_that_only_mentions_a_reference_starts(tmp_path: Path) -> None:
    completed = start(tmp_path, HELP="write @Microsoft.KeyVault(...) into a setting")
    assert completed.returncode == 0
    assert (tmp_path / "served").exists()


def test_no_secret_is_logged(tmp_path: Path) -> None:
    completed = start(tmp_path, JWT_SECRET_KEY="the-jwt-secret")  # noqa: S106
    logged = completed.stdout + completed.stderr
    assert "startup: " in logged
    for secret in ("apps-password", "the-jwt-secret"):
        assert secret not in logged
