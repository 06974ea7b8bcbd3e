"""Standard web tests of the API, the admin site and their certificates, from several locations."""

from typing import Literal, NamedTuple

from cdktf_cdktf_provider_azurerm.application_insights_standard_web_test import (
    ApplicationInsightsStandardWebTest,
    ApplicationInsightsStandardWebTestRequest,
    ApplicationInsightsStandardWebTestValidationRules,
)

from constructs_lib.observability import Observability
from constructs_lib.place import AzureStack, Capability

# Microsoft advises five, so that a problem of one location is not taken for a problem of ours.
# https://learn.microsoft.com/azure/azure-monitor/app/availability#location-population-tags
TEST_LOCATIONS = ("us-va-ash-azr", "us-il-ch1-azr", "us-tx-sn1-azr", "us-ca-sjc-azr", "emea-nl-ams-azr")
CERTIFICATE_DAYS = 30
"""A certificate's test fails this many days before the certificate expires."""

TestName = Literal["api", "admin", "api-certificate", "admin-certificate"]


class WebTest(NamedTuple):
    """A URL that must answer 200."""

    name: TestName
    url: str
    frequency: int
    """Seconds between two tests from the same location: 300, 600 or 900."""
    certificate_days: int | None
    """Fail if the certificate expires within so many days; None does not look at the expiry."""


class Availability(Capability):
    """The web tests, by name (`tests`), and how often they run (`minutes`).

    Certificates have tests of their own, so that an old certificate does not count as an outage.
    """

    def __init__(
        self, scope: AzureStack, id_: str, *, api_host: str, admin_host: str, minutes: int, observability: Observability
    ) -> None:
        super().__init__(scope, id_)
        self.minutes = minutes
        api, admin = f"https://{api_host}/health/ready", f"https://{admin_host}/"
        web_tests = (
            WebTest("api", api, minutes * 60, None),
            WebTest("admin", admin, minutes * 60, None),
            WebTest("api-certificate", api, 900, CERTIFICATE_DAYS),
            WebTest("admin-certificate", admin, 900, CERTIFICATE_DAYS),
        )
        self.tests: dict[TestName, ApplicationInsightsStandardWebTest] = {
            web_test.name: self._add_test(web_test, observability) for web_test in web_tests
        }

    def compose_name(self, test: TestName) -> str:
        """Return the test's name in Azure and in its metrics."""
        return f"{test}-{self.place.names.environment}"

    def _add_test(self, web_test: WebTest, observability: Observability) -> ApplicationInsightsStandardWebTest:
        return ApplicationInsightsStandardWebTest(
            self,
            web_test.name,
            name=self.compose_name(web_test.name),
            location=self.place.location,
            resource_group_name=self.place.resource_group,
            tags=self.place.tags,
            application_insights_id=observability.api.id,
            geo_locations=list(TEST_LOCATIONS[:1] if web_test.certificate_days else TEST_LOCATIONS),
            frequency=web_test.frequency,
            timeout=30,
            enabled=True,
            retry_enabled=True,
            request=ApplicationInsightsStandardWebTestRequest(url=web_test.url, parse_dependent_requests_enabled=False),
            validation_rules=ApplicationInsightsStandardWebTestValidationRules(
                expected_status_code=200,
                ssl_check_enabled=True,
                ssl_cert_remaining_lifetime=web_test.certificate_days,
            ),
        )
