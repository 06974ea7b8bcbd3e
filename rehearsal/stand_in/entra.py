"""Entra's token endpoint: client secret, and federated assertions such as GitHub's.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import base64
import json
import time
from typing import cast

from rehearsal.stand_in.azure import Azure
from rehearsal.stand_in.model import Json, RefusedError

OWNER_CLIENT = "00000000-0000-0000-0000-00000000beef"
"""The client id that may do everything: the person who applies the shared stack."""
OWNER = "00000000-0000-0000-0000-00000000cafe"
"""The owner's object id."""

LOGIN = "login.microsoftonline.com"
CONFIGURATION = "/v2.0/.well-known/openid-configuration"

AUDIENCE = "api://AzureADTokenExchange"
"""For whom an assertion is made out:

https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust#important-considerations-and-restrictions
"""

IDENTITY = "microsoft.managedidentity/userassignedidentities"
CREDENTIAL = f"{IDENTITY}/federatedidentitycredentials"


def issue(azure: Azure, form: dict[str, str]) -> Json:
    """Answer a token request. No signature: the stand-in is its own only reader.

    Raises:
        RefusedError: as AADSTS errors say, for a client that does not exist or an assertion that nothing trusts.
    """
    principal = _principal(azure, form)
    scope = next((each for each in form.get("scope", "").split() if each.endswith("/.default")), "")
    audience = form.get("resource") or scope.removesuffix("/.default")
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{azure.tenant}/",
        "oid": principal,
        "sub": principal,
        "tid": azure.tenant,
        "appid": form.get("client_id", ""),
        "idtyp": "app",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
    }
    return {
        "token_type": "Bearer",
        "expires_in": 3600,
        "access_token": ".".join([_encode({"alg": "none"}), _encode(claims), "none"]),
    }


def discovery(path: str) -> Json | None:
    """What Entra tells anybody about itself, which OpenTofu's backend asks before it asks for a token.

    https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
    """
    if path == "/common/discovery/instance":
        aliases: Json = {"preferred_network": LOGIN, "preferred_cache": LOGIN, "aliases": [LOGIN]}
        return {"tenant_discovery_endpoint": f"https://{LOGIN}/common{CONFIGURATION}", "metadata": [aliases]}
    if path.endswith(CONFIGURATION):
        tenant = f"https://{LOGIN}{path.removesuffix(CONFIGURATION)}"
        return {
            "issuer": f"{tenant}/v2.0",
            "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{tenant}/oauth2/v2.0/token",
        }
    return None


def principal_of(authorization: str) -> str:
    """The object id in a bearer token; raises RefusedError (401) where there is none."""
    try:
        return cast(str, _decode(authorization.removeprefix("Bearer "))["oid"])
    except (ValueError, KeyError, IndexError) as error:
        raise RefusedError(401, "AuthenticationFailed", "Authentication failed: no valid bearer token.") from error


def _principal(azure: Azure, form: dict[str, str]) -> str:
    client = form.get("client_id", "")
    if client == OWNER_CLIENT:
        return OWNER
    identity = next((each for each in azure.all(IDENTITY) if each.properties["clientId"] == client), None)
    if identity is None:
        raise RefusedError(400, "unauthorized_client", f"AADSTS700016: Application '{client}' was not found.")
    assertion = form.get("client_assertion")
    if assertion is None:
        raise RefusedError(401, "invalid_client", "AADSTS7000215: A managed identity has no client secret.")
    claims = _decode(assertion)
    for credential in azure.all(CREDENTIAL, identity.id.path):
        trusted = credential.properties
        if (trusted["issuer"], trusted["subject"]) == (claims.get("iss"), claims.get("sub")):
            if claims.get("aud") not in trusted["audiences"]:
                raise RefusedError(
                    400,
                    "invalid_request",
                    "AADSTS700212: No matching federated identity record found for presented assertion audience "
                    f"'{claims.get('aud')}'.",
                )
            return cast(str, identity.properties["principalId"])
    raise RefusedError(
        400,
        "invalid_request",
        f"AADSTS700213: No matching federated identity record found for presented assertion subject "
        f"'{claims.get('sub')}'.",
    )


def oidc(client_id: str, issuer: str, subject: str) -> dict[str, str]:
    """ARM_ variables with which Terraform logs in by OIDC, with a token as the issuer would hand it out."""
    return {
        "ARM_CLIENT_ID": client_id,
        "ARM_CLIENT_SECRET": "",
        "ARM_USE_OIDC": "true",
        "ARM_OIDC_TOKEN": assertion(issuer, subject),
    }


def assertion(issuer: str, subject: str, audience: str = AUDIENCE) -> str:
    """What a workflow's OIDC provider would hand out."""
    claims: Json = {"iss": issuer, "sub": subject, "aud": audience}
    return ".".join([_encode({"alg": "none"}), _encode(claims), "none"])


def _encode(part: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _decode(token: str) -> Json:
    payload = token.split(".")[1]
    return cast(Json, json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
