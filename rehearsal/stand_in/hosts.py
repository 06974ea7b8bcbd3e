"""Azure's host names for which the stand-in answers."""

LOGIN_HOST = "login.microsoftonline.com"
VAULT_SUFFIX = ".vault.azure.net"
BLOB_SUFFIX = ".blob.core.windows.net"
