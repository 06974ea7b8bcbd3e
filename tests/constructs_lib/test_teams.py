"""The Logic App that posts alerts to Teams."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import all_of, built, environment, only
from tests.support import TerraformJson

VARIANTS = {"minimal": partial(environment, "dev")}


@cache
def teams() -> TerraformJson:
    return built("teams", lambda near: near.teams, VARIANTS["minimal"]())


def actions() -> dict[str, TerraformJson]:
    """The actions' bodies by name; that they are JSON shows in `(json)`."""
    return {
        each["name"]: each["body"]["(json)"] for each in all_of(teams(), "azurerm_logic_app_action_custom").values()
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert built("teams", lambda near: near.teams, VARIANTS[variant]()) == snapshot


def test_run_history_shows_neither_the_address_nor_what_was_posted() -> None:
    """Guards against the webhook's address, which is a secret, in clear in the portal."""
    assert len(actions()) == 2
    for name, action in actions().items():
        assert action["runtimeConfiguration"]["secureData"]["properties"] == ["inputs", "outputs"], name


def test_address_comes_from_the_vault() -> None:
    """Guards against a webhook address in source or state."""
    read, post = actions()["Read_the_webhook_address"], actions()["Post_the_card"]
    assert read["inputs"]["uri"].startswith("https://kv-augeo-dev-x7k2.vault.azure.net/secrets/teams-webhook-url?")
    assert read["inputs"]["authentication"]["type"] == "ManagedServiceIdentity"
    assert post["inputs"]["uri"] == "@{body('Read_the_webhook_address')?['value']}"


def test_card_is_posted_after_the_address_is_read() -> None:
    """Guards against two actions that start together, and against an order that Azure refuses to save."""
    assert actions()["Post_the_card"]["runAfter"] == {"Read_the_webhook_address": ["Succeeded"]}
    posts = all_of(teams(), "azurerm_logic_app_action_custom")["teams/post"]
    assert posts["depends_on"] == ["azurerm_logic_app_action_custom.teams/read"]


def test_card_is_one_that_teams_renders() -> None:
    """Guards against an empty message: Teams wants an Adaptive Card as an attachment of a message."""
    message = actions()["Post_the_card"]["inputs"]["body"]
    (attachment,) = message["attachments"]
    assert message["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    shown = str(card["body"])
    for field in ("alertRule", "description", "severity", "monitorCondition", "firedDateTime", "configurationItems"):
        assert f"['{field}']" in shown.replace("\\", ""), field


def test_trigger_takes_the_common_alert_schema() -> None:
    """Guards against a trigger schema that is no JSON."""
    trigger = only(teams(), "azurerm_logic_app_trigger_http_request")
    assert trigger["schema"]["(json)"]["properties"]["data"] == {"type": "object"}
