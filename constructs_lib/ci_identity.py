"""How GitHub Actions logs in to Azure. Each environment has one identity to plan, one to apply and one to deliver.

No credential is stored. Each identity trusts the OIDC tokens of one GitHub environment of this repository:
`<name>-plan`, `<name>` or `<name>-delivery`. So the protection rules of the GitHub environment (branches, reviewers)
decide which jobs may log in as the identity.
https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust-user-assigned-managed-identity
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from cdktf_cdktf_provider_azurerm.container_registry import ContainerRegistry
from cdktf_cdktf_provider_azurerm.federated_identity_credential import FederatedIdentityCredential
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from cdktf_cdktf_provider_azurerm.role_definition import RoleDefinition, RoleDefinitionPermissions
from cdktf_cdktf_provider_azurerm.storage_container import StorageContainer
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity

from constructs_lib.place import AzureStack, Capability, Place
from constructs_lib.roles import ROLE_IDS, CustomRole, Role, grant

Job = Literal["plan", "apply", "delivery"]

# The operations of `terraform plan` beyond */read: azurerm calls them when it refreshes a resource.
PLAN_ACTIONS = (
    "*/read",
    "Microsoft.App/jobs/listSecrets/action",
    "Microsoft.Cache/redisEnterprise/databases/listKeys/action",
    # Without it azurerm plans every change of the cache's size as a change in place, and the plan guard sees no loss.
    "Microsoft.Cache/redisEnterprise/listSkusForScaling/action",
    "Microsoft.Communication/communicationServices/listKeys/action",
    "Microsoft.Logic/workflows/listCallbackUrl/action",
    "Microsoft.Logic/workflows/triggers/listCallbackUrl/action",
    "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.Web/sites/config/list/action",
    "Microsoft.Web/sites/publishxml/action",
    "Microsoft.Web/sites/slots/config/list/action",
    "Microsoft.Web/sites/slots/publishxml/action",
    "Microsoft.Web/staticSites/listAppSettings/action",
    "Microsoft.Web/staticSites/listSecrets/action",
)
# The operations of a delivery: run the migration, set the slot's image, restart, swap, upload the admin site, purge the
# edge's cache.
DELIVERY_ACTIONS = (
    "Microsoft.App/jobs/execution/read",
    "Microsoft.App/jobs/executions/read",
    "Microsoft.App/jobs/read",
    "Microsoft.App/jobs/start/action",
    "Microsoft.Cdn/profiles/afdEndpoints/purge/action",
    "Microsoft.Cdn/profiles/afdEndpoints/read",
    "Microsoft.Cdn/profiles/read",
    "Microsoft.Insights/metrics/read",
    "Microsoft.Resources/subscriptions/resourceGroups/read",
    "Microsoft.Web/sites/config/list/action",
    "Microsoft.Web/sites/config/read",
    "Microsoft.Web/sites/config/write",
    "Microsoft.Web/sites/operationresults/read",
    "Microsoft.Web/sites/read",
    "Microsoft.Web/sites/restart/action",
    "Microsoft.Web/sites/slots/config/list/action",
    "Microsoft.Web/sites/slots/config/read",
    "Microsoft.Web/sites/slots/config/write",
    "Microsoft.Web/sites/slots/operationresults/read",
    "Microsoft.Web/sites/slots/read",
    "Microsoft.Web/sites/slots/restart/action",
    "Microsoft.Web/sites/slots/slotsswap/action",
    "Microsoft.Web/sites/slots/start/action",
    "Microsoft.Web/sites/slots/stop/action",
    "Microsoft.Web/staticSites/listSecrets/action",
    "Microsoft.Web/staticSites/read",
)
# What azurerm reads at the subscription: how an operation on a static site goes on
# (https://github.com/hashicorp/terraform-provider-azurerm/issues/28451), what a role consists of,
# whether a name is taken, whether a vault or a
# workspace of that name has been deleted and can be recovered, and which resource providers exist. It looks up the
# resource providers when it starts, even if it registers none:
# https://github.com/hashicorp/terraform-provider-azurerm/issues/26628
LOOKUP_ACTIONS = (
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.KeyVault/locations/deletedVaults/read",
    "Microsoft.OperationalInsights/deletedWorkspaces/read",
    "Microsoft.Resources/subscriptions/providers/read",
    "Microsoft.Web/checknameavailability/read",
    "Microsoft.Web/locations/operationResults/read",
)
# The only roles that an environment's stack assigns.
GRANTED_IN_ENVIRONMENT: tuple[Role, ...] = ("Key Vault Secrets User", "Storage Blob Data Contributor")


class CiRoles(Capability):
    """The custom roles.

    `plan` reads everything that a plan needs, `delivery` deploys a release, and `lookups` allows azurerm's look-ups at
    the subscription.
    """

    def __init__(self, scope: AzureStack, id_: str) -> None:
        super().__init__(scope, id_)
        self.plan = self._add_role("plan", PLAN_ACTIONS, "Reads what terraform plan needs; changes nothing.")
        self.delivery = self._add_role("delivery", DELIVERY_ACTIONS, "Delivers a release; changes no infrastructure.")
        self.lookups = self._add_role("lookups", LOOKUP_ACTIONS, "Looks up roles, free names and what was deleted.")

    def _add_role(self, name: str, actions: Sequence[str], description: str) -> CustomRole:
        role = RoleDefinition(
            self,
            name,
            # Names of custom roles must be unique in a tenant.
            name=f"{self.place.account.workload}-{self.place.account.name_suffix} {name}",
            description=description,
            scope=self.place.subscription_id,
            assignable_scopes=[self.place.subscription_id],
            permissions=[RoleDefinitionPermissions(actions=list(actions))],
        )
        return CustomRole(role.role_definition_resource_id)


class Right(NamedTuple):
    """One right of an identity: the arguments of a role assignment."""

    id: str
    role: Role | CustomRole
    on: str
    why: str
    condition: str | None = None


class CiIdentity(Capability):
    """The identity (`identity`) of one job, with its trust and its rights.

    Args:
        name: The identity's name.
        tags: The tags of the environment that the identity is for.
        github_environment: The GitHub environment whose jobs may log in as the identity.
        rights: Everything that the identity may do.
    """

    def __init__(
        self,
        scope: AzureStack | Capability,
        id_: str,
        *,
        name: str,
        tags: Mapping[str, str],
        github_environment: str,
        rights: Sequence[Right],
    ) -> None:
        super().__init__(scope, id_)
        self.identity = UserAssignedIdentity(
            self,
            "identity",
            name=name,
            # The identity is in the shared group, so that a Contributor of the environment cannot extend its own trust.
            resource_group_name=self.place.resource_group,
            location=self.place.location,
            tags=tags,
        )
        trust = FederatedIdentityCredential(
            self,
            "github",
            name="github",
            parent_id=self.identity.id,
            resource_group_name=self.place.resource_group,
            issuer="https://token.actions.githubusercontent.com",
            audience=["api://AzureADTokenExchange"],
            subject=f"{self.place.account.github_subject}:environment:{github_environment}",
        )
        # The bindings know azurerm 4.55, and require two arguments that 4.81 has renamed or deprecated.
        trust.add_override("user_assigned_identity_id", self.identity.id)
        trust.add_override("parent_id", None)
        trust.add_override("resource_group_name", None)
        for right in rights:
            grant(
                self,
                right.id,
                right.role,
                to=self.identity.principal_id,
                on=right.on,
                why=right.why,
                condition=right.condition,
            )


class SharedCi(Capability):
    """The identities of what all environments share: `plan` plans the shared stack, and `build` pushes images.

    A person applies the shared stack. An image is built once, and each environment delivers it by its digest. So no
    environment's identity can push, and none can let a tag point to another image.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        group: ResourceGroup,
        state: StorageContainer,
        plans: StorageContainer,
        registry: ContainerRegistry,
        roles: CiRoles,
    ) -> None:
        super().__init__(scope, id_)
        self.build = CiIdentity(
            self,
            "build",
            name=self.place.names.compose("identity", "build"),
            tags=self.place.tags,
            github_environment="shared-build",
            rights=(Right("pushes-images", "AcrPush", registry.id, "Builds push the API's image."),),
        )
        self.plan = CiIdentity(
            self,
            "plan",
            name=self.place.names.compose("identity", "plan"),
            tags=self.place.tags,
            github_environment="shared-plan",
            rights=(
                Right("reads", roles.plan, group.id, "Plans read every resource."),
                Right(
                    "reads-subscription",
                    "Reader",
                    self.place.subscription_id,
                    "Plans refresh each environment's resource group, the roles and the activity log's export.",
                ),
                *_list_plan_rights(state, plans),
            ),
        )


