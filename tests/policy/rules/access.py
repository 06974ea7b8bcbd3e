"""Who may do what. Every role assignment has a row in a table here, and no environment's identity reaches another's."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tests.policy.rule import Stack, Violation, get_list, get_value, rule
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


class AllowedRight(NamedTuple):
    """A right that an identity may have."""

    who: str
    """What the identity is for: `plan`, `apply`, `api`, ..."""
    role: str
    on: str
    """The kind of thing that the role is assigned on."""


ALLOWED = {
    # In an environment's stack: what its own application, alerts and deliveries read and write.
    AllowedRight("api", "Key Vault Secrets User", "key vault"),
    AllowedRight("api", "Storage Blob Data Contributor", "container uploads"),
    AllowedRight("jobs", "Key Vault Secrets User", "key vault"),
    AllowedRight("jobs", "Key Vault Secrets User", "owner's key vault"),
    AllowedRight("teams", "Key Vault Secrets User", "key vault"),
    AllowedRight("delivery", "Storage Blob Data Contributor", "container evidence"),
    # In the shared stack: what an environment needs of shared resources, and what CI needs. The reasons are in
    # docs/design.md#decisions, "CI roles".
    AllowedRight("api", "AcrPull", "registry"),
    AllowedRight("jobs", "AcrPull", "registry"),
    AllowedRight("plan", "custom plan", "resource group"),
    AllowedRight("plan", "custom lookups", "subscription"),
    AllowedRight("plan", "Reader", "delivery identity"),
    AllowedRight("plan", "Storage Blob Data Reader", "container tfstate"),
    AllowedRight("plan", "Storage Blob Data Contributor", "container plans"),
    AllowedRight("apply", "Contributor", "resource group"),
    AllowedRight("apply", "Locks Contributor", "resource group"),
    AllowedRight("apply", ADMINISTRATOR, "resource group"),
    AllowedRight("apply", "custom lookups", "subscription"),
    AllowedRight("apply", "Reader", "delivery identity"),
    AllowedRight("apply", "Storage Blob Data Contributor", "container tfstate"),
    AllowedRight("apply", "Storage Blob Data Reader", "container plans"),
    AllowedRight("delivery", "custom delivery", "resource group"),
    AllowedRight("delivery", "AcrPull", "registry"),
    AllowedRight("shared build", "AcrPush", "registry"),
    # A person applies the shared stack; CI only plans it.
    AllowedRight("shared plan", "custom plan", "resource group"),
    AllowedRight("shared plan", "Reader", "subscription"),
    AllowedRight("shared plan", "Storage Blob Data Reader", "container tfstate"),
    AllowedRight("shared plan", "Storage Blob Data Contributor", "container plans"),
}
COMMON = ("registry", "subscription")
"""What all environments share. The rights on these in `ALLOWED` let no environment reach another.

They allow an environment's identity to read names and to pull images.
"""
SHARED = "shared"
ISSUER, AUDIENCE = "https://token.actions.githubusercontent.com", "api://AzureADTokenExchange"
CLAUSES = (("Request", "write"), ("Resource", "delete"))
"""The condition on an administrator's right has one clause for assigning roles, and one for removing them."""


class Assignment(NamedTuple):
    """A role assignment, and what the rules need to know of it."""

    resource: SynthesizedResource
    right: AllowedRight
    environment: str
    """The short name of the environment that the identity is for."""
    scope_owner: str
    """The short name of the environment that the scope belongs to; empty for what all share, `?` if it is not known."""


def read_assignments(stack: Stack) -> Iterator[Assignment]:
    """Yield every role assignment of a stack."""
    for resource in stack.find_resources("azurerm_role_assignment"):
        principal = resource.body["principal_id"]
        identity = stack.resolve(principal)
        job, environment = parse_identity_name(identity.body["name"]) if identity else (str(principal), "?")
        who = f"{SHARED} {job}" if environment == SHARED else job
        on, scope_owner = describe_scope(stack, resource)
        yield Assignment(resource, AllowedRight(who, name_role(stack, resource), on), environment, scope_owner)


