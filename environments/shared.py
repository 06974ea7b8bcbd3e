"""The account that you deploy to, and the settings that all environments share."""

from environments.settings import Account, ObservabilitySettings, RegistrySettings, Shared, StateSettings

# ┌──────────────────────────────────────────────────────────────────────────────────────────────────────────────────┐
# │ YOURS. Put your own values here. CI may set AUGEO_<NAME> instead (AUGEO_SUBSCRIPTION_ID, AUGEO_DOMAIN, ...).       │
# │ Synthesis works with these placeholders; a deployment does not. Nothing here is a secret.                          │
# └──────────────────────────────────────────────────────────────────────────────────────────────────────────────────┘
ACCOUNT = Account(
    workload="augeo",
    name_suffix="x7k2",
    subscription_id="00000000-0000-0000-0000-000000000000",
    tenant_id="00000000-0000-0000-0000-000000000000",
    domain="augeo.example",
    alert_emails=("oncall@augeo.example",),
    super_admin_email="admin@augeo.example",
    database_admins_name="augeo-database-admins",
    database_admins_object_id="00000000-0000-0000-0000-000000000000",
    github_repository="augeo/platform",
    github_owner_id="",
    github_repository_id="",
    owner_tag="platform",
    cost_center_tag="augeo",
)
# └──────────────────────────────────────────────────────────────────────────────────────────────────────────────────┘

SHARED = Shared(
    location="eastus2",
    registry=RegistrySettings(sku="Standard"),
    state=StateSettings(replication="GZRS", deleted_kept_days=90),
    observability=ObservabilitySettings(retention_days=90, daily_cap_gb=1),
    account=ACCOUNT,
)
