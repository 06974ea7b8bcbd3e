"""Azure's built-in roles, as far as the stacks assign them."""

from typing import NamedTuple

from rehearsal.stand_in.ids import ROLE_TYPE
from rehearsal.stand_in.model import Store

_BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"


class BuiltInRole(NamedTuple):
    """A built-in role and what it allows."""

    name: str
    actions: tuple[str, ...] = ()
    not_actions: tuple[str, ...] = ()
    data_actions: tuple[str, ...] = ()


BUILT_IN_ROLES = {
    "b24988ac-6180-42a0-ab88-20f7382dd24c": BuiltInRole(
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
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": BuiltInRole("Reader", ("*/read",)),
    "515c2055-d9d4-4321-b1b9-bd0c9a0f79fe": BuiltInRole(
        "Logic App Operator",
        (
            "Microsoft.Authorization/*/read",
            "Microsoft.Insights/alertRules/*/read",
            "Microsoft.Insights/metricAlerts/*/read",
            "Microsoft.Insights/diagnosticSettings/*/read",
            "Microsoft.Insights/metricDefinitions/*/read",
            "Microsoft.Logic/*/read",
            "Microsoft.Logic/workflows/disable/action",
            "Microsoft.Logic/workflows/enable/action",
            "Microsoft.Logic/workflows/validate/action",
            "Microsoft.Resources/deployments/operations/read",
            "Microsoft.Resources/subscriptions/operationresults/read",
            "Microsoft.Resources/subscriptions/resourceGroups/read",
            "Microsoft.Support/*",
            "Microsoft.Web/connectionGateways/*/read",
            "Microsoft.Web/connections/*/read",
            "Microsoft.Web/customApis/*/read",
            "Microsoft.Web/serverFarms/read",
        ),
    ),
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": BuiltInRole(
        "Role Based Access Control Administrator",
        (
            "Microsoft.Authorization/roleAssignments/write",
            "Microsoft.Authorization/roleAssignments/delete",
            "*/read",
            "Microsoft.Support/*",
        ),
    ),
    "28bf596f-4eb7-45ce-b5bc-6cf482fec137": BuiltInRole(
        "Locks Contributor",
        (
            "Microsoft.Authorization/locks/read",
            "Microsoft.Authorization/locks/write",
            "Microsoft.Authorization/locks/delete",
        ),
    ),
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": BuiltInRole(
        "AcrPull", ("Microsoft.ContainerRegistry/registries/pull/read",)
    ),
    "8311e382-0749-4cb8-b61a-304f252e45ec": BuiltInRole(
        "AcrPush",
        ("Microsoft.ContainerRegistry/registries/pull/read", "Microsoft.ContainerRegistry/registries/push/write"),
    ),
    "4633458b-17de-408a-b874-0445c86b69e6": BuiltInRole(
        "Key Vault Secrets User",
        data_actions=(
            "Microsoft.KeyVault/vaults/secrets/getSecret/action",
            "Microsoft.KeyVault/vaults/secrets/readMetadata/action",
        ),
    ),
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": BuiltInRole(
        "Storage Blob Data Contributor",
        (
            "Microsoft.Storage/storageAccounts/blobServices/containers/delete",
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/containers/write",
            "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
        ),
        data_actions=tuple(f"{_BLOBS}/{verb}" for verb in ("delete", "read", "write", "move/action", "add/action")),
    ),
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": BuiltInRole(
        "Storage Blob Data Reader",
        (
            "Microsoft.Storage/storageAccounts/blobServices/containers/read",
            "Microsoft.Storage/storageAccounts/blobServices/generateUserDelegationKey/action",
        ),
        data_actions=(f"{_BLOBS}/read",),
    ),
}
"""By id: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles"""


def add_built_in_roles(store: Store) -> None:
    """Put the built-in roles at the subscription, where clients read them."""
    for id_, role in BUILT_IN_ROLES.items():
        permission = {"actions": role.actions, "notActions": role.not_actions, "dataActions": role.data_actions}
        store.put(
            f"/subscriptions/{store.subscription}/providers/{ROLE_TYPE}/{id_}",
            {
                "properties": {
                    "roleName": role.name,
                    "type": "BuiltInRole",
                    "assignableScopes": ["/"],
                    "permissions": [{kind: list(actions) for kind, actions in permission.items()}],
                }
            },
        )
