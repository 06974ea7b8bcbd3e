"""The network: traffic passes only if a rule allows it."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.network import PRIVATE_ZONES
from tests.constructs_lib.neighbours import find_all, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(make_environment, "dev"),
    "smallest-subnets": partial(
        make_environment,
        "dev",
        network={"address_space": "10.0.0.0/25", "app_subnet": "10.0.0.0/26", "endpoints_subnet": "10.0.0.64/29"},
        jobs={"subnet": "10.0.0.96/27"},
    ),
    "without-jobs": partial(make_environment, "dev", jobs=None),
}


@cache
def synthesize_network(variant: str = "minimal") -> TerraformJson:
    return synthesize_construct("network", lambda neighbours: neighbours.network, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_network(variant) == snapshot


def test_every_group_denies_all_other_traffic_in_both_directions() -> None:
    """Guards against Azure's default rules, which allow everything from the virtual network and to the Internet."""
    groups = find_all(synthesize_network(), "azurerm_network_security_group")
    assert set(groups) == {"network/app-nsg", "network/jobs-nsg", "network/endpoints-nsg"}
    for group in groups.values():
        last = [rule for rule in group["security_rule"] if rule["priority"] == 4096]
        assert {(rule["direction"], rule["access"], rule["source_address_prefix"]) for rule in last} == {
            ("Inbound", "Deny", "*"),
            ("Outbound", "Deny", "*"),
        }


def test_every_rule_names_all_of_its_members() -> None:
    """Guards against a plan that fails: for Terraform a rule is an attribute, in which no member may be missing."""
    rules = [
        rule
        for group in find_all(synthesize_network(), "azurerm_network_security_group").values()
        for rule in group["security_rule"]
    ]
    assert len({frozenset(rule) for rule in rules}) == 1
    assert {"source_port_range", "source_port_ranges", "destination_application_security_group_ids"} <= set(rules[0])


def test_every_subnet_has_its_group() -> None:
    """Guards against a security group that nothing uses."""
    pairs = {
        (association["subnet_id"], association["network_security_group_id"])
        for association in find_all(synthesize_network(), "azurerm_subnet_network_security_group_association").values()
    }
    assert pairs == {
        (f"${{azurerm_subnet.network/{role}-subnet.id}}", f"${{azurerm_network_security_group.network/{role}-nsg.id}}")
        for role in ("app", "jobs", "endpoints")
    }


def test_only_delegated_subnets_have_outbound_access() -> None:
    """Guards against endpoints that reach the Internet, and against a subnet that its service refuses."""
    subnets = find_all(synthesize_network(), "azurerm_subnet")
    assert {id_: subnet["default_outbound_access_enabled"] for id_, subnet in subnets.items()} == {
        "network/app-subnet": True,
        "network/jobs-subnet": True,
        "network/endpoints-subnet": False,
    }
    assert all(subnet["private_endpoint_network_policies"] == "Enabled" for subnet in subnets.values())


def test_jobs_reach_the_data_and_nothing_else_of_ours() -> None:
    """Guards against jobs that the database refuses, and against an app that reaches into the jobs' subnet."""
    groups = find_all(synthesize_network(), "azurerm_network_security_group")
    allowed = {
        (rule["destination_address_prefix"], rule["destination_port_range"] or tuple(rule["destination_port_ranges"]))
        for rule in groups["network/jobs-nsg"]["security_rule"]
        if (rule["direction"], rule["access"]) == ("Outbound", "Allow")
    }
    assert allowed == {
        ("10.10.1.0/24", ("5432", "6432")),
        ("10.10.1.0/24", "10000"),
        ("Internet", "443"),
        ("168.63.129.16", "53"),
        ("10.10.2.0/27", "*"),
    }
    admitted = {
        rule["source_address_prefix"]
        for rule in groups["network/endpoints-nsg"]["security_rule"]
        if (rule["direction"], rule["access"]) == ("Inbound", "Allow")
    }
    assert admitted == {"10.10.0.0/24", "10.10.2.0/27"}


def test_private_names_resolve_inside_the_network() -> None:
    """Guards against a zone without a link: the app would get the public address, where nothing answers."""
    body = synthesize_network()
    zones = find_all(body, "azurerm_private_dns_zone")
    linked = {
        link["private_dns_zone_name"]
        for link in find_all(body, "azurerm_private_dns_zone_virtual_network_link").values()
    }
    assert {zone["name"] for zone in zones.values()} == set(PRIVATE_ZONES.values())
    assert linked == {f"${{azurerm_private_dns_zone.{id_}.name}}" for id_ in zones}
