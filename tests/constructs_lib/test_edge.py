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
    assert not any(route["link_to_default_domain"] for route in find_all(body, ROUTE).values())


def test_standard_tier_everywhere() -> None:
    """Guards against Premium, which costs ten times as much. Profile and firewall need the same tier, for ever."""
    body = synthesize_edge("production")
    tiers = {find_one(body, type_)["sku_name"] for type_ in ("azurerm_cdn_frontdoor_profile", FIREWALL)}
    assert tiers == {"Standard_AzureFrontDoor"}
