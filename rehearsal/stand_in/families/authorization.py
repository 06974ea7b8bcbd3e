"""Role definitions, role assignments and locks. `authorizer.py` decides what they allow."""

from rehearsal.stand_in.entra import OWNER
from rehearsal.stand_in.family import Family
from rehearsal.stand_in.ids import ASSIGNMENT_TYPE, IDENTITY_TYPE, LOCK_TYPE, ROLE_TYPE
from rehearsal.stand_in.model import Resource, ResourceType, Store, Write, make_bad_request, make_conflict


def _complete_role(write: Write) -> None:
    """https://learn.microsoft.com/azure/role-based-access-control/custom-roles#custom-role-properties."""
    write.require("properties.roleName", "properties.assignableScopes", "properties.permissions")
    for other in write.store.list_resources(ROLE_TYPE):
        if other.id.key != write.id.key and other.properties["roleName"] == write.properties["roleName"]:
            raise make_conflict(
                f"There is a role '{write.properties['roleName']}'.", "RoleDefinitionWithSameNameExists"
            )
    write.properties["type"] = "CustomRole"
    write.properties["updatedOn"] = "2026-11-23T00:00:00Z"


def _refuse_if_role_is_assigned(store: Store, role: Resource) -> None:
    for assignment in store.list_resources(ASSIGNMENT_TYPE):
        if assignment.properties["roleDefinitionId"].lower() == role.id.key:
            raise make_bad_request(f"'{assignment.id.path}' assigns the role.", "RoleDefinitionHasAssignments")


def _complete_assignment(write: Write) -> None:
    """https://learn.microsoft.com/azure/role-based-access-control/troubleshooting."""
    write.require("properties.roleDefinitionId", "properties.principalId")
    write.require_reference(write.properties["roleDefinitionId"], ROLE_TYPE)
    principal, role = write.properties["principalId"], write.properties["roleDefinitionId"].lower()
    identities = write.store.list_resources(IDENTITY_TYPE)
    if principal != OWNER and not any(identity.properties["principalId"] == principal for identity in identities):
        raise make_bad_request(f"Principal {principal} does not exist in the directory.", "PrincipalNotFound")
    if write.previous:
        raise make_conflict("A role assignment cannot be updated.", "RoleAssignmentUpdateNotPermitted")
    for other in write.store.list_resources(ASSIGNMENT_TYPE):
        same_scope = other.id.scope.lower() == write.id.scope.lower()
        same_principal = other.properties["principalId"] == principal
        same_role = other.properties["roleDefinitionId"].lower() == role
        if same_scope and same_principal and same_role:
            raise make_conflict("The role assignment already exists.", "RoleAssignmentExists")
    write.properties["scope"] = write.id.scope
    write.properties.setdefault("principalType", "ServicePrincipal")


def _complete_lock(write: Write) -> None:
    write.require("properties.level")
    write.require_choice("properties.level", "CanNotDelete", "ReadOnly")


_TYPES = (
    ResourceType(ROLE_TYPE, _complete_role, before_delete=_refuse_if_role_is_assigned, updated_status=201),
    ResourceType(ASSIGNMENT_TYPE, _complete_assignment),
    ResourceType(LOCK_TYPE, _complete_lock),
)
FAMILY = Family(_TYPES)
