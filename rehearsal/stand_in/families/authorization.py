"""Role definitions, role assignments and locks. `authorizer.py` decides what they allow."""

import re
from datetime import UTC, datetime

from rehearsal.stand_in.entra import OWNER
from rehearsal.stand_in.family import Family
from rehearsal.stand_in.ids import ASSIGNMENT_TYPE, IDENTITY_TYPE, LOCK_TYPE, ROLE_TYPE, is_within
from rehearsal.stand_in.managed_identities import has_system_identity
from rehearsal.stand_in.model import (
    Json,
    Resource,
    ResourceType,
    Store,
    Write,
    get_strings,
    make_bad_request,
    make_conflict,
)
from rehearsal.stand_in.routes import Route, RouteRequest


def _complete_role(write: Write) -> None:
    """https://learn.microsoft.com/azure/role-based-access-control/custom-roles#custom-role-properties."""
    write.require("properties.roleName", "properties.assignableScopes", "properties.permissions")
    for other in write.store.list_resources(ROLE_TYPE):
        if other.id.key != write.id.key and other.properties["roleName"] == write.properties["roleName"]:
            raise make_conflict(
                f"There is a role '{write.properties['roleName']}'.", "RoleDefinitionWithSameNameExists"
            )
    now = datetime.now(UTC).isoformat()
    previous = write.previous.properties if write.previous else {}
    # The provider waits until a changed role is newer than its creation: `roleDefinitionEventualConsistencyUpdate` in
    # https://github.com/hashicorp/terraform-provider-azurerm/blob/v4.81.0/internal/services/authorization/role_definition_resource.go
    write.properties.update(
        type="CustomRole",
        createdOn=previous.get("createdOn", now),
        createdBy=previous.get("createdBy", OWNER),
        updatedOn=now,
        updatedBy=OWNER,
    )


def _refuse_if_role_is_assigned(store: Store, role: Resource) -> None:
    for assignment in store.list_resources(ASSIGNMENT_TYPE):
        if assignment.properties["roleDefinitionId"].lower() == role.id.key:
            raise make_bad_request(f"'{assignment.id.path}' assigns the role.", "RoleDefinitionHasAssignments")


def _list_roles(request: RouteRequest) -> Json:
    """List the roles that can be assigned at a scope, or only the one with a name.

    https://learn.microsoft.com/rest/api/authorization/role-definitions/list
    """
    scope, filter_ = request.match["scope"] or "/", request.query.get("$filter", "")
    name = re.fullmatch(r"roleName eq '(?P<name>[^']*)'", filter_, re.IGNORECASE)
    type_ = re.fullmatch(r"type\s*eq\s*'(?P<type>[^']*)'", filter_, re.IGNORECASE)
    if filter_ and not name and not type_ and filter_ != "atScopeAndBelow()":
        raise make_bad_request(f"The filter '{filter_}' is not supported.", "UnsupportedFilter")
    return {
        "value": [
            role.body
            for role in request.store.list_resources(ROLE_TYPE)
            if any(is_within(scope, assignable) for assignable in get_strings(role.properties, "assignableScopes"))
            if not name or role.properties["roleName"].lower() == name["name"].lower()
            if not type_ or role.properties["type"].lower() == type_["type"].lower()
        ]
    }


def _complete_assignment(write: Write) -> None:
    """https://learn.microsoft.com/azure/role-based-access-control/troubleshooting."""
    write.require("properties.roleDefinitionId", "properties.principalId")
    write.require_reference(write.properties["roleDefinitionId"], ROLE_TYPE)
    principal, role = write.properties["principalId"], write.properties["roleDefinitionId"].lower()
    identities = write.store.list_resources(IDENTITY_TYPE)
    is_user_assigned = any(identity.properties["principalId"] == principal for identity in identities)
    if principal != OWNER and not is_user_assigned and not has_system_identity(write.store, principal):
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
_ROUTES = (Route("GET", rf"(?P<scope>.*)/providers/{ROLE_TYPE}", f"{ROLE_TYPE}/read", _list_roles),)
FAMILY = Family(_TYPES, _ROUTES)
