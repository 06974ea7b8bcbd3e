"""The parts of a Terraform state file that the tests of this folder read."""

from typing import TypedDict


class Instance(TypedDict):
    """An instance of a resource."""

    attributes: dict[str, str]


class StateResource(TypedDict):
    """A resource in a state file."""

    name: str
    instances: list[Instance]


class StateFile(TypedDict):
    """A state file: https://developer.hashicorp.com/terraform/language/state."""

    serial: int
    resources: list[StateResource]
