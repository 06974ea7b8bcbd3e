"""Where Terraform state is stored."""

from dataclasses import replace
from functools import cache

import pytest
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from syrupy.assertion import SnapshotAssertion

from constructs_lib.place import AzureStack, Place
from constructs_lib.state_backend import StateBackend
from tests.constructs_lib.neighbours import find_all, find_one, synthesize_in_shared
from tests.support import TerraformJson, load_platform

VARIANTS = {"minimal": ["shared"], "environments": ["shared", "dev", "production"], "disposable": ["shared", "dev"]}


@cache
def synthesize_state_backend(variant: str) -> TerraformJson:
    def make(stack: AzureStack, workspace: LogAnalyticsWorkspace) -> None:
        place = Place.of_shared(load_platform())
        disposable = replace(place, disposable=variant == "disposable")
        stacks = {name: place if name == "shared" else disposable for name in VARIANTS[variant]}
        StateBackend(stack, "state", settings=load_platform().shared.state, stacks=stacks, workspace=workspace)

    return synthesize_in_shared("state", make)


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_state_backend(variant) == snapshot


def test_rights_can_end_at_one_stack_s_state() -> None:
    """Guards against two stacks in one container: a right to one state would be a right to both."""
    containers = find_all(synthesize_state_backend("environments"), "azurerm_storage_container")
    assert sorted(container["name"] for container in containers.values()) == [
        "plans-dev",
        "plans-production",
        "plans-shared",
        "tfstate-dev",
        "tfstate-production",
        "tfstate-shared",
    ]
    assert all(container["lifecycle"]["prevent_destroy"] for container in containers.values())


def test_overwritten_state_can_be_restored() -> None:
    """Guards against the loss of the state, without which Terraform knows nothing of the platform."""
    account = find_one(synthesize_state_backend("minimal"), "azurerm_storage_account")
    assert account["blob_properties"]["versioning_enabled"] is True
    assert account["blob_properties"]["delete_retention_policy"]["days"] == 90
    assert account["account_replication_type"] == "GZRS"
    assert find_one(synthesize_state_backend("minimal"), "azurerm_management_lock")["lock_level"] == "CanNotDelete"


def test_only_plans_are_deleted() -> None:
    """Guards against a lifecycle rule that deletes state."""
    rules = find_one(synthesize_state_backend("environments"), "azurerm_storage_management_policy")["rule"]
    deleting = [rule for rule in rules if "base_blob" in rule["actions"]]
    prefixes = [prefix for rule in deleting for prefix in rule["filters"]["prefix_match"]]
    assert prefixes == ["plans-shared/", "plans-dev/", "plans-production/"]


def test_a_disposable_environment_s_containers_may_be_deleted() -> None:
    """Guards against a shared stack that can never remove a disposable environment."""
    containers = find_all(synthesize_state_backend("disposable"), "azurerm_storage_container")
    kept = {container["name"] for container in containers.values() if container["lifecycle"]["prevent_destroy"]}
    assert kept == {"tfstate-shared", "plans-shared"}
