"""Who may do what: every role assignment is in a table here, and no environment's identity reaches another's."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.policy.rule import Problem, Stack, at, listed, rule, wrong
from tests.support import SynthesizedResource

# https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
BUILT_IN = {
    "7f951dda-4ed3-4680-a7ca-43fe172d538d": "AcrPull",
    "8311e382-0749-4cb8-b61a-304f252e45ec": "AcrPush",
    "b24988ac-6180-42a0-ab88-20f7382dd24c": "Contributor",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "28bf596f-4eb7-45ce-b5bc-6cf482fec137": "Locks Contributor",
    "acdd72a7-3385-48ef-bd42-f606fba81ae7": "Reader",
    "f58310d9-a9f6-439a-9e8d-f62e7b41a168": "Role Based Access Control Administrator",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
}
ADMINISTRATOR = "Role Based Access Control Administrator"


class Right(NamedTuple):
    """A right that may be given: who, by what its identity is for; the role; on what kind of thing."""

    who: str
    role: str
    on: str


ALLOWED = {
    # An environment's stack: what its own application, alerts and deliveries read and write.
    Right("api", "Key Vault Secrets User", "key vault"),
    Right("api", "Storage Blob Data Contributor", "container uploads"),
    Right("teams", "Key Vault Secrets User", "key vault"),
    Right("delivery", "Storage Blob Data Contributor", "container evidence"),
    # The shared stack: what an environment needs of what all share, and what CI needs (design section 4, "CI roles").
    Right("api", "AcrPull", "registry"),
    Right("plan", "custom plan", "resource group"),
    Right("plan", "custom lookups", "subscription"),
    Right("plan", "Reader", "parent zone"),
    Right("plan", "Reader", "delivery identity"),
    Right("plan", "Storage Blob Data Reader", "container tfstate"),
    Right("plan", "Storage Blob Data Contributor", "container plans"),
    Right("apply", "Contributor", "resource group"),
    Right("apply", "Locks Contributor", "resource group"),
    Right("apply", ADMINISTRATOR, "resource group"),
    Right("apply", "custom lookups", "subscription"),
    Right("apply", "custom delegation", "parent zone"),
    Right("apply", "Reader", "delivery identity"),
    Right("apply", "Storage Blob Data Contributor", "container tfstate"),
    Right("apply", "Storage Blob Data Reader", "container plans"),
    Right("delivery", "custom delivery", "resource group"),
    Right("delivery", "AcrPush", "registry"),
    # A person applies the shared stack; CI only plans it.
    Right("shared plan", "custom plan", "resource group"),
    Right("shared plan", "Reader", "subscription"),
    Right("shared plan", "Storage Blob Data Reader", "container tfstate"),
    Right("shared plan", "Storage Blob Data Contributor", "container plans"),
}
# What all environments share. The rights on these in `ALLOWED` let none reach another: they read names, pull and push
# images, and write a record below the parent zone.
COMMON = ("registry", "parent zone", "subscription")
SHARED = "shared"
ISSUER, AUDIENCE = "https://token.actions.githubusercontent.com", "api://AzureADTokenExchange"
CLAUSES = (("Request", "write"), ("Resource", "delete"))
"""An administrator's condition has one clause each for what it assigns and what it removes."""


class Assignment(NamedTuple):
    """A role assignment, read: the identity, its environment's short name, the right, and whose the scope is."""

    resource: SynthesizedResource
    right: Right
    environment: str
    """The environment that the identity is for."""
    scope_of: str
    """The environment that the scope belongs to; empty for what all share."""


def assignments(stack: Stack) -> Iterator[Assignment]:
    """Every role assignment of a stack."""
    for each in stack.of("azurerm_role_assignment"):
        identity = stack.named(each.body["principal_id"])
        who, environment = _identity(identity.body["name"]) if identity else (str(each.body["principal_id"]), "?")
        who = f"{SHARED} {who}" if environment == SHARED else who
        on, scope_of = _scope(stack, each)
        yield Assignment(each, Right(who, _role(stack, each), on), environment, scope_of)


def _identity(name: str) -> tuple[str, str]:
    """`id-augeo-apply-prod-eus2` is apply's, of prod."""
    return (parts[-3], parts[-2]) if len(parts := name.split("-")) >= 4 else (name, "?")


def _role(stack: Stack, assignment: SynthesizedResource) -> str:
    definition = str(at(assignment.body, "role_definition_id"))
    custom = stack.named(definition)
    if custom and custom.type == "azurerm_role_definition":
        return f"custom {str(custom.body['name']).rpartition(' ')[2]}"
    return BUILT_IN.get(definition.rpartition("/")[2], definition)


def _scope(stack: Stack, assignment: SynthesizedResource) -> tuple[str, str]:
    """What kind of thing it is on, and the short name of the environment that it belongs to."""
    scope = str(assignment.body["scope"])
    if "/Microsoft.ContainerRegistry/registries/" in scope:
        return "registry", ""
    target = stack.named(scope)
    if target is None:
        return ("subscription" if re.fullmatch("/subscriptions/[^/]+", scope) else scope), "?"
    name = str(target.body["name"])
    own = stack.environment.short_name if stack.environment else SHARED
    kind, _, of = name.partition("-")  # tfstate-production
    container_of = stack.platform.environments.get(of)
    return {
        "azurerm_container_registry": ("registry", ""),
        "azurerm_dns_zone": ("own zone" if stack.environment else "parent zone", own),
        "azurerm_key_vault": ("key vault", own),
        "azurerm_resource_group": ("resource group", name.split("-")[-2:][0]),  # rg-augeo-prod-eus2
        "azurerm_storage_container": (f"container {kind}", container_of.short_name if container_of else own),
        "azurerm_user_assigned_identity": (f"{_identity(name)[0]} identity", _identity(name)[1]),
    }.get(target.type, (scope, "?"))


