"""The resource types that the rehearsal knows, one file a service family."""

from rehearsal.families import (
    app_service_domain,
    authorization,
    budget,
    cache,
    communication,
    database,
    dns,
    front_door,
    identity,
    key_vault,
    logic_app,
    monitor,
    network,
    registry,
    resources,
    static_site,
    storage,
    web,
)

_FAMILIES = (
    app_service_domain,
    authorization,
    budget,
    cache,
    communication,
    database,
    dns,
    front_door,
    identity,
    key_vault,
    logic_app,
    monitor,
    network,
    registry,
    resources,
    static_site,
    storage,
    web,
)

TYPES = tuple(type_ for family in _FAMILIES for type_ in family.TYPES)
ROUTES = tuple(route for family in _FAMILIES for route in getattr(family, "ROUTES", ()))
