"""On the wire: TLS 1.2 or later everywhere, HTTPS alone, no passwords for publishing."""

from collections.abc import Iterator

from tests.policy.rule import Must, Problem, Stack, at, either, must, rule, types, wrong

WEB_APPS = ("azurerm_linux_web_app", "azurerm_linux_web_app_slot")
TLS = ("1.2", "1.3")

MINIMUMS = (
    Must("azurerm_storage_account", "min_tls_version", ("TLS1_2", "TLS1_3")),
    *(Must(app, "site_config.minimum_tls_version", TLS) for app in WEB_APPS),
    *(Must(app, "site_config.scm_minimum_tls_version", TLS) for app in WEB_APPS),
    Must("azurerm_managed_redis", "default_database.client_protocol", ("Encrypted",)),
    Must("azurerm_cdn_frontdoor_custom_domain", "tls.minimum_tls_version", ("TLS12", "TLS13")),
    Must("azurerm_cdn_frontdoor_custom_domain", "tls.certificate_type", ("ManagedCertificate",)),
    Must("azurerm_app_service_certificate_binding", "ssl_state", ("SniEnabled",)),
)
HTTPS = (
    *(Must(app, "https_only", (True,)) for app in WEB_APPS),
    Must("azurerm_storage_account", "https_traffic_only_enabled", (True,)),
    Must("azurerm_cdn_frontdoor_route", "https_redirect_enabled", (True,)),
    Must("azurerm_cdn_frontdoor_route", "forwarding_protocol", ("HttpsOnly",)),
    Must("azurerm_cdn_frontdoor_origin", "certificate_name_check_enabled", (True,)),
    Must("azurerm_cdn_frontdoor_origin_group", "health_probe.protocol", ("Https",)),
)
NO_PUBLISHING_PASSWORDS = tuple(
    Must(app, attribute, (value,))
    for app in WEB_APPS
    for attribute, value in (
        ("ftp_publish_basic_authentication_enabled", False),
        ("webdeploy_publish_basic_authentication_enabled", False),
        ("site_config.ftps_state", "Disabled"),
        ("site_config.remote_debugging_enabled", False),
    )
)
# By name of the server parameter.
DATABASE_TLS = {"require_secure_transport": ("on",), "ssl_min_protocol_version": ("TLSv1.2", "TLSv1.3")}


@rule(*types(MINIMUMS))
def tls_is_1_2_or_later(stack: Stack) -> Iterator[Problem]:
    """Azure retires TLS 1.0 and 1.1, and what is left unset may still be an older default.

    https://learn.microsoft.com/azure/security/fundamentals/tls-certificate-changes, issue 3 section 4.
    """
    yield from must(stack, MINIMUMS)


@rule("azurerm_postgresql_flexible_server", "azurerm_postgresql_flexible_server_configuration")
def postgresql_takes_tls_alone(stack: Stack) -> Iterator[Problem]:
    """Whether a connection must be encrypted, and how well, are parameters of the server.

    https://learn.microsoft.com/azure/postgresql/flexible-server/how-to-connect-tls-ssl
    """
    for server in stack.of("azurerm_postgresql_flexible_server"):
        for parameter, allowed in DATABASE_TLS.items():
            values = [
                each
                for each in stack.of("azurerm_postgresql_flexible_server_configuration")
                if each.body["name"] == parameter and stack.named(each.body["server_id"]) == server
            ]
            if not values:
                yield Problem(server.address, parameter, None, f"must be {either(allowed)}, by a server parameter")
            for each in values:
                if each.body["value"] not in allowed:
                    yield wrong(each, "value", f"{parameter} must be {either(allowed)}")


@rule(*types(HTTPS))
def https_alone(stack: Stack) -> Iterator[Problem]:
    """Plain HTTP is redirected at the edge and refused everywhere else, also between the edge and its origin.

    https://learn.microsoft.com/azure/frontdoor/end-to-end-tls, issue 3 section 4.
    """
    yield from must(stack, HTTPS)


@rule("azurerm_application_insights_standard_web_test")
def web_tests_ask_over_https(stack: Stack) -> Iterator[Problem]:
    """A test over HTTP would be answered by the redirect, and say nothing of the certificate.

    https://learn.microsoft.com/azure/azure-monitor/app/availability
    """
    for test in stack.of("azurerm_application_insights_standard_web_test"):
        if not str(at(test.body, "request.url")).startswith("https://"):
            yield wrong(test, "request.url", "must begin with https://")
        if at(test.body, "validation_rules.ssl_check_enabled") is not True:
            yield wrong(test, "validation_rules.ssl_check_enabled", "must be true")


@rule(*types(NO_PUBLISHING_PASSWORDS))
def no_publishing_passwords(stack: Stack) -> Iterator[Problem]:
    """Basic authentication for FTP and SCM is one shared password per app; deliveries use Entra, issue 3 section 3.

    https://learn.microsoft.com/azure/app-service/configure-basic-auth-disable
    """
    yield from must(stack, NO_PUBLISHING_PASSWORDS)
