"""The vault: closed, kept, and empty as far as Terraform knows."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.key_vault import KeyVault
from tests.constructs_lib.neighbours import Neighbours, all_of, built, environment, only
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(environment, "dev", alerts={"teams": False}),
    "read-by-teams": partial(environment, "dev", alerts={"teams": True}),
    "disposable": partial(environment, "dev", alerts={"teams": False}, disposable=True),
}
VAULT = "azurerm_key_vault"


@cache
def key_vault(variant: str) -> TerraformJson:
    def make(near: Neighbours) -> KeyVault:
        if not near.settings.alerts.teams:
            return near.key_vault
        return KeyVault(
            near.stack,
            "key-vault",
            settings=near.settings.key_vault,
            network=near.network,
            readers={"api": near.identity, "teams": near.teams.identity},
            admitted_addresses=near.teams.workflow.workflow_outbound_ip_addresses,
            workspace=near.workspace,
        )

    return built("key-vault", make, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert key_vault(variant) == snapshot


def test_app_subnet_alone_gets_in() -> None:
    """Guards against a vault that answers the internet."""
    rules = only(key_vault("minimal"), VAULT)["network_acls"]
    assert rules["default_action"] == "Deny"
    assert rules["virtual_network_subnet_ids"] == ["${azurerm_subnet.network/app-subnet.id}"]
    assert "ip_rules" not in rules


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_deleted_can_come_back(variant: str) -> None:
    """Guards against purge protection off: it can never be turned on too late, and never be turned off again."""
    vault = only(key_vault(variant), VAULT)
    assert vault["purge_protection_enabled"] is True
    assert vault["rbac_authorization_enabled"] is True


@pytest.mark.parametrize("variant", VARIANTS)
def test_terraform_touches_no_secret(variant: str) -> None:
    """Guards against a secret in plan or state."""
    assert not [type_ for type_ in key_vault(variant)["resource"] if type_.startswith("azurerm_key_vault_")]


def test_readers_read_and_no_more() -> None:
    """Guards against a reader that could write or list what is not its own."""
    grants = all_of(key_vault("read-by-teams"), "azurerm_role_assignment")
    assert set(grants) == {"key-vault/api-reads-secrets", "key-vault/teams-reads-secrets"}
    # Key Vault Secrets User: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security
    role = "4633458b-17de-408a-b874-0445c86b69e6"
    assert all(each["role_definition_id"].endswith(f"/{role}") for each in grants.values())
    assert {each["scope"] for each in grants.values()} == {"${azurerm_key_vault.key_vault.id}"}
