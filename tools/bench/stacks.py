"""Time each stack as a test builds it, once jsii is loaded: `python -m tools.bench.stacks` prints seconds as JSON."""

import json
import statistics
import tempfile
import time
from collections import defaultdict

import bindings

bindings.install()  # before the imports below, which load cdktf

from cdktf import Testing

from main import add_stacks

ROUNDS = 7


def measure_stacks() -> dict[str, list[float]]:
    """Build and synthesize every stack `ROUNDS` times, as tests/support.py does, and return the seconds of each."""
    seconds: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as folder:
        Testing.app(outdir=folder)  # waits until jsii is loaded
        for _ in range(ROUNDS):
            started = time.perf_counter()
            for stack in add_stacks(Testing.app(outdir=folder)):
                Testing.synth(stack)
                ended = time.perf_counter()
                seconds[stack.node.id].append(ended - started)
                started = ended
    return seconds


if __name__ == "__main__":
    print(json.dumps({stack: [runs[0], statistics.median(runs[1:])] for stack, runs in measure_stacks().items()}))
