"""The identities that GitHub Actions may log in as, and what they may do in Azure."""

import re
from collections.abc import Iterable
from functools import cache

import pytest
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from syrupy.assertion import SnapshotAssertion

from constructs_lib.ci_identity import CiRoles, EnvironmentCi, SharedCi, restrict_to_roles
from constructs_lib.place import AzureStack, Place
from constructs_lib.registry import Registry
from constructs_lib.roles import ROLE_IDS
from constructs_lib.state_backend import StateBackend
from tests.constructs_lib.neighbours import find_all, synthesize_in_shared
from tests.support import TerraformJson, load_platform

VARIANTS = ("ci-roles", "shared-ci", "dev-ci")


@cache
def synthesize_ci(construct: str) -> TerraformJson:
    def make(stack: AzureStack, workspace: LogAnalyticsWorkspace) -> None:
        shared = load_platform().shared
        state = StateBackend(
            stack,
            "state",
            settings=shared.state,
            stacks=dict.fromkeys(["shared", "dev"], stack.place),
            workspace=workspace,
        )
        registry = Registry(stack, "registry", settings=shared.registry, workspace=workspace).registry
        group = ResourceGroup(stack, "group", name="rg-test", location="eastus2")
        roles = CiRoles(stack, "ci-roles")
        SharedCi(
            stack,
            "shared-ci",
            group=group,
            state=state.states["shared"],
            plans=state.plans["shared"],
            registry=registry,
            roles=roles,
        )
        EnvironmentCi(
            stack,
            "dev-ci",
            name="dev",
            target=Place.of_environment(load_platform().environments["dev"], load_platform()),
            group=group,
            state=state.states["dev"],
            plans=state.plans["dev"],
            registry=registry,
            roles=roles,
        )

    return synthesize_in_shared(construct, make)


def find_rights(job: str, body: TerraformJson) -> Iterable[TerraformJson]:
    """Return the role assignments of one job's identity."""
    prefix = f"dev-ci/{job}/"
    return (
        assignment for id_, assignment in find_all(body, "azurerm_role_assignment").items() if id_.startswith(prefix)
    )


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_ci(variant) == snapshot


def test_each_job_is_trusted_in_its_own_github_environment() -> None:
    """Guards against a pull request, from anybody, that logs in as the identity that applies."""
    credentials = find_all(synthesize_ci("dev-ci"), "azurerm_federated_identity_credential")
    assert {id_.split("/")[1]: credential["subject"] for id_, credential in credentials.items()} == {
        "plan": "repo:augeo/platform:environment:dev-plan",
        "apply": "repo:augeo/platform:environment:dev",
        "delivery": "repo:augeo/platform:environment:dev-delivery",
    }
    for credential in credentials.values():
        assert credential["issuer"] == "https://token.actions.githubusercontent.com"
        # azurerm 4.81 has renamed the first argument and deprecated the second.
        assert credential.keys().isdisjoint({"parent_id", "resource_group_name"})


def test_only_builds_push_images() -> None:
    """Guards against an environment that lets a tag point to another image."""
    pushing = [
        id_
        for construct in ("dev-ci", "shared-ci")
        for id_, assignment in find_all(synthesize_ci(construct), "azurerm_role_assignment").items()
        if assignment["role_definition_id"].endswith(ROLE_IDS["AcrPush"])
    ]
    assert pushing == ["shared-ci/build/pushes-images"]


def test_plans_cannot_write_state() -> None:
    """Guards against a plan, which any branch may run, that overwrites the state."""
    state = "${azurerm_storage_container.tfstate_dev_container.id}"
    (right,) = (
        assignment for assignment in find_rights("plan", synthesize_ci("dev-ci")) if assignment["scope"] == state
    )
    assert right["role_definition_id"].endswith(ROLE_IDS["Storage Blob Data Reader"])


def test_a_right_to_grant_is_limited_to_named_roles() -> None:
    """Guards against an apply that makes itself Owner, which the built-in role without a condition allows."""
    grantors = [
        assignment
        for assignment in find_all(synthesize_ci("dev-ci"), "azurerm_role_assignment").values()
        if assignment["role_definition_id"].endswith(ROLE_IDS["Role Based Access Control Administrator"])
    ]
    assert len(grantors) == 1
    assert grantors[0]["condition_version"] == "2.0"
    allowed = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", grantors[0]["condition"]))
    assert allowed == {ROLE_IDS["Key Vault Secrets User"], ROLE_IDS["Storage Blob Data Contributor"]}


def test_condition_covers_granting_and_removing() -> None:
    """Guards against a condition that covers only one of them: removing a role can lock people out."""
    condition = restrict_to_roles(["AcrPull"])
    assert "ActionMatches{'Microsoft.Authorization/roleAssignments/write'}" in condition
    assert "ActionMatches{'Microsoft.Authorization/roleAssignments/delete'}" in condition
    assert condition.count(f"{{{ROLE_IDS['AcrPull']}}}") == 2
    assert condition.count("(") == condition.count(")")


def test_custom_roles_have_no_wildcard_and_never_change_rights() -> None:
    """Guards against a wildcard. Only the role for plans has one, for reading."""
    for id_, role in find_all(synthesize_ci("ci-roles"), "azurerm_role_definition").items():
        actions = [action for permission in role["permissions"] for action in permission["actions"]]
        assert [action for action in actions if "*" in action] == (["*/read"] if id_ == "ci-roles/plan" else [])
        assert not [action for action in actions if re.fullmatch(r"Microsoft\.Authorization/.*(write|delete)", action)]
