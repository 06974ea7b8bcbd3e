"""The host names of an environment with Front Door, from Azure's names to the zone's own ones and back."""

from pathlib import Path

import pytest

from environments import Environment, load
from operations.terraform.events import find_errors
from rehearsal import synthesis
from rehearsal.stand_in.families.front_door import DOMAIN, ENDPOINT, POLICY
from rehearsal.stand_in.ids import parse_id
from rehearsal.stand_in.model import Json, get_objects
from rehearsal.stand_in.resource_manager import ResourceManager
from rehearsal.world import World
from tests.rehearsal import parts

AZURE, OWN = ENDPOINT, DOMAIN
PHASES: dict[str, tuple[dict[str, object], set[str]]] = {
    "zones": ({"delegated": False}, {AZURE}),
    "beside": ({"delegated": True, "own_names": "beside"}, {AZURE, OWN}),
    "first": ({"delegated": True, "own_names": "first"}, {AZURE, OWN}),
    "only": ({"delegated": True, "own_names": "only"}, {OWN}),
}
"""By phase: its settings, and the types of the hosts at which Front Door answers."""


def synthesize_edge(phase: str) -> Json:
    """Return staging's Front Door, its DNS records and the admin site. A literal stands for the web app's host."""

    def set_phase(environment: Environment) -> Environment:
        return environment.model_copy(update={"domain": environment.domain.model_copy(update=PHASES[phase][0])})

    body = synthesis.remove_prevent_destroy(synthesis.synthesize_environment(load(), "staging", set_phase))
    for origin in body["resource"]["azurerm_cdn_frontdoor_origin"].values():
        origin |= {"host_name": "app.azurewebsites.net", "origin_host_header": "app.azurewebsites.net"}
    records = body["resource"].get("azurerm_dns_cname_record", {})
    body["resource"]["azurerm_dns_cname_record"] = {
        name: record for name, record in records.items() if not name.startswith("email_")
    }
    types = [type_ for type_ in body["resource"] if type_.startswith(("azurerm_cdn_frontdoor_", "azurerm_static_web_"))]
    return parts.extract_types(body, *types, "azurerm_dns_cname_record")


def list_answering(manager: ResourceManager) -> list[set[str]]:
    """Return, for each route and for the policy with the rate limits, the types of the hosts that it covers."""
    found: list[set[str]] = []
    for route in manager.list_resources(f"{ENDPOINT}/routes"):
        hosts = {parse_id(item["id"]).type for item in get_objects(route.properties, "customDomains")}
        if route.properties["linkToDefaultDomain"] == "Enabled":
            hosts.add(AZURE)
        found.append(hosts)
    for policy in manager.list_resources(POLICY):
        (association,) = get_objects(policy.properties, "parameters.associations")
        found.append({parse_id(item["id"]).type for item in association["domains"]})
    return found


@pytest.mark.azure
@pytest.mark.slow
def test_every_phase_can_be_entered_and_left_again(provider: Path, azure_world: World) -> None:
    """Guards against an outage between two phases, and against a domain that goes before what names it."""
    assert provider
    manager = azure_world.stand_in.resource_manager
    for phase in ("zones", "beside", "first", "only", "first", "beside", "zones"):
        stack = azure_world.write_stack("staging", synthesize_edge(phase), local_state=True)
        assert stack.init().code == 0
        apply = stack.apply()
        assert apply.code == 0, (phase, find_errors(apply.output))
        assert stack.plan().code == 0, phase
        answering = list_answering(manager)
        assert len(answering) == 3, "two routes and the policy"
        assert all(hosts == PHASES[phase][1] for hosts in answering), (phase, answering)
    destroy = stack.destroy()
    assert destroy.code == 0, find_errors(destroy.output)
