"""Estimates what a stack costs in a month, from its synthesized JSON and a table of list prices.

The prices are those of East US 2 in US dollars, from Azure's public price pages between 2024 and 2026, without tax,
traffic and reservations. https://azure.microsoft.com/pricing/calculator/ has today's, and your invoice is the truth.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Json = dict[str, Any]
HOURS = 730
"""In a month, as Azure's price pages count."""
PLANS = {"B1": 12.41, "B2": 24.82, "B3": 49.64, "P0v3": 69.35}
"""A worker of a Linux plan for a month: https://azure.microsoft.com/pricing/details/app-service/linux/"""
DATABASES = {
    "B_Standard_B1ms": 12.41,
    "B_Standard_B2s": 24.82,
    "GP_Standard_D2ds_v5": 129.94,
    "GP_Standard_D4ds_v5": 259.88,
    "GP_Standard_D8ds_v5": 519.76,
}
"""A server for a month: https://azure.microsoft.com/pricing/details/postgresql/flexible-server/"""
DATABASE_GB, DATABASE_BACKUP_GB = 0.115, 0.095
"""A GB of disk, and of geo-redundant backup, for a month. A local backup as large as the disk is free."""
CACHES = {"Balanced_B0": 13.14, "Balanced_B1": 26.28}
"""A node for a month; high availability has two: https://azure.microsoft.com/pricing/details/managed-redis/"""
PRIVATE_ENDPOINT = 7.3
"""https://azure.microsoft.com/pricing/details/private-link/"""
DNS_ZONE = 0.5
"""https://azure.microsoft.com/pricing/details/dns/"""
CONTAINER_APPS_NETWORK = 21.9
"""A Standard load balancer with up to five rules, and one public address, which an environment in a network of its own
always has: https://learn.microsoft.com/azure/container-apps/custom-virtual-networks#managed-resources,
https://azure.microsoft.com/pricing/details/load-balancer/ and https://azure.microsoft.com/pricing/details/ip-addresses/"""
FRONT_DOOR = 35.0
"""The base fee of the Standard tier: https://azure.microsoft.com/pricing/details/frontdoor/"""
STATIC_SITES = {"Free": 0.0, "Standard": 9.0}
"""https://azure.microsoft.com/pricing/details/app-service/static/"""
REGISTRIES = {"Basic": 5.0, "Standard": 20.0, "Premium": 50.0}
"""https://azure.microsoft.com/pricing/details/container-registry/"""
WEB_TEST_RUN = 0.0005
"""One run of a standard web test from one place: https://azure.microsoft.com/pricing/details/monitor/"""
QUERY_RULES = {"PT1M": 3.0, "PT5M": 1.5, "PT10M": 1.0, "PT15M": 0.5}
"""A rule on a query, by how often it runs. The same page."""
METRIC_RULE = 0.1
"""A rule on one time series of a metric. The same page."""
LOG_GB = 2.3
"""A GB of logs taken in, with 31 days of retention. The same page."""
SHARE_OF_CAP = 0.2
"""How much of the daily cap on logs a normal month is assumed to use."""
SMALL_CHANGE = 2.0
"""What storage, Key Vault, mail and the Logic App are assumed to cost together: they bill what is used."""

FREE = frozenset(
    {
        "azurerm_app_service_certificate_binding", "azurerm_app_service_custom_hostname_binding",
        "azurerm_app_service_managed_certificate", "azurerm_application_insights",
        "azurerm_application_insights_workbook", "azurerm_cdn_frontdoor_custom_domain",
        "azurerm_cdn_frontdoor_custom_domain_association", "azurerm_cdn_frontdoor_endpoint",
        "azurerm_cdn_frontdoor_firewall_policy", "azurerm_cdn_frontdoor_origin", "azurerm_cdn_frontdoor_origin_group",
        "azurerm_cdn_frontdoor_route", "azurerm_cdn_frontdoor_security_policy",
        "azurerm_communication_service_email_domain_association", "azurerm_consumption_budget_resource_group",
        "azurerm_dns_a_record", "azurerm_dns_aaaa_record", "azurerm_dns_caa_record", "azurerm_dns_cname_record",
        "azurerm_dns_mx_record", "azurerm_dns_ns_record", "azurerm_dns_txt_record",
        "azurerm_email_communication_service", "azurerm_email_communication_service_domain",
        "azurerm_email_communication_service_domain_sender_username", "azurerm_federated_identity_credential",
        "azurerm_linux_web_app", "azurerm_linux_web_app_slot", "azurerm_logic_app_action_custom",
        "azurerm_logic_app_trigger_http_request", "azurerm_management_lock", "azurerm_monitor_action_group",
        "azurerm_monitor_activity_log_alert", "azurerm_monitor_autoscale_setting", "azurerm_monitor_diagnostic_setting",
        "azurerm_network_security_group", "azurerm_postgresql_flexible_server_active_directory_administrator",
        "azurerm_postgresql_flexible_server_configuration", "azurerm_postgresql_flexible_server_database",
        "azurerm_private_dns_zone_virtual_network_link", "azurerm_resource_group", "azurerm_role_assignment",
        "azurerm_role_definition", "azurerm_static_web_app_custom_domain", "azurerm_storage_container",
        "azurerm_storage_container_immutability_policy", "azurerm_storage_management_policy", "azurerm_subnet",
        "azurerm_subnet_network_security_group_association", "azurerm_user_assigned_identity",
        "azurerm_virtual_network",
    }
)  # fmt: skip
"""Types that cost nothing by themselves."""
USAGE = frozenset(
    {
        "azurerm_communication_service",
        "azurerm_container_app_job",
        "azurerm_key_vault",
        "azurerm_logic_app_workflow",
        "azurerm_storage_account",
    }
)
"""Types that bill what is used. SMALL_CHANGE stands for all of them."""


