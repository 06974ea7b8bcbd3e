"""Mail in its phases: a domain is linked only after it is verified."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

CUSTOMER = {"domain": "customer", "verified": False}
VARIANTS = {
    "minimal": partial(make_environment, "dev", email={"domain": "azure", "verified": False}),
    "customer": partial(make_environment, "dev", email=CUSTOMER),
    "verified": partial(make_environment, "dev", domain={"delegated": True}, email={**CUSTOMER, "verified": True}),
    "quota-raised": partial(
        make_environment,
        "dev",
        domain={"delegated": True},
        email={**CUSTOMER, "verified": True, "sender": "noreply", "quota_raised": True},
    ),
    "disposable": partial(make_environment, "dev", disposable=True),
}
ASSOCIATION = "azurerm_communication_service_email_domain_association"
SENDER = "azurerm_email_communication_service_domain_sender_username"


@cache
def synthesize_email(variant: str) -> TerraformJson:
    return synthesize_construct("email", lambda neighbours: neighbours.email, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_email(variant) == snapshot


@pytest.mark.parametrize(
    ("variant", "linked", "senders"),
    [("minimal", 1, 0), ("customer", 0, 0), ("verified", 1, 0), ("quota-raised", 1, 1)],
)
def test_domain_is_linked_after_it_is_verified(variant: str, linked: int, senders: int) -> None:
    """Guards against applies that fail: Azure links no unverified domain, and adds no sender at the default quota."""
    body = synthesize_email(variant)
    assert (len(find_all(body, ASSOCIATION)), len(find_all(body, SENDER))) == (linked, senders)


def test_customer_domain_publishes_its_records() -> None:
    """Guards against mail that is taken for spam. Ownership and SPF share a record set, and DKIM has two selectors."""
    body = synthesize_email("customer")
    texts = {
        record_set["name"]: [record["value"] for record in record_set["record"]]
        for record_set in find_all(body, "azurerm_dns_txt_record").values()
    }
    ownership = "${azurerm_email_communication_service_domain.email_domain.verification_records[0].domain[0].value}"
    assert texts["@"] == [ownership, "v=spf1 include:spf.protection.outlook.com -all"]
    assert texts["_dmarc"][0].startswith("v=DMARC1; p=quarantine;")
    assert {record["name"]: record["record"] for record in find_all(body, "azurerm_dns_cname_record").values()} == {
        f"selector{at}-azurecomm-prod-net._domainkey": f"selector{at}-azurecomm-prod-net._domainkey.azurecomm.net"
        for at in (1, 2)
    }


def test_data_location_is_the_setting() -> None:
    """Guards against the default, the United States, in an environment elsewhere. A change replaces the service."""
    body = synthesize_construct(
        "email", lambda neighbours: neighbours.email, make_environment("dev", email={"data_location": "Europe"})
    )
    for type_ in ("azurerm_communication_service", "azurerm_email_communication_service"):
        assert find_one(body, type_)["data_location"] == "Europe"
