"""Communication Services and e-mail: https://learn.microsoft.com/rest/api/communication."""

import uuid

from rehearsal.stand_in.families.dns import get_txt_values, has_cname
from rehearsal.stand_in.family import Family
from rehearsal.stand_in.global_names import make_name_check, require_global_name
from rehearsal.stand_in.model import (
    Json,
    RefusedError,
    Resource,
    ResourceType,
    Store,
    Write,
    get_strings,
    make_bad_request,
)

SERVICE = "Microsoft.Communication/communicationServices"
EMAIL = "Microsoft.Communication/emailServices"
DOMAIN = f"{EMAIL}/domains"
_SOURCE = """
    https://github.com/hashicorp/terraform-provider-azurerm/pull/32802 and 32819: it takes 6 minutes to create and
    to delete a service of either kind with its group, and less than one more for a domain. How these are divided is an
    estimate.
"""
_REQUIRED_RECORDS = ("Domain", "SPF", "DKIM", "DKIM2")
"""The records that must be verified before a domain is linked. DMARC is not required.

https://learn.microsoft.com/azure/communication-services/quickstarts/email/add-custom-verified-domains
"""


def _complete_service(write: Write) -> None:
    write.require("location", "properties.dataLocation")
    require_global_name(write, r"[A-Za-z0-9-]{1,63}")
    write.require_unchanged("properties.dataLocation")
    previous = write.previous.properties if write.previous else {}
    write.properties.update(
        hostName=f"{write.id.name}.unitedstates.communication.azure.com",
        immutableResourceId=previous.get("immutableResourceId") or str(uuid.uuid4()),
    )
    for domain in get_strings(write.properties, "linkedDomains"):
        resource = write.require_reference(domain, DOMAIN)
        states = resource.properties["verificationStates"]
        if any(states[record]["status"] != "Verified" for record in _REQUIRED_RECORDS):
            # https://learn.microsoft.com/azure/communication-services/quickstarts/email/connect-email-communication-resource
            raise make_bad_request(f"The domain '{resource.id.name}' is not verified.", "DomainNotVerified")


def _list_keys(_: Store, service: Resource, __: Json) -> Json:
    keys: Json = {}
    for rank in ("primary", "secondary"):
        keys[f"{rank}Key"] = f"acs-{rank}-{service.id.name}"
        keys[f"{rank}ConnectionString"] = f"endpoint=https://{service.properties['hostName']}/;accesskey=acs-{rank}"
    return keys


def _complete_domain(write: Write) -> None:
    """Complete a domain. An Azure-managed one is verified at once; a customer's own when its records are found."""
    write.require("location", "properties.domainManagement")
    write.require_choice(
        "properties.domainManagement", "AzureManaged", "CustomerManaged", "CustomerManagedInExchangeOnline"
    )
    write.require_unchanged("properties.domainManagement")
    managed = write.properties["domainManagement"] == "AzureManaged"
    if managed != (write.id.name == "AzureManagedDomain"):
        raise make_bad_request(
            "An Azure-managed domain, and no other, is called AzureManagedDomain.", "InvalidDomainName"
        )
    name = "11111111-2222-3333-4444-555555555555.azurecomm.net" if managed else write.id.name
    previous = write.previous.properties if write.previous else {}
    status = "Verified" if managed else "NotStarted"
    write.properties.update(
        fromSenderDomain=name,
        mailFromSenderDomain=name,
        dataLocation="United States",
        verificationStates=previous.get("verificationStates")
        or {record: {"status": status} for record in (*_REQUIRED_RECORDS, "DMARC")},
        verificationRecords=_make_verification_records(name),
    )
    write.properties.setdefault("userEngagementTracking", "Disabled")


def _make_verification_records(domain: str) -> Json:
    """https://learn.microsoft.com/azure/communication-services/quickstarts/email/add-custom-verified-domains."""
    return {
        "Domain": {"type": "TXT", "name": domain, "value": "ms-domain-verification=0", "ttl": 3600},
        "SPF": {"type": "TXT", "name": domain, "value": "v=spf1 include:spf.protection.outlook.com -all", "ttl": 3600},
        **{
            f"DKIM{suffix}": {
                "type": "CNAME",
                "name": f"selector{n}-azurecomm-prod-net._domainkey",
                "value": f"selector{n}-azurecomm-prod-net._domainkey.azurecomm.net",
                "ttl": 3600,
            }
            for n, suffix in ((1, ""), (2, "2"))
        },
    }


def _verify_domain(store: Store, domain: Resource, sent: Json) -> Json:
    """Look for one kind of record in the zones of the store, where Azure asks DNS.

    https://learn.microsoft.com/rest/api/communication/resourcemanager/domains/initiate-verification
    """
    kind = str(sent.get("verificationType"))
    states = domain.properties["verificationStates"]
    if kind not in states:
        raise make_bad_request(f"'{kind}' is none of {', '.join(states)}.", "InvalidParameterValue")
    states[kind] = {"status": "Verified" if _is_published(store, domain, kind) else "VerificationFailed"}
    return {}


def _is_published(store: Store, domain: Resource, kind: str) -> bool:
    name = domain.properties["fromSenderDomain"]
    if domain.properties["domainManagement"] == "AzureManaged":
        return True
    if kind == "DMARC":  # Its policy is the owner's choice: https://www.rfc-editor.org/rfc/rfc7489#section-6.3
        return any(text.startswith("v=DMARC1") for text in get_txt_values(store, f"_dmarc.{name}"))
    record = domain.properties["verificationRecords"][kind]
    if record["type"] == "CNAME":
        return has_cname(store, f"{record['name']}.{name}", record["value"])
    return record["value"] in get_txt_values(store, record["name"])


RAISED_QUOTA = "emailQuotaRaised"
"""A property of the subscription: whether Microsoft has raised the sending limits of its mail domains."""


def _complete_sender(write: Write) -> None:
    """Refuse a sender besides DoNotReply at the default sending limits.

    https://github.com/MicrosoftDocs/azure-docs/issues/121029 and
    https://learn.microsoft.com/azure/communication-services/quickstarts/email/add-multiple-senders
    """
    write.require("properties.username")
    subscription = write.store.find(f"/subscriptions/{write.store.subscription}")
    is_raised = bool(subscription and subscription.body.get(RAISED_QUOTA))
    if write.id.name.lower() != "donotreply" and not is_raised:
        raise RefusedError(403, "ResourceCreationFailed", "ResourceCreationFailed: Forbidden")


_TYPES = (
    ResourceType(
        SERVICE, _complete_service, minutes=2, source=_SOURCE, delete_minutes=2, actions={"listKeys": _list_keys}
    ),
    ResourceType(EMAIL, minutes=2, source=_SOURCE, delete_minutes=2),
    ResourceType(
        DOMAIN,
        _complete_domain,
        minutes=0.5,
        source=_SOURCE,
        delete_minutes=0.5,
        actions={"initiateVerification": _verify_domain},
    ),
    ResourceType(f"{DOMAIN}/senderUsernames", _complete_sender),
)
_ROUTES = (make_name_check(SERVICE),)
FAMILY = Family(_TYPES, _ROUTES)
