"""Blob storage: no keys, nothing lost at once, evidence that nobody can change."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import all_of, built, environment, only
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(environment, "dev"),
    "production": partial(environment, "production"),
    "disposable": partial(environment, "dev", disposable=True),
}
ACCOUNT = "azurerm_storage_account"
IMMUTABILITY = "azurerm_storage_container_immutability_policy"


@cache
def storage(variant: str) -> TerraformJson:
    return built("storage", lambda near: near.storage, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert storage(variant) == snapshot


@pytest.mark.parametrize("variant", VARIANTS)
def test_accounts_have_no_keys(variant: str) -> None:
    """Guards against access that Entra does not see: shared keys, anonymous reads, local users."""
    accounts = all_of(storage(variant), ACCOUNT)
    assert set(accounts) == {"uploads_storage", "evidence_storage"}
    for account in accounts.values():
        assert account["shared_access_key_enabled"] is False
        assert account["allow_nested_items_to_be_public"] is False
        assert account["local_user_enabled"] is False


def test_uploads_let_the_app_subnet_in_alone() -> None:
    """Guards against uploads that answer the internet; evidence must answer CI, which is outside the network."""
    accounts = all_of(storage("minimal"), ACCOUNT)
    assert accounts["uploads_storage"]["network_rules"]["default_action"] == "Deny"
    assert accounts["uploads_storage"]["network_rules"]["virtual_network_subnet_ids"] == [
        "${azurerm_subnet.network/app-subnet.id}"
    ]
    assert "network_rules" not in accounts["evidence_storage"], "azurerm never reads Azure's own default, Allow, back"


def test_evidence_is_locked_where_it_must_last() -> None:
    """Guards against evidence that could be changed, and against a rehearsal whose account could never be deleted."""
    assert only(storage("production"), IMMUTABILITY)["locked"] is True
    assert only(storage("minimal"), IMMUTABILITY)["locked"] is True
    assert only(storage("disposable"), IMMUTABILITY)["locked"] is False


def test_containers_are_made_through_resource_manager() -> None:
    """Guards against `storage_account_name`, which asks the data plane: runners cannot reach it."""
    containers = all_of(storage("minimal"), "azurerm_storage_container")
    assert {each["name"] for each in containers.values()} == {"uploads", "backups", "evidence"}
    for each in containers.values():
        assert each["storage_account_id"].startswith("${azurerm_storage_account.")
        assert "storage_account_name" not in each


def test_rights_end_at_a_container() -> None:
    """Guards against an API that could write evidence, or a delivery that could read uploads."""
    api = "${data.azurerm_user_assigned_identity.api-identity.principal_id}"
    delivery = "${data.azurerm_user_assigned_identity.delivery-identity.principal_id}"
    grants = all_of(storage("minimal"), "azurerm_role_assignment").values()
    assert {each["principal_id"]: each["scope"] for each in grants} == {
        api: "${azurerm_storage_container.uploads_container.id}",
        delivery: "${azurerm_storage_container.evidence_container.id}",
    }


def test_lifecycle_rules_touch_their_own_prefix() -> None:
    """Guards against a rule for old backups that deletes uploads."""
    rules = {rule["name"]: rule for rule in only(storage("minimal"), "azurerm_storage_management_policy")["rule"]}
    assert rules["forget-old-backups"]["filters"]["prefix_match"] == ["backups/"]
    assert "base_blob" not in rules["forget-old-versions"]["actions"]
    deleting = [name for name, rule in rules.items() if "delete_after" in str(rule["actions"].get("base_blob", ""))]
    assert deleting == ["forget-old-backups"]
