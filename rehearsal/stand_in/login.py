"""What is answered without a token: the cloud's metadata, Entra's endpoints, and a closed vault."""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from rehearsal.stand_in import entra
from rehearsal.stand_in.hosts import VAULT_SUFFIX
from rehearsal.stand_in.model import Json, RefusedError, Store


def answer_without_token(store: Store, url: str, request: Request, content: bytes) -> Response | None:
    """Answer a request that needs no token, or return None if it needs one.

    Raises:
        RefusedError: A token was asked for and refused.
    """
    path = request.url.path
    if discovery := entra.get_discovery(path):
        return JSONResponse(discovery)
    if (request.url.hostname or "").endswith(VAULT_SUFFIX):
        return _refuse_vault_access()
    if path == "/metadata/endpoints":
        return JSONResponse(describe_cloud(url))
    if path.endswith(("/oauth2/v2.0/token", "/oauth2/token")):
        return JSONResponse(entra.issue_token(store, dict(parse_qsl(content.decode()))))
    return None


def _refuse_vault_access() -> Response:
    """Answer as a vault's data plane answers a client outside its network.

    https://learn.microsoft.com/azure/key-vault/general/network-security
    """
    refusal = RefusedError(403, "Forbidden", "Client address is not authorized and caller is not a trusted service.")
    return JSONResponse(refusal.body, refusal.status)


def describe_cloud(url: str) -> Json:
    """Return the metadata of a cloud whose Resource Manager and login are at `url`.

    https://learn.microsoft.com/azure-stack/user/azure-stack-rest-api-use and the azurerm provider's metadata_host.
    """
    return {
        "name": "AzureCloud",
        "resourceManager": url,
        "authentication": {
            "loginEndpoint": url,
            "audiences": ["https://management.core.windows.net/", "https://management.azure.com/"],
            "tenant": "common",
            "identityProvider": "AAD",  # with the tenant "common"; with other values the provider assumes Azure Stack
        },
        "graph": f"{url}/graph",
        "graphAudience": f"{url}/graph",
        "microsoftGraphResourceId": f"{url}/graph",
        "suffixes": {
            "storage": "core.windows.net",
            "keyVaultDns": "vault.azure.net",
            "acrLoginServer": "azurecr.io",
            "azureFrontDoorEndpointSuffix": "azurefd.net",
            "postgresqlServerEndpoint": "postgres.database.azure.com",
            "sqlServerHostname": "database.windows.net",
            "mysqlServerEndpoint": "mysql.database.azure.com",
            "mariadbServerEndpoint": "mariadb.database.azure.com",
        },
        "logAnalyticsResourceId": "https://api.loganalytics.io",
        "ossrDbmsResourceId": "https://ossrdbms-aad.database.windows.net",
    }
