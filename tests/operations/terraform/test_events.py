"""The events of `terraform apply -json`, with lines that Terraform 1.11.4 printed."""

import json
from typing import Any

import pytest

from operations.terraform.events import (
    DiagnosticEvent,
    ResourceEvent,
    SummaryEvent,
    find_diagnostics,
    find_errors,
    read_events,
)

RESOURCE = {"addr": "terraform_data.b", "module": "", "resource": "terraform_data.b", "resource_key": None}
VERSION = {"@level": "info", "@message": "Terraform 1.11.4", "terraform": "1.11.4", "type": "version", "ui": "1.2"}
SUMMARY = {"changes": {"add": 2, "change": 1, "import": 0, "remove": 3, "operation": "plan"}, "type": "change_summary"}
STARTED = {"hook": {"resource": RESOURCE, "action": "create"}, "type": "apply_start"}
PROVISIONED = {"hook": {"resource": RESOURCE, "provisioner": "local-exec"}, "type": "provision_start"}
COMPLETED = {
    "hook": {"resource": RESOURCE, "action": "create", "id_key": "id", "id_value": "/b", "elapsed_seconds": 12},
    "type": "apply_complete",
}
FAILED = {
    "diagnostic": {
        "severity": "error",
        "summary": "local-exec provisioner error",
        "detail": "Error running command 'exit 3': exit status 3. Output: ",
        "address": "terraform_data.b",
        "range": {"filename": "main.tf.json"},
    },
    "type": "diagnostic",
}
WARNING = {"diagnostic": {"severity": "warning", "summary": "Argument is deprecated"}, "type": "diagnostic"}


def write_lines(*events: dict[str, Any]) -> str:
    """Return what Terraform prints for these events."""
    return "".join(f"{json.dumps(event)}\n" for event in events)


def test_events_are_read_in_their_order() -> None:
    summary, start, complete, failure = read_events(write_lines(VERSION, SUMMARY, STARTED, COMPLETED, FAILED))
    assert isinstance(summary, SummaryEvent)
    assert (summary.changes.add, summary.changes.change, summary.changes.remove) == (2, 1, 3)
    assert isinstance(start, ResourceEvent)
    assert (start.type, start.hook.action, start.hook.resource.addr) == ("apply_start", "create", "terraform_data.b")
    assert (start.hook.id_value, start.hook.elapsed_seconds) == ("", 0)
    assert isinstance(complete, ResourceEvent)
    assert (complete.hook.id_value, complete.hook.elapsed_seconds) == ("/b", 12)
    assert isinstance(failure, DiagnosticEvent)
    assert failure.diagnostic.address == "terraform_data.b"


def test_seconds_are_printed_as_terraform_prints_them() -> None:
    [complete] = read_events(write_lines(COMPLETED))
    assert isinstance(complete, ResourceEvent)
    assert str(complete.hook.elapsed_seconds) == "12"


def test_what_is_no_event_is_skipped() -> None:
    output = f"There are some problems with the CLI configuration:\n\n{write_lines(STARTED)}Error: no JSON {{\n"
    assert len(list(read_events(output))) == 1


@pytest.mark.parametrize("event", [VERSION, PROVISIONED, {"type": "of a later version", "hook": "not an object"}, {}])
def test_events_that_nothing_needs_are_skipped(event: dict[str, Any]) -> None:
    assert list(read_events(write_lines(event))) == []


def test_errors_are_found_and_warnings_are_none() -> None:
    output = write_lines(WARNING, FAILED, STARTED)
    expected = "local-exec provisioner error Error running command 'exit 3': exit status 3. Output:"
    assert find_errors(output) == [expected]
    assert [warning.summary for warning in find_diagnostics(output, severity="warning")] == ["Argument is deprecated"]


def test_an_error_without_a_detail_has_no_space_at_its_end() -> None:
    assert find_errors(write_lines({"diagnostic": {"severity": "error", "summary": "No."}, "type": "diagnostic"})) == [
        "No."
    ]
