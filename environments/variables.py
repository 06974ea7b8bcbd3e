"""Environment variables that replace the account's settings, so that CI of a fork needs no change in a file.

`AUGEO_DOMAIN` replaces `account.domain`. `AUGEO_ALERT_EMAILS` takes several addresses with commas between them.
"""

import os
from collections.abc import Iterator

from environments.problem import NO_VALUE, SettingProblem, suggest_name
from environments.settings import Account, Shared

PREFIX = "AUGEO_"
OTHER_VARIABLES = {"AUGEO_STOCK_BINDINGS"}
"""Variables with the same prefix that are no settings."""


def name_variable(field: str) -> str:
    """Return the name of the variable that replaces a field of the account."""
    return f"{PREFIX}{field.upper()}"


def read_variable(field: str) -> str:
    """Return the value that replaces a field of the account, without white space around it; empty if there is none."""
    # A GitHub workflow that passes on an unset variable passes on an empty one.
    return os.environ.get(name_variable(field), "").strip()


def apply_variables(shared: Shared) -> Shared:
    """Return the shared settings with every field of the account replaced whose variable is set and not empty."""
    account = getattr(shared, "account", None)
    if not isinstance(account, Account):
        return shared  # validation will refuse it
    values: dict[str, object] = {name: value for name in Account.model_fields if (value := read_variable(name))}
    if "alert_emails" in values:
        addresses = (address.strip() for address in read_variable("alert_emails").split(","))
        values["alert_emails"] = tuple(filter(None, addresses))
    return shared.model_copy(update={"account": account.model_copy(update=values)})


def find_unknown_variables() -> Iterator[SettingProblem]:
    """Yield a problem for every variable with the prefix that replaces no setting."""
    names = {name_variable(field) for field in Account.model_fields} | OTHER_VARIABLES
    for variable in sorted(os.environ):
        if variable.startswith(PREFIX) and variable not in names:
            hint = suggest_name(variable, names, cutoff=0.8)  # stricter, because all of them begin alike
            yield SettingProblem(f"environment variable {variable}", "", NO_VALUE, f"no such setting{hint}")
