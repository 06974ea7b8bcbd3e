"""Who can reach what: no public endpoint but the named ones, and between subnets only what is written."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import NamedTuple

from tests.policy.rule import Must, Problem, Stack, at, binding, listed, must, rule, types, wrong
from tests.policy.rules.transport import WEB_APPS
from tests.support import SynthesizedResource


class Public(NamedTuple):
    """An exception: what may be reached from the internet, and why that is right."""

    type: str
    name: str
    """The logical id; `*` stands for anything."""
    reason: str
    behind: str = "*"
    """The only stack that it holds for; `*` for any."""


PUBLIC = (
    Public("azurerm_storage_account", "state_storage", "CI reads and writes state with Entra, from anywhere"),
    Public(
        "azurerm_storage_account", "evidence_storage", "CI writes evidence of deployments with Entra, from anywhere"
    ),
    Public("azurerm_container_registry", "registry", "CI pushes images with Entra; private endpoints need Premium"),
    Public("azurerm_static_web_app", "static_site", "it is the admin site, which browsers load"),
    Public("azurerm_linux_web_app", "web-app_*", "dev has no Front Door (ADR): browsers call the app itself", "dev"),
    Public("azurerm_log_analytics_workspace", "log_workspace", "services outside the network log here; queries: Entra"),
    Public("azurerm_application_insights", "observability_*", "browsers and the app send telemetry; queries: Entra"),
)
# The arguments by which the provider's types open themselves to the internet.
DOORS = (
    "public_network_access_enabled",
    "public_network_access",
    "internet_ingestion_enabled",
    "internet_query_enabled",
)
CLOSED = (False, "Disabled", "SecuredByPerimeter")
ENTRA_ALONE = (
    Must("azurerm_storage_account", "shared_access_key_enabled", (False,)),
    Must("azurerm_storage_account", "default_to_oauth_authentication", (True,)),
    Must("azurerm_storage_account", "local_user_enabled", (False,)),
    Must("azurerm_storage_account", "allow_nested_items_to_be_public", (False,)),
    Must("azurerm_storage_account", "cross_tenant_replication_enabled", (False,)),
    Must("azurerm_storage_account", "allowed_copy_scope", ("AAD", "PrivateLink")),
    Must("azurerm_storage_account", "sas_policy.expiration_action", ("Block",)),
    Must("azurerm_storage_container", "container_access_type", ("private",)),
    Must("azurerm_container_registry", "admin_enabled", (False,)),
    Must("azurerm_container_registry", "anonymous_pull_enabled", (False,)),
    Must("azurerm_key_vault", "rbac_authorization_enabled", (True,)),
    Must("azurerm_log_analytics_workspace", "local_authentication_enabled", (False,)),
    Must("azurerm_postgresql_flexible_server", "authentication.active_directory_auth_enabled", (True,)),
    Must("azurerm_postgresql_flexible_server_active_directory_administrator", "principal_type", ("Group",)),
    Must("azurerm_static_web_app", "preview_environments_enabled", (False,)),  # an unguarded site for each branch
)
SCM_CLOSED = tuple(
    Must(app, f"site_config.{attribute}", allowed)
    for app in WEB_APPS
    for attribute, allowed in (
        ("scm_ip_restriction_default_action", ("Deny",)),
        ("scm_ip_restriction", (None,)),
        ("scm_use_main_ip_restriction", (False,)),
    )
)
PRIVATE_ALONE = {"azurerm_postgresql_flexible_server": "postgresqlServer", "azurerm_managed_redis": "redisEnterprise"}
# What a security rule must say, as one value or as several.
SAID = (
    ("protocol", "protocol"),
    ("source_address_prefix", "source_address_prefixes"),
    ("destination_address_prefix", "destination_address_prefixes"),
    ("destination_port_range", "destination_port_ranges"),
)
WILDCARDS = ("*", "0.0.0.0/0", "::/0", "Any", "0-65535")


def open_doors(stack: Stack) -> Iterator[tuple[SynthesizedResource, Problem]]:
    """Everything that is open to the internet, the named exceptions too."""
    for resource in stack.of():
        for door in DOORS:
            if not hasattr(binding(resource.type), door) or at(resource.body, door) in CLOSED:
                continue
            for attribute, right in _not_shut(stack, resource, door):
                yield resource, wrong(resource, attribute, right)


def _not_shut(stack: Stack, resource: SynthesizedResource, door: str) -> Iterator[tuple[str, str]]:
    """What a firewall behind the open door leaves open: attribute, and what would be right."""
    match resource.type:
        case "azurerm_key_vault":
            yield from _not_the_apps_subnet(stack, resource, "network_acls")
        case "azurerm_storage_account":
            yield from _not_the_apps_subnet(stack, resource, "network_rules")
        case "azurerm_linux_web_app" | "azurerm_linux_web_app_slot":
            yield from _not_front_door(stack, resource)
        case _:
            yield door, "must be false, or a named exception in PUBLIC"


def _not_the_apps_subnet(stack: Stack, resource: SynthesizedResource, block: str) -> Iterator[tuple[str, str]]:
    if at(resource.body, f"{block}.default_action") != "Deny":
        yield f"{block}.default_action", 'must be "Deny", or the resource a named exception in PUBLIC'
    for subnet in listed(resource.body, f"{block}.virtual_network_subnet_ids"):
        delegated = stack.named(subnet)
        if delegated is None or not listed(delegated.body, "delegation"):
            yield f"{block}.virtual_network_subnet_ids", "must be the app's own subnet alone"
    for address in listed(resource.body, f"{block}.ip_rules"):
        caller = stack.named(address)
        if caller is None or caller.type != "azurerm_logic_app_workflow":
            yield f"{block}.ip_rules", "must be the outbound addresses of the Teams Logic App, or absent"


def _not_front_door(stack: Stack, app: SynthesizedResource) -> Iterator[tuple[str, str]]:
    if at(app.body, "site_config.ip_restriction_default_action") != "Deny":
        yield "site_config.ip_restriction_default_action", 'must be "Deny", or the app a named exception in PUBLIC'
        return
    for index, restriction in enumerate(listed(app.body, "site_config.ip_restriction")):
        path = f"site_config.ip_restriction.{index}"
        profiles = [stack.named(each) for each in listed(restriction, "headers.x_azure_fdid")]
        if at(restriction, "service_tag") != "AzureFrontDoor.Backend":
            yield path, "must let the service tag AzureFrontDoor.Backend in, and nothing else"
        if [each.type for each in profiles if each] != ["azurerm_cdn_frontdoor_profile"]:
            yield f"{path}.headers", "must name this stack's own Front Door in x_azure_fdid: the tag admits everybody's"


def excepted(exception: Public, resource: SynthesizedResource) -> bool:
    """Whether an exception is for this resource."""
    return (
        exception.type == resource.type
        and fnmatchcase(resource.name, exception.name)
        and fnmatchcase(resource.stack, exception.behind)
    )


@rule("azurerm_key_vault", "azurerm_managed_redis", "azurerm_postgresql_flexible_server", *(row.type for row in PUBLIC))
def no_public_access(stack: Stack) -> Iterator[Problem]:
    """Nothing answers the internet but what `PUBLIC` names; what has a firewall lets in its own caller alone.

    A type of the provider that can be opened is looked at as soon as it is used. Design section 3, issue 3 section 3;
    https://learn.microsoft.com/azure/frontdoor/origin-security
    """
    for resource, problem in open_doors(stack):
        if not any(excepted(exception, resource) for exception in PUBLIC):
            yield problem


@rule(*types(ENTRA_ALONE))
def entra_alone(stack: Stack) -> Iterator[Problem]:
    """What is public is so with Entra alone: no account keys, no admin users, nothing anonymous (design section 3).

    https://learn.microsoft.com/azure/storage/common/shared-key-authorization-prevent
    """
    yield from must(stack, ENTRA_ALONE)


@rule(*types(SCM_CLOSED))
def scm_admits_nobody(stack: Stack) -> Iterator[Problem]:
    """Kudu runs commands in the container; images come from the registry, so nobody needs it (design section 5).

    https://learn.microsoft.com/azure/app-service/app-service-ip-restrictions#restrict-access-to-an-scm-site
    """
    yield from must(stack, SCM_CLOSED)


@rule("azurerm_private_endpoint", *PRIVATE_ALONE)
def data_stores_have_a_private_endpoint(stack: Stack) -> Iterator[Problem]:
    """Without an endpoint and its record in a zone, the app would not find PostgreSQL or Redis at all.

    https://learn.microsoft.com/azure/private-link/private-endpoint-dns
    """
    endpoints = list(stack.of("azurerm_private_endpoint"))
    for store in stack.of(*PRIVATE_ALONE):
        own = [
            each
            for each in endpoints
            if stack.named(at(each.body, "private_service_connection.private_connection_resource_id")) == store
        ]
        if not own:
            yield Problem(store.address, "private endpoint", None, "must be connected by an azurerm_private_endpoint")
        for endpoint in own:
            kind = "private_service_connection.subresource_names"
            if at(endpoint.body, kind) != [PRIVATE_ALONE[store.type]]:
                yield wrong(endpoint, kind, f'must be ["{PRIVATE_ALONE[store.type]}"]')
            zones = "private_dns_zone_group.private_dns_zone_ids"
            if not all(stack.named(each) for each in listed(endpoint.body, zones) or [None]):
                yield wrong(endpoint, zones, "must be a private DNS zone of this stack")


@rule("azurerm_network_security_group")
def no_wildcard_is_allowed(stack: Stack) -> Iterator[Problem]:
    """A rule that allows says from where, to where, over what and to which port, issue 3 section 4.

    The source port is the exception: a client's is ephemeral, so Azure itself advises `*`.
    https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#security-rules
    """
    for group in stack.of("azurerm_network_security_group"):
        for index, row in enumerate(listed(group.body, "security_rule")):
            if at(row, "access") == "Deny":
                continue
            for one, several in SAID:
                field = several if at(row, one) is None else one
                values = listed(row, field)
                if not values or any(value in WILDCARDS for value in values):
                    yield wrong(group, f"security_rule.{index}.{field}", "must be said, and be no wildcard")


@rule("azurerm_network_security_group")
def the_last_rule_denies(stack: Stack) -> Iterator[Problem]:
    """Azure's default rules allow the whole virtual network and all outbound traffic; a last rule takes that back.

    https://learn.microsoft.com/azure/virtual-network/network-security-groups-overview#default-security-rules
    """
    for group in stack.of("azurerm_network_security_group"):
        for direction in ("Inbound", "Outbound"):
            rows = [row for row in listed(group.body, "security_rule") if at(row, "direction") == direction]
            last = max(rows, key=lambda row: int(str(at(row, "priority"))), default=None)
            everything = {"access": "Deny", "protocol": "*", "source_address_prefix": "*", "source_port_range": "*"}
            everything |= {"destination_address_prefix": "*", "destination_port_range": "*"}
            if any(at(last, field) != value for field, value in everything.items()):
                yield Problem(
                    group.address, f"last {direction} rule", at(last, "name"), "must deny everything from everywhere"
                )


@rule("azurerm_subnet", "azurerm_subnet_network_security_group_association")
def subnets_are_guarded(stack: Stack) -> Iterator[Problem]:
    """Every subnet has a security group, endpoints obey it, and there is no way out but App Service's own.

    https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access
    """
    guarded = [
        stack.named(each.body["subnet_id"]) for each in stack.of("azurerm_subnet_network_security_group_association")
    ]
    for subnet in stack.of("azurerm_subnet"):
        if subnet not in guarded:
            yield Problem(subnet.address, "network security group", None, "must be associated with one")
        if at(subnet.body, "private_endpoint_network_policies") != "Enabled":
            yield wrong(subnet, "private_endpoint_network_policies", 'must be "Enabled"')
        if not listed(subnet.body, "delegation") and at(subnet.body, "default_outbound_access_enabled") is not False:
            yield wrong(subnet, "default_outbound_access_enabled", "must be false")


@rule(*WEB_APPS)
def the_app_leaves_through_its_subnet(stack: Stack) -> Iterator[Problem]:
    """All that the app sends goes through the network, where the security group sees it, the image's pull included.

    https://learn.microsoft.com/azure/app-service/overview-vnet-integration#routes
    """
    for app in stack.of(*WEB_APPS):
        for attribute in ("site_config.vnet_route_all_enabled", "vnet_image_pull_enabled"):
            if at(app.body, attribute) is not True:
                yield wrong(app, attribute, "must be true")
        subnet = stack.named(at(app.body, "virtual_network_subnet_id"))
        if subnet is None or subnet.type != "azurerm_subnet":
            yield wrong(app, "virtual_network_subnet_id", "must be the app's own subnet")


@rule(*WEB_APPS)
def cors_admits_own_front_ends(stack: Stack) -> Iterator[Problem]:
    """With credentials allowed, every admitted origin can act as the signed-in user.

    https://learn.microsoft.com/azure/app-service/app-service-web-tutorial-rest-api, issue 3 section 3.
    """
    environment = stack.environment
    for app in stack.of(*WEB_APPS):
        zone = f"{environment.domain.label}.{stack.platform.shared.account.domain}" if environment else ""
        own = {f"https://{zone}", f"https://admin.{zone}"}
        own |= {
            f"https://${{{site.type}.{site.name}.default_host_name}}" for site in stack.of("azurerm_static_web_app")
        }
        for index, origin in enumerate(listed(app.body, "site_config.cors.allowed_origins")):
            if origin not in own:
                yield wrong(app, f"site_config.cors.allowed_origins.{index}", f"must be one of {sorted(own)}")
        told = at(app.body, "app_settings.CORS_ORIGINS")
        if told != ",".join(map(str, listed(app.body, "site_config.cors.allowed_origins"))):
            yield wrong(app, "app_settings.CORS_ORIGINS", "must be the platform's own list, with commas between")
