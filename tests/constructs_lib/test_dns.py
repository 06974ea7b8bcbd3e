"""DNS in its phases: nothing is validated by name before the registrar delegates the parent domain."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.dns import AppServiceHost
from tests.constructs_lib.neighbours import Neighbours, all_of, built, environment, only
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(environment, "dev"),
    "app-service-host": partial(environment, "dev", domain={"delegated": True}),
    "disposable": partial(environment, "dev", disposable=True),
}


@cache
def dns(variant: str) -> TerraformJson:
    def make(near: Neighbours) -> None:
        zone = near.dns
        if zone.delegated:
            AppServiceHost(near.stack, "api-host", label="api", app=near.web_app.app, dns=zone)

    return built("api-host" if variant == "app-service-host" else "dns", make, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert dns(variant) == snapshot


def test_zone_is_protected_without_a_lock() -> None:
    """Guards against a lock on the zone: its records inherit it, and could not be removed."""
    body = dns("minimal")
    assert only(body, "azurerm_dns_zone")["lifecycle"]["prevent_destroy"] is True
    assert not all_of(body, "azurerm_management_lock")


def test_parent_zone_delegates() -> None:
    """Guards against a zone that nobody finds."""
    record = only(dns("minimal"), "azurerm_dns_ns_record")
    assert (record["zone_name"], record["resource_group_name"], record["name"]) == ("augeo.example", "rg-shared", "dev")
    assert "azurerm_dns_zone.dns_zone.name_servers" in record["records"]


def test_name_is_bound_once_its_records_are_there() -> None:
    """Guards against a binding that fails: App Service looks up the CNAME and the asuid TXT record."""
    binding = only(dns("app-service-host"), "azurerm_app_service_custom_hostname_binding")
    assert binding["depends_on"] == [
        "azurerm_dns_cname_record.api-host/api-cname",
        "azurerm_dns_txt_record.api-host/asuid-api-txt",
    ]
    # The certificate's own binding sets both: unignored, each apply would take the certificate off.
    assert binding["lifecycle"]["ignore_changes"] == ["ssl_state", "thumbprint"]
