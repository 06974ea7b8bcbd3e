"""docs/operations/ against the alerts that are synthesized."""

import re
from typing import NamedTuple

import pytest

from tests.docs.pages import DOCS, assert_written
from tests.docs.test_contracts import table
from tests.support import resources

OPERATIONS = DOCS / "operations"
RUNBOOK = OPERATIONS / "runbook"
WITHOUT_ALERT = {"already-exists", "protected-resources", "state-unlock"}
EVERY = {"PT1M": "every minute", "PT5M": "every 5 minutes", "PT15M": "every 15 minutes"}


class Alert(NamedTuple):
    """An alert of any environment, as the index shows it."""

    severity: str
    name: str
    looked_at: str
    what: str
    page: str


def alerts() -> list[Alert]:
    """Every alert, by severity and name; one whose number differs by environment shows the largest environment's."""
    found: dict[str, Alert] = {}
    for each in resources():
        if not re.fullmatch(
            r"azurerm_monitor_(metric_alert|scheduled_query_rules_alert_v2|activity_log_alert)", each.type
        ):
            continue
        body = each.body
        described = re.fullmatch(r"(.*) Runbook: https://\S+/docs/operations/runbook/([\w-]+)\.md", body["description"])
        assert described, f"{each.address} does not end with the address of its page"
        frequency = body.get("frequency") or body.get("evaluation_frequency")
        found[body["name"]] = Alert(
            severity=str(body.get("severity", "log")),
            name=body["name"],
            looked_at=EVERY[frequency] if frequency else "as it happens",
            what=described[1],
            page=described[2],
        )
    return sorted(found.values())


def test_the_index_lists_every_alert(pytestconfig: pytest.Config) -> None:
    rows = (
        (f"`{each.name}`", each.severity, each.looked_at, each.what, f"[{each.page}](runbook/{each.page}.md)")
        for each in alerts()
    )
    assert_written(
        OPERATIONS / "README.md",
        "the alerts",
        table("alert | severity | looked at | fires when | page", rows),
        pytestconfig,
    )


def test_there_is_a_page_for_every_alert_and_no_other() -> None:
    assert len(alerts()) > 25
    assert {path.stem for path in RUNBOOK.glob("*.md")} == {each.page for each in alerts()} | WITHOUT_ALERT


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_a_page_names_its_alert_with_its_severity(alert: Alert) -> None:
    text = (RUNBOOK / f"{alert.page}.md").read_text()
    said = f"`{alert.name}` (severity {alert.severity})" if alert.severity != "log" else f"`{alert.name}`"
    assert said in text


@pytest.mark.parametrize("alert", alerts(), ids=lambda alert: alert.name)
def test_a_page_gives_the_thresholds_of_its_alert(alert: Alert) -> None:
    text = (RUNBOOK / f"{alert.page}.md").read_text()
    numbers = re.findall(r"\d+(?:\.\d+)?(?= (?:%|seconds|days))", alert.what)
    assert [number for number in numbers if number not in text] == []


@pytest.mark.parametrize("page", sorted({each.page for each in alerts()}))
def test_a_page_says_what_to_do(page: str) -> None:
    sections = re.findall(r"^## (.*)$", (RUNBOOK / f"{page}.md").read_text(), re.MULTILINE)
    assert sections == ["What fired", "First look", "Likely causes", "What to do", "It is over when"]
    first_look = (RUNBOOK / f"{page}.md").read_text().split("## First look")[1].split("## Likely causes")[0]
    assert re.search(r"^```(kusto|bash|sql)$", first_look, re.MULTILINE)
