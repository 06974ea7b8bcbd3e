"""Azure Front Door Standard in front of the API: host name, certificate, rate limits and cached paths."""

import json
from pathlib import Path
from typing import NamedTuple

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.cdn_frontdoor_custom_domain import (
    CdnFrontdoorCustomDomain,
    CdnFrontdoorCustomDomainTls,
)
from cdktf_cdktf_provider_azurerm.cdn_frontdoor_custom_domain_association import CdnFrontdoorCustomDomainAssociation
from cdktf_cdktf_provider_azurerm.cdn_frontdoor_endpoint import CdnFrontdoorEndpoint
from cdktf_cdktf_provider_azurerm.cdn_frontdoor_firewall_policy import (
    CdnFrontdoorFirewallPolicy,
    CdnFrontdoorFirewallPolicyCustomRule,
    CdnFrontdoorFirewallPolicyCustomRuleMatchCondition,
)
from cdktf_cdktf_provider_azurerm.cdn_frontdoor_origin import CdnFrontdoorOrigin
from cdktf_cdktf_provider_azurerm.cdn_frontdoor_origin_group import (
    CdnFrontdoorOriginGroup,
    CdnFrontdoorOriginGroupLoadBalancing,
)
from cdktf_cdktf_provider_azurerm.cdn_frontdoor_profile import CdnFrontdoorProfile
from cdktf_cdktf_provider_azurerm.cdn_frontdoor_route import CdnFrontdoorRoute, CdnFrontdoorRouteCache
from cdktf_cdktf_provider_azurerm.cdn_frontdoor_security_policy import (
    CdnFrontdoorSecurityPolicy,
    CdnFrontdoorSecurityPolicySecurityPolicies,
    CdnFrontdoorSecurityPolicySecurityPoliciesFirewall,
    CdnFrontdoorSecurityPolicySecurityPoliciesFirewallAssociation,
    CdnFrontdoorSecurityPolicySecurityPoliciesFirewallAssociationDomain,
)
from cdktf_cdktf_provider_azurerm.linux_web_app import LinuxWebApp
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace

from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.dns import Dns
from constructs_lib.place import AzureStack, Capability
from environments.settings import FrontDoorSettings

SKU = "Standard_AzureFrontDoor"
CDN_FILE = Path(__file__).parent.parent / "frontend" / "augeo-admin" / ".azure" / "cdn.json"


class RateLimit(NamedTuple):
    """How many requests a minute one client address may send to URLs that contain one of the paths."""

    name: str
    paths: list[str]
    requests_a_minute: int


class Hosts(NamedTuple):
    """The host names at which a route answers."""

    domain: CdnFrontdoorCustomDomain | None
    """The name in the environment's zone, if it is delegated."""
    default: bool
    """Whether Front Door's own name answers too."""


