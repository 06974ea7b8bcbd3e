"""Who can reach what. Public endpoints are named here, and between subnets only written rules let traffic through."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from tests.policy.rule import (
    Requirement,
    Stack,
    Violation,
    check_requirements,
    get_list,
    get_value,
    list_types,
    load_binding,
    rule,
)
from tests.policy.rules.transport import WEB_APPS
from tests.support import SynthesizedResource


class PublicException(NamedTuple):
    """A resource that may be reached from the internet, and the reason."""

    type: str
    name: str
    """The logical id. `*` stands for anything."""
    reason: str
    stack: str = "*"
    """The only stack that the exception is for; `*` for any."""

    def applies_to(self, resource: SynthesizedResource) -> bool:
        """Return whether the exception is for this resource."""
        return (
            self.type == resource.type
            and fnmatchcase(resource.name, self.name)
            and fnmatchcase(resource.stack, self.stack)
        )


PUBLIC = (
    PublicException("azurerm_storage_account", "state_storage", "CI reads and writes state with Entra, from anywhere"),
    PublicException(
        "azurerm_storage_account", "evidence_storage", "CI writes evidence of deployments with Entra, from anywhere"
    ),
    PublicException(
        "azurerm_container_registry", "registry", "CI pushes images with Entra; private endpoints need Premium"
    ),
    PublicException("azurerm_static_web_app", "static_site", "it is the admin site, which browsers load"),
    PublicException("azurerm_linux_web_app", "web-app_*", "dev has no Front Door: browsers call the app itself", "dev"),
    PublicException(
        "azurerm_log_analytics_workspace", "log_workspace", "services outside the network log here; queries: Entra"
    ),
    PublicException(
        "azurerm_application_insights", "observability_*", "browsers and the app send telemetry; queries: Entra"
    ),
)
DOORS = (
    "public_network_access_enabled",
    "public_network_access",
    "internet_ingestion_enabled",
    "internet_query_enabled",
)
"""The arguments that open a resource to the internet, of any type of the provider."""
CLOSED = (False, "Disabled", "SecuredByPerimeter")
ENTRA_ONLY = (
    Requirement("azurerm_storage_account", "shared_access_key_enabled", (False,)),
    Requirement("azurerm_storage_account", "default_to_oauth_authentication", (True,)),
    Requirement("azurerm_storage_account", "local_user_enabled", (False,)),
    Requirement("azurerm_storage_account", "allow_nested_items_to_be_public", (False,)),
    Requirement("azurerm_storage_account", "cross_tenant_replication_enabled", (False,)),
    Requirement("azurerm_storage_account", "allowed_copy_scope", ("AAD", "PrivateLink")),
    Requirement("azurerm_storage_account", "sas_policy.expiration_action", ("Block",)),
    Requirement("azurerm_storage_container", "container_access_type", ("private",)),
    Requirement("azurerm_container_registry", "admin_enabled", (False,)),
    Requirement("azurerm_container_registry", "anonymous_pull_enabled", (False,)),
    Requirement("azurerm_key_vault", "rbac_authorization_enabled", (True,)),
    Requirement("azurerm_log_analytics_workspace", "local_authentication_enabled", (False,)),
    Requirement("azurerm_postgresql_flexible_server", "authentication.active_directory_auth_enabled", (True,)),
    Requirement("azurerm_postgresql_flexible_server_active_directory_administrator", "principal_type", ("Group",)),
    # A preview environment would be an unguarded site for each branch.
    Requirement("azurerm_static_web_app", "preview_environments_enabled", (False,)),
)
SCM_CLOSED = tuple(
    Requirement(app, f"site_config.{attribute}", allowed)
    for app in WEB_APPS
    for attribute, allowed in (
        ("scm_ip_restriction_default_action", ("Deny",)),
        ("scm_ip_restriction", (None,)),
        ("scm_use_main_ip_restriction", (False,)),
    )
)
PRIVATE_ONLY = {"azurerm_postgresql_flexible_server": "postgresqlServer", "azurerm_managed_redis": "redisEnterprise"}
"""The types that only private endpoints reach, and the subresource that such an endpoint connects to."""
REQUIRED_IN_SECURITY_RULE = (
    ("protocol", "protocol"),
    ("source_address_prefix", "source_address_prefixes"),
    ("destination_address_prefix", "destination_address_prefixes"),
    ("destination_port_range", "destination_port_ranges"),
)
"""What a security rule must say: the argument for one value, and the argument for several."""
WILDCARDS = ("*", "0.0.0.0/0", "::/0", "Any", "0-65535")


def find_open_doors(stack: Stack) -> Iterator[tuple[SynthesizedResource, Violation]]:
    """Yield every resource that is open to the internet, including the named exceptions, and what is open in it."""
    for resource in stack.find_resources():
        for door in DOORS:
            if not hasattr(load_binding(resource.type), door) or get_value(resource.body, door) in CLOSED:
                continue
            for attribute, expected in _check_firewall(stack, resource, door):
                yield resource, Violation.of(resource, attribute, expected)


def _check_firewall(stack: Stack, resource: SynthesizedResource, door: str) -> Iterator[tuple[str, str]]:
    """Yield what the firewall behind an open door lets in: the attribute, and what would be right."""
    match resource.type:
        case "azurerm_key_vault":
            yield from _check_network_rules(stack, resource, "network_acls")
        case "azurerm_storage_account":
            yield from _check_network_rules(stack, resource, "network_rules")
        case "azurerm_linux_web_app" | "azurerm_linux_web_app_slot":
            yield from _check_ip_restrictions(stack, resource)
        case _:
            yield door, "must be false, or a named exception in PUBLIC"


def _check_network_rules(stack: Stack, resource: SynthesizedResource, block: str) -> Iterator[tuple[str, str]]:
    """Yield what lets in more than the app's subnet and the Logic App."""
    if get_value(resource.body, f"{block}.default_action") != "Deny":
        yield f"{block}.default_action", 'must be "Deny", or the resource a named exception in PUBLIC'
    for subnet_id in get_list(resource.body, f"{block}.virtual_network_subnet_ids"):
        subnet = stack.resolve(subnet_id)
        if subnet is None or not get_list(subnet.body, "delegation"):  # the app's subnet is delegated to App Service
            yield f"{block}.virtual_network_subnet_ids", "must be the app's own subnet alone"
    for address in get_list(resource.body, f"{block}.ip_rules"):
        caller = stack.resolve(address)
        if caller is None or caller.type != "azurerm_logic_app_workflow":
            yield f"{block}.ip_rules", "must be the outbound addresses of the Teams Logic App, or absent"


