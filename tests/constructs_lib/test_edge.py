"""Front Door in front of the API."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import Neighbours, find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

LIMITS = {"api_requests_a_minute": 600, "sign_in_requests_a_minute": 10}
VARIANTS = {
    "minimal": partial(make_environment, "dev", front_door=LIMITS),
    "delegated": partial(make_environment, "dev", front_door=LIMITS, domain={"delegated": True}),
    "own-names-only": partial(
        make_environment, "dev", front_door=LIMITS, domain={"delegated": True, "own_names": "only"}
    ),
    "production": partial(make_environment, "production"),
}
FIREWALL = "azurerm_cdn_frontdoor_firewall_policy"
ROUTE = "azurerm_cdn_frontdoor_route"


@cache
def synthesize_edge(variant: str) -> TerraformJson:
    def make(neighbours: Neighbours) -> None:
        assert neighbours.edge
        neighbours.edge.publish(neighbours.web_app.app, dns=neighbours.dns)

    return synthesize_construct("edge", make, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_edge(variant) == snapshot


def test_sign_in_is_limited_first_and_more_strictly() -> None:
    """Guards against the general rule that matches first, so that passwords could be guessed at its higher rate."""
    rules = sorted(
        find_one(synthesize_edge("minimal"), FIREWALL)["custom_rule"], key=lambda rule: int(rule["priority"])
    )
    assert [
        (rule["name"], rule["rate_limit_threshold"], rule["match_condition"][0]["match_values"]) for rule in rules
    ] == [("RateLimitSignIn", 10, ["/api/v1/auth/"]), ("RateLimitApi", 600, ["/api/"])]
    assert {(rule["type"], rule["action"], rule["enabled"]) for rule in rules} == {("RateLimitRule", "Block", True)}


def test_firewall_blocks() -> None:
    """Guards against the mode Detection, in which the rules only write a log."""
    assert find_one(synthesize_edge("minimal"), FIREWALL)["mode"] == "Prevention"


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_route_sends_browsers_to_https(variant: str) -> None:
    """Guards against a sign-in over HTTP."""
    for route in find_all(synthesize_edge(variant), ROUTE).values():
        assert route["https_redirect_enabled"] is True
        assert route["forwarding_protocol"] == "HttpsOnly"


def test_the_api_s_own_answers_are_never_cached() -> None:
    """Guards against an answer to one bidder that is shown to another."""
    routes = find_all(synthesize_edge("minimal"), ROUTE)
    assert "cache" not in routes["edge/everything-route"]
    for route in routes.values():
        assert ("cache" in route) == (not {"/*", "/api/*"} & set(route["patterns_to_match"]))


def test_before_delegation_the_endpoint_answers_by_its_own_name() -> None:
    """Guards against a first apply that waits for a certificate which nobody can validate."""
    body = synthesize_edge("minimal")
    assert not find_all(body, "azurerm_cdn_frontdoor_custom_domain")
    assert not find_all(body, "azurerm_dns_cname_record")
    assert all(route["link_to_default_domain"] for route in find_all(body, ROUTE).values())


def test_name_points_here_after_routes_and_limits_exist() -> None:
    """Guards against a name that leads to a Front Door without routes, or without its rate limits."""
    body = synthesize_edge("delegated")
    dependencies = find_one(body, "azurerm_dns_cname_record")["depends_on"]
    assert set(dependencies) == {
        *(f"{ROUTE}.{id_}" for id_ in find_all(body, ROUTE)),
        "azurerm_cdn_frontdoor_security_policy.edge/security-policy",
    }


@pytest.mark.parametrize(("variant", "default", "own"), [("delegated", 1, 1), ("own-names-only", 0, 1)])
def test_the_rate_limits_watch_every_host_that_answers(variant: str, default: int, own: int) -> None:
    """Guards against an outage between two phases, and against a host without limits."""
    body = synthesize_edge(variant)
    for route in find_all(body, ROUTE).values():
        assert route["link_to_default_domain"] == bool(default)
        assert len(route["cdn_frontdoor_custom_domain_ids"]) == own
    policy = find_one(body, "azurerm_cdn_frontdoor_security_policy")
    domains = policy["security_policies"]["firewall"]["association"]["domain"]
    hosts = [domain["cdn_frontdoor_domain_id"].split(".")[0].removeprefix("${") for domain in domains]
    assert hosts == ["azurerm_cdn_frontdoor_endpoint"] * default + ["azurerm_cdn_frontdoor_custom_domain"] * own


def test_nothing_names_a_domain_that_is_deleted() -> None:
    """Guards against a deletion that Azure refuses: Terraform would delete the domain before it changes the policy."""
    domain = find_one(synthesize_edge("delegated"), "azurerm_cdn_frontdoor_custom_domain")
    assert domain["lifecycle"]["create_before_destroy"] is True


def test_a_single_origin_is_not_probed() -> None:
    """Guards against probes that only cost: every edge location sends them, and FastAPI answers HEAD with 405."""
    assert "health_probe" not in find_one(synthesize_edge("minimal"), "azurerm_cdn_frontdoor_origin_group")


def test_standard_tier_everywhere() -> None:
    """Guards against Premium, which costs ten times as much. Profile and firewall need the same tier, for ever."""
    body = synthesize_edge("production")
    tiers = {find_one(body, type_)["sku_name"] for type_ in ("azurerm_cdn_frontdoor_profile", FIREWALL)}
    assert tiers == {"Standard_AzureFrontDoor"}
