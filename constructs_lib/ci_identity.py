"""How GitHub Actions logs in to Azure: per environment an identity that plans, one that applies, one that delivers.

No stored credential: each trusts the OIDC tokens of one GitHub environment of this repository, so that GitHub's own
protection rules (branches, reviewers) say who may be it: `<name>-plan`, `<name>` and `<name>-delivery`.
https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust-user-assigned-managed-identity
"""

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from cdktf_cdktf_provider_azurerm.container_registry import ContainerRegistry
from cdktf_cdktf_provider_azurerm.dns_zone import DnsZone
from cdktf_cdktf_provider_azurerm.federated_identity_credential import FederatedIdentityCredential
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from cdktf_cdktf_provider_azurerm.role_definition import RoleDefinition, RoleDefinitionPermissions
from cdktf_cdktf_provider_azurerm.storage_container import StorageContainer
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity

from constructs_lib.place import AzureStack, Capability, Place
from constructs_lib.roles import ROLE_IDS, CustomRole, Role, grant

Job = Literal["plan", "apply", "delivery"]

# What `terraform plan` reads besides */read: azurerm lists these when it refreshes a resource.
PLAN_ACTIONS = (
    "*/read",
    "Microsoft.Cache/redisEnterprise/databases/listKeys/action",
    # Without it azurerm takes every change of the cache's size for one in place, and the plan gate sees no loss.
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
# What a delivery does: set the slot's image, restart, swap, upload the admin site, empty the edge's cache.
DELIVERY_ACTIONS = (
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
DELEGATION_ACTIONS = (
    "Microsoft.Network/dnsZones/NS/delete",
    "Microsoft.Network/dnsZones/NS/read",
    "Microsoft.Network/dnsZones/NS/write",
    "Microsoft.Network/dnsZones/read",
)
# What azurerm asks of the subscription itself: what a role consists of, whether a name is taken, whether a vault or a
# workspace of that name has been deleted and can be recovered, and which resource providers there are (at its start,
# even where it registers none: https://github.com/hashicorp/terraform-provider-azurerm/issues/26628).
LOOKUP_ACTIONS = (
    "Microsoft.Authorization/roleDefinitions/read",
    "Microsoft.KeyVault/locations/deletedVaults/read",
    "Microsoft.OperationalInsights/deletedWorkspaces/read",
    "Microsoft.Resources/subscriptions/providers/read",
    "Microsoft.Web/checknameavailability/read",
)
# All that an environment's own code assigns.
GRANTED_IN_ENVIRONMENT: tuple[Role, ...] = ("Key Vault Secrets User", "Storage Blob Data Contributor")


class CiRoles(Capability):
    """The custom roles.

    `plan` reads all that a plan needs, `delivery` deploys, `delegation` writes NS records, `lookups` asks
    the subscription what azurerm asks it.
    """

    def __init__(self, scope: AzureStack, id_: str) -> None:
        super().__init__(scope, id_)
        self.plan = self._role("plan", PLAN_ACTIONS, "Reads what terraform plan needs; changes nothing.")
        self.delivery = self._role("delivery", DELIVERY_ACTIONS, "Delivers a release; changes no infrastructure.")
        self.delegation = self._role("delegation", DELEGATION_ACTIONS, "Delegates a child zone from the parent zone.")
        self.lookups = self._role("lookups", LOOKUP_ACTIONS, "Looks up roles, free names and what was deleted.")

    def _role(self, name: str, actions: Sequence[str], description: str) -> CustomRole:
        role = RoleDefinition(
            self,
            name,
            # Role names are unique in a tenant.
            name=f"{self.place.account.workload}-{self.place.account.name_suffix} {name}",
            description=description,
            scope=self.place.subscription_id,
            assignable_scopes=[self.place.subscription_id],
            permissions=[RoleDefinitionPermissions(actions=list(actions))],
        )
        return CustomRole(role.role_definition_resource_id)


class Right(NamedTuple):
    """One row: a role, on what, and why."""

    id: str
    role: Role | CustomRole
    on: str
    why: str
    condition: str | None = None


class CiIdentity(Capability):
    """The identity (`identity`) of one job, with its trust and its rights.

    Args:
        name: The identity's name.
        tags: The tags of the environment that it is for.
        github_environment: The GitHub environment whose jobs may be it.
        rights: All that it may do.
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
            # In the shared group: a Contributor of the environment must not be able to widen its own trust.
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
        # The bindings of 4.55 ask for two arguments that 4.81 has renamed and deprecated.
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
    """The shared stack's one identity, which plans: a person applies it."""

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        group: ResourceGroup,
        state: StorageContainer,
        plans: StorageContainer,
        roles: CiRoles,
    ) -> None:
        super().__init__(scope, id_)
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
                *_plan_files(state, plans),
            ),
        )


