"""DNS in its phases: before the registrar delegates the parent domain, nothing is validated by name."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.dns import AppServiceHost
from tests.constructs_lib.neighbours import Neighbours, find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(make_environment, "dev"),
    "app-service-host": partial(make_environment, "dev", domain={"delegated": True}),
    "disposable": partial(make_environment, "dev", disposable=True),
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