class Cost(NamedTuple):
    """What a part of a stack costs in a month."""

    part: str
    usd: float


class UnknownPriceError(LookupError):
    """A resource has a type or a size without a price."""


def estimate_costs(body: Json) -> list[Cost]:
    """Return what the parts of a synthesized stack cost in a month, the dearest first.

    Raises:
        UnknownPriceError: a type or a size has no price here.
    """
    sums: dict[str, float] = {"storage, vault, mail": SMALL_CHANGE}
    for type_, named in body["resource"].items():
        if type_ in FREE | USAGE:
            continue
        if type_ not in BILLED:
            raise UnknownPriceError(f"{type_} has no price: add it to BILLED, FREE or USAGE in tools/prices.py")
        part, price = BILLED[type_]
        for resource in named.values():
            sums[part] = sums.get(part, 0.0) + price(resource)
    return sorted((Cost(part, usd) for part, usd in sums.items() if usd), key=lambda cost: -cost.usd)


def _price_database(body: Json) -> float:
    size = body["storage_mb"] / 1024
    copies = 2 if body.get("high_availability") else 1
    geo = size * DATABASE_BACKUP_GB if body["geo_redundant_backup_enabled"] else 0
    return copies * (_find(DATABASES, body["sku_name"]) + size * DATABASE_GB) + geo


def _price_cache(body: Json) -> float:
    return (2 if body["high_availability_enabled"] else 1) * _find(CACHES, body["sku_name"])


def _price_web_test(body: Json) -> float:
    return len(body["geo_locations"]) * HOURS * 3600 / body["frequency"] * WEB_TEST_RUN


BILLED: Mapping[str, tuple[str, Callable[[Json], float]]] = {
    "azurerm_application_insights_standard_web_test": ("web tests", _price_web_test),
    "azurerm_cdn_frontdoor_profile": ("Front Door", lambda _: FRONT_DOOR),
    "azurerm_container_app_environment": ("jobs", lambda _: CONTAINER_APPS_NETWORK),
    "azurerm_container_registry": ("registry", lambda body: _find(REGISTRIES, body["sku"])),
    "azurerm_dns_zone": ("network", lambda _: DNS_ZONE),
    "azurerm_log_analytics_workspace": (
        "logs", lambda body: body["daily_quota_gb"] * HOURS / 24 * SHARE_OF_CAP * LOG_GB
    ),
    "azurerm_managed_redis": ("Managed Redis", _price_cache),
    "azurerm_monitor_metric_alert": ("alert rules", lambda _: METRIC_RULE),
    "azurerm_monitor_scheduled_query_rules_alert_v2": (
        "alert rules", lambda body: _find(QUERY_RULES, body["evaluation_frequency"])
    ),
    "azurerm_postgresql_flexible_server": ("PostgreSQL", _price_database),
    "azurerm_private_dns_zone": ("network", lambda _: DNS_ZONE),
    "azurerm_private_endpoint": ("network", lambda _: PRIVATE_ENDPOINT),
    "azurerm_service_plan": ("App Service", lambda body: _find(PLANS, body["sku_name"]) * body["worker_count"]),
    "azurerm_static_web_app": ("admin site", lambda body: _find(STATIC_SITES, body["sku_tier"])),
}  # fmt: skip
"""By type: the part of the stack that it belongs to, and what one resource costs in a month."""


def _find(prices: Mapping[str, float], size: str) -> float:
    try:
        return prices[size]
    except KeyError:
        known = ", ".join(prices)
        raise UnknownPriceError(f"'{size}' has no price: add it to tools/prices.py; known: {known}") from None