def parse_identity_name(name: str) -> tuple[str, str]:
    """Return `apply` and `prod` of `id-augeo-apply-prod-eus2`: what an identity is for, and its environment."""
    parts = name.split("-")
    return (parts[-3], parts[-2]) if len(parts) >= 4 else (name, "?")


def name_role(stack: Stack, assignment: SynthesizedResource) -> str:
    """Return the name of an assigned role: a built-in one, `custom NAME`, or its id if it is neither."""
    definition = str(get_value(assignment.body, "role_definition_id"))
    custom = stack.resolve(definition)
    if custom and custom.type == "azurerm_role_definition":
        return f"custom {str(custom.body['name']).rpartition(' ')[2]}"
    return BUILT_IN.get(definition.rpartition("/")[2], definition)


def describe_scope(stack: Stack, assignment: SynthesizedResource) -> tuple[str, str]:
    """Return the kind of thing that a role is assigned on, and the short name of the environment that owns it."""
    scope = str(assignment.body["scope"])
    if "/Microsoft.ContainerRegistry/registries/" in scope:
        return "registry", ""
    target = stack.resolve(scope)
    if target is None:
        return ("subscription" if re.fullmatch("/subscriptions/[^/]+", scope) else scope), "?"
    name = str(target.body["name"])
    own = stack.environment.short_name if stack.environment else SHARED
    container_kind, _, container_environment = name.partition("-")  # tfstate-production
    container_owner = stack.platform.environments.get(container_environment)
    identity_job, identity_environment = parse_identity_name(name)
    return {
        "azurerm_container_registry": ("registry", ""),
        "azurerm_dns_zone": ("zone", own),
        "azurerm_key_vault": ("owner's key vault" if target.name == "db_key_vault" else "key vault", own),
        "azurerm_resource_group": ("resource group", name.split("-")[-2:][0]),  # rg-augeo-prod-eus2
        "azurerm_storage_container": (
            f"container {container_kind}",
            container_owner.short_name if container_owner else own,
        ),
        "azurerm_user_assigned_identity": (f"{identity_job} identity", identity_environment),
    }.get(target.type, (scope, "?"))


@rule("azurerm_role_assignment")
def rights_are_in_the_table(stack: Stack) -> Iterator[Violation]:
    """Every right that is assigned has a row in `ALLOWED`. Owner has none, and only apply is Contributor.

    So nobody gets a right that was not reviewed here. docs/design.md#decisions, "CI roles";
    https://learn.microsoft.com/azure/role-based-access-control/best-practices
    """
    for assignment in read_assignments(stack):
        if assignment.right not in ALLOWED:
            who, role, on = assignment.right
            expected = f"'{who}' must not be '{role}' on '{on}': see ALLOWED"
            yield Violation.of(assignment.resource, "role_definition_id", expected)
        if get_value(assignment.resource.body, "principal_type") != "ServicePrincipal":
            expected = 'must be "ServicePrincipal": people get rights elsewhere'
            yield Violation.of(assignment.resource, "principal_type", expected)


@rule("azurerm_role_assignment")
def environments_do_not_reach_each_other(stack: Stack) -> Iterator[Violation]:
    """The rights of an environment's identity end at what belongs to that environment.

    Somebody who breaks into dev's pipeline then has dev, and nothing of production. docs/design.md#decisions,
    "Ownership"; https://learn.microsoft.com/azure/role-based-access-control/scope-overview
    """
    for assignment in read_assignments(stack):
        if assignment.right.on not in COMMON and assignment.scope_owner != assignment.environment:
            expected = f"must belong to '{assignment.environment}', as the identity does"
            yield Violation.of(assignment.resource, "scope", expected)


@rule("azurerm_role_assignment")
def administrators_assign_only_what_the_code_assigns(stack: Stack) -> Iterator[Violation]:
    """The condition on an administrator's right names exactly the roles that its environment's stack assigns.

    With one role more, the administrator could give itself further rights. With one less, the apply fails. Both sides
    are read from the synthesized JSON.
    https://learn.microsoft.com/azure/role-based-access-control/delegate-role-assignments-examples
    """
    for assignment in read_assignments(stack):
        condition = str(get_value(assignment.resource.body, "condition") or "")
        if assignment.right.role == ADMINISTRATOR:
            yield from _check_condition(stack, assignment, condition)
        elif condition:
            expected = "must be absent: only an administrator's right has one"
            yield Violation.of(assignment.resource, "condition", expected)


