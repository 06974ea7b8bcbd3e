"""dev: the cheapest environment that has every capability."""

from environments.settings import (
    AlertSettings,
    BudgetSettings,
    CacheSettings,
    DatabaseSettings,
    Domain,
    EmailSettings,
    Environment,
    JobsSettings,
    NetworkSettings,
    ObservabilitySettings,
    StaticSiteSettings,
    StorageSettings,
    WebAppSettings,
)

DEV = Environment(
    name="dev",
    short_name="dev",
    application_environment="development",
    location="eastus2",
    domain=Domain(label="dev", delegated=False),
    network=NetworkSettings(
        address_space="10.10.0.0/16",
        app_subnet="10.10.0.0/24",
        endpoints_subnet="10.10.1.0/24",
    ),
    jobs=JobsSettings(subnet="10.10.2.0/27"),
    web_app=WebAppSettings(sku="B1", workers=1, zone_balanced=False, slot=False, autoscale=None),
    front_door=None,
    static_site=StaticSiteSettings(tier="Free", location="eastus2"),
    database=DatabaseSettings(
        sku="B_Standard_B1ms",
        storage_gb=32,
        backup_retention_days=7,
        high_availability=None,
        geo_redundant_backup=False,
        pgbouncer=False,
        maintenance_day=None,
    ),
    cache=CacheSettings(sku="Balanced_B0", high_availability=False, eviction="VolatileLRU", persistence=None),
    email=EmailSettings(
        domain="azure", verified=False, sender="donotreply", sender_name="Augeo (dev)", data_location="United States"
    ),
    storage=StorageSettings(replication="LRS", deleted_kept_days=7, backups_kept_days=7, evidence_kept_days=1),
    observability=ObservabilitySettings(retention_days=30, daily_cap_gb=0.5),
    alerts=AlertSettings(pages=False, web_test_minutes=15, teams=False),
    budget=BudgetSettings(monthly_usd=150),
)
