"""The bindings load module by module, and change nothing in what is synthesized."""

import json
import shutil
from pathlib import Path

import jsii
import pytest

import bindings
from tests.bindings.programs import (
    ALL_STACKS,
    FEW,
    ONE_RESOURCE,
    PATH_WITH_NODE,
    PROVIDER,
    ROOT,
    ProgramReport,
    run_program,
    run_python,
)

# The provider's package is registered without its __init__, as bindings/loading.py does it, because the stock import of
# its 1,500 modules takes half a minute. Nothing else is prepared.
IMPORT_CONSTRUCTS = f"""
import importlib, importlib.util, json, os, pkgutil, sys, typing
import jsii, typeguard
sys.modules["{PROVIDER}"] = importlib.util.module_from_spec(importlib.util.find_spec("{PROVIDER}"))

def observe():
    return {{
        "typing.get_type_hints": typing.get_type_hints,
        "typeguard.check_type": typeguard.check_type,
        "jsii.get": jsii.get,
        "jsii.kernel.provider": jsii.kernel.provider,
        "os.environ": dict(os.environ),
        "bindings": "bindings" in sys.modules,
    }}

before = observe()
import constructs_lib
names = [module.name for module in pkgutil.iter_modules(constructs_lib.__path__, "constructs_lib.")]
for name in names:
    importlib.import_module(name)
after = observe()
print(json.dumps({{"imported": len(names), "changed": [name for name in before if after[name] != before[name]]}}))
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> ProgramReport:
    """A synth of all stacks with the bindings installed."""
    return run_program(ALL_STACKS, tmp_path_factory.mktemp("ours") / "run")


def test_only_what_the_program_uses_is_loaded(report: ProgramReport) -> None:
    assert not report.init_ran
    assert 0 < len(report.python_modules) < FEW
    assert 0 < len(report.node_modules) < FEW
    assert not any("archiver" in file for file in report.node_modules)


def test_the_environment_is_as_it_was(report: ProgramReport) -> None:
    """Guards against JSII_NODE and NODE_OPTIONS that Terraform and other child processes would inherit."""
    assert report.environment_kept


@pytest.mark.slow
def test_the_stock_way_writes_the_same_bytes(report: ProgramReport, tmp_path: Path) -> None:
    stock = run_program(ALL_STACKS, tmp_path / "run", AUGEO_STOCK_BINDINGS="1")
    assert stock.init_ran
    assert len(stock.node_modules) > FEW
    assert any("archiver" in file for file in stock.node_modules)
    assert stock.stacks == report.stacks
    assert {"shared", "dev"} <= stock.stacks.keys()


def test_a_second_install_changes_nothing() -> None:
    """Guards against a second kernel provider, which would not wait for the packages that the first one still loads."""
    before = jsii.kernel.provider, vars(jsii)["get"]
    bindings.install()
    assert (jsii.kernel.provider, vars(jsii)["get"]) == before


def test_importing_the_constructs_has_no_side_effect() -> None:
    """Guards against a construct that installs the bindings, or changes the process in another way, when imported."""
    completed = run_python(IMPORT_CONSTRUCTS, PATH=PATH_WITH_NODE)
    result = json.loads(completed.stdout)
    assert result["imported"] > 20
    assert result["changed"] == []


def test_a_checkout_may_lie_in_a_folder_with_spaces_and_quotes(tmp_path: Path) -> None:
    checkout = tmp_path / 'a "checkout" of \\ours'
    shutil.copytree(ROOT / "bindings", checkout / "bindings", ignore=shutil.ignore_patterns("__pycache__"))
    small = run_program(ONE_RESOURCE, tmp_path / "run", cwd=checkout)
    assert not small.init_ran
    assert len(small.node_modules) == 2, small.node_modules  # the entry point, and resource-group
    assert not small.stderr  # such as Node's deprecation warnings about cdktf
