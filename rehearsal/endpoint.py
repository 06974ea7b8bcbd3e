"""How to reach Resource Manager: the stand-in, or another endpoint that takes its place."""

import json
import ssl
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from rehearsal.stand_in import entra
from rehearsal.stand_in.model import Json

RESOURCES_VERSION = "2021-04-01"
"""https://learn.microsoft.com/rest/api/resources"""
VERSIONS = {"/Microsoft.ManagedIdentity/": "2024-11-30", "/Microsoft.Network/dnsZones/": "2018-05-01"}
"""By a part of the path: https://learn.microsoft.com/rest/api/managedidentity, https://learn.microsoft.com/rest/api/dns."""


@dataclass(frozen=True)
class Endpoint:
    """The address of a Resource Manager, with its metadata and its tokens, and the client that logs in there."""

    url: str
    """Its address, such as `https://localhost:1234`."""
    ca_file: Path
    """Every certificate authority to trust, at this endpoint and at the blob service, for SSL_CERT_FILE."""
    tenant: str
    subscription: str
    client_id: str = entra.OWNER_CLIENT
    client_secret: str = "unused"  # noqa: S105  the stand-in asks for none

    @property
    def host(self) -> str:
        """Its host and port, for ARM_METADATA_HOSTNAME."""
        return self.url.removeprefix("https://")

    def make_variables(self) -> dict[str, str]:
        """Return the environment variables with which Terraform and its provider reach it."""
        return {
            "ARM_METADATA_HOSTNAME": self.host,
            "ARM_TENANT_ID": self.tenant,
            "ARM_SUBSCRIPTION_ID": self.subscription,
            "ARM_CLIENT_ID": self.client_id,
            "ARM_CLIENT_SECRET": self.client_secret,
            "ARM_USE_CLI": "false",
            "ARM_USE_MSI": "false",
            "SSL_CERT_FILE": str(self.ca_file),
        }

    def make_login_variables(self, identity: str) -> dict[str, str]:
        """Return ARM_ variables that log Terraform in as a managed identity, as a workflow that it trusts would.

        Args:
            identity: The identity's path in Resource Manager. Its first federated credential names the workflow.
        """
        client_id = self.request("GET", identity)["properties"]["clientId"]
        credentials = self.request("GET", f"{identity}/federatedIdentityCredentials")["value"]
        trust = credentials[0]["properties"]
        return entra.make_oidc_variables(client_id, trust["issuer"], trust["subject"])

    def fetch_token(self, audience: str = "https://management.azure.com") -> str:
        """Return a bearer token for an audience.

        Raises:
            urllib.error.HTTPError: The endpoint does not know the client.
        """
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": f"{audience}/.default",
        }
        url = f"{self.url}/{self.tenant}/oauth2/v2.0/token"
        answer = self.send("POST", url, urllib.parse.urlencode(form).encode(), {})
        return str(answer["access_token"])

    def request(self, method: str, path: str, body: Json | None = None) -> Json:
        """Send a request to Resource Manager and return the answer's JSON.

        Raises:
            urllib.error.HTTPError: Resource Manager refused it.
        """
        headers = {"Authorization": f"Bearer {self.fetch_token()}", "Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        version = next((version for part, version in VERSIONS.items() if part in path), RESOURCES_VERSION)
        return self.send(method, f"{self.url}{path}?api-version={version}", data, headers)

    def send(self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Json:
        """Send a request past any proxy, to a server that `ca_file` vouches for, and return the answer's JSON.

        Raises:
            urllib.error.HTTPError: The answer's status is an error.
        """
        request = urllib.request.Request(url, data, dict(headers), method=method)  # noqa: S310  https, as given
        with self._opener.open(request) as answer:
            return json.loads(answer.read() or b"{}")

    @cached_property
    def _opener(self) -> urllib.request.OpenerDirector:
        context = ssl.create_default_context(cafile=str(self.ca_file))
        return urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
        )
