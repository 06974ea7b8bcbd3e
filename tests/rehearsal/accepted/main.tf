# What the provider's own acceptance tests configure and the stacks do not: the smallest case of each.
# With `changed`, everything that can be changed in place is, and every tag goes and another comes.

terraform {
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "4.81.0" }
  }
}

provider "azurerm" {
  resource_provider_registrations = "none"
  features {
    storage {
      data_plane_available = false
    }
    key_vault {
      purge_soft_delete_on_destroy = true
    }
  }
}

variable "changed" {
  type    = bool
  default = false
}

locals {
  tags = var.changed ? { after = "1" } : { before = "1" }
}

data "azurerm_subscription" "this" {}

data "azurerm_client_config" "this" {}

data "azurerm_role_definition" "reader" {
  name  = "Reader"
  scope = data.azurerm_subscription.this.id
}

resource "azurerm_resource_group" "this" {
  name     = "accepted"
  location = "eastus2"
  tags     = local.tags
}

resource "azurerm_storage_account" "this" {
  name                     = "acceptedaccount"
  resource_group_name      = azurerm_resource_group.this.name
  location                 = azurerm_resource_group.this.location
  account_tier             = "Standard"
  account_replication_type = var.changed ? "GRS" : "LRS"
  tags                     = local.tags

  share_properties {
    retention_policy {
      days = var.changed ? 14 : 7
    }
    smb {
      versions = ["SMB3.1.1"]
    }
  }

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_storage_account" "blobs" {
  name                     = "acceptedblobs"
  resource_group_name      = azurerm_resource_group.this.name
  location                 = azurerm_resource_group.this.location
  account_kind             = "BlobStorage"
  account_tier             = "Standard"
  account_replication_type = "LRS"
  access_tier              = var.changed ? "Cool" : "Hot"
  tags                     = local.tags
}

resource "azurerm_storage_account" "premium" {
  for_each                 = toset(["FileStorage", "BlockBlobStorage"])
  name                     = "accepted${lower(each.key)}"
  resource_group_name      = azurerm_resource_group.this.name
  location                 = azurerm_resource_group.this.location
  account_kind             = each.key
  account_tier             = "Premium"
  account_replication_type = "LRS"
  tags                     = local.tags
}

resource "azurerm_role_assignment" "account" {
  scope              = azurerm_resource_group.this.id
  role_definition_id = data.azurerm_role_definition.reader.id
  principal_id       = azurerm_storage_account.this.identity[0].principal_id
}

resource "azurerm_role_definition" "this" {
  name        = "accepted"
  scope       = data.azurerm_subscription.this.id
  description = var.changed ? "After" : "Before"

  permissions {
    actions = ["Microsoft.Storage/storageAccounts/read"]
  }
}

resource "azurerm_user_assigned_identity" "this" {
  name                = "accepted"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.tags
}

resource "azurerm_log_analytics_workspace" "this" {
  name                = "accepted"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  tags                = local.tags
}

resource "azurerm_virtual_network" "this" {
  name                = "accepted"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  address_space       = ["10.0.0.0/16", "fd00:db8:deca::/48"]
  tags                = local.tags

  subnet {
    name             = "inline"
    address_prefixes = [var.changed ? "10.0.2.0/24" : "10.0.1.0/24"]
  }

  subnet {
    name             = "dual"
    address_prefixes = ["10.0.3.0/24", "fd00:db8:deca:deed::/64"]
  }
}

resource "azurerm_container_registry" "this" {
  name                = "acceptedregistry"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  sku                 = var.changed ? "Standard" : "Basic"
  admin_enabled       = true
  tags                = local.tags
}

resource "azurerm_key_vault" "this" {
  name                       = "accepted-vault"
  resource_group_name        = azurerm_resource_group.this.name
  location                   = azurerm_resource_group.this.location
  tenant_id                  = data.azurerm_client_config.this.tenant_id
  sku_name                   = var.changed ? "premium" : "standard"
  soft_delete_retention_days = 7
  tags                       = local.tags
}

resource "azurerm_service_plan" "elastic" {
  name                         = "accepted-elastic"
  resource_group_name          = azurerm_resource_group.this.name
  location                     = azurerm_resource_group.this.location
  os_type                      = "Linux"
  sku_name                     = "EP1"
  maximum_elastic_worker_count = var.changed ? 5 : 3
  tags                         = local.tags
}

resource "azurerm_service_plan" "this" {
  name                = "accepted"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  os_type             = "Linux"
  sku_name            = var.changed ? "S1" : "B1"
  tags                = local.tags
}

resource "azurerm_linux_web_app" "python" {
  name                = "accepted-python"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  service_plan_id     = azurerm_service_plan.this.id
  tags                = local.tags

  site_config {
    application_stack {
      python_version = var.changed ? "3.13" : "3.12"
    }
  }

  auth_settings {
    enabled = true
    issuer  = "https://example.com/${var.changed ? "after" : "before"}"

    active_directory {
      client_id         = "client"
      client_secret     = "secret"
      allowed_audiences = ["audience"]
    }
  }

  identity {
    type = "SystemAssigned"
  }
}

resource "azurerm_static_web_app" "this" {
  name                = "accepted"
  resource_group_name = azurerm_resource_group.this.name
  location            = azurerm_resource_group.this.location
  sku_tier            = "Standard"
  sku_size            = "Standard"
  tags                = local.tags

  basic_auth {
    environments = var.changed ? "StagingEnvironments" : "AllEnvironments"
    password     = "Super$3cretPassW0rd"
  }
}

resource "azurerm_postgresql_flexible_server" "this" {
  name                          = "accepted-server"
  resource_group_name           = azurerm_resource_group.this.name
  location                      = azurerm_resource_group.this.location
  version                       = "17"
  administrator_login           = "owner"
  administrator_password        = "Aa1-23456789"
  sku_name                      = "GP_Standard_D2ds_v5"
  storage_mb                    = var.changed ? 131072 : 65536
  zone                          = "1"
  public_network_access_enabled = false
  tags                          = local.tags
}

resource "azurerm_postgresql_flexible_server_database" "this" {
  name      = "accepted"
  server_id = azurerm_postgresql_flexible_server.this.id
  charset   = "utf8"
  collation = "en_US.utf8"
}

resource "azurerm_postgresql_flexible_server_configuration" "static" {
  name      = "shared_preload_libraries"
  server_id = azurerm_postgresql_flexible_server.this.id
  value     = var.changed ? "pg_stat_statements" : "pg_cron,pg_stat_statements,pgaudit"
}
