"""What every test is given. Imports neither jsii nor cdktf, so that the tests of settings start at once."""

import os
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
        """The parameter. There is no number, because a test compares once."""
        return test_location.testname.removeprefix("test_snapshot[").removesuffix("]")

    def read_snapshot_collection(self, *, snapshot_location: str) -> SnapshotCollection:
        """The one snapshot of a file, under the name of its test: so that a variant that is gone turns its file red."""
        collection = SnapshotCollection(location=snapshot_location)
        collection.add(Snapshot(name=f"test_snapshot[{Path(snapshot_location).stem}]"))
        return collection

    @classmethod
    def matches_test_location(cls, *, test_location: PyTestLocation, snapshot_location: str) -> bool:
        """Whether the file lies in the folder of the test's file."""
        return Path(snapshot_location).parent == Path(cls.dirname(test_location=test_location))


def pytest_configure() -> None:
    """Test what is written, not what a shell or a CI job overrides (`AUGEO_DOMAIN` and its like)."""
    for field in Account.model_fields:
        os.environ.pop(f"AUGEO_{field.upper()}", None)


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Compares with a JSON file in `__snapshots__`; `make snapshots` accepts what is synthesized now."""
    return snapshot.use_extension(JsonFile)
