"""Role assignments. The roles in this file are the only ones that the platform's code may grant."""

from typing import Literal, NamedTuple

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.role_assignment import RoleAssignment

from constructs_lib.place import Capability

# Built-in roles are referred to by id. A name would need a look-up, and so a further right of the apply identity.
# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
Role = Literal[
    "AcrPull",
    "AcrPush",
    "Contributor",
    "Key Vault Secrets User",
    "Locks Contributor",
    "Reader",
    "Role Based Access Control Administrator",
    "Storage Blob Data Contributor",
    "Storage Blob Data Reader",
]
ROLE_IDS: dict[Role, str] = {
    "AcrPull": "7f951dda-4ed3-4680-a7ca-43fe172d538d",
    "AcrPush": "8311e382-0749-4cb8-b61a-304f252e45ec",
    "Contributor": "b24988ac-6180-42a0-ab88-20f7382dd24c",
    "Key Vault Secrets User": "4633458b-17de-408a-b874-0445c86b69e6",
    "Locks Contributor": "28bf596f-4eb7-45ce-b5bc-6cf482fec137",
    "Reader": "acdd72a7-3385-48ef-bd42-f606fba81ae7",
    "Role Based Access Control Administrator": "f58310d9-a9f6-439a-9e8d-f62e7b41a168",
    "Storage Blob Data Contributor": "ba92f5b4-2d11-453d-a403-e96b0029c9fe",
    "Storage Blob Data Reader": "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1",
}


class CustomRole(NamedTuple):
    """A custom role, which the platform defines itself."""

    definition_id: str
    """The Resource Manager id of the role definition."""


def grant(
    owner: Capability,
    id_: str,
    role: Role | CustomRole,
    *,
    to: str,
    on: str,
    why: str,
    condition: str | None = None,
) -> RoleAssignment:
    """Assign a role to a service principal.

    Args:
        owner: The construct that the assignment belongs to.
        id_: The assignment's id in that construct.
        role: The name of a built-in role, or a custom role.
        to: The principal's object id.
        on: The Resource Manager id of the scope.
        why: The assignment's description: a sentence for a person who audits it in the portal.
        condition: An ABAC condition (version 2.0) that restricts the role.
    """
    definitions = f"{owner.place.subscription_id}/providers/Microsoft.Authorization/roleDefinitions"
    return RoleAssignment(
        owner,
        id_,
        scope=on,
        role_definition_id=role.definition_id if isinstance(role, CustomRole) else f"{definitions}/{ROLE_IDS[role]}",
        principal_id=to,
        principal_type="ServicePrincipal",
        description=why,
        condition=condition,
        condition_version="2.0" if condition else None,
        # A new identity takes minutes to reach every replica of the directory, and the check would fail until then.
        skip_service_principal_aad_check=True,
        # Azure does not return this argument, so an imported assignment lacks it, and the provider cannot update one.
        lifecycle=TerraformResourceLifecycle(ignore_changes=["skip_service_principal_aad_check"]),
    )
