"""Whom the API runs as: made once, by the shared stack."""

from functools import cache

import pytest
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from syrupy.assertion import SnapshotAssertion

from constructs_lib.api_identity import ApiIdentity
from constructs_lib.place import AzureStack, Place
from constructs_lib.registry import Registry
from tests.constructs_lib.neighbours import built_shared, only
from tests.support import TerraformJson, platform, synthesized

VARIANTS = {"minimal": "dev"}


@cache
def api_identity(environment: str) -> TerraformJson:
    def make(stack: AzureStack, workspace: LogAnalyticsWorkspace) -> None:
        registry = Registry(stack, "registry", settings=platform().shared.registry, workspace=workspace).registry
        target = Place.of_environment(platform().environments[environment], platform())
        ApiIdentity(stack, "dev-api", target=target, registry=registry)

    return built_shared("dev-api", make)


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert api_identity(VARIANTS[variant]) == snapshot


def test_it_stands_in_the_environment_and_pulls_images_alone() -> None:
    """Guards against an API that could push, and against an identity that its environment does not find."""
    body = api_identity("dev")
    identity = only(body, "azurerm_user_assigned_identity")
    assert (identity["name"], identity["resource_group_name"]) == ("id-augeo-api-dev-eus2", "rg-augeo-dev-eus2")
    right = only(body, "azurerm_role_assignment")
    assert right["scope"] == "${azurerm_container_registry.registry.id}"
    # AcrPull: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/containers
    assert right["role_definition_id"].endswith("/7f951dda-4ed3-4680-a7ca-43fe172d538d")


@pytest.mark.parametrize("environment", ["dev", "staging", "production"])
def test_environment_finds_the_identities_that_the_shared_stack_makes(environment: str) -> None:
    """Guards against a name or a group that the two stacks spell differently: the environment's plan would fail."""
    shared, stack = synthesized()["shared"]["resource"], synthesized()[environment]
    groups = {
        f"${{azurerm_resource_group.{id_}.name}}": group["name"]
        for id_, group in shared["azurerm_resource_group"].items()
    }
    made = {
        (each["name"], groups[each["resource_group_name"]])
        for each in shared["azurerm_user_assigned_identity"].values()
    }
    looked_up = {
        (each["name"], each["resource_group_name"]) for each in stack["data"]["azurerm_user_assigned_identity"].values()
    }
    assert len(looked_up) == 2
    assert looked_up <= made
