"""Where Terraform state lives."""

from dataclasses import replace
from functools import cache

import pytest
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from syrupy.assertion import SnapshotAssertion

from constructs_lib.place import AzureStack, Place
from constructs_lib.state_backend import StateBackend
from tests.constructs_lib.neighbours import all_of, built_shared, only
from tests.support import TerraformJson, platform

VARIANTS = {"minimal": ["shared"], "environments": ["shared", "dev", "production"], "disposable": ["shared", "dev"]}


@cache
def state_backend(variant: str) -> TerraformJson:
    def make(stack: AzureStack, workspace: LogAnalyticsWorkspace) -> None:
        place = Place.of_shared(platform())
        disposable = replace(place, disposable=variant == "disposable")
        stacks = {name: place if name == "shared" else disposable for name in VARIANTS[variant]}
        StateBackend(stack, "state", settings=platform().shared.state, stacks=stacks, workspace=workspace)

    return built_shared("state", make)


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert state_backend(variant) == snapshot


def test_rights_can_end_at_one_stack_s_state() -> None:
    """Guards against two stacks in one container, so that a right to one state is one to both."""
    containers = all_of(state_backend("environments"), "azurerm_storage_container")
    assert sorted(each["name"] for each in containers.values()) == [
        "plans-dev",
        "plans-production",
        "plans-shared",
        "tfstate-dev",
        "tfstate-production",
        "tfstate-shared",
    ]
    assert all(each["lifecycle"]["prevent_destroy"] for each in containers.values())


def test_overwritten_state_can_come_back() -> None:
    """Guards against the one mistake that loses a whole platform."""
    account = only(state_backend("minimal"), "azurerm_storage_account")
    assert account["blob_properties"]["versioning_enabled"] is True
    assert account["blob_properties"]["delete_retention_policy"]["days"] == 90
    assert account["account_replication_type"] == "GZRS"
    assert only(state_backend("minimal"), "azurerm_management_lock")["lock_level"] == "CanNotDelete"


def test_only_plans_are_forgotten() -> None:
    """Guards against a lifecycle rule that deletes state."""
    rules = only(state_backend("environments"), "azurerm_storage_management_policy")["rule"]
    deleting = [rule for rule in rules if "base_blob" in rule["actions"]]
    prefixes = [prefix for rule in deleting for prefix in rule["filters"]["prefix_match"]]
    assert prefixes == ["plans-shared/", "plans-dev/", "plans-production/"]


def test_a_disposable_environment_s_containers_go_with_it() -> None:
    """Guards against a plan of shared that can never remove an environment that was meant to go."""
    containers = all_of(state_backend("disposable"), "azurerm_storage_container")
    kept = {each["name"] for each in containers.values() if each["lifecycle"]["prevent_destroy"]}
    assert kept == {"tfstate-shared", "plans-shared"}