class Edge(Capability):
    """The Front Door profile and endpoint. `publish()` puts the web app behind them.

    These are two steps, because the web app admits only this profile (`profile.resource_guid`), and so needs it first.
    """

    def __init__(
        self, scope: AzureStack, id_: str, *, settings: FrontDoorSettings, workspace: LogAnalyticsWorkspace
    ) -> None:
        super().__init__(scope, id_)
        self._limits = (
            RateLimit("SignIn", ["/api/v1/auth/"], settings.sign_in_requests_a_minute),
            RateLimit("Api", ["/api/"], settings.api_requests_a_minute),
        )
        self.profile = CdnFrontdoorProfile(
            self,
            "profile",
            name=self.place.names.compose("front_door"),
            resource_group_name=self.place.resource_group,
            sku_name=SKU,
            response_timeout_seconds=60,
            tags=self.place.tags,
        )
        send_diagnostics(self.profile, workspace)
        self.endpoint = CdnFrontdoorEndpoint(
            self,
            "endpoint",
            name=self.place.names.compose("front_door_endpoint"),
            cdn_frontdoor_profile_id=self.profile.id,
            tags=self.place.tags,
        )

    def publish(self, app: LinuxWebApp, *, dns: Dns) -> None:
        """Route all requests to the app, at Front Door's own host name, the zone's `api`, or both."""
        group = CdnFrontdoorOriginGroup(
            self,
            "origins",
            name="api",
            cdn_frontdoor_profile_id=self.profile.id,
            session_affinity_enabled=False,
            load_balancing=CdnFrontdoorOriginGroupLoadBalancing(sample_size=4, successful_samples_required=3),
            # There is one origin, so no probe: it could change no route, and every edge location would send it.
            # https://learn.microsoft.com/azure/frontdoor/health-probes
        )
        origin = CdnFrontdoorOrigin(
            self,
            "origin",
            name="web-app",
            cdn_frontdoor_origin_group_id=group.id,
            host_name=app.default_hostname,
            origin_host_header=app.default_hostname,
            certificate_name_check_enabled=True,
            enabled=True,
        )
        domain = self._add_custom_domain(dns) if dns.delegated else None
        hosts = Hosts(domain, default=dns.azure_names_answer)
        routes = [self._add_route("everything", ["/*"], group, origin, hosts, cache=None)]
        for cached in json.loads(CDN_FILE.read_text(encoding="utf-8"))["cached"]:
            cache = CdnFrontdoorRouteCache(query_string_caching_behavior=cached["query_strings"])
            routes.append(self._add_route(cached["name"], cached["paths"], group, origin, hosts, cache=cache))
        rate_limits = self._add_rate_limits(hosts)
        if domain is None:
            return
        CdnFrontdoorCustomDomainAssociation(
            self,
            "custom-domain-association",
            cdn_frontdoor_custom_domain_id=domain.id,
            cdn_frontdoor_route_ids=[route.id for route in routes],
        )
        # The name must not lead here before the routes and the rate limits are in place.
        dns.add_cname(self, "api", self.endpoint.host_name, depends_on=[*routes, rate_limits])

    def _add_custom_domain(self, dns: Dns) -> CdnFrontdoorCustomDomain:
        domain = CdnFrontdoorCustomDomain(
            self,
            "custom-domain",
            name="api",
            cdn_frontdoor_profile_id=self.profile.id,
            dns_zone_id=dns.zone_id,
            host_name=dns.compose_host("api"),
            tls=CdnFrontdoorCustomDomainTls(certificate_type="ManagedCertificate"),
            # With this, Terraform takes the domain out of the security policy and the routes before it deletes it.
            # Azure refuses the other order: https://github.com/hashicorp/terraform-provider-azurerm/issues/31362.
            lifecycle=TerraformResourceLifecycle(create_before_destroy=True),
        )
        # The bindings know azurerm 4.55, which calls it minimum_tls_version.
        domain.add_override("tls.minimum_version", "TLS12")
        dns.add_txt(self, "_dnsauth.api", domain.validation_token)
        return domain

    def _add_route(
        self,
        name: str,
        patterns: list[str],
        group: CdnFrontdoorOriginGroup,
        origin: CdnFrontdoorOrigin,
        hosts: Hosts,
        *,
        cache: CdnFrontdoorRouteCache | None,
    ) -> CdnFrontdoorRoute:
        return CdnFrontdoorRoute(
            self,
            f"{name}-route",
            name=name,
            cdn_frontdoor_endpoint_id=self.endpoint.id,
            cdn_frontdoor_origin_group_id=group.id,
            cdn_frontdoor_origin_ids=[origin.id],
            cdn_frontdoor_custom_domain_ids=[hosts.domain.id] if hosts.domain else None,
            link_to_default_domain=hosts.default,
            patterns_to_match=patterns,
            supported_protocols=["Http", "Https"],
            https_redirect_enabled=True,
            forwarding_protocol="HttpsOnly",
            cache=cache,
        )

    def _add_rate_limits(self, hosts: Hosts) -> CdnFrontdoorSecurityPolicy:
        """Add the rate limits as custom rules. Managed rule sets would need the Premium tier."""
        endpoint_id = self.endpoint.id if hosts.default else None
        domain_id = hosts.domain.id if hosts.domain else None
        firewall = CdnFrontdoorFirewallPolicy(
            self,
            "firewall",
            name=self.place.names.compose("front_door_firewall"),
            resource_group_name=self.place.resource_group,
            sku_name=SKU,
            mode="Prevention",
            custom_block_response_status_code=429,
            custom_rule=[_build_rate_limit_rule(at, limit) for at, limit in enumerate(self._limits, start=1)],
            tags=self.place.tags,
        )
        return CdnFrontdoorSecurityPolicy(
            self,
            "security-policy",
            name="rate-limits",
            cdn_frontdoor_profile_id=self.profile.id,
            security_policies=CdnFrontdoorSecurityPolicySecurityPolicies(
                firewall=CdnFrontdoorSecurityPolicySecurityPoliciesFirewall(
                    cdn_frontdoor_firewall_policy_id=firewall.id,
                    association=CdnFrontdoorSecurityPolicySecurityPoliciesFirewallAssociation(
                        patterns_to_match=["/*"],
                        domain=[
                            CdnFrontdoorSecurityPolicySecurityPoliciesFirewallAssociationDomain(
                                cdn_frontdoor_domain_id=id_
                            )
                            for id_ in (endpoint_id, domain_id)
                            if id_
                        ],
                    ),
                )
            ),
        )


def _build_rate_limit_rule(priority: int, limit: RateLimit) -> CdnFrontdoorFirewallPolicyCustomRule:
    return CdnFrontdoorFirewallPolicyCustomRule(
        name=f"RateLimit{limit.name}",
        type="RateLimitRule",
        action="Block",
        enabled=True,
        priority=priority,
        rate_limit_duration_in_minutes=1,
        rate_limit_threshold=limit.requests_a_minute,
        match_condition=[
            CdnFrontdoorFirewallPolicyCustomRuleMatchCondition(
                match_variable="RequestUri",
                operator="Contains",
                match_values=limit.paths,
                # /API/ and %2Fapi%2F count as well.
                transforms=["UrlDecode", "Lowercase"],
            )
        ],
    )
