"""The vault: closed to others, protected from deletion, and without secrets that Terraform knows."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.key_vault import KeyVault
from tests.constructs_lib.neighbours import Neighbours, find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(make_environment, "dev", alerts={"teams": False}),
    "read-by-teams": partial(make_environment, "dev", alerts={"teams": True}),
    "disposable": partial(make_environment, "dev", alerts={"teams": False}, disposable=True),
}
VAULT = "azurerm_key_vault"


@cache
def synthesize_key_vault(variant: str) -> TerraformJson:
    def make(neighbours: Neighbours) -> KeyVault:
        if not neighbours.settings.alerts.teams:
            return neighbours.key_vault
        return KeyVault(
            neighbours.stack,
            "key-vault",
            settings=neighbours.settings.key_vault,
            subnets=neighbours.network.code_subnet_ids,
            readers={"api": neighbours.identity, "teams": neighbours.teams.identity},
            admitted_addresses=neighbours.teams.workflow.workflow_outbound_ip_addresses,
            workspace=neighbours.workspace,
        )

    return synthesize_construct("key-vault", make, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_key_vault(variant) == snapshot


def test_subnets_of_our_code_alone_get_in() -> None:
    """Guards against a vault that is reachable from the Internet."""
    rules = find_one(synthesize_key_vault("minimal"), VAULT)["network_acls"]
    assert rules["default_action"] == "Deny"
    assert rules["virtual_network_subnet_ids"] == [
        f"${{azurerm_subnet_network_security_group_association.network/{role}-nsg-association.subnet_id}}"
        for role in ("app", "jobs")
    ]
    assert "ip_rules" not in rules


@pytest.mark.parametrize("variant", VARIANTS)
def test_what_is_deleted_can_be_recovered(variant: str) -> None:
    """Guards against a vault without purge protection, whose deleted secrets could be purged at once."""
    vault = find_one(synthesize_key_vault(variant), VAULT)
    assert vault["purge_protection_enabled"] is True
    assert vault["rbac_authorization_enabled"] is True


@pytest.mark.parametrize("variant", VARIANTS)
def test_terraform_touches_no_secret(variant: str) -> None:
    """Guards against a secret in a plan or in the state."""
    assert not [type_ for type_ in synthesize_key_vault(variant)["resource"] if type_.startswith("azurerm_key_vault_")]


def test_readers_read_and_no_more() -> None:
    """Guards against a reader that could write secrets, or read them outside of this vault."""
    grants = find_all(synthesize_key_vault("read-by-teams"), "azurerm_role_assignment")
    assert set(grants) == {"key-vault/api-reads-secrets", "key-vault/teams-reads-secrets"}
    # Key Vault Secrets User: https://learn.microsoft.com/azure/role-based-access-control/built-in-roles/security
    role = "4633458b-17de-408a-b874-0445c86b69e6"
    assert all(assignment["role_definition_id"].endswith(f"/{role}") for assignment in grants.values())
    assert {assignment["scope"] for assignment in grants.values()} == {"${azurerm_key_vault.key_vault.id}"}
