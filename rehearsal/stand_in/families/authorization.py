"""Role definitions, role assignments and locks, and who may do what."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Literal, NamedTuple

from rehearsal.stand_in.azure import Azure
from rehearsal.stand_in.entra import IDENTITY, OWNER
from rehearsal.stand_in.ids import within
from rehearsal.stand_in.model import Json, RefusedError, Resource, ResourceType, Write, at, bad_request, conflict

ROLE = "Microsoft.Authorization/roleDefinitions"
ASSIGNMENT = "Microsoft.Authorization/roleAssignments"
LOCK = "Microsoft.Authorization/locks"

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"


class BuiltIn(NamedTuple):
    """A built-in role, as far as the platform grants it."""

    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()


# By id: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BUILT_IN = {
    "b24988ac-6180-42a0-ab88-20f7382dd24c": BuiltIn(
        "Contributor",
        ("*",),
        not_actions=(
            "Microsoft.Authorization/*/Delete",
            "Microsoft.Authorization/*/Write",
            "Microsoft.Authorization/elevateAccess/Action",
            "Microsoft.Blueprint/blueprintAssignments/write",
            "Microsoft.Blueprint/blueprintAssignments/delete",
            "Microsoft.Compute/galleries/share/action",
        ),
    ),
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": BuiltIn("Reader", ("*/read",)),
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": BuiltIn(
        "Role Based Access Control Administrator",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ),
    ),
    "28bf596f-4eb7-45ce-b5bc-6cf482fec137": BuiltIn(
        "Locks Contributor",
        (
            "Microsoft.Authorization/locks/read",
            "Microsoft.Authorization/locks/write",
            "Microsoft.Authorization/locks/delete",
        ),
    ),
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": BuiltIn("AcrPull", ("Microsoft.ContainerRegistry/registries/pull/read",)),
    "8311e382-0749-4cb8-b61a-304f252e45ec": BuiltIn(
        "AcrPush",
        ("Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"),
    ),
    "4633458b-17de-408a-b874-0445c86b69e6": BuiltIn(
        "Key Vault Secrets User",
        data_actions=(
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ),
    ),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": BuiltIn(
        "Storage Blob Data Contributor",
        (
            "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/write",
            "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
        ),
        data_actions=tuple(f"{_BLOBS}/{each}" for each in ("delete", "read", "write", "move/action", "add/action")),
    ),
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": BuiltIn(
        "Storage Blob Data Reader",
        (
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
        ),
        data_actions=(f"{_BLOBS}/read",),
    ),
}


def add_built_in_roles(azure: Azure) -> None:
    """Put the built-in roles at the subscription, where they are read."""
    for id_, role in BUILT_IN.items():
        permission = {"actions": role.actions, "notActions": role.not_actions, "dataActions": role.data_actions}
        azure.put(
            f"/subscriptions/{azure.subscription}/providers/{ROLE}/{id_}",
            {
                "properties": {
                    "roleName": role.name,
                    "type": "BuiltInRole",
                    "assignableScopes": ["/"],
                    "permissions": [{kind: list(actions) for kind, actions in permission.items()}],
                }
            },
        )


def _role(write: Write) -> None:
    """https://learn.microsoft.com/azure/role-based-access-control/custom-roles#custom-role-properties."""
    write.require("properties.roleName", "properties.assignableScopes", "properties.permissions")
    for other in write.azure.all(ROLE.lower()):
        if other.id.key != write.id.key and other.properties["roleName"] == write.properties["roleName"]:
            raise conflict(f"There is a role '{write.properties['roleName']}'.", "RoleDefinitionWithSameNameExists")
    write.properties["type"] = "CustomRole"
    write.properties["updatedOn"] = "2026-11-23T00:00:00Z"


def _role_deleted(azure: Azure, role: Resource) -> None:
    for assignment in azure.all(ASSIGNMENT.lower()):
        if assignment.properties["roleDefinitionId"].lower() == role.id.key:
            raise bad_request(f"'{assignment.id.path}' assigns the role.", "RoleDefinitionHasAssignments")


def _assignment(write: Write) -> None:
    """https://learn.microsoft.com/azure/role-based-access-control/troubleshooting."""
    write.require("properties.roleDefinitionId", "properties.principalId")
    write.refer(write.properties["roleDefinitionId"], ROLE)
    principal = write.properties["principalId"]
    if principal != OWNER and not any(
        each.properties["principalId"] == principal for each in write.azure.all(IDENTITY)
    ):
        raise bad_request(f"Principal {principal} does not exist in the directory.", "PrincipalNotFound")
    if write.previous:
        raise conflict("A role assignment cannot be updated.", "RoleAssignmentUpdateNotPermitted")
    for other in write.azure.all(ASSIGNMENT.lower()):
        same = (other.id.scope.lower(), other.properties["principalId"], other.properties["roleDefinitionId"].lower())
        if same == (write.id.scope.lower(), principal, write.properties["roleDefinitionId"].lower()):
            raise conflict("The role assignment already exists.", "RoleAssignmentExists")
    write.properties["scope"] = write.id.scope
    write.properties.setdefault("principalType", "ServicePrincipal")