@rule("azurerm_role_assignment")
def rights_are_in_the_table(stack: Stack) -> Iterator[Problem]:
    """A right that nobody has written into `ALLOWED` is not given; Owner is in no row, Contributor in apply's alone.

    Design section 4; https://learn.microsoft.com/azure/role-based-access-control/best-practices
    """
    for each in assignments(stack):
        if each.right not in ALLOWED:
            who, role, on = each.right
            yield wrong(each.resource, "role_definition_id", f"'{who}' must not be '{role}' on '{on}': see ALLOWED")
        if at(each.resource.body, "principal_type") != "ServicePrincipal":
            yield wrong(each.resource, "principal_type", 'must be "ServicePrincipal": people get rights elsewhere')


@rule("azurerm_role_assignment")
def environments_do_not_reach_each_other(stack: Stack) -> Iterator[Problem]:
    """Whoever breaks into dev's pipeline has dev, and nothing of production (design section 4, "Ownership").

    https://learn.microsoft.com/azure/role-based-access-control/scope-overview
    """
    for each in assignments(stack):
        if each.right.on not in COMMON and each.scope_of != each.environment:
            yield wrong(each.resource, "scope", f"must belong to '{each.environment}', as the identity does")


@rule("azurerm_role_assignment")
def administrators_assign_what_the_code_assigns(stack: Stack) -> Iterator[Problem]:
    """The condition of an administrator names exactly the roles that its environment's stack assigns there.

    One more could be used to climb, one less fails the apply. Both sides are read from the synthesized JSON.
    https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
    """
    by_short_name = {each.short_name: name for name, each in stack.platform.environments.items()}
    for each in assignments(stack):
        condition = str(at(each.resource.body, "condition") or "")
        if each.right.role != ADMINISTRATOR:
            if condition:
                yield wrong(each.resource, "condition", "must be absent: only an administrator's right has one")
            continue
        target = by_short_name.get(each.environment, "")
        theirs = Stack(target, stack.beside.get(target, {}), stack.platform, stack.beside)
        wanted = {str(own.resource.body["role_definition_id"]).rpartition("/")[2] for own in assignments(theirs)}
        for source, action in CLAUSES:
            clause = re.search(
                rf"ActionMatches{{'Microsoft.Authorization/roleAssignments/{action}'}}.*?"
                rf"@{source}\[[^]]*RoleDefinitionId\] ForAnyOfAnyValues:GuidEquals {{([^}}]*)}} AND "
                rf"@{source}\[[^]]*PrincipalType\] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}",
                condition,
            )
            if clause is None or set(re.split(r",\s*", clause[1])) != wanted:
                names = sorted(BUILT_IN.get(role, role) for role in wanted)
                yield wrong(each.resource, "condition", f"must let it {action} {names} for service principals alone")
        if condition and at(each.resource.body, "condition_version") != "2.0":
            yield wrong(each.resource, "condition_version", 'must be "2.0"')


@rule("azurerm_role_definition")
def custom_roles_are_narrow(stack: Stack) -> Iterator[Problem]:
    """An action is written out; `*/read` alone is a wildcard, because a plan refreshes every type there is.

    No data actions: secrets and blobs are never read by a custom role.
    https://learn.microsoft.com/azure/role-based-access-control/custom-roles
    """
    subscription = f"/subscriptions/{stack.platform.shared.account.subscription_id}"
    for role in stack.of("azurerm_role_definition"):
        if at(role.body, "assignable_scopes") != [subscription]:
            yield wrong(role, "assignable_scopes", f'must be ["{subscription}"]')
        for field in ("actions", "data_actions"):
            for index, action in enumerate(listed(role.body, f"permissions.{field}")):
                if field == "data_actions" or ("*" in str(action) and action != "*/read"):
                    right = "must be absent" if field == "data_actions" else "must be written out, without a wildcard"
                    yield wrong(role, f"permissions.{field}.{index}", right)
                if str(action).lower().startswith("microsoft.authorization/") and not str(action).endswith("/read"):
                    yield wrong(role, f"permissions.{field}.{index}", "must not change rights")


@rule("azurerm_federated_identity_credential")
def github_is_trusted_for_this_repository_alone(stack: Stack) -> Iterator[Problem]:
    """Entra takes any token whose subject matches, so it names this repository, and the GitHub environment of the job.

    An environment's own rules, its reviewers and branches, then say who gets a token at all. https://docs.github.com/actions/concepts/security/openid-connect
    """
    repository = stack.platform.shared.account.github_subject
    by_short_name = {each.short_name: name for name, each in stack.platform.environments.items()}
    for credential in stack.of("azurerm_federated_identity_credential"):
        identity = stack.named(credential.body["user_assigned_identity_id"])
        job, short_name = _identity(str(identity.body["name"])) if identity else ("?", "?")
        environment = by_short_name.get(short_name, short_name)
        right = f"{repository}:environment:{environment if job == 'apply' else f'{environment}-{job}'}"
        if credential.body["subject"] != right:
            yield wrong(credential, "subject", f"must be {right}")
        if credential.body["issuer"] != ISSUER:
            yield wrong(credential, "issuer", f"must be {ISSUER}")
        if credential.body["audience"] != [AUDIENCE]:
            yield wrong(credential, "audience", f'must be ["{AUDIENCE}"]')
