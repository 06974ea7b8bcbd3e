"""docs/operations/README.md: the table of all alerts."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from tools.pages.markdown_table import render_table_block
from tools.pages.stacks import SynthesizedResource

ALERT_TYPES = (
    "azurerm_monitor_activity_log_alert",
    "azurerm_monitor_metric_alert",
    "azurerm_monitor_scheduled_query_rules_alert_v2",
)
EVALUATED = {"PT1M": "every minute", "PT5M": "every 5 minutes", "PT15M": "every 15 minutes"}
DESCRIPTION = re.compile(r"(?P<text>.*) Runbook: https://\S+/docs/operations/runbook/(?P<page>[\w-]+)\.md")


class Alert(NamedTuple):
    """One row of the table of alerts."""

    severity: str
    """A number, or `log` for an alert on the Activity Log, whose severity Azure sets."""
    name: str
    evaluated: str
    fires_when: str
    page: str
    """The name of the runbook page, without folder and suffix."""


def read_alerts(resources: Iterable[SynthesizedResource]) -> list[Alert]:
    """Return every alert once, by severity and name.

    Of an alert that several stacks have, the last one counts: production's numbers are the largest.

    Raises:
        ValueError: An alert's description does not end with the address of its runbook page.
    """
    alerts: dict[str, Alert] = {}
    for resource in resources:
        if resource.type not in ALERT_TYPES:
            continue
        body = resource.body
        description = DESCRIPTION.fullmatch(body["description"])
        if description is None:
            raise ValueError(f"{resource.address} does not end with the address of its page")
        frequency = body.get("frequency") or body.get("evaluation_frequency")
        alerts[body["name"]] = Alert(
            severity=str(body.get("severity", "log")),
            name=body["name"],
            evaluated=EVALUATED[frequency] if frequency else "as it happens",
            fires_when=description["text"],
            page=description["page"],
        )
    return sorted(alerts.values())


def render_alerts(alerts: Iterable[Alert]) -> str:
    """Return the table of alerts, with a link to each one's runbook page."""
    rows = [
        [
            f"`{alert.name}`",
            alert.severity,
            alert.evaluated,
            alert.fires_when,
            f"[{alert.page}](runbook/{alert.page}.md)",
        ]
        for alert in alerts
    ]
    return render_table_block(["alert", "severity", "looked at", "fires when", "page"], rows)
