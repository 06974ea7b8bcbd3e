"""tools/synth/: the last synth stays as it was until the new one is complete."""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from cdktf import App, TerraformStack

import main as program
from environments import SettingsError
from tools.synth import stacks as synth


def add_stack(app: App, name: str, value: str) -> TerraformStack:
    built = TerraformStack(app, name)
    built.add_override("resource.terraform_data", {"one": {"input": value}, "two": {"input": value}})
    return built


@pytest.fixture
def output(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The output of a synth of the two stacks dev and old. Terraform has a folder of its own in one of them."""

    def add_stacks(app: App, only: str | None = None) -> Iterator[TerraformStack]:
        for name in ("dev", "old"):
            if only in (None, name):
                yield add_stack(app, name, "before")

    monkeypatch.setattr(program, "add_stacks", add_stacks)
    table = synth.synthesize(tmp_path / "out")
    assert [row[:3] for row in table] == [("dev", 2, 1), ("old", 2, 1)]
    assert [row.file for row in table] == [str(tmp_path / f"out/stacks/{name}/cdk.tf.json") for name in ("dev", "old")]
    (tmp_path / "out/stacks/dev/.terraform").mkdir()
    (tmp_path / "out/stacks/dev/.terraform/environment").write_text("kept")
    return tmp_path / "out"


def read_files(folder: Path) -> dict[str, str]:
    return {str(file.relative_to(folder)): file.read_text() for file in folder.rglob("*") if file.is_file()}


def test_a_synth_replaces_the_last_one(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def add_stacks(app: App, only: str | None = None) -> Iterator[TerraformStack]:
        assert only is None
        yield add_stack(app, "dev", "after")

    monkeypatch.setattr(program, "add_stacks", add_stacks)
    synth.synthesize(output)
    after = read_files(output)
    assert set(after) == {"manifest.json", "stacks/dev/cdk.tf.json", "stacks/dev/.terraform/environment"}
    assert '"input": "after"' in after["stacks/dev/cdk.tf.json"]
    assert '"old"' not in after["manifest.json"]


def test_one_stack_leaves_the_others_alone(output: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def add_stacks(app: App, only: str | None = None) -> Iterator[TerraformStack]:
        yield add_stack(app, only or "", "after")

    before = read_files(output)
    monkeypatch.setattr(program, "add_stacks", add_stacks)
    table = synth.synthesize(output, only="old")
    assert [row.stack for row in table] == ["old"]
    after = read_files(output)
    assert '"input": "after"' in after.pop("stacks/old/cdk.tf.json")
    del before["stacks/old/cdk.tf.json"]
    assert after == before


@pytest.mark.parametrize("error", [SettingsError(["dev: wrong"]), RuntimeError("a bug")])
def test_a_failure_touches_no_file(output: Path, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def add_stacks(app: App, only: str | None = None) -> Iterator[TerraformStack]:
        assert only is None
        yield add_stack(app, "dev", "after")
        raise error

    before = read_files(output)
    monkeypatch.setattr(program, "add_stacks", add_stacks)
    with pytest.raises(type(error)):
        synth.synthesize(output)
    assert read_files(output) == before
    assert [path.name for path in output.parent.iterdir()] == ["out"], "a temporary folder was left behind"


def run_synth(*arguments: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tools.synth", *arguments],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_closing_table_counts_what_was_written(tmp_path: Path) -> None:
    done = run_synth("dev", "--output", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    file = tmp_path / "out/stacks/dev/cdk.tf.json"
    resources = len(re.findall(r'"uniqueId":', file.read_text()))  # cdktf writes one for each
    heads, _, row = (line.split() for line in done.stdout.splitlines())
    assert heads == ["stack", "resources", "types", "file", "seconds"]
    assert row[0] == "dev"
    assert 50 < int(row[1]) <= resources
    assert row[3] == str(file)


def test_an_unknown_stack_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    refused = run_synth("stagging", "--output", tmp_path / "out")
    assert refused.returncode == 1
    assert "shared, dev, staging, production" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"NODE_OPTIONS": "--bogus"},
            "synth: Node.js, which jsii needs, ended early. NODE_OPTIONS=--bogus may be wrong: unset it.",
        ),
        ({"JSII_NODE": "/nowhere"}, "synth: JSII_NODE is /nowhere, which is no program. Unset it, or name a Node.js."),
        (
            {"TMPDIR": "/nowhere"},
            "synth: TMPDIR is /nowhere, which is no folder that can be written to. Unset it, or name another.",
        ),
    ],
)
def test_a_machine_that_is_not_as_it_should_be_is_told_in_a_sentence(variables: dict[str, str], sentence: str) -> None:
    completed = run_synth(**variables)
    assert (completed.returncode, completed.stdout) == (1, "")
    # Beside it may stand what Node.js itself says, through jsii.
    assert sentence in completed.stderr
    assert "Traceback" not in completed.stderr


def test_an_empty_variable_counts_as_unset(tmp_path: Path) -> None:
    completed = run_synth("--output", tmp_path / "out", JSII_NODE="")
    assert completed.returncode == 0, completed.stderr


def test_a_full_disk_is_told_in_a_sentence(tmp_path: Path) -> None:
    """A file system of 64 KB, in a mount namespace of this process alone."""
    mount = ["unshare", "--map-root-user", "--mount", "mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if shutil.which("unshare") is None or subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("a small file system cannot be mounted here")
    synth_there = f'{shlex.join(mount[3:])} && TMPDIR="$1" exec "$2" -m tools.synth'
    completed = subprocess.run(
        [*mount[:3], "sh", "-c", synth_there, "sh", str(tmp_path), sys.executable],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (completed.returncode, completed.stdout) == (1, "")
    assert completed.stderr == f"synth: No space left on device: {tmp_path}\n"


@pytest.mark.parametrize("seconds", [0.2, 0.4, 0.6])
def test_ctrl_c_ends_it_with_one_sentence(seconds: float, tmp_path: Path) -> None:
    """jsii's Node.js gets the Ctrl-C too. It used to end in a traceback, and to leave its temporary folder behind."""
    with subprocess.Popen(
        [sys.executable, "-m", "tools.synth", "--output", tmp_path / "out"], stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True, start_new_session=True, env=os.environ | {"TMPDIR": str(tmp_path)},
    ) as process:  # fmt: skip
        time.sleep(seconds)
        os.killpg(process.pid, signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    assert (process.returncode, errors) == (130, "\nsynth: interrupted; the last synth is unchanged.\n")
    assert list(tmp_path.iterdir()) == []