def _lock(write: Write) -> None:
    write.require("properties.level")
    write.choice("properties.level", "CanNotDelete", "ReadOnly")


def authorize(azure: Azure, principal: str, action: str, path: str, body: Json) -> None:
    """Refuse what no role assignment of the principal at or above the path allows; the subscription's own, too.

    https://learn.microsoft.com/azure/role-based-access-control/scope-overview

    Raises:
        RefusedError: 403 AuthorizationFailed, in Azure's words.
    """
    if principal == OWNER or any(
        _allows(azure, each, action, path, body) for each in _assignments(azure, principal, path)
    ):
        return
    raise RefusedError(
        403,
        "AuthorizationFailed",
        f"The client with object id '{principal}' does not have authorization to perform action '{action}' over scope "
        f"'{path}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
    )


def may_access(azure: Azure, principal: str, action: str, path: str) -> bool:
    """Whether a role assignment of the principal allows a data action: what is in a resource, not the resource.

    https://learn.microsoft.com/azure/role-based-access-control/role-definitions#control-and-data-actions
    """
    return principal == OWNER or any(
        _permits(azure, each, action, "dataActions") for each in _assignments(azure, principal, path)
    )


def _assignments(azure: Azure, principal: str, path: str) -> Iterator[Resource]:
    for each in azure.all(ASSIGNMENT.lower()):
        propagated = azure.clock() - each.written >= azure.propagation_seconds
        if each.properties["principalId"] == principal and within(path, each.id.scope) and propagated:
            yield each


def _allows(azure: Azure, assignment: Resource, action: str, path: str, body: Json) -> bool:
    condition = assignment.properties.get("condition")
    return _permits(azure, assignment, action, "actions") and (
        not condition or _condition_holds(azure, condition, action, path, body)
    )


def _permits(azure: Azure, assignment: Resource, action: str, kind: Literal["actions", "dataActions"]) -> bool:
    role = azure.find(assignment.properties["roleDefinitionId"])
    excluded = {"actions": "notActions", "dataActions": "notDataActions"}[kind]
    return role is not None and any(
        _matches(action, each.get(kind)) and not _matches(action, each.get(excluded))
        for each in role.properties["permissions"]
    )


def _matches(action: str, patterns: object) -> bool:
    return isinstance(patterns, list) and any(
        fnmatchcase(action.lower(), str(pattern).lower())  # pyright: ignore[reportUnknownArgumentType]
        for pattern in patterns  # pyright: ignore[reportUnknownVariableType]
    )


def _condition_holds(azure: Azure, condition: str, action: str, path: str, body: Json) -> bool:
    """Read the one form of condition that the platform writes: which roles may be assigned, and to whom.

    https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
    """
    verb = action.rpartition("/")[2].lower()
    if action.rpartition("/")[0].lower() != ASSIGNMENT.lower() or verb not in ("write", "delete"):
        return True
    source = "Request" if verb == "write" else "Resource"
    existing = azure.find(path)
    subject = body if verb == "write" else existing.body if existing else {}
    role = str(at(subject, "properties.roleDefinitionId") or "").rpartition("/")[2].lower()
    kind = str(at(subject, "properties.principalType") or "").lower()
    prefix = rf"@{source}\[{re.escape(ASSIGNMENT)}:"
    roles = re.search(rf"{prefix}RoleDefinitionId\] ForAnyOfAnyValues:GuidEquals {{([^}}]*)}}", condition)
    kinds = re.search(rf"{prefix}PrincipalType\] ForAnyOfAnyValues:StringEqualsIgnoreCase {{([^}}]*)}}", condition)
    if roles is None or kinds is None:
        raise RefusedError(501, "RehearsalUnknownCondition", f"The rehearsal cannot read this condition: {condition}")
    return role in _members(roles[1]) and kind in _members(kinds[1])


def _members(written: str) -> set[str]:
    return {each.strip(" '").lower() for each in written.split(",")}


TYPES = (
    ResourceType(ROLE, _role, deleted=_role_deleted, updated_status=201),
    ResourceType(ASSIGNMENT, _assignment),
    ResourceType(LOCK, _lock),
)
