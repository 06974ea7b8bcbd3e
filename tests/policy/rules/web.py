"""The API and the edge in front of it: health, settings that belong to App Service, routes, rate limits, DNS."""

import re
from collections.abc import Iterator

from tests.policy.rule import Stack, Violation, get_list, get_value, rule
from tests.policy.rules.transport import WEB_APPS
from tests.support import SynthesizedResource

FORBIDDEN_SETTINGS = re.compile(r"DOCKER_REGISTRY_\w+|WEBSITE_HEALTHCHECK_\w+|WEBSITE_VNET_ROUTE_ALL")
"""App settings that the provider or App Service manages. Written by us, they would show a difference in every plan."""
BLOCKING_RATE_LIMIT = {"enabled": True, "action": "Block", "type": "RateLimitRule"}
RATE_LIMIT_MATCH = {
    "match_condition.match_variable": "RequestUri",
    "match_condition.operator": "Contains",
    "match_condition.transforms": ["UrlDecode", "Lowercase"],
    "rate_limit_duration_in_minutes": 1,
}
"""How a rate limit matches requests, so that it counts `/API/`, `%2Fapi%2F` and a path below another prefix as well."""
SIGN_IN, API = "/api/v1/auth/", "/api/"


@rule(*WEB_APPS)
def unhealthy_instances_are_evicted(stack: Stack) -> Iterator[Violation]:
    """The health check has a path and an eviction time.

    Without the time, an unhealthy instance keeps its traffic. The path asks no database.
    docs/adr/0012-health-checks.md; https://learn.microsoft.com/azure/app-service/monitor-instances-health-check
    """
    for app in stack.find_resources(*WEB_APPS):
        if get_value(app.body, "site_config.health_check_path") != "/health/live":
            yield Violation.of(app, "site_config.health_check_path", 'must be "/health/live", which asks no database')
        minutes = get_value(app.body, "site_config.health_check_eviction_time_in_min")
        if not isinstance(minutes, int) or not 2 <= minutes <= 10:
            yield Violation.of(app, "site_config.health_check_eviction_time_in_min", "must be 2 to 10 minutes")


@rule(*WEB_APPS)
def app_service_keeps_its_own_settings(stack: Stack) -> Iterator[Violation]:
    """App settings hold none of those that the provider turns into arguments: they would differ in every plan.

    docs/design.md#traps;
    https://github.com/hashicorp/terraform-provider-azurerm/blob/v4.81.0/internal/services/appservice/helpers
    """
    for app in stack.find_resources(*WEB_APPS):
        for name in app.body.get("app_settings", {}):
            if FORBIDDEN_SETTINGS.fullmatch(name):
                yield Violation.of(app, f"app_settings.{name}", "must be an argument of site_config, or absent")


@rule("azurerm_linux_web_app_slot")
def the_slot_equals_the_app(stack: Stack) -> Iterator[Violation]:
    """The slot has the arguments and app settings of the app, except for sticky settings.

    A swap exchanges everything that is not sticky, so a slot that differs would bring its difference into production.
    https://learn.microsoft.com/azure/app-service/deploy-staging-slots#which-settings-are-swapped
    """
    for slot in stack.find_resources("azurerm_linux_web_app_slot"):
        app = stack.resolve(slot.body["app_service_id"])
        if app is None:
            yield Violation.of(slot, "app_service_id", "must be this stack's app")
            continue
        sticky = get_list(app.body, "sticky_settings.app_setting_names")
        for name in sorted(slot.body["app_settings"].keys() | app.body["app_settings"].keys()):
            value = get_value(app.body, f"app_settings.{name}")
            if name not in sticky and get_value(slot.body, f"app_settings.{name}") != value:
                yield Violation.of(slot, f"app_settings.{name}", f'must be "{value}", the app\'s, or sticky')
        for argument in sorted(slot.body.keys() & app.body.keys() - {"app_settings", "name", "depends_on"}):
            if slot.body[argument] != app.body[argument]:
                yield Violation.of(slot, argument, "must be the app's")


@rule("azurerm_cdn_frontdoor_firewall_policy")
def the_firewall_limits_rates(stack: Stack) -> Iterator[Violation]:
    """The firewall prevents, and limits rates: sign-in first and to fewer requests, then the whole API.

    A firewall in detection mode only counts. Passwords are guessed at sign-in. docs/design.md#decisions, "Firewall";
    https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-rate-limit
    """
    for policy in stack.find_resources("azurerm_cdn_frontdoor_firewall_policy"):
        if policy.body["mode"] != "Prevention":
            yield Violation.of(policy, "mode", 'must be "Prevention"')
        limits: dict[str, tuple[object, object]] = {}
        for index, custom_rule in enumerate(get_list(policy.body, "custom_rule")):
            if any(get_value(custom_rule, path) != value for path, value in BLOCKING_RATE_LIMIT.items()):
                yield Violation.of(policy, f"custom_rule.{index}", "must be an enabled rate limit that blocks")
            elif any(get_value(custom_rule, path) != value for path, value in RATE_LIMIT_MATCH.items()):
                expected = f"must count a minute of what matches by {RATE_LIMIT_MATCH}"
                yield Violation.of(policy, f"custom_rule.{index}", expected)
            else:
                limit = (get_value(custom_rule, "priority"), get_value(custom_rule, "rate_limit_threshold"))
                limits |= {str(path): limit for path in get_list(custom_rule, "match_condition.match_values")}
        if SIGN_IN not in limits or API not in limits or not all(map(_is_less, limits[SIGN_IN], limits[API])):
            expected = f"must limit {SIGN_IN} before {API}, and to fewer requests"
            values = {path: list(limit) for path, limit in limits.items()}
            yield Violation(policy.address, "custom_rule", values, expected)


