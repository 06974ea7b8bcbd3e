"""DNS in its phases: before the registrar delegates the parent domain, nothing is validated by name."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.dns import AppServiceHost, add_dns_zone, delegate_zone
from constructs_lib.place import AzureStack, Capability, Place
from tests.constructs_lib.neighbours import (
    Neighbours,
    find_all,
    find_one,
    make_environment,
    synthesize_construct,
    synthesize_in_shared,
)
from tests.support import TerraformJson, load_platform

RECORDS = """
@ 300 MX 10 mail
@     MX 20 mx.example.com.
@     A 203.0.113.4
      CAA 0 issue "digicert.com"
www   CNAME site.example.com.
a.b   AAAA 2001:db8::1
news  TXT "v=spf1 -all"
"""
VARIANTS = {
    "app-service-host": partial(make_environment, "dev", domain={"delegated": True}),
    "records": partial(make_environment, "dev", domain={"records": RECORDS}),
}


@cache
def synthesize_dns(variant: str) -> TerraformJson:
    def make(neighbours: Neighbours) -> None:
        zone = neighbours.dns
        if zone.delegated:
            AppServiceHost(neighbours.stack, "api-host", label="api", app=neighbours.web_app.app, dns=zone)

    return synthesize_construct("api-host" if variant == "app-service-host" else "dns", make, VARIANTS[variant]())


@cache
def synthesize_zones() -> TerraformJson:
    """Return the parent zone and dev's zone, as the shared stack has them."""

    def make(stack: AzureStack, _: object) -> None:
        dns = Capability(stack, "dns")
        parent = add_dns_zone(dns, "zone", "augeo.example", "parent_zone", place=stack.place)
        dev = Place.of_environment(load_platform().environments["dev"], load_platform())
        delegate_zone(dns, parent, environment="dev", label="dev", place=dev)

    return synthesize_in_shared("dns", make)


@pytest.mark.parametrize("variant", [*VARIANTS, "zones"])
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert (synthesize_zones() if variant == "zones" else synthesize_dns(variant)) == snapshot


def test_zones_are_protected_without_a_lock() -> None:
    """Guards against a lock on a zone: its records would inherit it, and could not be removed."""
    zones = find_all(synthesize_zones(), "azurerm_dns_zone")
    assert set(zones) == {"parent_zone", "dev_zone"}
    assert all(zone["lifecycle"]["prevent_destroy"] is True for zone in zones.values())
    assert not find_all(synthesize_zones(), "azurerm_management_lock")


def test_a_zone_is_where_its_environment_writes_records() -> None:
    """Guards against records of the environment's stack that name a zone which does not exist."""
    zone = find_all(synthesize_zones(), "azurerm_dns_zone")["dev_zone"]
    record = find_one(synthesize_dns("records"), "azurerm_dns_mx_record")
    assert (record["zone_name"], record["resource_group_name"]) == (zone["name"], zone["resource_group_name"])


@pytest.mark.parametrize(
    ("phase", "hosts"),
    [
        ({"delegated": False}, ["azure"]),
        ({"delegated": True}, ["azure", "api.dev.augeo.example"]),
        ({"delegated": True, "own_names": "first"}, ["api.dev.augeo.example", "azure"]),
        ({"delegated": True, "own_names": "only"}, ["api.dev.augeo.example"]),
    ],
)
def test_each_phase_keeps_a_host_of_the_one_before(phase: dict[str, object], hosts: list[str]) -> None:
    """Guards against an outage: what links use in one phase still answers in the next one."""
    found: list[str] = []

    def make(neighbours: Neighbours) -> None:
        found.extend(neighbours.dns.list_hosts("api", "azure"))

    synthesize_construct("dns", make, make_environment("dev", domain=phase))
    assert found == hosts


def test_records_of_the_settings_are_made() -> None:
    """Guards against mail that is lost when the registrar delegates a domain that is in use."""
    body = synthesize_dns("records")
    assert find_one(body, "azurerm_dns_mx_record")["record"] == [
        {"exchange": "mail.dev.augeo.example", "preference": "10"},
        {"exchange": "mx.example.com", "preference": "20"},
    ]
    assert find_one(body, "azurerm_dns_cname_record")["record"] == "site.example.com"


def test_parent_zone_delegates() -> None:
    """Guards against a zone that nobody can find."""
    record = find_one(synthesize_zones(), "azurerm_dns_ns_record")
    assert (record["resource_group_name"], record["name"]) == ("rg-augeo-shared-eus2", "dev")
    assert record["zone_name"] == "${azurerm_dns_zone.parent_zone.name}"
    assert "azurerm_dns_zone.dev_zone.name_servers" in record["records"]


def test_name_is_bound_after_its_records_exist() -> None:
    """Guards against a binding that fails: App Service looks up the CNAME and the asuid TXT record."""
    binding = find_one(synthesize_dns("app-service-host"), "azurerm_app_service_custom_hostname_binding")
    assert binding["depends_on"] == [
        "azurerm_dns_cname_record.api-host/api-cname",
        "azurerm_dns_txt_record.api-host/asuid-api-txt",
    ]
    # The certificate's own binding sets both. If they were not ignored, each apply would remove the certificate.
    assert binding["lifecycle"]["ignore_changes"] == ["ssl_state", "thumbprint"]