def _check_ip_restrictions(stack: Stack, app: SynthesizedResource) -> Iterator[tuple[str, str]]:
    """Yield what lets in more than this stack's Front Door."""
    if get_value(app.body, "site_config.ip_restriction_default_action") != "Deny":
        yield "site_config.ip_restriction_default_action", 'must be "Deny", or the app a named exception in PUBLIC'
        return
    for index, restriction in enumerate(get_list(app.body, "site_config.ip_restriction")):
        path = f"site_config.ip_restriction.{index}"
        profiles = [stack.resolve(profile_id) for profile_id in get_list(restriction, "headers.x_azure_fdid")]
        if get_value(restriction, "service_tag") != "AzureFrontDoor.Backend":
            yield path, "must let the service tag AzureFrontDoor.Backend in, and nothing else"
        if [profile.type for profile in profiles if profile] != ["azurerm_cdn_frontdoor_profile"]:
            yield f"{path}.headers", "must name this stack's own Front Door in x_azure_fdid: the tag admits everybody's"


@rule("azurerm_key_vault", "azurerm_managed_redis", "azurerm_postgresql_flexible_server", *(row.type for row in PUBLIC))
def no_public_access(stack: Stack) -> Iterator[Violation]:
    """Only what `PUBLIC` names answers the internet. A resource with a firewall lets in its own caller only.

    Every type is checked whose arguments can open it, also types that nobody has named here.
    docs/design.md#environments; https://learn.microsoft.com/azure/frontdoor/origin-security
    """
    for resource, violation in find_open_doors(stack):
        if not any(exception.applies_to(resource) for exception in PUBLIC):
            yield violation


