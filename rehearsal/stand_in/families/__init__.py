"""The resource types that the rehearsal knows, one file a service family."""

from importlib import import_module
from pkgutil import iter_modules

from rehearsal.stand_in.application import Route
from rehearsal.stand_in.model import ResourceType

_FAMILIES = tuple(import_module(f"{__name__}.{each.name}") for each in iter_modules(__path__))

TYPES: tuple[ResourceType, ...] = tuple(type_ for family in _FAMILIES for type_ in getattr(family, "TYPES", ()))
ROUTES: tuple[Route, ...] = tuple(route for family in _FAMILIES for route in getattr(family, "ROUTES", ()))
