"""docs/operations/ against the alerts that are synthesized. Its table is in tools/pages/alerts.py."""

import re
from functools import cache

import pytest

from tests.docs.repository import DOCS
from tests.support import synthesize_application
from tools.pages.alerts import Alert, read_alerts
from tools.pages.stacks import walk_resources

RUNBOOK = DOCS / "operations" / "runbook"
PAGES_WITHOUT_ALERT = {"already-exists", "protected-resources", "state-unlock"}


@cache
def list_alerts() -> list[Alert]:
    """Return every alert of any stack, once each."""
    return read_alerts(walk_resources(synthesize_application()))


def read_page(name: str) -> str:
    """Return the text of a runbook page."""
    return (RUNBOOK / f"{name}.md").read_text()


every_alert = pytest.mark.parametrize("alert", list_alerts(), ids=lambda alert: alert.name)


def test_every_alert_has_a_page_and_no_other_page_is_there() -> None:
    assert len(list_alerts()) > 25
    assert {path.stem for path in RUNBOOK.glob("*.md")} == {alert.page for alert in list_alerts()} | PAGES_WITHOUT_ALERT


@every_alert
def test_page_names_its_alert_with_the_severity(alert: Alert) -> None:
    title = f"`{alert.name}` (severity {alert.severity})" if alert.severity != "log" else f"`{alert.name}`"
    assert title in read_page(alert.page)


@every_alert
def test_page_gives_the_thresholds_of_its_alert(alert: Alert) -> None:
    thresholds = re.findall(r"\d+(?:\.\d+)?(?= (?:%|seconds|days))", alert.fires_when)
    assert [threshold for threshold in thresholds if threshold not in read_page(alert.page)] == []


@pytest.mark.parametrize("page", sorted({alert.page for alert in list_alerts()}))
def test_page_says_what_to_do(page: str) -> None:
    text = read_page(page)
    sections = re.findall(r"^## (.*)$", text, re.MULTILINE)
    assert sections == ["What fired", "First look", "Likely causes", "What to do", "It is over when"]
    first_look = text.split("## First look")[1].split("## Likely causes")[0]
    assert re.search(r"^```(kusto|bash|sql)$", first_look, re.MULTILINE)
