"""Loads cdktf and the provider's bindings fast. An entry point calls `bindings.install()` before it imports cdktf.

Entry points are programs (`main.py`, `tools/synth/`, the rehearsal) and the `conftest.py` of a test folder. The call
is the only thing that changes the process: importing a construct has no side effect. Without the call everything works
too, but `cdktf` loads the stock way, which takes seconds, and runs on the `node` of the PATH.

- `loading.py` has `install()`, and makes the provider's Python modules load one by one.
- `kernel.py` starts the jsii kernel, the Node process in which cdktf's JavaScript runs.
- `kernel.js` is preloaded into that Node.
- `patches.py` replaces three functions that the bindings' generated code calls very often.

docs/adr/0006-lazy-bindings.md has the decision, and says what to check when jsii is upgraded.
"""

from bindings.loading import install

__all__ = ["install"]
