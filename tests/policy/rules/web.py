"""The API and the edge before it: health, settings that App Service keeps for itself, routes, rate limits, DNS."""

import re
from collections.abc import Iterator

from tests.policy.rule import Problem, Stack, at, listed, references, rule, wrong
from tests.policy.rules.transport import WEB_APPS
from tests.support import SynthesizedResource

# The provider, or App Service, manages these itself, and would show a difference for ever (design section 5).
FORBIDDEN_SETTINGS = re.compile(r"DOCKER_REGISTRY_\w+|WEBSITE_HEALTHCHECK_\w+|WEBSITE_VNET_ROUTE_ALL")
# So that /API/ and %2Fapi%2F count as well, and a path below another prefix.
MATCHED = {
    "match_condition.match_variable": "RequestUri",
    "match_condition.operator": "Contains",
    "match_condition.transforms": ["UrlDecode", "Lowercase"],
    "rate_limit_duration_in_minutes": 1,
}
SIGN_IN, API = "/api/v1/auth/", "/api/"


@rule(*WEB_APPS)
def sick_instances_are_evicted(stack: Stack) -> Iterator[Problem]:
    """Path and eviction time go together; without the time a sick instance keeps its traffic (design section 5).

    https://learn.microsoft.com/azure/app-service/monitor-instances-health-check
    """
    for app in stack.of(*WEB_APPS):
        if at(app.body, "site_config.health_check_path") != "/health/live":
            yield wrong(app, "site_config.health_check_path", 'must be "/health/live", which asks no database')
        minutes = at(app.body, "site_config.health_check_eviction_time_in_min")
        if not isinstance(minutes, int) or not 2 <= minutes <= 10:
            yield wrong(app, "site_config.health_check_eviction_time_in_min", "must be 2 to 10 minutes")


@rule(*WEB_APPS)
def app_service_keeps_its_own_settings(stack: Stack) -> Iterator[Problem]:
    """The provider turns these app settings into arguments, so they would differ in every plan (design section 5).

    https://github.com/hashicorp/terraform-provider-azurerm/blob/v4.81.0/internal/services/appservice/helpers
    """
    for app in stack.of(*WEB_APPS):
        for name in app.body.get("app_settings", {}):
            if FORBIDDEN_SETTINGS.fullmatch(name):
                yield wrong(app, f"app_settings.{name}", "must be an argument of site_config, or absent")


@rule("azurerm_linux_web_app_slot")
def the_slot_is_the_app_again(stack: Stack) -> Iterator[Problem]:
    """A swap exchanges what is not sticky, so a slot that differs would bring its difference into production.

    https://learn.microsoft.com/azure/app-service/deploy-staging-slots#which-settings-are-swapped
    """
    for slot in stack.of("azurerm_linux_web_app_slot"):
        app = stack.named(slot.body["app_service_id"])
        if app is None:
            yield wrong(slot, "app_service_id", "must be this stack's app")
            continue
        sticky = listed(app.body, "sticky_settings.app_setting_names")
        for name in sorted(slot.body["app_settings"].keys() | app.body["app_settings"].keys()):
            value = at(app.body, f"app_settings.{name}")
            if name not in sticky and at(slot.body, f"app_settings.{name}") != value:
                yield wrong(slot, f"app_settings.{name}", f'must be "{value}", the app\'s, or sticky')
        for argument in sorted(slot.body.keys() & app.body.keys() - {"app_settings", "name", "depends_on"}):
            if slot.body[argument] != app.body[argument]:
                yield wrong(slot, argument, "must be the app's")


@rule("azurerm_cdn_frontdoor_firewall_policy")
def the_firewall_limits_rates(stack: Stack) -> Iterator[Problem]:
    """Detection only counts. Passwords are guessed, so sign-in is limited first and harder (issue 3, item 11).

    https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-rate-limit
    """
    for policy in stack.of("azurerm_cdn_frontdoor_firewall_policy"):
        if policy.body["mode"] != "Prevention":
            yield wrong(policy, "mode", 'must be "Prevention"')
        limits: dict[str, tuple[object, object]] = {}
        for index, row in enumerate(listed(policy.body, "custom_rule")):
            if at(row, "enabled") is not True or at(row, "action") != "Block" or at(row, "type") != "RateLimitRule":
                yield wrong(policy, f"custom_rule.{index}", "must be an enabled rate limit that blocks")
            elif any(at(row, path) != value for path, value in MATCHED.items()):
                yield wrong(policy, f"custom_rule.{index}", f"must count a minute of what matches by {MATCHED}")
            else:
                for path in listed(row, "match_condition.match_values"):
                    limits[str(path)] = (at(row, "priority"), at(row, "rate_limit_threshold"))
        if SIGN_IN not in limits or API not in limits or not all(map(_less, limits[SIGN_IN], limits[API])):
            right = f"must limit {SIGN_IN} before {API}, and to fewer requests"
            yield Problem(policy.address, "custom_rule", {path: list(limit) for path, limit in limits.items()}, right)