def _is_less(first: object, second: object) -> bool:
    return isinstance(first, int) and isinstance(second, int) and first < second


@rule("azurerm_cdn_frontdoor_security_policy", "azurerm_cdn_frontdoor_route")
def the_firewall_covers_every_route(stack: Stack) -> Iterator[Violation]:
    """The security policy covers every host name of every route. Other host names would be served past the firewall.

    https://learn.microsoft.com/azure/frontdoor/create-front-door-terraform
    """
    path = "security_policies.firewall.association"
    covered: set[str] = set()
    for policy in stack.find_resources("azurerm_cdn_frontdoor_security_policy"):
        if get_value(policy.body, f"{path}.patterns_to_match") != ["/*"]:
            yield Violation.of(policy, f"{path}.patterns_to_match", 'must be ["/*"]')
        if stack.resolve(get_value(policy.body, "security_policies.firewall.cdn_frontdoor_firewall_policy_id")) is None:
            yield Violation.of(
                policy, "security_policies.firewall.cdn_frontdoor_firewall_policy_id", "must be this stack's firewall"
            )
        domains = get_list(policy.body, f"{path}.domain")
        covered |= {str(get_value(domain, "cdn_frontdoor_domain_id")) for domain in domains}
    for route in stack.find_resources("azurerm_cdn_frontdoor_route"):
        hosts = list(map(str, get_list(route.body, "cdn_frontdoor_custom_domain_ids")))
        if get_value(route.body, "link_to_default_domain") is not False:
            hosts.append(str(route.body["cdn_frontdoor_endpoint_id"]))
        for host in hosts:
            if host not in covered:
                yield Violation(route.address, "host", host, "must be a domain of the security policy")


@rule("azurerm_cdn_frontdoor_origin")
def the_edge_leads_to_the_app(stack: Stack) -> Iterator[Violation]:
    """Front Door's origin is this stack's app.

    Any other origin could use our host name and certificate for phishing.
    https://learn.microsoft.com/azure/frontdoor/origin
    """
    for origin in stack.find_resources("azurerm_cdn_frontdoor_origin"):
        for attribute in ("host_name", "origin_host_header"):
            target = stack.resolve(get_value(origin.body, attribute))
            if target is None or target.type != "azurerm_linux_web_app":
                yield Violation.of(origin, attribute, "must be the app's own host name")


@rule("azurerm_dns_cname_record", "azurerm_cdn_frontdoor_custom_domain")
def the_cname_waits_for_the_firewall(stack: Stack) -> Iterator[Violation]:
    """The CNAME record depends on every route and on the security policy.

    If it came earlier, visitors would meet errors, or no rate limit. docs/design.md#traps;
    https://registry.terraform.io/providers/hashicorp/azurerm/4.81.0/docs/resources/cdn_frontdoor_custom_domain
    """
    edge = stack.find_resources("azurerm_cdn_frontdoor_route", "azurerm_cdn_frontdoor_security_policy")
    needed = {f"{resource.type}.{resource.name}" for resource in edge}
    for record in stack.find_resources("azurerm_dns_cname_record"):
        target = stack.resolve(record.body["record"])
        if target is None or target.type != "azurerm_cdn_frontdoor_endpoint":
            continue
        missing = sorted(needed - set(map(str, get_list(record.body, "depends_on"))))
        if missing:
            yield Violation.of(record, "depends_on", f"must name {', '.join(missing)} as well")


@rule("azurerm_app_service_custom_hostname_binding")
def host_names_are_proven_before_they_are_bound(stack: Stack) -> Iterator[Violation]:
    """A host name's binding depends on its CNAME and `asuid` TXT records, which App Service looks up when it binds.

    docs/design.md#traps;
    https://learn.microsoft.com/azure/app-service/app-service-web-tutorial-custom-domain
    """
    for binding in stack.find_resources("azurerm_app_service_custom_hostname_binding"):
        dependencies = [_resolve_dependency(stack, address) for address in get_list(binding.body, "depends_on")]
        label = str(binding.body["hostname"]).partition(".")[0]
        for type_, name in (("azurerm_dns_cname_record", label), ("azurerm_dns_txt_record", f"asuid.{label}")):
            records = [record for record in dependencies if record and record.type == type_]
            if not any(record.body["name"] == name for record in records):
                yield Violation.of(binding, "depends_on", f"must name the {type_} '{name}'")


def _resolve_dependency(stack: Stack, address: object) -> SynthesizedResource | None:
    """Return the resource that an entry of `depends_on` names."""
    return stack.resolve(f"${{{address}}}")


@rule("azurerm_logic_app_action_custom")
def the_webhooks_address_is_kept_secret(stack: Stack) -> Iterator[Violation]:
    """The Logic App keeps the webhook's address out of its run history.

    A reader of the run history could otherwise post to Teams as the platform.
    docs/adr/0009-vault-and-logic-app.md;
    https://learn.microsoft.com/azure/logic-apps/logic-apps-securing-a-logic-app#obfuscate
    """
    secure = '"secureData": {"properties": ["inputs", "outputs"]}'
    for action in stack.find_resources("azurerm_logic_app_action_custom"):
        if secure not in str(action.body["body"]):
            yield Violation.of(action, "body", f"must have {secure}")
