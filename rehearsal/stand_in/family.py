"""The contract of a module in `families/`."""

from dataclasses import dataclass

from rehearsal.stand_in.model import ResourceType
from rehearsal.stand_in.routes import Route


@dataclass(frozen=True)
class Family:
    """The resource types of one Azure service, and the other paths that the service answers."""

    types: tuple[ResourceType, ...] = ()
    routes: tuple[Route, ...] = ()

    def __post_init__(self) -> None:
        if not self.types and not self.routes:
            raise ValueError("A family has at least one resource type or route.")
