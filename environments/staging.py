"""staging: production's topology at a smaller size, to test changes before production."""

from environments.settings import (
    AlertSettings,
    BudgetSettings,
    CacheSettings,
    DatabaseSettings,
    Domain,
    EmailSettings,
    Environment,
    FrontDoorSettings,
    NetworkSettings,
    ObservabilitySettings,
    StaticSiteSettings,
    StorageSettings,
    WebAppSettings,
)

STAGING = Environment(
    name="staging",
    short_name="stg",
    application_environment="staging",
    location="eastus2",
    domain=Domain(label="staging", delegated=False),
    network=NetworkSettings(
        address_space="10.20.0.0/16",
        app_subnet="10.20.0.0/24",
        endpoints_subnet="10.20.1.0/24",
    ),
    web_app=WebAppSettings(sku="P0v3", workers=1, zone_balanced=False, slot=True, autoscale=None),
    front_door=FrontDoorSettings(api_requests_a_minute=15_000, sign_in_requests_a_minute=300),
    static_site=StaticSiteSettings(tier="Standard", location="eastus2"),
    database=DatabaseSettings(
        sku="GP_Standard_D2ds_v5",
        storage_gb=64,
        backup_retention_days=30,
        high_availability=None,
        geo_redundant_backup=False,
        pgbouncer=True,
        maintenance_day=None,
    ),
    cache=CacheSettings(sku="Balanced_B0", high_availability=False, eviction="VolatileLRU", persistence=None),
    email=EmailSettings(
        domain="customer",
        verified=False,
        sender="noreply",
        sender_name="Augeo (staging)",
        data_location="United States",
    ),
    storage=StorageSettings(replication="LRS", deleted_kept_days=14, backups_kept_days=30, evidence_kept_days=30),
    observability=ObservabilitySettings(retention_days=30, daily_cap_gb=1),
    alerts=AlertSettings(pages=False, web_test_minutes=15, teams=True),
    budget=BudgetSettings(monthly_usd=400),
)
