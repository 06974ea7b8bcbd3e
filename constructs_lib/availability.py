"""Standard web tests from several places: that the API and the admin site answer, and that certificates are not old."""

from typing import Literal, NamedTuple

from cdktf_cdktf_provider_azurerm.application_insights_standard_web_test import (
    ApplicationInsightsStandardWebTest,
    ApplicationInsightsStandardWebTestRequest,
    ApplicationInsightsStandardWebTestValidationRules,
)

from constructs_lib.observability import Observability
from constructs_lib.place import AzureStack, Capability

# Five, as Microsoft advises, so that one place's trouble is not taken for ours.
# https://learn.microsoft.com/azure/azure-monitor/app/availability#location-population-tags
PLACES = ("us-va-ash-azr", "us-il-ch1-azr", "us-tx-sn1-azr", "us-ca-sjc-azr", "emea-nl-ams-azr")
CERTIFICATE_DAYS = 30


TestName = Literal["api", "admin", "api-certificate", "admin-certificate"]


class WebTest(NamedTuple):
    """A URL that must answer 200, every `frequency` seconds (300, 600 or 900) from every place."""

    name: TestName
    url: str
    frequency: int
    certificate_days: int | None


class Availability(Capability):
    """The tests, by name (`tests`). The certificates have their own, so that an old one does not count as an outage."""

    def __init__(
        self, scope: AzureStack, id_: str, *, api_host: str, admin_host: str, observability: Observability
    ) -> None:
        super().__init__(scope, id_)
        api, admin = f"https://{api_host}/health/ready", f"https://{admin_host}/"
        rows = (
            WebTest("api", api, 300, None),
            WebTest("admin", admin, 300, None),
            WebTest("api-certificate", api, 900, CERTIFICATE_DAYS),
            WebTest("admin-certificate", admin, 900, CERTIFICATE_DAYS),
        )
        self.tests: dict[TestName, ApplicationInsightsStandardWebTest] = {
            row.name: self._test(row, observability) for row in rows
        }

    def name(self, test: TestName) -> str:
        """What the test is called in Azure, and in its metrics."""
        return f"{test}-{self.place.names.environment}"

    def _test(self, row: WebTest, observability: Observability) -> ApplicationInsightsStandardWebTest:
        return ApplicationInsightsStandardWebTest(
            self,
            row.name,
            name=self.name(row.name),
            location=self.place.location,
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            application_insights_id=observability.api.id,
            geo_locations=list(PLACES[:1] if row.certificate_days else PLACES),
            frequency=row.frequency,
            timeout=30,
            enabled=True,
            retry_enabled=True,
            request=ApplicationInsightsStandardWebTestRequest(url=row.url, parse_dependent_requests_enabled=False),
            validation_rules=ApplicationInsightsStandardWebTestValidationRules(
                expected_status_code=200,
                ssl_check_enabled=True,
                ssl_cert_remaining_lifetime=row.certificate_days,
            ),
        )
