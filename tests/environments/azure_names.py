"""Azure's rules for names, copied by hand from Azure's documentation.

The tests compare `environments.naming` with them, so that it is not checked against itself:
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules. Rows with a comment are not on
that page; they are the checks of azurerm 4.81.0, in the folder that the comment names.
"""

import re
from typing import NamedTuple

from environments.naming import Kind

ALPHANUMERIC = "A-Za-z0-9"
HYPHENS_INSIDE = rf"[{ALPHANUMERIC}]([{ALPHANUMERIC}-]*[{ALPHANUMERIC}])?"
NETWORK = rf"[{ALPHANUMERIC}]([{ALPHANUMERIC}_.-]*[{ALPHANUMERIC}_])?"


class AzureName(NamedTuple):
    """The names that Azure accepts for a Terraform resource type."""

    kind: Kind
    type: str
    shortest: int
    longest: int
    pattern: str
    without: str = "\n"
    """Text that the name must not contain."""

    def accepts(self, name: str) -> bool:
        """Return whether Azure accepts this name."""
        return (
            self.shortest <= len(name) <= self.longest
            and re.fullmatch(self.pattern, name) is not None
            and self.without not in name
        )


AZURE_NAMES = (
    AzureName("action_group", "azurerm_monitor_action_group", 1, 260, r"[^:<>+/&%\\?|\n]*[^:<>+/&%\\?|\n .]"),
    AzureName("application_insights", "azurerm_application_insights", 1, 260, r"[^%&\\?/\n]*[^%&\\?/\n .]"),
    # internal/services/communication/validate
    AzureName(
        "communication_service",
        "azurerm_communication_service",
        1,
        64,
        rf"[A-Za-z]([{ALPHANUMERIC}-]*[{ALPHANUMERIC}])?",
    ),
    # internal/services/containerapps/validate
    AzureName("container_app_environment", "azurerm_container_app_environment", 2, 60, HYPHENS_INSIDE),
    AzureName("container_app_job", "azurerm_container_app_job", 1, 32, r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "--"),
    AzureName("container_registry", "azurerm_container_registry", 5, 50, rf"[{ALPHANUMERIC}]+"),
    AzureName(
        "email_service", "azurerm_email_communication_service", 1, 64, rf"[A-Za-z]([{ALPHANUMERIC}-]*[{ALPHANUMERIC}])?"
    ),
    # internal/services/cdn/validate
    AzureName("front_door", "azurerm_cdn_frontdoor_profile", 2, 90, HYPHENS_INSIDE),
    AzureName("front_door_endpoint", "azurerm_cdn_frontdoor_endpoint", 2, 46, HYPHENS_INSIDE),
    AzureName("front_door_firewall", "azurerm_cdn_frontdoor_firewall_policy", 1, 128, rf"[A-Za-z][{ALPHANUMERIC}]*"),
    AzureName("identity", "azurerm_user_assigned_identity", 3, 128, rf"[{ALPHANUMERIC}][{ALPHANUMERIC}_-]*"),
    AzureName("key_vault", "azurerm_key_vault", 3, 24, rf"[A-Za-z][{ALPHANUMERIC}-]*[{ALPHANUMERIC}]", "--"),
    AzureName("log_analytics", "azurerm_log_analytics_workspace", 4, 63, HYPHENS_INSIDE),
    AzureName("logic_app", "azurerm_logic_app_workflow", 1, 80, rf"[{ALPHANUMERIC}_.()-]+"),
    # internal/services/managedredis/validate
    AzureName("managed_redis", "azurerm_managed_redis", 3, 63, HYPHENS_INSIDE, "--"),
    AzureName("network_security_group", "azurerm_network_security_group", 1, 80, NETWORK),
    AzureName("postgresql", "azurerm_postgresql_flexible_server", 3, 63, r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"),
    AzureName("private_endpoint", "azurerm_private_endpoint", 2, 64, NETWORK),
    AzureName("resource_group", "azurerm_resource_group", 1, 90, rf"[{ALPHANUMERIC}_().-]*[{ALPHANUMERIC}_()-]"),
    AzureName("service_plan", "azurerm_service_plan", 1, 60, rf"[{ALPHANUMERIC}-]+"),
    # internal/services/appservice/validate
    AzureName("static_site", "azurerm_static_web_app", 1, 60, rf"[{ALPHANUMERIC}-]+"),
    AzureName("storage", "azurerm_storage_account", 3, 24, r"[a-z0-9]+"),
    AzureName("subnet", "azurerm_subnet", 1, 80, NETWORK),
    AzureName("virtual_network", "azurerm_virtual_network", 2, 64, NETWORK),
    AzureName("web_app", "azurerm_linux_web_app", 2, 60, HYPHENS_INSIDE),
)
