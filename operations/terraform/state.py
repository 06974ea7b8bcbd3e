"""Reads what Terraform says about a state: its lineage and serial, and who holds its lock."""

import re
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict


class StateHead(BaseModel):
    """What identifies a state. Each write of the state increments the serial."""

    model_config = ConfigDict(frozen=True)

    lineage: str
    serial: int

    def __str__(self) -> str:
        return f"serial {self.serial} of {self.lineage}"


class StateLock(NamedTuple):
    """The lock on a state that another run holds."""

    id: str
    """The argument for `terraform force-unlock`."""
    holder: str
    """Who holds it, such as `somebody@a-machine`."""


def read_state_head(state: str) -> StateHead | None:
    """Read the head of a state from what `terraform state pull` printed.

    Return None if the text is empty, as it is before the first apply.

    Raises:
        ValueError: The text is no state.
    """
    return StateHead.model_validate_json(state) if state.strip() else None


def find_state_lock(output: str) -> StateLock | None:
    """Find the lock that kept a run from the state, in what that run printed. Return None if none did."""
    lock_id = re.search(r"ID:\s+(\S+)", output)
    holder = re.search(r"Who:\s+(\S+)", output)
    return StateLock(lock_id[1], holder[1]) if lock_id and holder else None
