"""User-assigned managed identities and their federated credentials."""

import uuid

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.ids import CREDENTIAL_TYPE, IDENTITY_TYPE
from rehearsal.stand_in.model import ResourceType, Write, make_bad_request


def _complete_identity(write: Write) -> None:
    write.require("location")
    previous = write.previous.properties if write.previous else {}
    write.properties.update(
        tenantId=write.store.tenant,
        clientId=previous.get("clientId") or str(uuid.uuid4()),
        principalId=previous.get("principalId") or str(uuid.uuid4()),
    )


def _complete_credential(write: Write) -> None:
    """https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations."""
    write.require("properties.issuer", "properties.subject", "properties.audiences")
    siblings = [
        resource
        for resource in write.store.list_children(write.id.parent)
        if resource.id.type == write.id.type and resource.id.key != write.id.key
    ]
    if len(siblings) >= 20:
        raise make_bad_request("An identity takes 20 federated identity credentials.", "QuotaExceeded")
    subject = (write.properties["issuer"], write.properties["subject"])
    if any((sibling.properties["issuer"], sibling.properties["subject"]) == subject for sibling in siblings):
        raise make_bad_request(
            f"Issuer and subject {subject} are trusted already.", "FederatedIdentityCredentialConflict"
        )


_TYPES = (
    ResourceType(IDENTITY_TYPE, _complete_identity),
    ResourceType(CREDENTIAL_TYPE, _complete_credential),
)
FAMILY = Family(_TYPES)
