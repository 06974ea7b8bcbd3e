"""Blob storage: no keys, deleted blobs can be restored, and nobody can change evidence."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(make_environment, "dev"),
    "production": partial(make_environment, "production"),
    "disposable": partial(make_environment, "dev", disposable=True),
}
ACCOUNT = "azurerm_storage_account"
IMMUTABILITY = "azurerm_storage_container_immutability_policy"


@cache
def synthesize_storage(variant: str) -> TerraformJson:
    return synthesize_construct("storage", lambda neighbours: neighbours.storage, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_storage(variant) == snapshot


@pytest.mark.parametrize("variant", VARIANTS)
def test_accounts_have_no_keys(variant: str) -> None:
    """Guards against access that Entra does not see: shared keys, anonymous reads, local users."""
    accounts = find_all(synthesize_storage(variant), ACCOUNT)
    assert set(accounts) == {"uploads_storage", "evidence_storage"}
    for account in accounts.values():
        assert account["shared_access_key_enabled"] is False
        assert account["allow_nested_items_to_be_public"] is False
        assert account["local_user_enabled"] is False


def test_uploads_admit_only_the_app_subnet() -> None:
    """Guards against uploads that the Internet can reach. Evidence must be reachable from CI, outside the network."""
    accounts = find_all(synthesize_storage("minimal"), ACCOUNT)
    assert accounts["uploads_storage"]["network_rules"]["default_action"] == "Deny"
    assert accounts["uploads_storage"]["network_rules"]["virtual_network_subnet_ids"] == [
        "${azurerm_subnet_network_security_group_association.network/app-nsg-association.subnet_id}"
    ]
    assert "network_rules" not in accounts["evidence_storage"], "azurerm never reads Azure's own default, Allow, back"


def test_evidence_is_locked_where_it_must_last() -> None:
    """Guards against evidence that can be changed, and against a rehearsal whose account can never be deleted."""
    assert find_one(synthesize_storage("production"), IMMUTABILITY)["locked"] is True
    assert find_one(synthesize_storage("minimal"), IMMUTABILITY)["locked"] is True
    assert find_one(synthesize_storage("disposable"), IMMUTABILITY)["locked"] is False


def test_containers_are_made_through_resource_manager() -> None:
    """Guards against `storage_account_name`, which uses the data plane: runners cannot reach it."""
    containers = find_all(synthesize_storage("minimal"), "azurerm_storage_container")
    assert {container["name"] for container in containers.values()} == {"uploads", "backups", "evidence"}
    for container in containers.values():
        assert container["storage_account_id"].startswith("${azurerm_storage_account.")
        assert "storage_account_name" not in container


def test_rights_end_at_a_container() -> None:
    """Guards against an API that can write evidence, and against a delivery that can read uploads."""
    api = "${data.azurerm_user_assigned_identity.api-identity.principal_id}"
    delivery = "${data.azurerm_user_assigned_identity.delivery-identity.principal_id}"
    grants = find_all(synthesize_storage("minimal"), "azurerm_role_assignment").values()
    assert {assignment["principal_id"]: assignment["scope"] for assignment in grants} == {
        api: "${azurerm_storage_container.uploads_container.id}",
        delivery: "${azurerm_storage_container.evidence_container.id}",
    }


def test_lifecycle_rules_touch_their_own_prefix() -> None:
    """Guards against a rule for old backups that deletes uploads."""
    rules = {
        rule["name"]: rule
        for rule in find_one(synthesize_storage("minimal"), "azurerm_storage_management_policy")["rule"]
    }
    assert rules["forget-old-backups"]["filters"]["prefix_match"] == ["backups/"]
    assert "base_blob" not in rules["forget-old-versions"]["actions"]
    deleting = [name for name, rule in rules.items() if "delete_after" in str(rule["actions"].get("base_blob", ""))]
    assert deleting == ["forget-old-backups"]
