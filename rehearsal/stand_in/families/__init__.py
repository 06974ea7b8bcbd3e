"""The resource types that the stand-in knows. Each module describes one Azure service as its `FAMILY`.

A new module must be added to `NAMES`; tests/rehearsal/stand_in/test_families.py fails if it is not.
"""

from importlib import import_module

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.model import ResourceType
from rehearsal.stand_in.routes import Route

NAMES = (
    "app_service",
    "app_service_domain",
    "authorization",
    "budget",
    "cache",
    "communication",
    "container_apps",
    "database",
    "dns",
    "front_door",
    "identity",
    "key_vault",
    "logic_app",
    "monitor",
    "network",
    "registry",
    "resources",
    "static_site",
    "storage",
)


def load_family(name: str) -> Family:
    """Import a module of this folder and return its `FAMILY`.

    Raises:
        ImportError: There is no such module.
        TypeError: The module has no `FAMILY`.
    """
    module = import_module(f"{__name__}.{name}")
    family: object = getattr(module, "FAMILY", None)
    if not isinstance(family, Family):
        raise TypeError(f"{module.__name__} has no FAMILY = Family(...).")
    return family


_FAMILIES = tuple(load_family(name) for name in NAMES)

TYPES: tuple[ResourceType, ...] = tuple(type_ for family in _FAMILIES for type_ in family.types)
ROUTES: tuple[Route, ...] = tuple(route for family in _FAMILIES for route in family.routes)
