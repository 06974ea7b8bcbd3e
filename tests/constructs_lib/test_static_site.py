"""The admin site."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import all_of, built, environment, only
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(environment, "dev"),
    "standard": partial(environment, "dev", static_site={"tier": "Standard", "location": "centralus"}),
    "delegated": partial(environment, "dev", domain={"delegated": True}),
    "disposable": partial(environment, "dev", disposable=True),
}
SITE, CUSTOM_DOMAIN = "azurerm_static_web_app", "azurerm_static_web_app_custom_domain"


@cache
def static_site(variant: str) -> TerraformJson:
    return built("static-site", lambda near: near.static_site, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert static_site(variant) == snapshot


def test_tier_is_said_twice() -> None:
    """Guards against the provider's default, Free, beside a Standard size."""
    site = only(static_site("standard"), SITE)
    assert (site["sku_tier"], site["sku_size"]) == ("Standard", "Standard")


def test_custom_domain_waits_for_delegation_and_its_record() -> None:
    """Guards against a domain that Azure cannot validate."""
    assert not all_of(static_site("minimal"), CUSTOM_DOMAIN)
    domain = only(static_site("delegated"), CUSTOM_DOMAIN)
    assert domain["domain_name"] == "admin.dev.augeo.example"
    assert domain["validation_type"] == "cname-delegation"
    assert domain["depends_on"] == ["azurerm_dns_cname_record.static-site/admin-cname"]
