"""The container registry."""

from functools import cache

import pytest
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from syrupy.assertion import SnapshotAssertion

from constructs_lib.place import AzureStack
from constructs_lib.registry import Registry
from environments.settings import RegistrySettings
from tests.constructs_lib.neighbours import find_one, synthesize_in_shared
from tests.support import TerraformJson

VARIANTS = {"minimal": {"sku": "Basic"}, "standard": {"sku": "Standard"}}


@cache
def synthesize_registry(variant: str) -> TerraformJson:
    def make(stack: AzureStack, workspace: LogAnalyticsWorkspace) -> None:
        settings = RegistrySettings.model_validate(VARIANTS[variant])
        Registry(stack, "registry", settings=settings, workspace=workspace)

    return synthesize_in_shared("registry", make)


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_registry(variant) == snapshot


def test_only_entra_identities_log_in() -> None:
    """Guards against the admin user, whose password azurerm writes into the state, and against anonymous pulls."""
    body = find_one(synthesize_registry("minimal"), "azurerm_container_registry")
    assert body["admin_enabled"] is False
    assert body["anonymous_pull_enabled"] is False