def _check_condition(stack: Stack, assignment: Assignment, condition: str) -> Iterator[Violation]:
    """Yield what is wrong with the condition on an administrator's right."""
    names = {environment.short_name: name for name, environment in stack.platform.environments.items()}
    name = names.get(assignment.environment, "")
    own_stack = Stack(name, stack.bodies.get(name, {}), stack.platform, stack.bodies)
    role_ids = {str(own.resource.body["role_definition_id"]).rpartition("/")[2] for own in read_assignments(own_stack)}
    for source, action in CLAUSES:
        clause = re.search(
            rf"ActionMatches{{'Microsoft.Authorization/roleAssignments/{action}'}}.*?"
            rf"@{source}\[[^]]*RoleDefinitionId\] ForAnyOfAnyValues:GuidEquals {{([^}}]*)}} AND "
            rf"@{source}\[[^]]*PrincipalType\] ForAnyOfAnyValues:StringEqualsIgnoreCase {{'ServicePrincipal'}}",
            condition,
        )
        if clause is None or set(re.split(r",\s*", clause[1])) != role_ids:
            roles = sorted(BUILT_IN.get(role_id, role_id) for role_id in role_ids)
            expected = f"must let it {action} {roles} for service principals alone"
            yield Violation.of(assignment.resource, "condition", expected)
    if condition and get_value(assignment.resource.body, "condition_version") != "2.0":
        yield Violation.of(assignment.resource, "condition_version", 'must be "2.0"')


@rule("azurerm_role_definition")
def custom_roles_are_narrow(stack: Stack) -> Iterator[Violation]:
    """A custom role names each of its actions. `*/read` is the only wildcard, because a plan reads every type there is.

    It has no data actions, so that no custom role reads secrets or blobs, and it cannot change rights.
    https://learn.microsoft.com/azure/role-based-access-control/custom-roles
    """
    subscription = f"/subscriptions/{stack.platform.shared.account.subscription_id}"
    for role in stack.find_resources("azurerm_role_definition"):
        if get_value(role.body, "assignable_scopes") != [subscription]:
            yield Violation.of(role, "assignable_scopes", f'must be ["{subscription}"]')
        for index, action in enumerate(map(str, get_list(role.body, "permissions.actions"))):
            if "*" in action and action != "*/read":
                yield Violation.of(role, f"permissions.actions.{index}", "must be written out, without a wildcard")
            if action.lower().startswith("microsoft.authorization/") and not action.endswith("/read"):
                yield Violation.of(role, f"permissions.actions.{index}", "must not change rights")
        for index, _ in enumerate(get_list(role.body, "permissions.data_actions")):
            yield Violation.of(role, f"permissions.data_actions.{index}", "must be absent")


@rule("azurerm_federated_identity_credential")
def only_this_repository_is_trusted(stack: Stack) -> Iterator[Violation]:
    """A federated credential trusts this repository, and the one GitHub environment that its identity's jobs run in.

    Entra accepts any token whose subject matches. The GitHub environment's own rules, its reviewers and branches,
    decide who gets such a token. docs/adr/0016-github-environments.md;
    https://docs.github.com/actions/concepts/security/openid-connect
    """
    repository = stack.platform.shared.account.github_subject
    names = {environment.short_name: name for name, environment in stack.platform.environments.items()}
    for credential in stack.find_resources("azurerm_federated_identity_credential"):
        identity = stack.resolve(credential.body["user_assigned_identity_id"])
        job, short_name = parse_identity_name(str(identity.body["name"])) if identity else ("?", "?")
        name = names.get(short_name, short_name)
        subject = f"{repository}:environment:{name if job == 'apply' else f'{name}-{job}'}"
        if credential.body["subject"] != subject:
            yield Violation.of(credential, "subject", f"must be {subject}")
        if credential.body["issuer"] != ISSUER:
            yield Violation.of(credential, "issuer", f"must be {ISSUER}")
        if credential.body["audience"] != [AUDIENCE]:
            yield Violation.of(credential, "audience", f'must be ["{AUDIENCE}"]')
