"""The web tests of the API and the admin site."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import find_all, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {"minimal": partial(make_environment, "dev")}


@cache
def list_web_tests() -> dict[str, TerraformJson]:
    body = synthesize_construct("availability", lambda neighbours: neighbours.availability, VARIANTS["minimal"]())
    return find_all(body, "azurerm_application_insights_standard_web_test")


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert (
        synthesize_construct("availability", lambda neighbours: neighbours.availability, VARIANTS[variant]())
        == snapshot
    )


def test_outages_are_seen_from_several_locations() -> None:
    """Guards against a problem of one location that is taken for an outage. Microsoft advises five locations."""
    for name in ("api", "admin"):
        assert len(set(list_web_tests()[f"availability/{name}"]["geo_locations"])) == 5


def test_api_test_asks_whether_it_is_ready() -> None:
    """Guards against a test of the process only, which answers even while its database is down."""
    assert list_web_tests()["availability/api"]["request"]["url"] == "https://api.test.example/health/ready"


def test_certificates_are_checked_for_thirty_days_ahead() -> None:
    """Guards against a certificate that expires unnoticed, and against a warning that counts as an outage."""
    remaining = {
        id_.removeprefix("availability/"): test["validation_rules"].get("ssl_cert_remaining_lifetime")
        for id_, test in list_web_tests().items()
    }
    assert remaining == {"api": None, "admin": None, "api-certificate": 30, "admin-certificate": 30}
    assert all(test["validation_rules"]["ssl_check_enabled"] for test in list_web_tests().values())
