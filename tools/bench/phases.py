"""One synth of all stacks, timed by phase: `python -m tools.bench.phases` prints seconds as JSON."""

import json
import time
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Phases:
    """Seconds in the order of the program. The interpreter's own start and end are not in it."""

    imports: float
    """Python modules: jsii, cdktf, the provider's, ours."""
    kernel: float
    """Node's start; stock, with the smallest package, which ours loads aside."""
    packages: float
    """Waiting for the kernel to load the packages cdktf and provider."""
    constructing: float
    synth: float


def measure() -> Phases:
    """Run the program in this process, which must not have imported jsii before."""
    started = time.perf_counter()
    import jsii  # noqa: PLC0415  (is part of what is measured)

    load = jsii.kernel.load
    loads: list[float] = []

    def timed_load(name: str, version: str, tarball: str) -> None:
        before = time.perf_counter()
        load(name, version, tarball)
        loads.append(time.perf_counter() - before)

    jsii.kernel.load = timed_load
    from cdktf import App  # noqa: PLC0415

    import main  # noqa: PLC0415

    imported = time.perf_counter()
    app = App()  # waits for packages that were loaded aside
    loaded = time.perf_counter()
    for _ in main.add_stacks(app):
        pass
    constructed = time.perf_counter()
    app.synth()
    return Phases(
        imports=imported - started - sum(loads),
        kernel=loads[0],
        packages=sum(loads[1:]) + loaded - imported,
        constructing=constructed - loaded,
        synth=time.perf_counter() - constructed,
    )


if __name__ == "__main__":
    print(json.dumps(asdict(measure())))