def _less(one: object, other: object) -> bool:
    return isinstance(one, int) and isinstance(other, int) and one < other


@rule("azurerm_cdn_frontdoor_security_policy", "azurerm_cdn_frontdoor_route")
def the_firewall_covers_every_route(stack: Stack) -> Iterator[Problem]:
    """A host name of a route that no security policy names is served past the firewall.

    https://learn.microsoft.com/azure/frontdoor/create-front-door-terraform
    """
    path = "security_policies.firewall.association"
    covered: set[str] = set()
    for policy in stack.of("azurerm_cdn_frontdoor_security_policy"):
        if at(policy.body, f"{path}.patterns_to_match") != ["/*"]:
            yield wrong(policy, f"{path}.patterns_to_match", 'must be ["/*"]')
        if stack.named(at(policy.body, "security_policies.firewall.cdn_frontdoor_firewall_policy_id")) is None:
            yield wrong(
                policy, "security_policies.firewall.cdn_frontdoor_firewall_policy_id", "must be this stack's firewall"
            )
        covered |= {str(at(each, "cdn_frontdoor_domain_id")) for each in listed(policy.body, f"{path}.domain")}
    for route in stack.of("azurerm_cdn_frontdoor_route"):
        hosts = list(map(str, listed(route.body, "cdn_frontdoor_custom_domain_ids")))
        if at(route.body, "link_to_default_domain") is not False:
            hosts.append(str(route.body["cdn_frontdoor_endpoint_id"]))
        for host in hosts:
            if host not in covered:
                yield Problem(route.address, "host", host, "must be a domain of the security policy")


@rule("azurerm_cdn_frontdoor_origin")
def the_edge_leads_to_the_app(stack: Stack) -> Iterator[Problem]:
    """Another origin behind our host name and certificate would be a phishing site of our own.

    https://learn.microsoft.com/azure/frontdoor/origin
    """
    for origin in stack.of("azurerm_cdn_frontdoor_origin"):
        for attribute in ("host_name", "origin_host_header"):
            target = stack.named(at(origin.body, attribute))
            if target is None or target.type != "azurerm_linux_web_app":
                yield wrong(origin, attribute, "must be the app's own host name")


@rule("azurerm_dns_cname_record", "azurerm_cdn_frontdoor_custom_domain")
def nobody_is_sent_to_an_unguarded_edge(stack: Stack) -> Iterator[Problem]:
    """The record comes after every route and the firewall: before, visitors would meet errors, or no rate limit.

    https://registry.terraform.io/providers/hashicorp/azurerm/4.81.0/docs/resources/cdn_frontdoor_custom_domain
    """
    needed = {
        f"{each.type}.{each.name}"
        for each in stack.of("azurerm_cdn_frontdoor_route", "azurerm_cdn_frontdoor_security_policy")
    }
    for record in stack.of("azurerm_dns_cname_record"):
        target = stack.named(record.body["record"])
        if target is None or target.type != "azurerm_cdn_frontdoor_endpoint":
            continue
        missing = sorted(needed - set(map(str, listed(record.body, "depends_on"))))
        if missing:
            yield wrong(record, "depends_on", f"must name {', '.join(missing)} as well")


@rule("azurerm_app_service_custom_hostname_binding")
def a_host_name_is_proven_before_it_is_bound(stack: Stack) -> Iterator[Problem]:
    """App Service looks CNAME and asuid TXT up when it binds the name (design section 5).

    https://learn.microsoft.com/azure/app-service/app-service-web-tutorial-custom-domain
    """
    for binding in stack.of("azurerm_app_service_custom_hostname_binding"):
        records = list(filter(None, (_record(stack, each) for each in listed(binding.body, "depends_on"))))
        label = str(binding.body["hostname"]).partition(".")[0]
        for type_, name in (("azurerm_dns_cname_record", label), ("azurerm_dns_txt_record", f"asuid.{label}")):
            if not any(each.type == type_ and each.body["name"] == name for each in records):
                yield wrong(binding, "depends_on", f"must name the {type_} '{name}'")


def _record(stack: Stack, dependency: object) -> SynthesizedResource | None:
    return next((stack.named(f"${{{address}}}") for address, _ in references(str(dependency))), None)


@rule("azurerm_logic_app_action_custom")
def the_webhooks_address_is_kept_secret(stack: Stack) -> Iterator[Problem]:
    """Whoever can read the run history could post as the platform, so inputs and outputs are kept out of it.

    https://learn.microsoft.com/azure/logic-apps/logic-apps-securing-a-logic-app#obfuscate
    """
    secure = '"secureData": {"properties": ["inputs", "outputs"]}'
    for action in stack.of("azurerm_logic_app_action_custom"):
        if secure not in str(action.body["body"]):
            yield wrong(action, "body", f"must have {secure}")
