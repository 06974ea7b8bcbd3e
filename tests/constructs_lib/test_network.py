"""The network: nothing passes that no row allows."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.network import PRIVATE_ZONES
from tests.constructs_lib.neighbours import all_of, built, environment
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(environment, "dev"),
    "smallest-subnets": partial(
        environment,
        "dev",
        network={"address_space": "10.0.0.0/25", "app_subnet": "10.0.0.0/26", "endpoints_subnet": "10.0.0.64/29"},
    ),
}


@cache
def network(variant: str = "minimal") -> TerraformJson:
    return built("network", lambda near: near.network, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert network(variant) == snapshot


def test_every_group_denies_the_rest_in_both_directions() -> None:
    """Guards against Azure's default rules, which let the whole VNet in and everything out."""
    groups = all_of(network(), "azurerm_network_security_group")
    assert set(groups) == {"network/app-nsg", "network/endpoints-nsg"}
    for group in groups.values():
        last = [rule for rule in group["security_rule"] if rule["priority"] == 4096]
        assert {(rule["direction"], rule["access"], rule["source_address_prefix"]) for rule in last} == {
            ("Inbound", "Deny", "*"),
            ("Outbound", "Deny", "*"),
        }


def test_every_rule_names_all_of_its_members() -> None:
    """Guards against a plan that fails: Terraform takes a rule as an attribute, in which nothing may be left out."""
    rules = [
        rule
        for group in all_of(network(), "azurerm_network_security_group").values()
        for rule in group["security_rule"]
    ]
    assert len({frozenset(rule) for rule in rules}) == 1
    assert {"source_port_range", "source_port_ranges", "destination_application_security_group_ids"} <= set(rules[0])


def test_both_subnets_have_their_group() -> None:
    """Guards against a security group that nothing uses."""
    pairs = {
        (each["subnet_id"], each["network_security_group_id"])
        for each in all_of(network(), "azurerm_subnet_network_security_group_association").values()
    }
    assert pairs == {
        (f"${{azurerm_subnet.network/{role}-subnet.id}}", f"${{azurerm_network_security_group.network/{role}-nsg.id}}")
        for role in ("app", "endpoints")
    }


def test_only_the_delegated_subnet_goes_out_by_itself() -> None:
    """Guards against endpoints that reach the internet, and an app subnet that cannot, which App Service refuses."""
    subnets = all_of(network(), "azurerm_subnet")
    assert {id_: each["default_outbound_access_enabled"] for id_, each in subnets.items()} == {
        "network/app-subnet": True,
        "network/endpoints-subnet": False,
    }
    assert all(each["private_endpoint_network_policies"] == "Enabled" for each in subnets.values())


def test_private_names_resolve_inside_the_network() -> None:
    """Guards against a zone without a link: the app would be told the public address, where nothing answers."""
    body = network()
    zones = all_of(body, "azurerm_private_dns_zone")
    linked = {
        each["private_dns_zone_name"] for each in all_of(body, "azurerm_private_dns_zone_virtual_network_link").values()
    }
    assert {each["name"] for each in zones.values()} == set(PRIVATE_ZONES.values())
    assert linked == {f"${{azurerm_private_dns_zone.{id_}.name}}" for id_ in zones}
