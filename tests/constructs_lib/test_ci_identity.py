"""Whom GitHub Actions may be in Azure, and what it may do there."""

import re
from collections.abc import Iterable
from functools import cache

import pytest
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from syrupy.assertion import SnapshotAssertion

from constructs_lib.ci_identity import CiRoles, EnvironmentCi, SharedCi, restrict_to_roles
from constructs_lib.dns import add_dns_zone
from constructs_lib.place import AzureStack, Capability, Place
from constructs_lib.registry import Registry
from constructs_lib.roles import ROLE_IDS
from constructs_lib.state_backend import StateBackend
from tests.constructs_lib.neighbours import all_of, built_shared
from tests.support import TerraformJson, platform

VARIANTS = ("ci-roles", "shared-ci", "dev-ci")


@cache
def ci(construct: str) -> TerraformJson:
    def make(stack: AzureStack, workspace: LogAnalyticsWorkspace) -> None:
        shared = platform().shared
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
            stack, "shared-ci", group=group, state=state.states["shared"], plans=state.plans["shared"], roles=roles
        )
        EnvironmentCi(
            stack,
            "dev-ci",
            name="dev",
            target=Place.of_environment(platform().environments["dev"], platform()),
            group=group,
            state=state.states["dev"],
            plans=state.plans["dev"],
            registry=registry,
            parent_zone=add_dns_zone(Capability(stack, "dns"), "zone", "augeo.example", "parent_zone"),
            roles=roles,
        )

    return built_shared(construct, make)


def rights(job: str, body: TerraformJson) -> Iterable[TerraformJson]:
    """The role assignments of one job's identity."""
    of_job = f"dev-ci/{job}/"
    return (each for id_, each in all_of(body, "azurerm_role_assignment").items() if id_.startswith(of_job))


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert ci(variant) == snapshot


def test_each_job_is_trusted_in_its_own_github_environment() -> None:
    """Guards against a pull request of anybody's that logs in as the identity that applies."""
    credentials = all_of(ci("dev-ci"), "azurerm_federated_identity_credential")
    assert {id_.split("/")[1]: each["subject"] for id_, each in credentials.items()} == {
        "plan": "repo:augeo/platform:environment:dev-plan",
        "apply": "repo:augeo/platform:environment:dev",
        "delivery": "repo:augeo/platform:environment:dev-delivery",
    }
    for each in credentials.values():
        assert each["issuer"] == "https://token.actions.githubusercontent.com"
        # azurerm 4.81 has renamed the first and deprecated the second.
        assert each.keys().isdisjoint({"parent_id", "resource_group_name"})


def test_plans_cannot_write_state() -> None:
    """Guards against a plan, which any branch may run, that replaces the state it reads."""
    state = "${azurerm_storage_container.tfstate_dev_container.id}"
    (right,) = (each for each in rights("plan", ci("dev-ci")) if each["scope"] == state)
    assert right["role_definition_id"].endswith(ROLE_IDS["Storage Blob Data Reader"])


def test_who_may_grant_may_grant_named_roles_only() -> None:
    """Guards against an apply that makes itself Owner: the built-in role alone allows that."""
    grantors = [
        each
        for each in all_of(ci("dev-ci"), "azurerm_role_assignment").values()
        if each["role_definition_id"].endswith(ROLE_IDS["Role Based Access Control Administrator"])
    ]
    assert len(grantors) == 1
    assert grantors[0]["condition_version"] == "2.0"
    allowed = set(re.findall(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", grantors[0]["condition"]))
    assert allowed == {ROLE_IDS["Key Vault Secrets User"], ROLE_IDS["Storage Blob Data Contributor"]}


def test_condition_covers_granting_and_removing() -> None:
    """Guards against a condition on one of the two: removing a role can lock people out."""
    condition = restrict_to_roles(["AcrPull"])
    assert "ActionMatches{'Microsoft.Authorization/roleAssignments/write'}" in condition
    assert "ActionMatches{'Microsoft.Authorization/roleAssignments/delete'}" in condition
    assert condition.count(f"{{{ROLE_IDS['AcrPull']}}}") == 2
    assert condition.count("(") == condition.count(")")


def test_own_roles_read_or_deliver_and_never_touch_rights() -> None:
    """Guards against a wildcard: only the plan's role has one, for reading."""
    for id_, role in all_of(ci("ci-roles"), "azurerm_role_definition").items():
        actions = [action for permission in role["permissions"] for action in permission["actions"]]
        assert [action for action in actions if "*" in action] == (["*/read"] if id_ == "ci-roles/plan" else [])
        assert not [action for action in actions if re.fullmatch(r"Microsoft\.Authorization/.*(write|delete)", action)]
