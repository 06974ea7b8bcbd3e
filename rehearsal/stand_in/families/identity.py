"""User-assigned managed identities and whom they trust."""

import uuid
from typing import cast

from rehearsal.stand_in.model import Json, ResourceType, Write, at, bad_request


def _identity(write: Write) -> None:
    write.require("location")
    previous = write.previous.properties if write.previous else {}
    write.properties.update(
        tenantId=write.azure.tenant,
        clientId=previous.get("clientId") or str(uuid.uuid4()),
        principalId=previous.get("principalId") or str(uuid.uuid4()),
    )


def _credential(write: Write) -> None:
    """https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations."""
    write.require("properties.issuer", "properties.subject", "properties.audiences")
    siblings = [
        each
        for each in write.azure.children(write.id.parent)
        if each.id.type == write.id.type and each.id.key != write.id.key
    ]
    if len(siblings) >= 20:
        raise bad_request("An identity takes 20 federated identity credentials.", "QuotaExceeded")
    subject = (write.properties["issuer"], write.properties["subject"])
    if any((each.properties["issuer"], each.properties["subject"]) == subject for each in siblings):
        raise bad_request(f"Issuer and subject {subject} are trusted already.", "FederatedIdentityCredentialConflict")


def show_identities(write: Write) -> None:
    """Check the identities that a resource runs as, and show their ids in it as Azure does.

    Rights: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/identity#managed-identity-operator
    """
    held = cast(dict[str, Json], at(write.body, "identity.userAssignedIdentities") or {})
    for path in held:
        found = write.refer(path, _NAME, "assign/action")
        held[path] = {key: found.properties[key] for key in ("principalId", "clientId")}


_NAME = "Microsoft.ManagedIdentity/userAssignedIdentities"
TYPES = (
    ResourceType(_NAME, _identity),
    ResourceType(f"{_NAME}/federatedIdentityCredentials", _credential),
)
