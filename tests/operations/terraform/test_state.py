"""What identifies a state, and who holds its lock."""

import pytest

from operations.terraform.state import StateHead, StateLock, find_state_lock, read_state_head

# Printed by Terraform 1.11.4 on a state that another apply held.
REFUSED = """
Error: Error acquiring the state lock

Error message: resource temporarily unavailable
Lock Info:
  ID:        6f1c4c51-3fd1-4d35-5a8b-9e0c9f7be1f0
  Path:      terraform.tfstate
  Operation: OperationTypeApply
  Who:       somebody@a-machine
  Version:   1.11.4
  Created:   2026-11-23 04:00:00.000000001 +0000 UTC
"""


def test_the_head_of_a_state() -> None:
    head = read_state_head('{"version": 4, "serial": 7, "lineage": "9e2a", "resources": [], "outputs": {}}')
    assert head == StateHead(lineage="9e2a", serial=7)
    assert str(head) == "serial 7 of 9e2a"


@pytest.mark.parametrize("state", ["", "\n"])
def test_there_is_no_head_before_the_first_apply(state: str) -> None:
    assert read_state_head(state) is None


@pytest.mark.parametrize("text", ["no JSON", "{}"])
def test_a_text_that_is_no_state_is_an_error(text: str) -> None:
    with pytest.raises(ValueError, match="StateHead"):
        read_state_head(text)


def test_the_lock_that_kept_a_run_from_the_state() -> None:
    assert find_state_lock(REFUSED) == StateLock("6f1c4c51-3fd1-4d35-5a8b-9e0c9f7be1f0", "somebody@a-machine")


def test_a_run_that_met_no_lock() -> None:
    assert find_state_lock("Apply complete! Resources: 1 added, 0 changed, 0 destroyed.") is None
