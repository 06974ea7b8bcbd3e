"""The settings that the application reads, written by hand from its contract.

docs/design.md has the contract under "The application's contract".
"""

# On every host, pydantic-settings reads these, and OpenTelemetry reads one of them.
CONTRACT = {
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET_KEY",
    "EMAIL_FROM_ADDRESS",
    "SUPER_ADMIN_EMAIL",
    "SUPER_ADMIN_PASSWORD",
    "ENVIRONMENT",
    "DEBUG",
    "EMAIL_FROM_NAME",
    "AZURE_COMMUNICATION_CONNECTION_STRING",
    "AZURE_STORAGE_ACCOUNT_NAME",
    "AZURE_STORAGE_CONTAINER_NAME",
    "FRONTEND_ADMIN_URL",
    "FRONTEND_DONOR_URL",
    "CORS_ORIGINS",
    "ACCESS_TOKEN_EXPIRE_MINUTES",
    "REFRESH_TOKEN_EXPIRE_DAYS",
    "RATE_LIMIT_LOGIN_ATTEMPTS",
    "RATE_LIMIT_LOGIN_WINDOW_MINUTES",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
}
