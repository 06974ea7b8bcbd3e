"""The Logic App that posts alerts to Teams."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {"minimal": partial(make_environment, "dev")}


@cache
def synthesize_teams() -> TerraformJson:
    return synthesize_construct("teams", lambda neighbours: neighbours.teams, VARIANTS["minimal"]())


def read_actions() -> dict[str, TerraformJson]:
    """Return the actions' bodies by name. `(json)` shows that a body is JSON."""
    return {
        action["name"]: action["body"]["(json)"]
        for action in find_all(synthesize_teams(), "azurerm_logic_app_action_custom").values()
    }


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_construct("teams", lambda neighbours: neighbours.teams, VARIANTS[variant]()) == snapshot


def test_run_history_shows_neither_the_address_nor_what_was_posted() -> None:
    """Guards against the webhook's address, which is a secret, in clear text in the portal."""
    assert len(read_actions()) == 2
    for name, action in read_actions().items():
        assert action["runtimeConfiguration"]["secureData"]["properties"] == ["inputs", "outputs"], name


def test_address_comes_from_the_vault() -> None:
    """Guards against a webhook address in the source or in the state."""
    read, post = read_actions()["Read_the_webhook_address"], read_actions()["Post_the_card"]
    assert read["inputs"]["uri"].startswith("https://kv-augeo-dev-x7k2.vault.azure.net/secrets/teams-webhook-url?")
    assert read["inputs"]["authentication"]["type"] == "ManagedServiceIdentity"
    assert post["inputs"]["uri"] == "@{body('Read_the_webhook_address')?['value']}"


def test_card_is_posted_after_the_address_is_read() -> None:
    """Guards against two actions that start at the same time, and against an order that Azure refuses to save."""
    assert read_actions()["Post_the_card"]["runAfter"] == {"Read_the_webhook_address": ["Succeeded"]}
    posts = find_all(synthesize_teams(), "azurerm_logic_app_action_custom")["teams/post"]
    assert posts["depends_on"] == ["azurerm_logic_app_action_custom.teams/read"]


def test_card_is_one_that_teams_renders() -> None:
    """Guards against an empty message: Teams needs an Adaptive Card as an attachment of a message."""
    message = read_actions()["Post_the_card"]["inputs"]["body"]
    (attachment,) = message["attachments"]
    assert message["type"] == "message"
    assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    text = str(card)
    for field in ("alertRule", "description", "severity", "monitorCondition", "firedDateTime", "configurationItems"):
        assert f"['{field}']" in text.replace("\\", ""), field


def test_trigger_takes_the_common_alert_schema() -> None:
    """Guards against a trigger schema that is not JSON."""
    trigger = find_one(synthesize_teams(), "azurerm_logic_app_trigger_http_request")
    assert trigger["schema"]["(json)"]["properties"]["data"] == {"type": "object"}


def test_a_link_can_be_clicked_and_the_end_of_an_alert_looks_different() -> None:
    """Guards against an address that has to be copied at night, and against an end that looks like another alarm."""
    card = read_actions()["Post_the_card"]["inputs"]["body"]["attachments"][0]["content"]
    assert [(action["type"], action["title"]) for action in card["actions"]] == [
        ("Action.OpenUrl", "Open the runbook"),
        ("Action.OpenUrl", "Open the alert"),
    ]
    heading = card["body"][0]
    assert "'good', 'attention'" in heading["style"]
    assert "monitorCondition" in heading["items"][0]["text"]
    assert not any("Runbook: http" in str(item) for item in card["body"]), "the description ends before the address"
