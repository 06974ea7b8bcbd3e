"""The admin site."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(make_environment, "dev"),
    "standard": partial(make_environment, "dev", static_site={"tier": "Standard", "location": "centralus"}),
    "delegated": partial(make_environment, "dev", domain={"delegated": True}),
    "disposable": partial(make_environment, "dev", disposable=True),
}
SITE, CUSTOM_DOMAIN = "azurerm_static_web_app", "azurerm_static_web_app_custom_domain"


@cache
def synthesize_static_site(variant: str) -> TerraformJson:
    return synthesize_construct("static-site", lambda neighbours: neighbours.static_site, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_static_site(variant) == snapshot


def test_tier_and_size_are_both_set() -> None:
    """Guards against the provider's default tier, Free, together with the size Standard."""
    site = find_one(synthesize_static_site("standard"), SITE)
    assert (site["sku_tier"], site["sku_size"]) == ("Standard", "Standard")


def test_custom_domain_waits_for_delegation_and_its_record() -> None:
    """Guards against a domain that Azure cannot validate."""
    assert not find_all(synthesize_static_site("minimal"), CUSTOM_DOMAIN)
    domain = find_one(synthesize_static_site("delegated"), CUSTOM_DOMAIN)
    assert domain["domain_name"] == "admin.dev.augeo.example"
    assert domain["validation_type"] == "cname-delegation"
    assert domain["depends_on"] == ["azurerm_dns_cname_record.static-site/admin-cname"]
