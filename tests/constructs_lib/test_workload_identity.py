"""The identities that the API and the jobs run as, which the shared stack creates."""

from functools import cache

import pytest
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from syrupy.assertion import SnapshotAssertion

from constructs_lib.place import AzureStack, Place
from constructs_lib.registry import Registry
from constructs_lib.workload_identity import WorkloadIdentity
from tests.constructs_lib.neighbours import find_one, synthesize_in_shared
from tests.support import TerraformJson, load_platform, synthesize_application

VARIANTS = {"minimal": "dev"}


@cache
def synthesize_identity(environment: str) -> TerraformJson:
    def make(stack: AzureStack, workspace: LogAnalyticsWorkspace) -> None:
        registry = Registry(stack, "registry", settings=load_platform().shared.registry, workspace=workspace).registry
        target = Place.of_environment(load_platform().environments[environment], load_platform())
        WorkloadIdentity(stack, "dev-api", role="api", target=target, registry=registry)

    return synthesize_in_shared("dev-api", make)


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_identity(VARIANTS[variant]) == snapshot


def test_it_belongs_to_the_environment_and_may_only_pull_images() -> None:
    """Guards against an API that could push images, and against an identity that its environment does not find."""
    body = synthesize_identity("dev")
    identity = find_one(body, "azurerm_user_assigned_identity")
    assert (identity["name"], identity["resource_group_name"]) == ("id-augeo-api-dev-eus2", "rg-augeo-dev-eus2")
    right = find_one(body, "azurerm_role_assignment")
    assert right["scope"] == "${azurerm_container_registry.registry.id}"
    # AcrPull: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/containers
    assert right["role_definition_id"].endswith("/7f951dda-4ed3-4680-a7ca-43fe172d538d")


@pytest.mark.parametrize("environment", ["dev", "staging", "production"])
def test_environment_finds_the_identities_that_the_shared_stack_makes(environment: str) -> None:
    """Guards against a name or group that the two stacks compose differently: the environment's plan would fail."""
    shared, stack = synthesize_application()["shared"]["resource"], synthesize_application()[environment]
    groups = {
        f"${{azurerm_resource_group.{id_}.name}}": group["name"]
        for id_, group in shared["azurerm_resource_group"].items()
    }
    created = {
        (identity["name"], groups[identity["resource_group_name"]])
        for identity in shared["azurerm_user_assigned_identity"].values()
    }
    looked_up = {
        (identity["name"], identity["resource_group_name"])
        for identity in stack["data"]["azurerm_user_assigned_identity"].values()
    }
    assert len(looked_up) == 3
    assert looked_up <= created
