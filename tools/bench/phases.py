"""Time one synth of all stacks by phase: `python -m tools.bench.phases` prints seconds as JSON."""

import json
import time
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Phases:
    """The seconds of each phase, in the program's order, without the interpreter's own start and end."""

    imports: float
    """Importing Python modules: jsii, cdktf, the provider's and ours."""
    kernel: float
    """Starting Node. With the stock bindings this includes the smallest package, which ours load in a thread."""
    packages: float
    """Waiting until the kernel has loaded the packages of cdktf and of the provider."""
    constructing: float
    synth: float


def measure_phases() -> Phases:
    """Run the program in this process and return its phases. The process must not have imported jsii before."""
    started = time.perf_counter()
    import jsii  # noqa: PLC0415  (is part of what is measured)

    load = jsii.kernel.load
    loads: list[float] = []

    def load_and_time(name: str, version: str, tarball: str) -> None:
        before = time.perf_counter()
        load(name, version, tarball)
        loads.append(time.perf_counter() - before)

    jsii.kernel.load = load_and_time
    import bindings  # noqa: PLC0415

    bindings.install()
    from cdktf import App  # noqa: PLC0415

    import main  # noqa: PLC0415

    imported = time.perf_counter()
    app = App()  # waits for the packages that load in a thread
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
    print(json.dumps(asdict(measure_phases())))
