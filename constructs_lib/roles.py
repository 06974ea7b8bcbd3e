"""Role assignments in one shape. The roles here are all that the platform's code may ever grant."""

from typing import Literal, NamedTuple

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.role_assignment import RoleAssignment

from constructs_lib.place import Capability

# Built-in roles by id: a name would cost a look-up that the apply identity need not be allowed.
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
    """A role of our own."""

    definition_id: str
    """The Resource Manager id of its definition."""


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
    """Let a service principal do what a role allows.

    Args:
        owner: The construct that the assignment belongs to.
        id_: Its id there.
        role: A built-in role's name, or a custom role.
        to: The principal's object id.
        on: The Resource Manager id of what it may do that with.
        why: A sentence for whoever audits the assignment in the portal.
        condition: An ABAC condition (version 2.0) that narrows the role.
    """
    definitions = f"{owner.place.subscription_id}/providers/Microsoft.Authorization/roleDefinitions"
    return RoleAssignment(
        owner,
        id_,
        scope=on,
        role_definition_id=(role.definition_id if isinstance(role, CustomRole) else f"{definitions}/{ROLE_IDS[role]}"),
        principal_id=to,
        principal_type="ServicePrincipal",
        description=why,
        condition=condition,
        condition_version="2.0" if condition else None,
        # A new identity takes minutes to reach every directory replica; the check would fail until then.
        skip_service_principal_aad_check=True,
        # Azure does not tell it, so an imported assignment lacks it, and the provider cannot update an assignment.
        lifecycle=TerraformResourceLifecycle(ignore_changes=["skip_service_principal_aad_check"]),
    )