class EnvironmentCi(Capability):
    """The identities of one environment, by job (`identities`).

    Args:
        name: The environment's name.
        target: The environment's place.
        group: The environment's resource group.
        state, plans: The containers of the environment's state and of its plan files.
        registry: The registry that deliveries look images up in.
        roles: The custom roles.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        name: str,
        target: Place,
        group: ResourceGroup,
        state: StorageContainer,
        plans: StorageContainer,
        registry: ContainerRegistry,
        roles: CiRoles,
    ) -> None:
        super().__init__(scope, id_)

        def add_identity(job: Job, github_environment: str, *rights: Right) -> UserAssignedIdentity:
            return CiIdentity(
                self,
                job,
                name=target.names.compose("identity", job),
                tags=target.tags,
                github_environment=github_environment,
                rights=rights,
            ).identity

        delivery = add_identity(
            "delivery",
            f"{name}-delivery",
            Right("delivers", roles.delivery, group.id, "Deliveries deploy, swap and purge."),
            Right("finds-images", "AcrPull", registry.id, "Deliveries check that the image's digest is there."),
        )
        # Both plan and apply have these.
        lookups = (
            Right("looks-up", roles.lookups, self.place.subscription_id, "azurerm looks up roles and names there."),
            Right("reads-delivery", "Reader", delivery.id, "The stack looks up whom evidence is written by."),
        )
        plan = add_identity(
            "plan",
            f"{name}-plan",
            Right("reads", roles.plan, group.id, "Plans read every resource."),
            *_list_plan_rights(state, plans),
            *lookups,
        )
        apply = add_identity(
            "apply",
            name,
            Right("contributes", "Contributor", group.id, "Applies make and change every resource."),
            Right("locks", "Locks Contributor", group.id, "Applies lock what holds data."),
            Right(
                "grants",
                "Role Based Access Control Administrator",
                group.id,
                "Applies let the app and the delivery reach their data, and grant nothing else.",
                restrict_to_roles(GRANTED_IN_ENVIRONMENT),
            ),
            Right("writes-state", "Storage Blob Data Contributor", state.id, "Applies write state."),
            Right("reads-plans", "Storage Blob Data Reader", plans.id, "Applies take the reviewed plan."),
            *lookups,
        )
        self.identities: dict[Job, UserAssignedIdentity] = {"plan": plan, "apply": apply, "delivery": delivery}


def _list_plan_rights(state: StorageContainer, plans: StorageContainer) -> tuple[Right, Right]:
    return (
        # Plans run with -lock=false: a state lock is a lease on the blob, and a right to lease is a right to write.
        Right("reads-state", "Storage Blob Data Reader", state.id, "Plans read state."),
        Right("writes-plans", "Storage Blob Data Contributor", plans.id, "Plan files are kept here."),
    )


def restrict_to_roles(roles: Sequence[Role]) -> str:
    """Return the ABAC condition that lets an administrator assign and remove these roles only, for identities only.

    https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
    """
    guids = ", ".join(ROLE_IDS[role] for role in roles)

    def build_clause(action: str, source: str) -> str:
        prefix = f"@{source}[Microsoft.Authorization/roleAssignments"
        return (
            f"((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/{action}'}})) OR "
            f"({prefix}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{guids}}} AND "
            f"{prefix}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}))"
        )

    return f"{build_clause('write', 'Request')} AND {build_clause('delete', 'Resource')}"
