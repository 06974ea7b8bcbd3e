"""Says in words who gets which role on what: the IDs of a plan, by the addresses and names that the plan knows."""

import re
from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import JsonValue

from operations.plan_guard.redaction import Redactor, Sensitive, Unknown, Value
from operations.plan_guard.wording import UNKNOWN, format_value, shorten
from operations.terraform.plan import Plan

BUILT_IN_ROLES: Mapping[str, str] = {
    "18d7d88d-d35e-4fb5-a5c3-7773c20a72d9": "User Access Administrator",
    "28bf596f-4eb7-45ce-b5bc-6cf482fec137": "Locks Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "8311e382-0749-4cb8-b61a-304f252e45ec": "AcrPush",
    "8e3af657-a8ff-443c-a75c-2fe8c4bcb635": "Owner",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
}
"""The built-in roles that the platform grants, and those that may grant roles, by the GUID of their definition.

A plan has the GUID alone until it is applied.
https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""

ROLE_ASSIGNMENT = "azurerm_role_assignment"

_ID = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)(/resourceGroups/(?P<group>[^/]+))?(/providers/(?P<resource>.+))?",
    re.IGNORECASE,
)


class Names:
    """Knows the address of every resource in a plan by its ID and by its principal's ID."""

    def __init__(self, plan: Plan, redactor: Redactor) -> None:
        """Collect the IDs that the plan knows, in the state and among what it changes."""
        self._plan = plan
        self._redactor = redactor
        self._addresses: dict[str, str] = {}
        self._roles: dict[str, str] = {}
        for address, values in _list_values(plan):
            self._add(address, values)

    def describe_assignment(self, address: str, values: Mapping[str, Value]) -> str:
        """Return what a role assignment grants: the role, the principal and the scope."""
        role = self._describe_role(address, values)
        principal = self._describe(address, "principal_id", values)
        scope = self._describe(address, "scope", values)
        words = f"{role} to {principal} on {scope}"
        if condition := values.get("condition"):
            words += f", only if {format_value(condition)}"
        return words

    def describe_argument(self, address: str, argument: str, values: Mapping[str, Value]) -> str:
        """Return what an argument of a resource names: an address where the plan knows it, else the value."""
        return self._describe(address, argument, values)

    def _add(self, address: str, values: Mapping[str, JsonValue]) -> None:
        is_assignment = f".{ROLE_ASSIGNMENT}." in f".{address}"
        own = ("id",) if is_assignment else ("id", "principal_id")  # an assignment names another's principal
        identities = values.get("identity")
        for block in (values, *(identities if isinstance(identities, list) else [])):
            if not isinstance(block, dict):
                continue
            for name in own:
                if isinstance(value := block.get(name), str) and value:
                    self._addresses.setdefault(value.lower(), address)
        role, id_ = values.get("role_definition_name"), values.get("role_definition_id")
        if not isinstance(role, str):  # a role definition itself
            role, id_ = values.get("name"), values.get("role_definition_resource_id")
        if isinstance(role, str) and isinstance(id_, str):
            self._roles.setdefault(_get_last_part(id_), role)

    def _describe_role(self, address: str, values: Mapping[str, Value]) -> str:
        name, id_ = values.get("role_definition_name"), values.get("role_definition_id")
        if isinstance(name, Sensitive) or isinstance(id_, Sensitive):
            return format_value(Sensitive(None))
        if isinstance(name, str) and name:
            return self._show(name)
        if isinstance(id_, str) and id_:
            guid = _get_last_part(id_)
            known = self._roles.get(guid) or BUILT_IN_ROLES.get(guid)
            return self._show(known) if known else f"the role {shorten(guid)}"
        return self._describe(address, "role_definition_id", values)

    def _describe(self, address: str, argument: str, values: Mapping[str, Value]) -> str:
        value = values.get(argument)
        if isinstance(value, str) and value:
            known = self._addresses.get(value.lower())
            return known or self._describe_id(value)
        if isinstance(value, Unknown) or value is None:
            references = self._plan.configuration.find_references(address, argument)
            # The last reference is the resource, those before it are its attributes.
            return references[-1] if references else UNKNOWN
        return format_value(value)

    def _describe_id(self, id_: str) -> str:
        """Return in words what an ID names that is not in the plan."""
        found = _ID.fullmatch(id_)
        if found is None:
            return self._show(id_)
        if found["resource"]:
            return self._show(f"{found['resource']} in {found['group'] or 'the subscription'}")
        if found["group"]:
            return self._show(f"the whole resource group {found['group']}")
        return self._show(f"the whole subscription {found['subscription']}")

    def _show(self, text: str) -> str:
        """Return a text of the plan, unless it is a copy of something sensitive, without quotes if it needs none."""
        value = self._redactor.hide_copies(text)
        if isinstance(value, Sensitive) or not (text.isascii() and text.isprintable()):
            return format_value(value)
        return text


def _get_last_part(id_: str) -> str:
    """Return the GUID at the end of a role definition's ID, without what the provider appends for the scope."""
    return id_.split("|", maxsplit=1)[0].rpartition("/")[2].lower()


def _list_values(plan: Plan) -> Iterator[tuple[str, Mapping[str, JsonValue]]]:
    for resource in plan.prior_state.values.root_module.resources:
        yield resource.address, resource.values
    for change in plan.resource_changes:
        for values in (change.change.after, change.change.before):
            if isinstance(values, dict):
                yield change.address, cast(Mapping[str, JsonValue], values)
