"""Entra's token endpoint, for client secrets and for federated assertions such as GitHub's. Knows no HTTP.

https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
"""

import base64
import json
import time
from collections.abc import Mapping
from typing import cast

from rehearsal.stand_in.hosts import LOGIN_HOST
from rehearsal.stand_in.ids import CREDENTIAL_TYPE, IDENTITY_TYPE
from rehearsal.stand_in.model import Json, RefusedError, Store

OWNER_CLIENT = "00000000-0000-0000-0000-00000000beef"
"""The client id of the owner, who may do everything: the person who applies the shared stack."""
OWNER = "00000000-0000-0000-0000-00000000cafe"
"""The owner's object id."""

CONFIGURATION = "/v2.0/.well-known/openid-configuration"

AUDIENCE = "api://AzureADTokenExchange"
"""The audience of an assertion for Entra:

https://learn.microsoft.com/entra/workload-id/workload-identity-federation-create-trust#important-considerations-and-restrictions
"""


def issue_token(store: Store, form: Mapping[str, str]) -> Json:
    """Answer a token request. The token is not signed, because only the stand-in reads it.

    Raises:
        RefusedError: The client does not exist, or no federated credential matches the assertion (an AADSTS error).
    """
    principal = _authenticate(store, form)
    scope = next((scope for scope in form.get("scope", "").split() if scope.endswith("/.default")), "")
    audience = form.get("resource") or scope.removesuffix("/.default")
    now = int(time.time())
    claims = {
        "aud": audience,
        "iss": f"https://sts.windows.net/{store.tenant}/",
        "oid": principal,
        "sub": principal,
        "tid": store.tenant,
        "appid": form.get("client_id", ""),
        "idtyp": "app",
        "iat": now,
        "nbf": now,
        "exp": now + 3600,
    }
    return {"token_type": "Bearer", "expires_in": 3600, "access_token": _make_token(claims)}


def get_discovery(path: str) -> Json | None:
    """Return Entra's public configuration at a path, or None. OpenTofu's backend reads it before it asks for a token.

    https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc
    """
    if path == "/common/discovery/instance":
        aliases: Json = {"preferred_network": LOGIN_HOST, "preferred_cache": LOGIN_HOST, "aliases": [LOGIN_HOST]}
        return {"tenant_discovery_endpoint": f"https://{LOGIN_HOST}/common{CONFIGURATION}", "metadata": [aliases]}
    if path.endswith(CONFIGURATION):
        tenant = f"https://{LOGIN_HOST}{path.removesuffix(CONFIGURATION)}"
        return {
            "issuer": f"{tenant}/v2.0",
            "authorization_endpoint": f"{tenant}/oauth2/v2.0/authorize",
            "token_endpoint": f"{tenant}/oauth2/v2.0/token",
        }
    return None


def read_principal(authorization: str) -> str:
    """Return the object id in a bearer token. Raises RefusedError (401) if there is no valid token."""
    try:
        return cast(str, _decode(authorization.removeprefix("Bearer "))["oid"])
    except (ValueError, KeyError, IndexError) as error:
        raise RefusedError(401, "AuthenticationFailed", "Authentication failed: no valid bearer token.") from error


def make_oidc_variables(client_id: str, issuer: str, subject: str) -> dict[str, str]:
    """Return ARM_ variables with which Terraform logs in by OIDC, with a token as the issuer would issue it."""
    return {
        "ARM_CLIENT_ID": client_id,
        "ARM_CLIENT_SECRET": "",
        "ARM_USE_OIDC": "true",
        "ARM_OIDC_TOKEN": make_assertion(issuer, subject),
    }


def make_assertion(issuer: str, subject: str, audience: str = AUDIENCE) -> str:
    """Return a token as a workflow's OIDC provider would issue it."""
    return _make_token({"iss": issuer, "sub": subject, "aud": audience})


def _authenticate(store: Store, form: Mapping[str, str]) -> str:
    """Return the object id of the client that asks for a token."""
    client = form.get("client_id", "")
    if client == OWNER_CLIENT:
        return OWNER
    identities = store.list_resources(IDENTITY_TYPE)
    identity = next((identity for identity in identities if identity.properties["clientId"] == client), None)
    if identity is None:
        raise RefusedError(400, "unauthorized_client", f"AADSTS700016: Application '{client}' was not found.")
    assertion = form.get("client_assertion")
    if assertion is None:
        raise RefusedError(401, "invalid_client", "AADSTS7000215: A managed identity has no client secret.")
    claims = _decode(assertion)
    for credential in store.list_resources(CREDENTIAL_TYPE, identity.id.path):
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


def _make_token(claims: Json) -> str:
    return ".".join([_encode({"alg": "none"}), _encode(claims), "none"])


def _encode(part: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode()


def _decode(token: str) -> Json:
    """Return the claims in a token."""
    payload = token.split(".")[1]
    return cast(Json, json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
