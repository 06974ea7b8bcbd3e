"""The environment's DNS zone, and the API's host name in environments without Front Door.

DNS comes in two phases. Until the registrar delegates the parent domain (`Domain.delegated`), there are zones but no
host names, because Azure validates certificates and host name bindings by looking the names up.
"""

from cdktf import TerraformResource, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.app_service_certificate_binding import AppServiceCertificateBinding
from cdktf_cdktf_provider_azurerm.app_service_custom_hostname_binding import AppServiceCustomHostnameBinding
from cdktf_cdktf_provider_azurerm.app_service_managed_certificate import AppServiceManagedCertificate
from cdktf_cdktf_provider_azurerm.dns_cname_record import DnsCnameRecord
from cdktf_cdktf_provider_azurerm.dns_ns_record import DnsNsRecord
from cdktf_cdktf_provider_azurerm.dns_txt_record import DnsTxtRecord, DnsTxtRecordRecord
from cdktf_cdktf_provider_azurerm.dns_zone import DnsZone
from cdktf_cdktf_provider_azurerm.linux_web_app import LinuxWebApp

from constructs_lib.place import AzureStack, Capability
from constructs_lib.protection import protect
from environments.settings import Domain

HOUR = 3600


def add_dns_zone(owner: Capability, id_: str, name: str, address: str) -> DnsZone:
    """Add a protected public zone.

    It has no lock: its records would inherit the lock, and they must be removable.
    """
    zone = DnsZone(owner, id_, name=name, resource_group_name=owner.place.resource_group, tags=owner.place.tags)
    protect(zone, address, place=owner.place, lock=False)
    return zone


class Dns(Capability):
    """The zone `<label>.<domain>`, and its delegation in the parent zone.

    Args:
        settings: The label, and whether the parent domain is delegated.
        parent_resource_group: The resource group of the parent zone.
    """

    def __init__(self, scope: AzureStack, id_: str, *, settings: Domain, parent_resource_group: str) -> None:
        super().__init__(scope, id_)
        self.delegated = settings.delegated
        self.zone_name = f"{settings.label}.{self.place.account.domain}"
        self.zone = add_dns_zone(self, "zone", self.zone_name, "dns_zone")
        DnsNsRecord(
            self,
            "delegation",
            name=settings.label,
            resource_group_name=parent_resource_group,
            zone_name=self.place.account.domain,
            ttl=HOUR,
            records=self.zone.name_servers,
            tags=self.place.tags,
        )

    def compose_host(self, label: str) -> str:
        """Return the full name of a host in the zone: `api` gives `api.<label>.<domain>`."""
        return f"{label}.{self.zone_name}"

    def add_cname(
        self, owner: Capability, label: str, target: str, *, depends_on: list[TerraformResource] | None = None
    ) -> DnsCnameRecord:
        """Point a name in the zone at another host."""
        return DnsCnameRecord(
            owner,
            f"{label}-cname",
            name=label,
            resource_group_name=self.place.resource_group,
            zone_name=self.zone.name,
            ttl=HOUR,
            record=target,
            tags=self.place.tags,
            depends_on=depends_on,
        )

    def add_txt(self, owner: Capability, label: str, *values: str) -> DnsTxtRecord:
        """Publish text values under a name in the zone; "@" is the zone itself."""
        return DnsTxtRecord(
            owner,
            f"{'apex' if label == '@' else label.replace('.', '-')}-txt",
            name=label,
            resource_group_name=self.place.resource_group,
            zone_name=self.zone.name,
            ttl=HOUR,
            record=[DnsTxtRecordRecord(value=value) for value in values],
            tags=self.place.tags,
        )


class AppServiceHost(Capability):
    """A host name of the zone that is bound to the web app itself, with App Service's managed certificate."""

    def __init__(self, scope: AzureStack, id_: str, *, label: str, app: LinuxWebApp, dns: Dns) -> None:
        super().__init__(scope, id_)
        binding = AppServiceCustomHostnameBinding(
            self,
            "binding",
            hostname=dns.compose_host(label),
            app_service_name=app.name,
            resource_group_name=self.place.resource_group,
            # App Service looks up both records when it binds the name.
            depends_on=[
                dns.add_cname(self, label, app.default_hostname),
                dns.add_txt(self, f"asuid.{label}", app.custom_domain_verification_id),
            ],
            # The certificate binding below sets both.
            lifecycle=TerraformResourceLifecycle(ignore_changes=["ssl_state", "thumbprint"]),
        )
        certificate = AppServiceManagedCertificate(
            self, "certificate", custom_hostname_binding_id=binding.id, tags=self.place.tags
        )
        AppServiceCertificateBinding(
            self,
            "certificate-binding",
            hostname_binding_id=binding.id,
            certificate_id=certificate.id,
            ssl_state="SniEnabled",
        )
