"""Every command of the Azure CLI in pages and scripts exists.

Each was looked up in Azure CLI 2.91.0, with its options: `az COMMAND --help`. A new one has to be looked up too.
"""

import re
from pathlib import Path

import pytest

CORE = """
account show; account set; acr build; acr manifest show-metadata;
acr repository update; ad signed-in-user show; ad sp show; appservice plan list;
extension add; lock delete; lock list; login; monitor activity-log list; monitor autoscale list;
monitor autoscale update;
monitor log-analytics workspace show; monitor metrics list; network dns zone show; postgres flexible-server restart;
postgres flexible-server show; postgres flexible-server start; postgres flexible-server update; provider register;
resource show; resource update; rest; role assignment create; role assignment list; storage blob copy start;
storage blob show; webapp deployment slot swap; webapp restart; webapp show; account get-access-token;
storage account list; group create; storage container immutability-policy show;
storage container immutability-policy extend
"""
EXTENSIONS = {
    "communication email domain initiate-verification": "communication",
    "communication email domain show": "communication",
    "monitor log-analytics query": "log-analytics",
}
"""By command: the extension that it is in."""
COMMANDS = {" ".join(command.split()) for command in CORE.split(";")} | EXTENSIONS.keys()
PAGES = [*Path("docs").rglob("*.md"), *Path("scripts").iterdir(), *Path().glob("*.md")]


def list_commands(text: str) -> set[str]:
    """Return the commands in a text: the words after `az` that are no options and no arguments."""
    joined = text.replace("\\\n", " ")
    found = re.findall(r"(?:^|[`(|$\s])az((?: [a-z][a-z-]*)+)(?= -| \$|`|\s*$| '| \")", joined, re.MULTILINE)
    return {words.strip() for words in found}


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_has_been_looked_up(page: Path) -> None:
    assert list_commands(page.read_text(encoding="utf-8")) <= COMMANDS


def test_commands_are_found() -> None:
    """Guards against an expression that finds nothing."""
    found = set[str]().union(*(list_commands(page.read_text(encoding="utf-8")) for page in PAGES))
    assert len(found) > 20
    assert list_commands('run `az afd custom-domain show -g "$RG"`') == {"afd custom-domain show"}


@pytest.mark.parametrize("extension", sorted(set(EXTENSIONS.values())))
def test_an_extension_is_installed_where_commands_are_introduced(extension: str) -> None:
    assert f"az extension add --name {extension}" in Path("docs/operations/README.md").read_text(encoding="utf-8")
