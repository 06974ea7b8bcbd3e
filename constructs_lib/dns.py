"""The DNS zones, their records, and the API's host name in environments without Front Door.

Until the registrar delegates the parent domain (`Domain.delegated`), there are zones but no host names, because Azure
validates certificates and host name bindings by looking the names up. From then on, `Domain.own_names` says how the
zone's names and Azure's own names stand to each other, so that one is never gone before the other answers.
"""

from typing import Any

from cdktf import TerraformResource, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.app_service_certificate_binding import AppServiceCertificateBinding
from cdktf_cdktf_provider_azurerm.app_service_custom_hostname_binding import AppServiceCustomHostnameBinding
from cdktf_cdktf_provider_azurerm.app_service_managed_certificate import AppServiceManagedCertificate
from cdktf_cdktf_provider_azurerm.dns_a_record import DnsARecord
from cdktf_cdktf_provider_azurerm.dns_aaaa_record import DnsAaaaRecord
from cdktf_cdktf_provider_azurerm.dns_caa_record import DnsCaaRecord, DnsCaaRecordRecord
from cdktf_cdktf_provider_azurerm.dns_cname_record import DnsCnameRecord
from cdktf_cdktf_provider_azurerm.dns_mx_record import DnsMxRecord, DnsMxRecordRecord
from cdktf_cdktf_provider_azurerm.dns_ns_record import DnsNsRecord
from cdktf_cdktf_provider_azurerm.dns_txt_record import DnsTxtRecord, DnsTxtRecordRecord
from cdktf_cdktf_provider_azurerm.dns_zone import DnsZone
from cdktf_cdktf_provider_azurerm.linux_web_app import LinuxWebApp

from constructs_lib.place import AzureStack, Capability, Place
from constructs_lib.protection import protect
from environments.settings import Domain
from environments.zone_file import read_zone_file

HOUR = 3600


ZONES = "Microsoft.Network/dnsZones"


def add_dns_zone(owner: Capability, id_: str, name: str, address: str, *, place: Place) -> DnsZone:
    """Add a protected public zone.

    It has no lock: its records would inherit the lock, and they must be removable.

    Args:
        owner: The construct that holds the zone.
        id_: The zone's id in that construct.
        name: The zone's name, such as `dev.example.com`.
        address: The zone's address in the Terraform state.
        place: The place of the zone, which may be another than the owner's.
    """
    zone = DnsZone(owner, id_, name=name, resource_group_name=place.resource_group, tags=place.tags)
    protect(zone, address, place=place, lock=False)
    return zone


def delegate_zone(owner: Capability, parent: DnsZone, *, environment: str, label: str, place: Place) -> None:
    """Add the zone of an environment, and its delegation in the parent zone.

    The shared stack does both. So no environment's identity needs a right in the parent zone.

    Args:
        owner: The construct that holds the parent zone.
        parent: The parent zone.
        environment: The environment's name.
        label: The label of the environment's zone in the parent zone.
        place: The environment's place. Its resource group is a reference, so that Terraform creates the group first.
    """
    name = f"{label}.{owner.place.account.domain}"
    zone = add_dns_zone(owner, f"{environment}-zone", name, f"{environment}_zone", place=place)
    DnsNsRecord(
        owner,
        f"{environment}-delegation",
        name=label,
        resource_group_name=owner.place.resource_group,
        zone_name=parent.name,
        ttl=HOUR,
        records=zone.name_servers,
        tags=place.tags,
    )


def add_records(owner: Capability, records: str, *, zone: str, zone_name: str) -> None:
    """Add the records in the lines of a zone file, as the settings have them.

    Args:
        owner: The construct that holds the records, in the place of their zone.
        records: The lines.
        zone: The zone's name.
        zone_name: The zone's name for Terraform: the same, or a reference to the zone if it is in the same stack.
    """
    for name, type_, ttl, values in read_zone_file(records, zone):
        label = name.replace("*", "any").replace("@", "apex").replace(".", "-")
        arguments: dict[str, Any] = {
            "name": name,
            "resource_group_name": owner.place.resource_group,
            "zone_name": zone_name,
            "ttl": ttl,
            "tags": owner.place.tags,
        }
        id_ = f"setting-{label}-{type_.lower()}"
        match type_:
            case "A":
                DnsARecord(owner, id_, records=[value for (value,) in values], **arguments)
            case "AAAA":
                DnsAaaaRecord(owner, id_, records=[value for (value,) in values], **arguments)
            case "CAA":
                rows = [DnsCaaRecordRecord(flags=int(flags), tag=tag, value=value) for flags, tag, value in values]
                DnsCaaRecord(owner, id_, record=rows, **arguments)
            case "CNAME":
                DnsCnameRecord(owner, id_, record=values[0][0], **arguments)
            case "MX":
                rows = [DnsMxRecordRecord(preference=preference, exchange=host) for preference, host in values]
                DnsMxRecord(owner, id_, record=rows, **arguments)
            case _:
                DnsTxtRecord(owner, id_, record=[DnsTxtRecordRecord(value=value) for (value,) in values], **arguments)


class Dns(Capability):
    """The records of the zone `<label>.<domain>`, which the shared stack has made.

    Args:
        settings: The label, whether the parent domain is delegated, and what the zone's names are used for.
    """

    def __init__(self, scope: AzureStack, id_: str, *, settings: Domain) -> None:
        super().__init__(scope, id_)
        self.delegated = settings.delegated
        self._own_names = settings.own_names if settings.delegated else None
        self.zone_name = f"{settings.label}.{self.place.account.domain}"
        self.zone_id = self.place.compose_resource_id(ZONES, self.zone_name)
        add_records(self, settings.records, zone=self.zone_name, zone_name=self.zone_name)

    @property
    def azure_names_answer(self) -> bool:
        """Whether Azure's own names lead to the platform."""
        return self._own_names != "only"

    def compose_host(self, label: str) -> str:
        """Return the full name of a host in the zone: `api` gives `api.<label>.<domain>`."""
        return f"{label}.{self.zone_name}"

    def list_hosts(self, label: str, azure_name: str) -> list[str]:
        """Return the host names that answer, first the one that links, builds and tests use.

        Args:
            label: The host's label in the zone.
            azure_name: The host name that Azure has given.
        """
        if self._own_names is None:
            return [azure_name]
        own_name = self.compose_host(label)
        return {"beside": [azure_name, own_name], "first": [own_name, azure_name], "only": [own_name]}[self._own_names]

    def add_cname(
        self, owner: Capability, label: str, target: str, *, depends_on: list[TerraformResource] | None = None
    ) -> DnsCnameRecord:
        """Point a name in the zone at another host."""
        return DnsCnameRecord(
            owner,
            f"{label}-cname",
            name=label,
            resource_group_name=self.place.resource_group,
            zone_name=self.zone_name,
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
            zone_name=self.zone_name,
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
