"""Host names and managed certificates of App Service apps.

https://learn.microsoft.com/azure/app-service/app-service-web-tutorial-custom-domain
"""

import hashlib

from rehearsal.stand_in.families.app_service import PLAN, SITE
from rehearsal.stand_in.families.dns import get_txt_values, has_cname
from rehearsal.stand_in.family import Family
from rehearsal.stand_in.model import Resource, ResourceType, Store, Write, get_value, make_bad_request, make_conflict

BINDING = f"{SITE}/hostNameBindings"
CERTIFICATE = "Microsoft.Web/certificates"


def _complete_binding(write: Write) -> None:
    """Bind a host name if DNS shows that it is meant for this app.

    There must be a CNAME record to the app, and a TXT record at `asuid` with the app's verification id.
    """
    host = write.id.name
    site = write.store.find(write.id.parent)
    if site is None:
        raise make_bad_request(f"'{write.id.parent}' does not exist.", "ResourceNotFound")
    if not has_cname(write.store, host, site.properties["defaultHostName"]):
        raise make_bad_request(f"A CNAME record pointing from {host} to the app was not found.", "InvalidHostname")
    if site.properties["customDomainVerificationId"] not in get_txt_values(write.store, f"asuid.{host}"):
        raise make_bad_request(f"A TXT record asuid.{host} with the verification id was not found.", "InvalidHostname")
    if thumbprint := write.properties.get("thumbprint"):
        certificates = write.store.list_resources(CERTIFICATE)
        if thumbprint not in (certificate.properties["thumbprint"] for certificate in certificates):
            raise make_bad_request(f"There is no certificate {thumbprint}.", "CertificateNotFound")
    write.properties.setdefault("sslState", "Disabled")
    write.properties.setdefault("siteName", site.id.name)
    write.properties.update(hostNameType="Verified", azureResourceType="Website")


def _complete_certificate(write: Write) -> None:
    """Issue a managed certificate. The host name must be bound to an app.

    https://learn.microsoft.com/azure/app-service/configure-ssl-certificate#create-a-free-managed-certificate
    """
    write.require("location", "properties.serverFarmId", "properties.canonicalName")
    plan = write.require_reference(write.properties["serverFarmId"], PLAN)
    if plan.body["sku"]["tier"] in ("Free", "Shared"):
        raise make_bad_request("The plan's tier has no certificates.", "CertificateNotSupportedForTier")
    host = write.properties["canonicalName"]
    if not any(binding.id.name == host for binding in write.store.list_resources(BINDING)):
        raise make_bad_request(f"{host} is bound to no app.", "HostNameNotBound")
    write.properties.pop("password", None)  # it is sent, and never returned
    write.properties.update(
        thumbprint=hashlib.sha1(host.encode(), usedforsecurity=False).hexdigest().upper(),
        subjectName=host,
        hostNames=[host],
        issuer="GeoTrust TLS RSA CA G1",
        issueDate="2026-11-23T00:00:00+00:00",
        expirationDate="2027-05-23T00:00:00+00:00",
        friendlyName=write.id.name,
    )


def _refuse_if_certificate_is_used(store: Store, certificate: Resource) -> None:
    for binding in store.list_resources(BINDING):
        if get_value(binding.body, "properties.thumbprint") == certificate.properties["thumbprint"]:
            raise make_conflict(f"{binding.id.name} uses the certificate.", "CertificateInUse")


_TYPES = (
    ResourceType(BINDING, _complete_binding, created_status=200),
    ResourceType(CERTIFICATE, _complete_certificate, before_delete=_refuse_if_certificate_is_used, created_status=200),
)
FAMILY = Family(_TYPES)
