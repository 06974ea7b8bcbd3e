"""Where Resource Manager answers: the stand-in, or another endpoint that is named in its place."""

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
IDENTITY_VERSION = "2023-01-31"
"""https://learn.microsoft.com/rest/api/managedidentity"""


@dataclass(frozen=True)
class Endpoint:
    """A Resource Manager with its metadata and its tokens, and who comes to it."""

    url: str
    """Such as `https://localhost:1234`."""
    ca_file: Path
    """Every certificate authority to be trusted there and at the blob service, for SSL_CERT_FILE."""
    tenant: str
    subscription: str
    client_id: str = entra.OWNER_CLIENT
    client_secret: str = "unused"  # noqa: S105  the stand-in asks for none

    @property
    def host(self) -> str:
        """Its host and port, for ARM_METADATA_HOSTNAME."""
        return self.url.removeprefix("https://")

    def environment(self) -> dict[str, str]:
        """The environment with which Terraform and its provider come to it."""
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

    def token(self, audience: str = "https://management.azure.com") -> str:
        """A bearer token.

        Raises:
            urllib.error.HTTPError: the client is not known there.
        """
        form = {
            "grant_type": "client_credentials",
            "client_id": self.client_id,
            "client_secret": self.client_secret,
            "scope": f"{audience}/.default",
        }
        answer = self.send(
            "POST", f"{self.url}/{self.tenant}/oauth2/v2.0/token", urllib.parse.urlencode(form).encode(), {}
        )
        return str(answer["access_token"])

    def ask(self, method: str, path: str, body: Json | None = None) -> Json:
        """One request of Resource Manager.

        Raises:
            urllib.error.HTTPError: it was refused.
        """
        headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}
        sent = None if body is None else json.dumps(body).encode()
        version = IDENTITY_VERSION if "/Microsoft.ManagedIdentity/" in path else RESOURCES_VERSION
        return self.send(method, f"{self.url}{path}?api-version={version}", sent, headers)

    def login(self, identity: str) -> dict[str, str]:
        """ARM_ variables with which the workflow that a managed identity (its path) trusts logs in as it."""
        found = self.ask("GET", identity)["properties"]
        trusted = self.ask("GET", f"{identity}/federatedIdentityCredentials")["value"][0]
        trust = trusted["properties"]
        return entra.make_oidc_variables(found["clientId"], trust["issuer"], trust["subject"])

    def send(self, method: str, url: str, data: bytes | None, headers: Mapping[str, str]) -> Json:
        """Send a request past any proxy, to a server that `ca_file` vouches for; gives the answer's JSON.

        Raises:
            urllib.error.HTTPError: the answer is no success.
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
