"""What must be in place before a command reaches Azure: `python -m operations.preflight COMMAND`.

operations/deploy.py asks it; scripts/cdktf and scripts/bootstrap-state.sh run it. All that is missing is said at once.
Exit codes: 0 nothing is missing; 1 something is.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator

from environments import SettingsError, load
from environments.settings import Account
from operations.terraform.runner import choose_binary, explain_unusable

OTHER_LOGINS = ("ARM_USE_OIDC", "ARM_USE_MSI", "ARM_USE_AKS_WORKLOAD_IDENTITY", "ARM_CLIENT_ID")
"""Each logs Terraform in without the Azure CLI, as CI does.

https://registry.terraform.io/providers/hashicorp/azurerm/latest/docs#argument-reference
"""

ON_GITHUB = re.compile(r"github\.com[:/](?P<repository>[^/]+/[^/]+?)(\.git)?/?$")
"""The address of a remote, by HTTPS or SSH."""

NOBODY = "00000000-0000-0000-0000-000000000000"
NOWHERE = ".example"
"""No name under it can be registered: https://www.rfc-editor.org/rfc/rfc2606#section-2"""


def missing(*, azure_cli: bool = False) -> list[str]:
    """All that is missing here for Azure to be reached, in sentences; `azure_cli` where the command itself calls it."""
    found = [reason] if (reason := explain_unusable(choose_binary())) else []
    try:
        account = load().shared.account
    except SettingsError as error:
        return [*found, str(error)]
    if azure_cli or not any(os.environ.get(name, "") not in {"", "false"} for name in OTHER_LOGINS):
        found += _login_problems(account)
    if names := [name for name in Account.model_fields if _is_placeholder(account, name)]:
        found.append(f"These are still placeholders: {', '.join(names)}. Fill them in in environments/shared.py.")
    return [*found, *_another_repository(account)]


def in_words(command: str, found: list[str]) -> str:
    """What is missing for a command, as one message."""
    return "\n".join([f"{command}: before Azure is reached,", *(f"- {each}" for each in found)])


def _is_placeholder(account: Account, name: str) -> bool:
    value = getattr(account, name)
    return any(text == NOBODY or text.endswith(NOWHERE) for text in ([value] if isinstance(value, str) else value))


def _another_repository(account: Account) -> Iterator[str]:
    """Where this checkout comes from, if it is not the repository whose workflows Azure would be told to trust."""
    git = shutil.which("git")
    command = [git or "", "remote", "get-url", "origin"]
    origin = subprocess.run(command, capture_output=True, text=True, check=False).stdout if git else ""  # noqa: S603
    here = ON_GITHUB.search(origin.strip())
    if here and here["repository"].lower() != account.github_repository.lower():
        yield (
            f"This checkout comes from {here['repository']}, but github_repository is {account.github_repository}, "
            "whose workflows Azure would trust. Correct it in environments/shared.py."
        )


def _login_problems(account: Account) -> Iterator[str]:
    """What keeps the Azure CLI from the subscription. A token is asked for, since a login may have run out."""
    az = shutil.which("az")
    if az is None:
        yield "The Azure CLI is needed: https://learn.microsoft.com/cli/azure/install-azure-cli"
        return
    known = account.subscription_id != NOBODY
    which = ["--subscription", account.subscription_id] if known else []
    command = [az, "account", "get-access-token", *which, "--query", "tenant", "--output", "tsv"]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if answer.returncode:
        lines = answer.stderr.splitlines() or [f"it ended with {answer.returncode}."]
        said = next((line for line in lines if line.startswith("ERROR: ")), lines[-1]).removeprefix("ERROR: ")
        login = f"az login --tenant {account.tenant_id}" if account.tenant_id != NOBODY else "az login"
        yield f"The Azure CLI gets no token{f' for {account.subscription_id}' if known else ''}: {said} ({login})"
    elif known and (tenant := answer.stdout.strip()) != account.tenant_id:
        yield f"The subscription {account.subscription_id} is of the tenant {tenant}, not of {account.tenant_id}."


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m operations.preflight", description="Say what Azure needs, if missing."
    )
    parser.add_argument("command", help="what is to reach Azure, for the message")
    parser.add_argument("--azure-cli", action="store_true", help="the command calls the Azure CLI, whatever logs in")
    arguments = parser.parse_args()
    if found := missing(azure_cli=arguments.azure_cli):
        print(in_words(arguments.command, found), file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
