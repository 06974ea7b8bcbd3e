"""Encryption in transit: TLS 1.2 or newer everywhere, HTTPS only, no passwords for publishing."""

from collections.abc import Iterator

from tests.policy.rule import (
    Requirement,
    Stack,
    Violation,
    check_requirements,
    format_choices,
    get_value,
    list_types,
    rule,
)

WEB_APPS = ("azurerm_linux_web_app", "azurerm_linux_web_app_slot")
TLS = ("1.2", "1.3")

MINIMUMS = (
    Requirement("azurerm_storage_account", "min_tls_version", ("TLS1_2", "TLS1_3")),
    *(Requirement(app, "site_config.minimum_tls_version", TLS) for app in WEB_APPS),
    *(Requirement(app, "site_config.scm_minimum_tls_version", TLS) for app in WEB_APPS),
    Requirement("azurerm_managed_redis", "default_database.client_protocol", ("Encrypted",)),
    Requirement("azurerm_cdn_frontdoor_custom_domain", "tls.minimum_version", ("TLS12", "TLS13")),
    Requirement("azurerm_cdn_frontdoor_custom_domain", "tls.certificate_type", ("ManagedCertificate",)),
    Requirement("azurerm_app_service_certificate_binding", "ssl_state", ("SniEnabled",)),
)
HTTPS = (
    *(Requirement(app, "https_only", (True,)) for app in WEB_APPS),
    Requirement("azurerm_storage_account", "https_traffic_only_enabled", (True,)),
    Requirement("azurerm_cdn_frontdoor_route", "https_redirect_enabled", (True,)),
    Requirement("azurerm_cdn_frontdoor_route", "forwarding_protocol", ("HttpsOnly",)),
    Requirement("azurerm_cdn_frontdoor_origin", "certificate_name_check_enabled", (True,)),
)
NO_PUBLISHING_PASSWORDS = tuple(
    Requirement(app, attribute, (value,))
    for app in WEB_APPS
    for attribute, value in (
        ("ftp_publish_basic_authentication_enabled", False),
        ("webdeploy_publish_basic_authentication_enabled", False),
        ("site_config.ftps_state", "Disabled"),
        ("site_config.remote_debugging_enabled", False),
    )
)
DATABASE_TLS = {"require_secure_transport": ("on",), "ssl_min_protocol_version": ("TLSv1.2", "TLSv1.3")}
"""By name of the server parameter: the values that it may have."""


@rule(*list_types(MINIMUMS))
def tls_is_1_2_or_later(stack: Stack) -> Iterator[Violation]:
    """Every endpoint accepts TLS 1.2 or newer only, and says so.

    Azure retires TLS 1.0 and 1.1, and an unset default may still be older. docs/design.md#decisions, "Encryption in
    transit"; https://learn.microsoft.com/azure/security/fundamentals/tls-certificate-changes
    """
    yield from check_requirements(stack, MINIMUMS)


@rule("azurerm_postgresql_flexible_server", "azurerm_postgresql_flexible_server_configuration")
def postgresql_requires_tls(stack: Stack) -> Iterator[Violation]:
    """PostgreSQL accepts encrypted connections only, with TLS 1.2 or newer. Both are server parameters.

    https://learn.microsoft.com/azure/postgresql/flexible-server/how-to-connect-tls-ssl
    """
    for server in stack.find_resources("azurerm_postgresql_flexible_server"):
        for parameter, allowed in DATABASE_TLS.items():
            configurations = [
                configuration
                for configuration in stack.find_resources("azurerm_postgresql_flexible_server_configuration")
                if configuration.body["name"] == parameter and stack.resolve(configuration.body["server_id"]) == server
            ]
            if not configurations:
                yield Violation(
                    server.address, parameter, None, f"must be {format_choices(allowed)}, by a server parameter"
                )
            for configuration in configurations:
                if configuration.body["value"] not in allowed:
                    yield Violation.of(configuration, "value", f"{parameter} must be {format_choices(allowed)}")


@rule(*list_types(HTTPS))
def only_https_is_accepted(stack: Stack) -> Iterator[Violation]:
    """Plain HTTP is redirected at the edge and refused everywhere else, also between the edge and its origin.

    docs/design.md#decisions, "Encryption in transit"; https://learn.microsoft.com/azure/frontdoor/end-to-end-tls
    """
    yield from check_requirements(stack, HTTPS)


@rule("azurerm_application_insights_standard_web_test")
def web_tests_use_https(stack: Stack) -> Iterator[Violation]:
    """Web tests ask over HTTPS, and check the certificate.

    A test over HTTP would be answered by the redirect, and would say nothing about the certificate.
    https://learn.microsoft.com/azure/azure-monitor/app/availability
    """
    for test in stack.find_resources("azurerm_application_insights_standard_web_test"):
        if not str(get_value(test.body, "request.url")).startswith("https://"):
            yield Violation.of(test, "request.url", "must begin with https://")
        if get_value(test.body, "validation_rules.ssl_check_enabled") is not True:
            yield Violation.of(test, "validation_rules.ssl_check_enabled", "must be true")


@rule(*list_types(NO_PUBLISHING_PASSWORDS))
def no_publishing_passwords(stack: Stack) -> Iterator[Violation]:
    """Basic authentication for FTP and SCM is off, and so are FTP and remote debugging.

    Basic authentication is one shared password per app. Deliveries use Entra. docs/design.md#traps;
    https://learn.microsoft.com/azure/app-service/configure-basic-auth-disable
    """
    yield from check_requirements(stack, NO_PUBLISHING_PASSWORDS)
