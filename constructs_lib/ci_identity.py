"""How GitHub Actions logs in to Azure: per environment an identity that plans, one that applies, one that delivers.

No stored credential: each trusts OIDC tokens of this repository with the subjects written here.
https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust-user-assigned-managed-identity
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from constructs_lib.place import AzureStack, Capability, Place
from constructs_lib.roles import ROLE_IDS, Role, grant

from cdktf import TerraformResource
from cdktf_cdktf_provider_azurerm.federated_identity_credential import FederatedIdentityCredential
from cdktf_cdktf_provider_azurerm.role_definition import RoleDefinition, RoleDefinitionPermissions
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity

Job = Literal["plan", "apply", "delivery"]
JOBS: tuple[Job, ...] = ("plan", "apply", "delivery")

# What `terraform plan` reads besides */read: azurerm lists these when it refreshes a resource.
PLAN_ACTIONS = (
    "*/read",
    "Microsoft.Cache/redisEnterprise/databases/listKeys/action",
    "Microsoft.Communication/communicationServices/listKeys/action",
    "Microsoft.Logic/workflows/listCallbackUrl/action",
    "Microsoft.Logic/workflows/triggers/listCallbackUrl/action",
    "Microsoft.OperationalInsights/workspaces/sharedKeys/action",
    "Microsoft.Storage/storageAccounts/listKeys/action",
    "Microsoft.Web/sites/backup/list/action",
    "Microsoft.Web/sites/config/list/action",
    "Microsoft.Web/sites/publishxml/action",
    "Microsoft.Web/sites/slots/backup/list/action",
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
    "Microsoft.Web/staticSites/builds/read",
    "Microsoft.Web/staticSites/listSecrets/action",
    "Microsoft.Web/staticSites/read",
)
DELEGATION_ACTIONS = (
    "Microsoft.Network/dnsZones/NS/delete",
    "Microsoft.Network/dnsZones/NS/read",
    "Microsoft.Network/dnsZones/NS/write",
    "Microsoft.Network/dnsZones/read",
)
# All that an environment's own code assigns in its resource group, and on the registry.
GRANTED_IN_ENVIRONMENT: tuple[Role, ...] = ("Key Vault Secrets User", "Storage Blob Data Contributor")
GRANTED_ON_REGISTRY: tuple[Role, ...] = ("AcrPull",)


class CiRoles(Capability):
    """The custom roles: `plan` reads all that a plan needs, `delivery` deploys, `delegation` writes NS records."""

    def __init__(self, scope: AzureStack, id_: str) -> None:
        super().__init__(scope, id_)
        self.plan = self._role("plan", PLAN_ACTIONS, "Reads what terraform plan needs; changes nothing.")
        self.delivery = self._role("delivery", DELIVERY_ACTIONS, "Delivers a release; changes no infrastructure.")
        self.delegation = self._role("delegation", DELEGATION_ACTIONS, "Delegates a child zone from the parent zone.")

    def _role(self, name: str, actions: Sequence[str], description: str) -> str:
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
        return role.role_definition_resource_id


class Right(NamedTuple):
    """One row: a job, a role (or a custom role's id), on what, and why."""

    job: Job
    id: str
    role: Role | str
    on: str
    why: str
    condition: str | None = None


class CiIdentity(Capability):
    """The three identities of one environment, with their trust and their rights.

    Args:
        environment: Its name; the GitHub environments are `<name>` (apply) and `<name>-delivery`.
        target: Where the environment stands.
        group_id: The Resource Manager id of its resource group.
        state_id, plans_id: Resource Manager ids of its two containers.
        registry_id, parent_zone_id: Ids of the shared resources that it has named rights on.
        roles: The custom roles.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        environment: str,
        target: Place,
        group_id: str,
        state_id: str,
        plans_id: str,
        registry_id: str,
        parent_zone_id: str,
        roles: CiRoles,
    ) -> None:
        super().__init__(scope, id_)
        self.identities: dict[Job, UserAssignedIdentity] = {
            job: UserAssignedIdentity(
                self,
                job,
                name=target.names("identity", job),
                # In the shared group: a Contributor of the environment must not be able to widen its own trust.
                resource_group_name=self.place.resource_group,
                location=self.place.location,
                tags=target.tags,
            )
            for job in JOBS
        }
        delivery = self.identities["delivery"].id
        rows = (
            Right("plan", "reads", roles.plan, group_id, "Plans read every resource."),
            Right("plan", "reads-state", "Storage Blob Data Reader", state_id, "Plans read state, without a lease."),
            Right("plan", "writes-plans", "Storage Blob Data Contributor", plans_id, "Plan files are kept here."),
            Right("plan", "reads-registry", "Reader", registry_id, "Plans refresh the API's right to pull."),
            Right("plan", "reads-zone", "Reader", parent_zone_id, "Plans refresh the delegation."),
            Right("plan", "reads-delivery", "Reader", delivery, "Plans look up whom evidence is written by."),
            Right("apply", "contributes", "Contributor", group_id, "Applies make and change every resource."),
            Right("apply", "locks", "Locks Contributor", group_id, "Applies lock what holds data."),
            Right(
                "apply",
                "grants",
                "Role Based Access Control Administrator",
                group_id,
                "Applies let the app and the delivery reach their data, and grant nothing else.",
                only_granting(GRANTED_IN_ENVIRONMENT),
            ),
            Right(
                "apply",
                "grants-on-registry",
                "Role Based Access Control Administrator",
                registry_id,
                "Applies let the API pull images, and grant nothing else.",
                only_granting(GRANTED_ON_REGISTRY),
            ),
            Right("apply", "delegates", roles.delegation, parent_zone_id, "Applies delegate the environment's zone."),
            Right("apply", "writes-state", "Storage Blob Data Contributor", state_id, "Applies write state."),
            Right("apply", "reads-plans", "Storage Blob Data Reader", plans_id, "Applies take the reviewed plan."),
            Right("apply", "reads-registry", "Reader", registry_id, "Applies refresh the API's right to pull."),
            Right("apply", "reads-delivery", "Reader", delivery, "Applies look up whom evidence is written by."),
            Right("delivery", "delivers", roles.delivery, group_id, "Deliveries deploy, swap and purge."),
            Right("delivery", "pushes-images", "AcrPush", registry_id, "Deliveries push the API's image."),
        )
        for row in rows:
            grant(
                self,
                f"{row.job}-{row.id}",
                row.role,
                to=self.identities[row.job].principal_id,
                on=row.on,
                subscription_id=self.place.subscription_id,
                why=row.why,
                condition=row.condition,
            )
        subject = self.place.account.github_subject
        self._trust("plan", {"pull-request": f"{subject}:pull_request", "main": f"{subject}:ref:refs/heads/main"})
        self._trust("apply", {"environment": f"{subject}:environment:{environment}"})
        self._trust("delivery", {"environment": f"{subject}:environment:{environment}-delivery"})

    def _trust(self, job: Job, subjects: dict[str, str]) -> None:
        identity = self.identities[job]
        before: list[TerraformResource] | None = None
        for name, subject in subjects.items():
            credential = FederatedIdentityCredential(
                self,
                f"{job}-trusts-{name}",
                name=f"github-{name}",
                parent_id=identity.id,
                resource_group_name=self.place.resource_group,
                issuer="https://token.actions.githubusercontent.com",
                audience=["api://AzureADTokenExchange"],
                subject=subject,
                # Entra refuses concurrent writes to the credentials of one identity.
                depends_on=before,
            )
            # The bindings of 4.55 ask for two arguments that 4.81 has renamed and deprecated.
            credential.add_override("user_assigned_identity_id", identity.id)
            credential.add_override("parent_id", None)
            credential.add_override("resource_group_name", None)
            before = [credential]


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
