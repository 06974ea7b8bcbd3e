"""User-assigned managed identities and whom they trust."""

import uuid
from typing import cast

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.model import Json, ResourceType, Write, bad_request, get_value


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
        each
        for each in write.store.list_children(write.id.parent)
        if each.id.type == write.id.type and each.id.key != write.id.key
    ]
    if len(siblings) >= 20:
        raise bad_request("An identity takes 20 federated identity credentials.", "QuotaExceeded")
    subject = (write.properties["issuer"], write.properties["subject"])
    if any((each.properties["issuer"], each.properties["subject"]) == subject for each in siblings):
        raise bad_request(f"Issuer and subject {subject} are trusted already.", "FederatedIdentityCredentialConflict")


def resolve_identities(write: Write) -> None:
    """Check the identities that a resource runs as, and show their ids in it as Azure does.

    Rights: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/identity#managed-identity-operator
    """
    held = cast(dict[str, Json], get_value(write.body, "identity.userAssignedIdentities") or {})
    for path in held:
        found = write.require_reference(path, _NAME, "assign/action")
        held[path] = {key: found.properties[key] for key in ("principalId", "clientId")}


_NAME = "Microsoft.ManagedIdentity/userAssignedIdentities"
_TYPES = (
    ResourceType(_NAME, _complete_identity),
    ResourceType(f"{_NAME}/federatedIdentityCredentials", _complete_credential),
)
FAMILY = Family(_TYPES)
