"""scripts/cdktf: the pinned command line writes what `make synth` writes, and says what it needs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CDKTF = Path("scripts/cdktf").absolute()


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
    by_make = written_by(sys.executable, "-m", "scripts.synth", into=tmp_path / "make")
    assert "manifest.json" in by_make
    assert "stacks/production/cdk.tf.json" in by_make
    assert by_cdktf == by_make


@pytest.mark.parametrize("command", ["diff", "deploy", "destroy"])
@pytest.mark.parametrize(
    ("installed", "message"),
    [
        (None, "needs Terraform or OpenTofu 1.11 or newer, and 'tofu-of-the-test' does not run. Install one;"),
        ("Terraform v1.10.5", "needs Terraform or OpenTofu 1.11 or newer; 'tofu-of-the-test' is v1.10.\n"),
        ("OpenTofu v0.15.0", "needs Terraform or OpenTofu 1.11 or newer; 'tofu-of-the-test' is v0.15.\n"),
    ],
)
def test_what_reaches_azure_needs_a_recent_terraform(
    tmp_path: Path, command: str, installed: str | None, message: str
) -> None:
    if installed:
        (tmp_path / "tofu-of-the-test").write_text(f"#!/bin/sh\necho '{installed}'\n")
        (tmp_path / "tofu-of-the-test").chmod(0o755)
    refused = subprocess.run(
        [CDKTF, command, "dev"],
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "TERRAFORM_BINARY_NAME": "tofu-of-the-test"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"cdktf {command} {message}")


def test_a_checkout_without_the_command_line_says_how_to_get_it(tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts/cdktf").write_bytes(CDKTF.read_bytes())
    refused = subprocess.run(
        ["/bin/bash", tmp_path / "scripts/cdktf", "synth"], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stderr) == (1, "The cdktf command is not installed: make cli\n")
