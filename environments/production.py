"""production: survives the loss of a zone and keeps a copy of its data in the paired region."""

from environments.settings import (
    AlertSettings,
    Autoscale,
    BudgetSettings,
    CacheSettings,
    DatabaseSettings,
    Domain,
    EmailSettings,
    Environment,
    FrontDoorSettings,
    JobsSettings,
    NetworkSettings,
    ObservabilitySettings,
    StaticSiteSettings,
    StorageSettings,
    WebAppSettings,
)

PRODUCTION = Environment(
    name="production",
    short_name="prod",
    application_environment="production",
    location="eastus2",
    domain=Domain(label="live", delegated=False),
    network=NetworkSettings(
        address_space="10.30.0.0/16",
        app_subnet="10.30.0.0/24",
        endpoints_subnet="10.30.1.0/24",
    ),
    jobs=JobsSettings(subnet="10.30.2.0/27"),
    web_app=WebAppSettings(
        sku="P0v3",
        workers=2,
        zone_balanced=True,
        slot=True,
        autoscale=Autoscale(minimum=2, default=2, maximum=5),
    ),
    front_door=FrontDoorSettings(api_requests_a_minute=15_000, sign_in_requests_a_minute=300),
    static_site=StaticSiteSettings(tier="Standard", location="eastus2"),
    database=DatabaseSettings(
        sku="GP_Standard_D2ds_v5",
        storage_gb=64,
        backup_retention_days=30,
        high_availability="ZoneRedundant",
        geo_redundant_backup=True,
        pgbouncer=True,
        maintenance_day="Sunday",
        maintenance_hour_utc=6,
    ),
    cache=CacheSettings(sku="Balanced_B1", high_availability=True, eviction="VolatileLRU", persistence="1h"),
    email=EmailSettings(
        domain="customer", verified=False, sender="noreply", sender_name="Augeo", data_location="United States"
    ),
    storage=StorageSettings(replication="GZRS", deleted_kept_days=30, backups_kept_days=90, evidence_kept_days=365),
    observability=ObservabilitySettings(retention_days=90, daily_cap_gb=5),
    alerts=AlertSettings(pages=True, teams=True),
    budget=BudgetSettings(monthly_usd=830),
)
