"""Decides what a principal may do, from the role assignments in the store."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Literal

from rehearsal.stand_in.entra import OWNER
from rehearsal.stand_in.ids import ASSIGNMENT_TYPE, is_within
from rehearsal.stand_in.model import Json, RefusedError, Resource, Store, get_value

_EXCLUSIONS = {"actions": "notActions", "dataActions": "notDataActions"}


class Authorizer:
    """Checks actions and data actions. The owner (`entra.OWNER`) may do everything."""

    def __init__(self, store: Store, *, propagation_seconds: float = 0.0) -> None:
        """`propagation_seconds` is how long a new role assignment takes until it counts, by the store's clock."""
        self._store = store
        self._propagation_seconds = propagation_seconds

    def authorize(self, principal: str, action: str, path: str, body: Json) -> None:
        """Check that a role assignment of the principal at or above the path allows the action.

        A request whose path is the subscription itself needs a role assignment too.
        https://learn.microsoft.com/azure/role-based-access-control/scope-overview

        Raises:
            RefusedError: 403 AuthorizationFailed.
        """
        if principal == OWNER:
            return
        assignments = self._list_assignments(principal, path)
        if any(self._allows(assignment, action, path, body) for assignment in assignments):
            return
        raise RefusedError(
            403,
            "AuthorizationFailed",
            f"The client with object id '{principal}' does not have authorization to perform action '{action}' over "
            f"scope '{path}' or the scope is invalid. If access was recently granted, please refresh your credentials.",
        )

    def may_access(self, principal: str, action: str, path: str) -> bool:
        """Return whether a role assignment allows a data action: on the content of a resource, not on the resource.

        https://learn.microsoft.com/azure/role-based-access-control/role-definitions#control-and-data-actions
        """
        if principal == OWNER:
            return True
        assignments = self._list_assignments(principal, path)
        return any(self._role_permits(assignment, action, "dataActions") for assignment in assignments)

    def _list_assignments(self, principal: str, path: str) -> Iterator[Resource]:
        """Yield the assignments of a principal that count at a path by now."""
        for assignment in self._store.list_resources(ASSIGNMENT_TYPE):
            propagated = self._store.read_clock() - assignment.written >= self._propagation_seconds
            is_principals = assignment.properties["principalId"] == principal
            if is_principals and is_within(path, assignment.id.scope) and propagated:
                yield assignment

    def _allows(self, assignment: Resource, action: str, path: str, body: Json) -> bool:
        if not self._role_permits(assignment, action, "actions"):
            return False
        condition = assignment.properties.get("condition")
        return not condition or self._condition_holds(condition, action, path, body)

    def _role_permits(self, assignment: Resource, action: str, kind: Literal["actions", "dataActions"]) -> bool:
        role = self._store.find(assignment.properties["roleDefinitionId"])
        return role is not None and any(
            _matches_any(action, permission.get(kind)) and not _matches_any(action, permission.get(_EXCLUSIONS[kind]))
            for permission in role.properties["permissions"]
        )

    def _condition_holds(self, condition: str, action: str, path: str, body: Json) -> bool:
        """Evaluate a condition of an assignment.

        It understands the one form that the stacks use: a list of roles that may be assigned, and a list of the types
        of principal, such as ServicePrincipal, that may get them.

        https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples

        Raises:
            RefusedError: 501, because the condition has another form.
        """
        type_, _, verb = action.lower().rpartition("/")
        if type_ != ASSIGNMENT_TYPE.lower() or verb not in ("write", "delete"):
            return True
        if verb == "write":
            source, assignment = "Request", body
        else:
            resource = self._store.find(path)
            source, assignment = "Resource", resource.body if resource else {}
        role = str(get_value(assignment, "properties.roleDefinitionId") or "").rpartition("/")[2].lower()
        kind = str(get_value(assignment, "properties.principalType") or "").lower()
        prefix = rf"@{source}\[{re.escape(ASSIGNMENT_TYPE)}:"
        roles = re.search(rf"{prefix}RoleDefinitionId\] ForAnyOfAnyValues:GuidEquals {{([^}}]*)}}", condition)
        kinds = re.search(rf"{prefix}PrincipalType\] ForAnyOfAnyValues:StringEqualsIgnoreCase {{([^}}]*)}}", condition)
        if roles is None or kinds is None:
            raise RefusedError(
                501, "RehearsalUnknownCondition", f"The rehearsal cannot read this condition: {condition}"
            )
        return role in _parse_set(roles[1]) and kind in _parse_set(kinds[1])


def _matches_any(action: str, patterns: object) -> bool:
    return isinstance(patterns, list) and any(
        fnmatchcase(action.lower(), str(pattern).lower())  # pyright: ignore[reportUnknownArgumentType]
        for pattern in patterns  # pyright: ignore[reportUnknownVariableType]
    )


def _parse_set(text: str) -> set[str]:
    """Return the members of a set in a condition, such as `'User', 'Group'`."""
    return {member.strip(" '").lower() for member in text.split(",")}
