"""Mail in its phases: a domain is linked only once it is verified."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import all_of, built, environment, only
from tests.support import TerraformJson

CUSTOMER = {"domain": "customer", "verified": False}
VARIANTS = {
    "minimal": partial(environment, "dev", email={"domain": "azure", "verified": False}),
    "customer": partial(environment, "dev", email=CUSTOMER),
    "verified": partial(environment, "dev", domain={"delegated": True}, email={**CUSTOMER, "verified": True}),
    "disposable": partial(environment, "dev", disposable=True),
}
ASSOCIATION = "azurerm_communication_service_email_domain_association"
SENDER = "azurerm_email_communication_service_domain_sender_username"


@cache
def email(variant: str) -> TerraformJson:
    return built("email", lambda near: near.email, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert email(variant) == snapshot


@pytest.mark.parametrize(("variant", "linked", "senders"), [("minimal", 1, 0), ("customer", 0, 0), ("verified", 1, 1)])
def test_domain_is_linked_once_it_is_verified(variant: str, linked: int, senders: int) -> None:
    """Guards against a first apply that fails: Azure links no domain, and adds no sender, before verification."""
    body = email(variant)
    assert (len(all_of(body, ASSOCIATION)), len(all_of(body, SENDER))) == (linked, senders)


def test_customer_domain_proves_itself() -> None:
    """Guards against mail that lands among spam: ownership and SPF share one record set, DKIM has two selectors."""
    body = email("customer")
    texts = {
        each["name"]: [record["value"] for record in each["record"]]
        for each in all_of(body, "azurerm_dns_txt_record").values()
    }
    ownership = "${azurerm_email_communication_service_domain.email_domain.verification_records[0].domain[0].value}"
    assert texts["@"] == [ownership, "v=spf1 include:spf.protection.outlook.com -all"]
    assert texts["_dmarc"][0].startswith("v=DMARC1; p=quarantine;")
    assert {each["name"]: each["record"] for each in all_of(body, "azurerm_dns_cname_record").values()} == {
        f"selector{at}-azurecomm-prod-net._domainkey": f"selector{at}-azurecomm-prod-net._domainkey.azurecomm.net"
        for at in (1, 2)
    }


def test_data_location_is_said() -> None:
    """Guards against the default, the United States, in an environment elsewhere: a change replaces the service."""
    body = built("email", lambda near: near.email, environment("dev", email={"data_location": "Europe"}))
    for type_ in ("azurerm_communication_service", "azurerm_email_communication_service"):
        assert only(body, type_)["data_location"] == "Europe"