class EnvironmentCi(Capability):
    """The identities of one environment, by job (`identities`).

    Args:
        name: The environment's.
        target: Where it stands.
        group: Its resource group.
        state, plans: The containers of its state and of its plan files.
        registry, parent_zone: The shared resources that it has named rights on.
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
        parent_zone: DnsZone,
        roles: CiRoles,
    ) -> None:
        super().__init__(scope, id_)

        def identity(job: Job, github_environment: str, *rights: Right) -> UserAssignedIdentity:
            return CiIdentity(
                self,
                job,
                name=target.names.compose("identity", job),
                tags=target.tags,
                github_environment=github_environment,
                rights=rights,
            ).identity

        delivery = identity(
            "delivery",
            f"{name}-delivery",
            Right("delivers", roles.delivery, group.id, "Deliveries deploy, swap and purge."),
            Right("pushes-images", "AcrPush", registry.id, "Deliveries push the API's image."),
        )
        both = (
            Right("looks-up", roles.lookups, self.place.subscription_id, "azurerm looks up roles and names there."),
            Right("reads-delivery", "Reader", delivery.id, "The stack looks up whom evidence is written by."),
        )
        plan = identity(
            "plan",
            f"{name}-plan",
            Right("reads", roles.plan, group.id, "Plans read every resource."),
            Right("reads-zone", "Reader", parent_zone.id, "Plans refresh the delegation."),
            *_plan_files(state, plans),
            *both,
        )
        apply = identity(
            "apply",
            name,
            Right("contributes", "Contributor", group.id, "Applies make and change every resource."),
            Right("locks", "Locks Contributor", group.id, "Applies lock what holds data."),
            Right(
                "grants",
                "Role Based Access Control Administrator",
                group.id,
                "Applies let the app and the delivery reach their data, and grant nothing else.",
                only_granting(GRANTED_IN_ENVIRONMENT),
            ),
            Right("delegates", roles.delegation, parent_zone.id, "Applies delegate the environment's zone."),
            Right("writes-state", "Storage Blob Data Contributor", state.id, "Applies write state."),
            Right("reads-plans", "Storage Blob Data Reader", plans.id, "Applies take the reviewed plan."),
            *both,
        )
        self.identities: dict[Job, UserAssignedIdentity] = {"plan": plan, "apply": apply, "delivery": delivery}


def _plan_files(state: StorageContainer, plans: StorageContainer) -> tuple[Right, Right]:
    return (
        # Reading takes no lease, so plans run with -lock=false; a right to lease would be one to write.
        Right("reads-state", "Storage Blob Data Reader", state.id, "Plans read state."),
        Right("writes-plans", "Storage Blob Data Contributor", plans.id, "Plan files are kept here."),
    )


def only_granting(roles: Sequence[Role]) -> str:
    """The ABAC condition under which an administrator may assign and remove these roles alone, to identities alone.

    https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
    """
    guids = ", ".join(ROLE_IDS[role] for role in roles)

    def clause(action: str, source: str) -> str:
        prefix = f"@{source}[Microsoft.Authorization/roleAssignments"
        return (
            f"((!(ActionMatches{{'Microsoft.Authorization/roleAssignments/{action}'}})) OR "
            f"({prefix}:RoleDefinitionId] ForAnyOfAnyValues:GuidEquals {{{guids}}} AND "
            f"{prefix}:PrincipalType] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}))"
        )

    return f"{clause('write', 'Request')} AND {clause('delete', 'Resource')}"