@rule(*list_types(ENTRA_ONLY))
def only_entra_tokens_are_accepted(stack: Stack) -> Iterator[Violation]:
    """Entra tokens are the only way in: no account keys, no admin users, no anonymous access.

    What has a public endpoint is protected by this alone. docs/design.md#decisions, "Keys and passwords";
    https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent
    """
    yield from check_requirements(stack, ENTRA_ONLY)


@rule(*list_types(SCM_CLOSED))
def scm_is_closed(stack: Stack) -> Iterator[Violation]:
    """The SCM site (Kudu) is closed to everybody.

    It runs commands in the container, and nobody needs it because images come from the registry. docs/design.md#traps;
    https://learn.microsoft.com/azure/app-service/app-service-ip-restrictions#restrict-access-to-an-scm-site
    """
    yield from check_requirements(stack, SCM_CLOSED)


@rule("azurerm_private_endpoint", *PRIVATE_ONLY)
def data_stores_have_a_private_endpoint(stack: Stack) -> Iterator[Violation]:
    """PostgreSQL and Redis each have a private endpoint with a record in a private DNS zone of the stack.

    Without both, the app would not find them at all.
    https://learn.microsoft.com/azure/private-link/private-endpoint-dns
    """
    endpoints = list(stack.find_resources("azurerm_private_endpoint"))
    connected = "private_service_connection.private_connection_resource_id"
    for store in stack.find_resources(*PRIVATE_ONLY):
        own = [endpoint for endpoint in endpoints if stack.resolve(get_value(endpoint.body, connected)) == store]
        if not own:
            expected = "must be connected by an azurerm_private_endpoint"
            yield Violation(store.address, "private endpoint", None, expected)
        for endpoint in own:
            subresources = "private_service_connection.subresource_names"
            if get_value(endpoint.body, subresources) != [PRIVATE_ONLY[store.type]]:
                yield Violation.of(endpoint, subresources, f'must be ["{PRIVATE_ONLY[store.type]}"]')
            zones = "private_dns_zone_group.private_dns_zone_ids"
            if not all(stack.resolve(zone_id) for zone_id in get_list(endpoint.body, zones) or [None]):
                yield Violation.of(endpoint, zones, "must be a private DNS zone of this stack")


@rule("azurerm_network_security_group")
def no_wildcard_is_allowed(stack: Stack) -> Iterator[Violation]:
    """A security rule that allows traffic names its source, destination, protocol and port, without a wildcard.

    The source port is not checked: clients use ephemeral ports, so Azure itself advises `*`. Within a subnet that
    belongs to Container Apps, Azure asks for all protocols and ports:
    https://learn.microsoft.com/azure/container-apps/firewall-integration.
    docs/design.md#decisions, "Network";
    https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules
    """
    for group in stack.find_resources("azurerm_network_security_group"):
        for index, security_rule in enumerate(get_list(group.body, "security_rule")):
            if get_value(security_rule, "access") == "Deny" or _stays_among_jobs(stack, security_rule):
                continue
            for singular, plural in REQUIRED_IN_SECURITY_RULE:
                argument = plural if get_value(security_rule, singular) is None else singular
                values = get_list(security_rule, argument)
                if not values or any(value in WILDCARDS for value in values):
                    expected = "must be said, and be no wildcard"
                    yield Violation.of(group, f"security_rule.{index}.{argument}", expected)


def _stays_among_jobs(stack: Stack, security_rule: object) -> bool:
    """Return whether a rule is about traffic within the subnet of the jobs."""
    jobs = stack.environment.jobs if stack.environment else None
    ends = {get_value(security_rule, f"{end}_address_prefix") for end in ("source", "destination")}
    return bool(jobs) and ends == {jobs.subnet}


