"""Check what must be in place before a command reaches Azure: `python -m operations.preflight COMMAND`.

operations/deploy.py and operations/bootstrap.py call it, and scripts/cdktf runs it. It reports everything that is
missing at once.

Exit codes: 0 nothing is missing; 1 something is.
"""

import argparse
import os
import sys
from collections.abc import Iterator, Sequence

from environments import SettingsError, load
from environments.settings import Account
from operations import azure_cli
from operations.delegation import find_delegation_problems
from operations.repository import (
    find_repository_problems,
    find_unruled_environments,
    list_trusted_environments,
)
from operations.terraform.runner import choose_binary, explain_unusable

OTHER_LOGINS = ("ARM_USE_OIDC", "ARM_USE_MSI", "ARM_USE_AKS_WORKLOAD_IDENTITY", "ARM_CLIENT_ID")
"""Variables with which Terraform logs in without the Azure CLI, as it does in CI.

https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs#argument-reference
"""

PLACEHOLDER_ID = "00000000-0000-0000-0000-000000000000"
PLACEHOLDER_DOMAIN = ".example"
"""Nobody can register a name in this domain: https://www.rfc-editor.org/rfc/rfc2606#section-2"""


PLACEHOLDERS = {
    "database_admins_name": "augeo-database-admins",
    "github_repository": "augeo/platform",
    "name_suffix": "x7k2",
}
"""The values in this repository that look like somebody's.

Whoever deploys with them would ask for names that are taken, or let a stranger's workflows in. `workload` and the tags
may stay as they are.
"""


def find_missing(*, needs_azure_cli: bool = False, makes_trust: bool = False) -> list[str]:
    """Return everything that is missing here to reach Azure, in sentences.

    Args:
        makes_trust: Whether the command makes Azure trust GitHub's environments, which have to have rules then.
        needs_azure_cli: Whether the command calls the Azure CLI itself. By default the Azure CLI is checked only if
            Terraform logs in with it.
    """
    missing: list[str] = []
    if reason := explain_unusable(choose_binary()):
        missing.append(reason)
    try:
        platform = load()
    except SettingsError as error:
        return [*missing, str(error)]
    account = platform.shared.account
    if needs_azure_cli or not _uses_other_login():
        missing += _find_login_problems(account)
    if placeholders := _find_placeholders(account):
        missing.append(
            f"These are still placeholders: {', '.join(placeholders)}. Fill them in in environments/shared.py."
        )
    missing += find_repository_problems(account)
    if makes_trust:
        names = list_trusted_environments(platform.environments)
        missing += find_unruled_environments(account.github_repository, names)
    missing += find_delegation_problems(account, platform.environments)
    return missing


def format_missing(command: str, missing: Sequence[str]) -> str:
    """Return what is missing for a command as one message."""
    return "\n".join([f"{command}: before Azure is reached,", *(f"- {sentence}" for sentence in missing)])


def _uses_other_login() -> bool:
    return any(os.environ.get(name, "") not in {"", "false"} for name in OTHER_LOGINS)


def _find_login_problems(account: Account) -> Iterator[str]:
    """Yield what keeps the Azure CLI from reaching the subscription."""
    if not azure_cli.is_installed():
        yield f"The Azure CLI is needed: {azure_cli.INSTALL_PAGE}"
        return
    subscription_id = account.subscription_id if account.subscription_id != PLACEHOLDER_ID else None
    try:
        tenant = azure_cli.get_token_tenant(subscription_id)
    except azure_cli.AzureCliError as error:
        target = f" for {subscription_id}" if subscription_id else ""
        login = f"az login --tenant {account.tenant_id}" if account.tenant_id != PLACEHOLDER_ID else "az login"
        yield f"The Azure CLI gets no token{target}: {error} ({login})"
    else:
        if subscription_id and tenant != account.tenant_id:
            yield f"The subscription {subscription_id} is of the tenant {tenant}, not of {account.tenant_id}."


def _find_placeholders(account: Account) -> list[str]:
    """Return the names of the settings that nobody has filled in yet."""
    return [name for name in Account.model_fields if _is_placeholder(name, getattr(account, name))]


def _is_placeholder(name: str, value: str | Sequence[str]) -> bool:
    texts = [value] if isinstance(value, str) else value
    return value == PLACEHOLDERS.get(name) or any(
        text == PLACEHOLDER_ID or text.endswith(PLACEHOLDER_DOMAIN) for text in texts
    )


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m operations.preflight", description="Say what Azure needs, if missing."
    )
    parser.add_argument("command", help="what is to reach Azure, for the message")
    parser.add_argument("--trust", action="store_true", help="the command makes Azure trust GitHub's environments")
    parser.add_argument("--azure-cli", action="store_true", help="the command calls the Azure CLI, whatever logs in")
    arguments = parser.parse_args()
    if missing := find_missing(needs_azure_cli=arguments.azure_cli, makes_trust=arguments.trust):
        print(format_missing(arguments.command, missing), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
