"""The environment variables that replace the placeholders in environments/shared.py with somebody's account."""

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
TENANT = "22222222-2222-2222-2222-222222222222"
FILLED_IN = {
    "AUGEO_SUBSCRIPTION_ID": SUBSCRIPTION,
    "AUGEO_TENANT_ID": TENANT,
    "AUGEO_DOMAIN": "augeo.org",
    "AUGEO_ALERT_EMAILS": "oncall@augeo.org",
    "AUGEO_SUPER_ADMIN_EMAIL": "admin@augeo.org",
    "AUGEO_NAME_SUFFIX": "a1b2",
    "AUGEO_DATABASE_ADMINS_NAME": "database-admins",
    "AUGEO_GITHUB_REPOSITORY": "auctions/infrastructure",
    "AUGEO_DATABASE_ADMINS_OBJECT_ID": "33333333-3333-3333-3333-333333333333",
}
