"""DNS in its phases: before the registrar delegates the parent domain, nothing is validated by name."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.dns import AppServiceHost
from tests.constructs_lib.neighbours import Neighbours, find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

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
    "minimal": partial(make_environment, "dev"),
    "app-service-host": partial(make_environment, "dev", domain={"delegated": True}),
    "disposable": partial(make_environment, "dev", disposable=True),
    "records": partial(make_environment, "dev", domain={"records": RECORDS}),
}


@cache
def synthesize_dns(variant: str) -> TerraformJson:
    def make(neighbours: Neighbours) -> None:
        zone = neighbours.dns
        if zone.delegated:
            AppServiceHost(neighbours.stack, "api-host", label="api", app=neighbours.web_app.app, dns=zone)

    return synthesize_construct("api-host" if variant == "app-service-host" else "dns", make, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_dns(variant) == snapshot


def test_zone_is_protected_without_a_lock() -> None:
    """Guards against a lock on the zone: its records would inherit it, and could not be removed."""
    body = synthesize_dns("minimal")
    assert find_one(body, "azurerm_dns_zone")["lifecycle"]["prevent_destroy"] is True
    assert not find_all(body, "azurerm_management_lock")


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
    record = find_one(synthesize_dns("minimal"), "azurerm_dns_ns_record")
    assert (record["zone_name"], record["resource_group_name"], record["name"]) == ("augeo.example", "rg-shared", "dev")
    assert "azurerm_dns_zone.dns_zone.name_servers" in record["records"]


def test_name_is_bound_after_its_records_exist() -> None:
    """Guards against a binding that fails: App Service looks up the CNAME and the asuid TXT record."""
    binding = find_one(synthesize_dns("app-service-host"), "azurerm_app_service_custom_hostname_binding")
    assert binding["depends_on"] == [
        "azurerm_dns_cname_record.api-host/api-cname",
        "azurerm_dns_txt_record.api-host/asuid-api-txt",
    ]
    # The certificate's own binding sets both. If they were not ignored, each apply would remove the certificate.
    assert binding["lifecycle"]["ignore_changes"] == ["ssl_state", "thumbprint"]
