"""Prepares the imports of cdktf and of the provider's bindings.

The stock package of the provider imports all of its about 1,500 Python modules, and the same number of JavaScript
modules. This program uses some fifty of them (`docs/benchmarks.md` has the figures). After `install()` each module
loads when something imports it.

The first run extracts the packages into jsii's own cache and indexes them there, which takes seconds. `make setup` does
that once after an installation.
"""

import importlib
import importlib.util
import os
import sys

from bindings.kernel import start_kernel
from bindings.patches import cache_element_ids, cache_type_hints, skip_checks_of_none

# The packages that this program imports as `cdktf` and as `cdktf_cdktf_provider_azurerm`. The archived packages have a
# successor with the same classes, "cdktn" and "cdktn_provider_azurerm". docs/benchmarks.md describes a run with it.
CDKTF = "cdktf"
PROVIDER = "cdktf_cdktf_provider_azurerm"

STOCK_VARIABLE = "AUGEO_STOCK_BINDINGS"
"""Set to 1, this environment variable loads the bindings the stock way. Tests and the benchmark compare with it."""


def install() -> None:
    """Start the jsii kernel, and prepare the imports of `cdktf` and of the provider's modules.

    A second call in the same process does nothing. With `AUGEO_STOCK_BINDINGS=1` only the kernel is started.

    Raises:
        ModuleNotFoundError: The virtual environment does not exist or is not active.
    """
    if "cdktf_cdktf_provider_azurerm" in sys.modules:
        return
    stock = os.environ.get(STOCK_VARIABLE, "") not in {"", "0"}
    start_kernel(stock=stock)
    if stock:
        return
    sys.modules["cdktf"] = importlib.import_module(CDKTF)
    _register_provider()
    cache_type_hints()
    cache_element_ids()
    skip_checks_of_none()


def _register_provider() -> None:
    """Register the provider's package without running its `__init__`, which would import every submodule.

    Python still finds the submodules, and imports each of them alone.
    """
    specification = importlib.util.find_spec(PROVIDER)
    if specification is None:
        raise ModuleNotFoundError(f"No module named {PROVIDER!r}", name=PROVIDER)
    sys.modules["cdktf_cdktf_provider_azurerm"] = importlib.util.module_from_spec(specification)
