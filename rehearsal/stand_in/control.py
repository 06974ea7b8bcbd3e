"""The stand-in's own paths: a person reads its store there, and adds faults."""

from collections.abc import Iterable
from dataclasses import asdict

from rehearsal.stand_in import dump
from rehearsal.stand_in.faults import Faults, parse_fault
from rehearsal.stand_in.model import Json, ResourceType, make_bad_request
from rehearsal.stand_in.routes import Route, RouteRequest

FAULTS_PATH = "/rehearsal/faults"
"""POST adds a fault; GET lists all faults and says how often each was met."""


def make_control_routes(faults: Faults, types: Iterable[ResourceType]) -> tuple[Route, ...]:
    """Return the routes to the store and to the faults. A fault must have one of these types."""
    type_names = {type_.name.lower() for type_ in types}

    def dump_store(request: RouteRequest) -> Json:
        return dump.dump_store(request.store)

    def add_fault(request: RouteRequest) -> Json:
        fault = parse_fault(request.body)
        if fault.type.lower() not in type_names:
            raise make_bad_request(f"The rehearsal does not know the resource type '{fault.type}'.", "InvalidFault")
        return asdict(faults.add(fault))

    def list_faults(_: RouteRequest) -> Json:
        return {"value": [asdict(fault) for fault in faults]}

    return (
        Route("GET", dump.PATH, "Microsoft.Rehearsal/store/read", dump_store),
        Route("POST", FAULTS_PATH, "Microsoft.Rehearsal/faults/write", add_fault),
        Route("GET", FAULTS_PATH, "Microsoft.Rehearsal/faults/read", list_faults),
    )
