"""What every test gets. It imports neither jsii nor cdktf, so that the tests of settings start at once."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.data import Snapshot, SnapshotCollection
from syrupy.extensions.json import JSONSnapshotExtension
from syrupy.location import PyTestLocation
from syrupy.types import SnapshotIndex

from environments.settings import Account


class JsonFile(JSONSnapshotExtension):
    """A sorted JSON file for each parameter of the one `test_snapshot` of a test file.

    `test_snapshot[minimal]` in test_cache.py compares with `__snapshots__/test_cache/minimal.json`.
    """

    @classmethod
    def get_file_basename(cls, *, test_location: PyTestLocation, index: SnapshotIndex) -> str:  # noqa: ARG003
        """Return the parameter. It has no number, because a test compares once."""
        return test_location.testname.removeprefix("test_snapshot[").removesuffix("]")

    def read_snapshot_collection(self, *, snapshot_location: str) -> SnapshotCollection:
        """Return the one snapshot of a file under its test's name. So the file of a removed variant fails the run."""
        collection = SnapshotCollection(location=snapshot_location)
        collection.add(Snapshot(name=f"test_snapshot[{Path(snapshot_location).stem}]"))
        return collection

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        """Return whether the file lies in the folder of the test's file."""
        return Path(snapshot_location).parent == Path(cls.dirname(test_location=test_location))


def pytest_configure(config: pytest.Config) -> None:
    """Test the settings as they are written, whatever a shell or a CI job overrides (`AUGEO_DOMAIN` and others)."""
    for field in Account.model_fields:
        os.environ.pop(f"AUGEO_{field.upper()}", None)
    config.pluginmanager.register(SlowTestCounter())


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compares with a JSON file in `__snapshots__`; `make snapshots` accepts what is synthesized now."""
    return snapshot.use_extension(JsonFile)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    """Choose how many test files run side by side: with Terraform eight or more, because their tests mostly wait.

    None stands for xdist's own choice, one on each core.
    """
    return max(8, os.cpu_count() or 1) if shutil.which("terraform") or shutil.which("tofu") else None


class SlowTestCounter:
    """Counts the slow tests that were left out, also those of xdist's workers, and says at the end how to run them."""

    def __init__(self) -> None:
        self.count = 0

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Count what `-m "not slow"` leaves out. pytest reports what `-k` leaves out in a call of its own."""
        if all(item.get_closest_marker("slow") for item in items):
            self.count += len(items)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Hand a worker's count to the process that started it.

        https://pytest-xdist.readthedocs.io/en/stable/how-to.html#sending-data-from-a-worker
        """
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output["left_out"] = self.count

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        """Take over the count of a worker. Every worker collects all tests, so all of them leave out the same ones."""
        self.count = getattr(node, "workeroutput", {}).get("left_out", self.count)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Say how many were left out."""
        if self.count:
            terminalreporter.write_line(f"{self.count} slow tests were left out; `make test ALL=1` runs them too.")
