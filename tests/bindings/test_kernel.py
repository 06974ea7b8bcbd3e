"""The jsii kernel: what is different in its Node process, and how it refuses a folder for its cache."""

import json
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

from tests.bindings.programs import INSTALL, NODE, ONE_RESOURCE, PATH_WITH_NODE, PROVIDER, ROOT, run_program, run_python

ZIPPED_ASSET = f"""
{INSTALL}
from cdktf import App, AssetType, TerraformAsset, TerraformStack
app = App()
TerraformAsset(TerraformStack(app, "small"), "asset", path="FOLDER", type=AssetType.ARCHIVE)
app.synth()
"""

MAKE_APP = f"{INSTALL}; from cdktf import App; App()"

MAKE_APP_THREE_TIMES = f"""
{INSTALL}
from cdktf import App
for _ in range(3):
    try:
        App()
    except BaseException as error:
        print(error)
"""


def test_node_can_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failure:
        run_program(ONE_RESOURCE, tmp_path / "run", JSII_NODE=str(tmp_path / "no-node-here"))
    assert "no-node-here" in failure.value.stderr


def test_what_javascript_prints_is_seen(tmp_path: Path) -> None:
    (tmp_path / "talk.js").write_text('process.on("exit", () => { console.log("a log"); console.error("an error"); });')
    completed = run_python(INSTALL, NODE_OPTIONS=f'--require "{tmp_path / "talk.js"}"')
    assert (completed.stdout, completed.stderr) == ("a log\n", "an error\n")


@pytest.mark.slow
def test_a_fast_program_leaves_the_packages_indexed() -> None:
    """Guards against a kernel that ends before the worker has written a package's index."""
    with tempfile.TemporaryDirectory() as cache:  # grows to 310 MB, and pytest would keep three of its own folders
        run_python(f"{INSTALL}; import {PROVIDER}._jsii", JSII_RUNTIME_PACKAGE_CACHE_ROOT=cache)
        indexed = {path.relative_to(cache).parts[0] for path in Path(cache).rglob(".jsii.runtime.v1.json")}
    assert indexed == {"constructs", "cdktf", "@cdktf"}


@pytest.mark.slow
def test_a_kernel_that_needs_longer_than_jsii_waits_may_finish(tmp_path: Path) -> None:
    """Guards against a slow machine where the index is never written, because jsii ends the kernel after 5 seconds."""
    work = f"setTimeout(() => require('fs').writeFileSync('{tmp_path}/done', ''), 8000)"
    (tmp_path / "work.js").write_text(f"if (require('worker_threads').isMainThread) {work};")
    run_python(INSTALL, NODE_OPTIONS=f'--require "{tmp_path / "work.js"}"')
    assert (tmp_path / "done").exists()


def test_what_is_loaded_at_its_first_use_works(tmp_path: Path) -> None:
    """Guards against an archiver that does not zip an asset after it was loaded late."""
    (tmp_path / "asset").mkdir()
    (tmp_path / "asset" / "file").write_text("content")
    program = ZIPPED_ASSET.replace("FOLDER", str(tmp_path / "asset"))
    run_python(program, CDKTF_OUTDIR=str(tmp_path / "out"), PATH=PATH_WITH_NODE)
    (archive,) = tmp_path.glob("out/**/archive.zip")
    assert zipfile.ZipFile(archive).read("file") == b"content"


def run_in_home(home: Path, program: str = MAKE_APP, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run a program as a user whose home is this folder, and whose jsii cache therefore is below it."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("JSII_RUNTIME_")}
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=inherited | {"HOME": str(home)} | variables,
        check=False,
        capture_output=True,
        text=True,
    )


def test_a_home_that_others_may_write_to_is_refused_in_one_line(tmp_path: Path) -> None:
    tmp_path.chmod(0o775)
    refusal = run_in_home(tmp_path)
    assert refusal.returncode == 1
    assert refusal.stderr.startswith(f"Cannot use the jsii package cache in {tmp_path}")
    assert "set JSII_RUNTIME_PACKAGE_CACHE_ROOT to a different directory" in refusal.stderr
    assert refusal.stderr.count("\n") == 1


def test_a_home_that_cannot_be_written_to_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refusal = run_in_home(tmp_path / "file")
    assert refusal.returncode == 1
    assert refusal.stderr.startswith("Cannot use the jsii package cache in ")
    assert refusal.stderr.count("\n") == 1


def test_every_call_repeats_the_refusal(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    messages = run_in_home(tmp_path / "file", MAKE_APP_THREE_TIMES).stdout.splitlines()
    assert len(messages) == 3
    assert len(set(messages)) == 1
    assert messages[0].startswith("Cannot use the jsii package cache in ")


def test_what_the_refusal_advises_works(tmp_path: Path) -> None:
    tmp_path.chmod(0o775)
    without_cache = run_in_home(tmp_path, JSII_RUNTIME_PACKAGE_CACHE="disabled")
    assert (without_cache.returncode, without_cache.stderr) == (0, "")
    with tempfile.TemporaryDirectory() as cache:
        elsewhere = run_in_home(tmp_path, JSII_RUNTIME_PACKAGE_CACHE_ROOT=cache)
    assert (elsewhere.returncode, elsewhere.stderr) == (0, "")


LOAD_PACKAGE = """
const provider = require("./node_modules/@cdktf/provider-azurerm/lib/index.js");
const loaded = ["one", "two"].filter((name) => Object.keys(require.cache).some((file) => file.endsWith(name + ".js")));
console.log(JSON.stringify({ loaded, one: provider.one, two: provider.two }));
"""

PROLOGUE = """"use strict";
Object.defineProperty(exports, "__esModule", { value: true });
exports.one = exports.two = void 0;
"""


@pytest.mark.parametrize(
    ("index", "loaded_at_once"),
    [
        pytest.param(
            PROLOGUE + 'exports.one = require("./one");\nexports.two = require("./two");\n', [], id="as-known"
        ),
        pytest.param(
            PROLOGUE + 'exports.one = require("./one");\nexports.two = __importStar(require("./two"));\n'
            "function __importStar(module) { return module; }\n",
            ["one", "two"],
            id="another-form",
        ),
        pytest.param(
            PROLOGUE + 'exports.one = require("./one");\nexports.two = require("./two"); exports.three = 3;\n',
            ["one", "two"],
            id="more-than-known",
        ),
    ],
)
def test_an_entry_point_of_another_form_is_left_alone(tmp_path: Path, index: str, loaded_at_once: list[str]) -> None:
    """Guards against an export that is lost because its line is not a plain require."""
    package = tmp_path / "node_modules" / "@cdktf" / "provider-azurerm" / "lib"
    package.mkdir(parents=True)
    (package / "index.js").write_text(index)
    for name in ("one", "two"):
        (package / f"{name}.js").write_text(f'exports.name = "{name}";\n')
    completed = subprocess.run(
        [NODE, "--require", ROOT / "bindings" / "kernel.js", "--eval", LOAD_PACKAGE],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )
    assert json.loads(completed.stdout) == {
        "loaded": loaded_at_once,
        "one": {"name": "one"},
        "two": {"name": "two"},
    }
