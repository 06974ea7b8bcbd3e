"""Mail through Communication Services, from a domain of Azure's or from the environment's own DNS zone.

The environment's own zone takes two phases. The first apply creates the mail domain and its DNS records. Then somebody
has Azure verify the domain, because azurerm has no resource for that (docs/quickstart.md). After that
`EmailSettings.verified=True` links the domain, and mail can be sent.
"""

from cdktf_cdktf_provider_azurerm.communication_service import CommunicationService
from cdktf_cdktf_provider_azurerm.communication_service_email_domain_association import (
    CommunicationServiceEmailDomainAssociation,
)
from cdktf_cdktf_provider_azurerm.email_communication_service import EmailCommunicationService
from cdktf_cdktf_provider_azurerm.email_communication_service_domain import EmailCommunicationServiceDomain
from cdktf_cdktf_provider_azurerm.email_communication_service_domain_sender_username import (
    EmailCommunicationServiceDomainSenderUsername,
)
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace

from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.dns import Dns
from constructs_lib.place import AzureStack, Capability
from constructs_lib.protection import protect
from environments.settings import EmailSettings

# https://learn.microsoft.com/azure/communication-services/quickstarts/email/add-custom-verified-domains
SPF = "v=spf1 include:spf.protection.outlook.com -all"
DKIM_SELECTORS = ("selector1-azurecomm-prod-net._domainkey", "selector2-azurecomm-prod-net._domainkey")


class Email(Capability):
    """Mail: the service that sends (`service`), and the service (`email`) that the mail domain (`domain`) belongs to.

    `from_address` and `from_name` are the sender that the application uses.
    """

    def __init__(
        self, scope: AzureStack, id_: str, *, settings: EmailSettings, dns: Dns, workspace: LogAnalyticsWorkspace
    ) -> None:
        super().__init__(scope, id_)
        group, tags = self.place.resource_group, self.place.tags
        self.from_name = settings.sender_name
        self.service = CommunicationService(
            self,
            "service",
            name=self.place.names.compose("communication_service"),
            resource_group_name=group,
            data_location=settings.data_location,
            tags=tags,
        )
        protect(self.service, "communication_service", place=self.place)
        send_diagnostics(self.service, workspace)
        self.email = EmailCommunicationService(
            self,
            "email",
            name=self.place.names.compose("email_service"),
            resource_group_name=group,
            data_location=settings.data_location,
            tags=tags,
        )
        protect(self.email, "email_service", place=self.place)
        customer = settings.domain == "customer"
        self.domain = EmailCommunicationServiceDomain(
            self,
            "domain",
            name=dns.zone_name if customer else "AzureManagedDomain",
            email_service_id=self.email.id,
            domain_management="CustomerManaged" if customer else "AzureManaged",
            user_engagement_tracking_enabled=False,
            tags=tags,
        )
        protect(self.domain, "email_domain", place=self.place, lock=False)  # the service's lock covers it
        if customer:
            # At the sending limits of a new domain, Azure refuses another sender, `ResourceCreationFailed: Forbidden`:
            # https://github.com/MicrosoftDocs/azure-docs/issues/121029.
            sender = settings.sender if settings.quota_raised else "DoNotReply"
            self.from_address = f"{sender}@{dns.zone_name}"
            self._prove_domain(dns)
        else:
            self.from_address = f"DoNotReply@{self.domain.from_sender_domain}"
        if customer and settings.verified and settings.quota_raised:
            EmailCommunicationServiceDomainSenderUsername(
                self,
                "sender",
                name=settings.sender,
                display_name=settings.sender_name,
                email_service_domain_id=self.domain.id,
            )
        if not customer or settings.verified:
            CommunicationServiceEmailDomainAssociation(
                self,
                "association",
                communication_service_id=self.service.id,
                email_service_domain_id=self.domain.id,
            )

    def _prove_domain(self, dns: Dns) -> None:
        """Publish the records that prove the domain's ownership, and those of SPF, DMARC and DKIM."""
        ownership = self.domain.verification_records.get(0).domain.get(0).value
        dns.add_txt(self, "@", ownership, SPF)
        dns.add_txt(self, "_dmarc", f"v=DMARC1; p=quarantine; rua=mailto:{self.place.account.alert_emails[0]}")
        for selector in DKIM_SELECTORS:
            dns.add_cname(self, selector, f"{selector}.azurecomm.net")