@rule("azurerm_network_security_group")
def the_last_rule_denies(stack: Stack) -> Iterator[Violation]:
    """In each direction, a security group's last rule denies everything.

    Azure's default rules come after it. They allow traffic in the whole virtual network, and all outbound traffic.
    https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules
    """
    deny_everything = {
        "access": "Deny",
        "protocol": "*",
        "source_address_prefix": "*",
        "source_port_range": "*",
        "destination_address_prefix": "*",
        "destination_port_range": "*",
    }
    for group in stack.find_resources("azurerm_network_security_group"):
        for direction in ("Inbound", "Outbound"):
            rules = [row for row in get_list(group.body, "security_rule") if get_value(row, "direction") == direction]
            last = max(rules, key=lambda row: int(str(get_value(row, "priority"))), default=None)
            if any(get_value(last, argument) != value for argument, value in deny_everything.items()):
                name = get_value(last, "name")
                expected = "must deny everything from everywhere"
                yield Violation(group.address, f"last {direction} rule", name, expected)


@rule("azurerm_subnet", "azurerm_subnet_network_security_group_association")
def subnets_are_guarded(stack: Stack) -> Iterator[Violation]:
    """Every subnet has a security group, private endpoints obey it, and only App Service's subnet has a way out.

    https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
    """
    associations = stack.find_resources("azurerm_subnet_network_security_group_association")
    guarded = [stack.resolve(association.body["subnet_id"]) for association in associations]
    for subnet in stack.find_resources("azurerm_subnet"):
        if subnet not in guarded:
            yield Violation(subnet.address, "network security group", None, "must be associated with one")
        if get_value(subnet.body, "private_endpoint_network_policies") != "Enabled":
            yield Violation.of(subnet, "private_endpoint_network_policies", 'must be "Enabled"')
        is_delegated = bool(get_list(subnet.body, "delegation"))
        if not is_delegated and get_value(subnet.body, "default_outbound_access_enabled") is not False:
            yield Violation.of(subnet, "default_outbound_access_enabled", "must be false")


@rule(*WEB_APPS)
def the_app_leaves_through_its_subnet(stack: Stack) -> Iterator[Violation]:
    """Everything that the app sends, and the pull of its image, goes through the app's subnet.

    There the security group applies to it. https://learn.microsoft.com/azure/app-service/overview-vnet-integration#routes
    """
    for app in stack.find_resources(*WEB_APPS):
        for attribute in ("site_config.vnet_route_all_enabled", "vnet_image_pull_enabled"):
            if get_value(app.body, attribute) is not True:
                yield Violation.of(app, attribute, "must be true")
        subnet = stack.resolve(get_value(app.body, "virtual_network_subnet_id"))
        if subnet is None or subnet.type != "azurerm_subnet":
            yield Violation.of(app, "virtual_network_subnet_id", "must be the app's own subnet")


@rule(*WEB_APPS)
def cors_admits_only_own_front_ends(stack: Stack) -> Iterator[Violation]:
    """CORS admits the environment's own front ends only, and the application is told the same list.

    CORS allows credentials here, so every origin that it admits can act as the signed-in user.
    docs/design.md#decisions, "Cross-origin requests";
    https://learn.microsoft.com/azure/app-service/app-service-web-tutorial-rest-api
    """
    environment = stack.environment
    zone = f"{environment.domain.label}.{stack.platform.shared.account.domain}" if environment else ""
    sites = [f"{site.type}.{site.name}" for site in stack.find_resources("azurerm_static_web_app")]
    own = {f"https://{zone}", f"https://admin.{zone}", *(f"https://${{{site}.default_host_name}}" for site in sites)}
    for app in stack.find_resources(*WEB_APPS):
        origins = get_list(app.body, "site_config.cors.allowed_origins")
        for index, origin in enumerate(origins):
            if origin not in own:
                expected = f"must be one of {sorted(own)}"
                yield Violation.of(app, f"site_config.cors.allowed_origins.{index}", expected)
        if get_value(app.body, "app_settings.CORS_ORIGINS") != ",".join(map(str, origins)):
            expected = "must be the platform's own list, with commas between"
            yield Violation.of(app, "app_settings.CORS_ORIGINS", expected)
