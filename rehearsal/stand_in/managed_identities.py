"""The identities that resources of any type run as: user-assigned ones, and one of their own."""

import uuid
from typing import cast

from rehearsal.stand_in.ids import IDENTITY_TYPE
from rehearsal.stand_in.model import Json, Store, Write, get_value


def resolve_identities(write: Write) -> None:
    """Check the identities that a resource runs as, and add their ids to the resource as Azure does.

    The writer needs the right to assign them:
    https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/identity#managed-identity-operator

    A system-assigned identity keeps its principal as long as the resource has it:
    https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/overview
    """
    identity = cast(Json, write.body.get("identity") or {})
    kinds = str(identity.get("type", "")).lower()
    user_assigned = cast(dict[str, Json], identity.get("userAssignedIdentities") or {})
    for path in user_assigned:
        assigned = write.require_reference(path, IDENTITY_TYPE, "assign/action")
        user_assigned[path] = {key: assigned.properties[key] for key in ("principalId", "clientId")}
    for name in ("principalId", "tenantId"):
        identity.pop(name, None)
    if "systemassigned" in kinds:
        previous = write.previous.body if write.previous else {}
        identity["principalId"] = get_value(previous, "identity.principalId") or str(uuid.uuid4())
        identity["tenantId"] = write.store.tenant


def has_system_identity(store: Store, principal: str) -> bool:
    """Return whether a resource has a system-assigned identity with this principal id."""
    return any(get_value(resource.body, "identity.principalId") == principal for resource in store.list_resources())
