"""Calls the Azure CLI, `az`: https://learn.microsoft.com/cli/azure/"""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from typing import cast

from pydantic import JsonValue

INSTALL_PAGE = "https://learn.microsoft.com/cli/azure/install-azure-cli"


class AzureCliError(Exception):
    """The Azure CLI failed, or it is not installed."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code
        """Its exit code, or 127 if it is not installed."""


def is_installed() -> bool:
    """Return whether there is an `az` on the PATH."""
    return shutil.which("az") is not None


def get_token_tenant(subscription_id: str | None) -> str:
    """Get an access token, and return the ID of the tenant that issued it.

    A login may have expired, and only a request for a token shows that.

    Args:
        subscription_id: The token is for this subscription. By default it is for the one that is selected in the CLI.

    Raises:
        AzureCliError: there is no token. The message says why in one line.
    """
    subscription = ["--subscription", subscription_id] if subscription_id else []
    command = ["account", "get-access-token", *subscription, "--query", "tenant", "--output", "tsv"]
    return _run(*command, capture_errors=True)


def get_default_subscription() -> str:
    """Return the ID of the subscription that commands without `--subscription` talk to.

    Raises:
        AzureCliError: nobody is logged in. The message says why in one line.
    """
    return _run("account", "show", "--query", "id", "--output", "tsv", capture_errors=True)


def get_resource(path: str) -> Mapping[str, JsonValue]:
    """Return Resource Manager's answer for a path with its api-version.

    Raises:
        AzureCliError: there is no answer. The message says why in one line.
    """
    return _call_resource_manager("get", path)


def post_resource(path: str, body: Mapping[str, object]) -> Mapping[str, JsonValue]:
    """POST a body to an action of a resource, and return Resource Manager's answer.

    Raises:
        AzureCliError: Azure refuses. The message says why in one line.
    """
    return _call_resource_manager("post", path, "--body", "@-", sent=json.dumps(body))


def _call_resource_manager(method: str, path: str, *options: str, sent: str | None = None) -> Mapping[str, JsonValue]:
    request = ["rest", "--method", method, "--url", f"https://management.azure.com{path}", *options]
    try:
        answer = _run(*request, "--output", "json", capture_errors=True, sent=sent)
    except AzureCliError as error:
        raise AzureCliError(f"{path}: {error}", error.code) from None
    return cast(Mapping[str, JsonValue], json.loads(answer))


def follow_job(group: str, name: str, *, execution: str, container: str) -> Iterator[str]:
    """Yield the lines that an execution of a Container Apps job writes, until it ends.

    The extension `containerapp` of the Azure CLI reads them. Its errors go to the terminal: a job that ended at once
    has no log here any more.

    Raises:
        AzureCliError: the Azure CLI is not installed.
    """
    command = ["containerapp", "job", "logs", "show", "--resource-group", group, "--name", name]
    options = ["--execution", execution, "--container", container, "--follow", "true", "--format", "text"]
    arguments = [_find_az(), *command, *options]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603
        for line in process.stdout or ():
            yield line.rstrip("\n")


def find_storage_account(subscription_id: str, name: str) -> str | None:
    """Return the resource ID of a storage account, or None if the subscription has none of this name.

    Raises:
        AzureCliError: the CLI failed, and has printed why.
    """
    query = f"[?name=='{name}'].id"
    account_id = _run(
        "storage", "account", "list", "--subscription", subscription_id, "--query", query, "--output", "tsv"
    )
    return account_id or None


def get_signed_in_user() -> str:
    """Return the object ID of the user who is logged in.

    Raises:
        AzureCliError: the CLI failed, and has printed why.
    """
    return _run("ad", "signed-in-user", "show", "--query", "id", "--output", "tsv")


def assign_role_to_user(subscription_id: str, *, role: str, user: str, scope: str) -> None:
    """Give a user a role. `user` is an object ID, and `scope` a resource ID.

    Raises:
        AzureCliError: the CLI failed, and has printed why.
    """
    assignee = ["--assignee-object-id", user, "--assignee-principal-type", "User"]
    options = ["--subscription", subscription_id, "--role", role, *assignee, "--scope", scope, "--output", "none"]
    _run("role", "assignment", "create", *options)


def _find_az() -> str:
    az = shutil.which("az")
    if az is None:
        raise AzureCliError(f"The Azure CLI is needed: {INSTALL_PAGE}", 127)
    return az


def _run(*arguments: str, capture_errors: bool = False, sent: str | None = None) -> str:
    """Run a command and return its standard output.

    Its errors go to the terminal. If they are captured, the exception's message is the line that names the error.

    `sent` is its standard input.

    Raises:
        AzureCliError: the command failed, or `az` is not installed.
    """
    az = _find_az()
    stderr = subprocess.PIPE if capture_errors else None
    answer = subprocess.run([az, *arguments], stdout=subprocess.PIPE, stderr=stderr, text=True, check=False, input=sent)  # noqa: S603
    if answer.returncode:
        raise AzureCliError(
            _find_error_line(answer.stderr, answer.returncode) if capture_errors else "", answer.returncode
        )
    return answer.stdout.strip()


def _find_error_line(errors: str, code: int) -> str:
    """Return the line that names the error. Warnings may come before it, and trace IDs after it."""
    lines = errors.splitlines() or [f"it ended with {code}."]
    prefix = "ERROR: "
    error_line = next((line for line in lines if line.startswith(prefix)), lines[-1])
    return error_line.removeprefix(prefix)
