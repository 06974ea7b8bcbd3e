"""The admin site on Static Web Apps. Its routes and headers come with its build, in staticwebapp.config.json."""

from cdktf_cdktf_provider_azurerm.static_web_app import StaticWebApp
from cdktf_cdktf_provider_azurerm.static_web_app_custom_domain import StaticWebAppCustomDomain

from constructs_lib.dns import Dns
from constructs_lib.place import AzureStack, Capability
from constructs_lib.protection import protect
from environments.settings import StaticSiteSettings


class StaticSite(Capability):
    """The site (`site`), and the host names at which it answers (`hosts`), first the one that links use.

    It has no diagnostic setting, because Azure takes none: https://github.com/MicrosoftDocs/azure-docs/issues/95804.
    """

    def __init__(self, scope: AzureStack, id_: str, *, settings: StaticSiteSettings, dns: Dns) -> None:
        super().__init__(scope, id_)
        self.site = StaticWebApp(
            self,
            "site",
            **self.place.compose_arguments("static_site", location=settings.location),
            sku_tier=settings.tier,
            sku_size=settings.tier,
            preview_environments_enabled=False,
            configuration_file_changes_enabled=True,
        )
        # No lock: a delivery replaces builds, which are children of the site and would inherit the lock. The site has
        # prevent_destroy, because a new site would have another host name.
        protect(
            self.site,
            "static_site",
            place=self.place,
            lock=False,
            # A delivery sets these when it uploads a build.
            ignore_changes=["repository_branch", "repository_url"],
        )
        self.hosts = dns.list_hosts("admin", self.site.default_host_name)
        if dns.delegated:
            StaticWebAppCustomDomain(
                self,
                "custom-domain",
                static_web_app_id=self.site.id,
                domain_name=dns.compose_host("admin"),
                # A TXT token disappears from the resource once it is validated. A CNAME record proves a subdomain.
                validation_type="cname-delegation",
                depends_on=[dns.add_cname(self, "admin", self.site.default_host_name)],
            )
