"""docs/contracts/ci-identity.md: who can read and write what is worth protecting, computed from role assignments."""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import NamedTuple

from constructs_lib.roles import ROLE_IDS, Role
from tools.pages.markdown_table import render_table_block
from tools.pages.stacks import SynthesizedResource, TerraformJson, walk_resources

JOBS = ("plan", "apply", "delivery", "api", "build")
"""What an identity of production, or of what it shares, is for."""
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
ACTIONS: Mapping[Role, Sequence[str]] = {
    "AcrPull": ["Microsoft.ContainerRegistry/registries/pull/read"],
    "AcrPush": ["Microsoft.ContainerRegistry/registries/p*"],
    "Contributor": ["*"],
    "Locks Contributor": ["Microsoft.Authorization/locks/*"],
    "Reader": ["*/read"],
    "Role Based Access Control Administrator": ["Microsoft.Authorization/roleAssignments/*", "*/read"],
}
DATA_ACTIONS: Mapping[Role, Sequence[str]] = {
    "Key Vault Secrets User": ["Microsoft.KeyVault/vaults/secrets/getSecret/action"],
    "Storage Blob Data Contributor": [f"{BLOBS}/*"],
    "Storage Blob Data Reader": [f"{BLOBS}/read"],
}
"""What the built-in roles allow, as far as SENSITIVE asks for it, on resources and on what is in them.

https://learn.microsoft.com/azure/role-based-access-control/built-in-roles
"""


class Sensitive(NamedTuple):
    """Something that not everybody may read or write, and the operations that do it."""

    what: str
    scope: str
    """A pattern for the scopes of role assignments that cover it."""
    reads: str
    writes: str
    data: bool = False
    """Whether reading is an operation on data. A role such as Contributor does not cover those."""
    writes_data: bool = False


def _in_group(what: str, reads: str, writes: str) -> Sensitive:
    return Sensitive(what, r"azurerm_resource_group\.production_", reads, writes)


def _in_container(what: str, name: str) -> Sensitive:
    return Sensitive(what, rf"container\.{name}", f"{BLOBS}/read", f"{BLOBS}/write", data=True, writes_data=True)


CACHE, SITE = "Microsoft.Cache/redisEnterprise/databases", "Microsoft.Web/staticSites"
MAIL, LOGS = "Microsoft.Communication/communicationServices", "Microsoft.OperationalInsights/workspaces"
REGISTRY, APP = "Microsoft.ContainerRegistry/registries", "Microsoft.Web/sites/config"
VAULT, FLOWS = "Microsoft.KeyVault/vaults/secrets", "Microsoft.Logic/workflows"
SENSITIVE = (
    _in_container("state, with its secrets in clear text", "tfstate_production"),
    _in_container("plan files, with the same secrets", "plans_production"),
    Sensitive(
        "secrets in Key Vault",
        r"azurerm_key_vault\.|resource_group\.production_",
        f"{VAULT}/getSecret/action",
        f"{VAULT}/write",
        data=True,
    ),
    _in_group("keys of Redis", f"{CACHE}/listKeys/action", f"{CACHE}/regenerateKey/action"),
    _in_group("connection string that sends mail", f"{MAIL}/listKeys/action", f"{MAIL}/regenerateKey/action"),
    _in_group("token that uploads the admin site", f"{SITE}/listSecrets/action", f"{SITE}/resetapikey/action"),
    _in_group("keys that write logs", f"{LOGS}/sharedKeys/action", f"{LOGS}/regenerateSharedKey/action"),
    _in_group(
        "address that starts the Logic App",
        f"{FLOWS}/triggers/listCallbackUrl/action",
        f"{FLOWS}/regenerateAccessKey/action",
    ),
    _in_group("the API's settings, with references in place of secrets", f"{APP}/list/action", f"{APP}/write"),
    Sensitive("images", r"azurerm_container_registry\.", f"{REGISTRY}/pull/read", f"{REGISTRY}/push/write"),
    _in_container("uploads", "uploads_"),
    _in_container("evidence of deployments", "evidence_"),
)


def render_sensitive(shared: TerraformJson, production: TerraformJson) -> str:
    """Return a table with a row for each thing in SENSITIVE, and a column for each identity."""
    roles = {role.name: role.body for role in walk_resources({"": shared}) if role.type == "azurerm_role_definition"}
    assignments = list(_read_assignments(shared, production))
    rows: list[list[str]] = []
    for thing in SENSITIVE:
        cells = {job: list[str]() for job in JOBS}
        for job, assignment in assignments:
            if not re.search(thing.scope, str(assignment.body["scope"])):
                continue
            for verb, operation, data in (
                ("reads", thing.reads, thing.data),
                ("writes", thing.writes, thing.writes_data),
            ):
                if verb not in cells[job] and _allows(assignment, operation, roles, data=data):
                    cells[job].append(verb)
        rows.append([thing.what, *(", ".join(sorted(cells[job])) for job in JOBS)])
    return render_table_block(["", *JOBS], rows)


def _read_assignments(shared: TerraformJson, production: TerraformJson) -> Iterator[tuple[str, SynthesizedResource]]:
    """Yield the role assignments of the identities in JOBS, each with what its identity is for."""
    for resource in walk_resources({"shared": shared, "production": production}):
        if resource.type != "azurerm_role_assignment":
            continue
        principal = str(resource.body["principal_id"])
        # Such as production-ci_plan_identity_1A2B3C4D in shared, and data.….api-identity in the environment's stack.
        for job in JOBS:
            if re.search(rf"\.(production-(ci_)?|ci_)?{job}[-_]", principal):
                yield job, resource


def _allows(assignment: SynthesizedResource, operation: str, roles: Mapping[str, TerraformJson], *, data: bool) -> bool:
    """Return whether an assigned role allows an operation."""
    definition = str(assignment.body["role_definition_id"])
    guid = definition.rpartition("/")[2]
    name: Role | None = next((role for role, role_guid in ROLE_IDS.items() if role_guid == guid), None)
    patterns: Sequence[str] = ()
    if name:
        patterns = (DATA_ACTIONS if data else ACTIONS).get(name, ())
    elif not data:  # A custom role has no data actions.
        body = roles[definition.removeprefix("${").split(".")[1]]
        patterns = [action for permission in body["permissions"] for action in permission["actions"]]
    return any(fnmatchcase(operation.lower(), pattern.lower()) for pattern in patterns)
