"""The web tests from outside."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import all_of, built, environment
from tests.support import TerraformJson

VARIANTS = {"minimal": partial(environment, "dev")}


@cache
def web_tests() -> dict[str, TerraformJson]:
    body = built("availability", lambda near: near.availability, VARIANTS["minimal"]())
    return all_of(body, "azurerm_application_insights_standard_web_test")


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert built("availability", lambda near: near.availability, VARIANTS[variant]()) == snapshot


def test_outages_are_seen_from_several_places() -> None:
    """Guards against one place's trouble being taken for ours: Microsoft advises five."""
    for name in ("api", "admin"):
        assert len(set(web_tests()[f"availability/{name}"]["geo_locations"])) == 5


def test_api_is_asked_whether_it_is_ready() -> None:
    """Guards against a test of the process alone, which answers while its database is away."""
    assert web_tests()["availability/api"]["request"]["url"] == "https://api.test.example/health/ready"


def test_certificates_are_checked_for_thirty_days_ahead() -> None:
    """Guards against a certificate that runs out, and against its warning being counted as an outage."""
    remaining = {
        id_.removeprefix("availability/"): each["validation_rules"].get("ssl_cert_remaining_lifetime")
        for id_, each in web_tests().items()
    }
    assert remaining == {"api": None, "admin": None, "api-certificate": 30, "admin-certificate": 30}
    assert all(each["validation_rules"]["ssl_check_enabled"] for each in web_tests().values())
