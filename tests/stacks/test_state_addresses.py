"""The addresses of data in the state. A resource with a new address is a new resource: Terraform would create it empty.

This list is written by hand on purpose. Code that moves between constructs must not change it.
"""

import pytest

from tests.support import resources

SHARED = {
    "azurerm_container_registry.registry",
    "azurerm_dns_zone.dev_zone",
    "azurerm_dns_zone.parent_zone",
    "azurerm_dns_zone.production_zone",
    "azurerm_dns_zone.staging_zone",
    "azurerm_log_analytics_workspace.log_workspace",
    "azurerm_resource_group.dev_resource_group",
    "azurerm_resource_group.production_resource_group",
    "azurerm_resource_group.shared_resource_group",
    "azurerm_resource_group.staging_resource_group",
    "azurerm_storage_account.state_storage",
    "azurerm_storage_container.plans_dev_container",
    "azurerm_storage_container.plans_production_container",
    "azurerm_storage_container.plans_shared_container",
    "azurerm_storage_container.plans_staging_container",
    "azurerm_storage_container.tfstate_dev_container",
    "azurerm_storage_container.tfstate_production_container",
    "azurerm_storage_container.tfstate_shared_container",
    "azurerm_storage_container.tfstate_staging_container",
}
ENVIRONMENT = {
    "azurerm_communication_service.communication_service",
    "azurerm_email_communication_service.email_service",
    "azurerm_email_communication_service_domain.email_domain",
    "azurerm_key_vault.db_key_vault",
    "azurerm_key_vault.key_vault",
    "azurerm_log_analytics_workspace.log_workspace",
    "azurerm_managed_redis.cache",
    "azurerm_postgresql_flexible_server.database_server",
    "azurerm_postgresql_flexible_server_database.database",
    "azurerm_static_web_app.static_site",
    "azurerm_storage_account.evidence_storage",
    "azurerm_storage_account.uploads_storage",
    "azurerm_storage_container.backups_container",
    "azurerm_storage_container.evidence_container",
    "azurerm_storage_container.uploads_container",
}
ADDRESSES = {"shared": SHARED, "dev": ENVIRONMENT, "staging": ENVIRONMENT, "production": ENVIRONMENT}


@pytest.mark.parametrize("stack", ADDRESSES)
def test_data_keeps_its_address(stack: str) -> None:
    """Guards against a rename, or a move without `protect()`. A plan would destroy the resource and create another."""
    protected = {
        f"{resource.type}.{resource.name}"
        for resource in resources()
        if resource.stack == stack and resource.body.get("lifecycle", {}).get("prevent_destroy")
    }
    lost, unlisted = sorted(ADDRESSES[stack] - protected), sorted(protected - ADDRESSES[stack])
    assert not lost, (
        f"{stack}: {lost} would be RECREATED, and the data in it lost: its address in the state or its prevent_destroy "
        f"is gone. Give it back with protect(), or write a `moved` block; new addresses here: {unlisted}"
    )
    assert not unlisted, f"{stack}: {unlisted} holds data: list it here, so that its address can no longer change"
