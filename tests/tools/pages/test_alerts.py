"""tools/pages/alerts.py: the table of alerts from a few made up ones."""

import pytest

from tools.pages.alerts import read_alerts, render_alerts
from tools.pages.stacks import SynthesizedResource

PAGE = "Runbook: https://github.com/x/y/blob/main/docs/operations/runbook"


def make_metric_alert(
    stack: str, name: str, text: str, *, severity: int = 2, frequency: str = "PT5M"
) -> SynthesizedResource:
    body = {"name": name, "severity": severity, "frequency": frequency, "description": f"{text} {PAGE}/{name}.md"}
    return SynthesizedResource(stack, "azurerm_monitor_metric_alert", name, body)


def test_alerts_are_in_the_order_of_severity_and_name() -> None:
    removed = {"name": "lock-removed", "description": f"A lock was removed. {PAGE}/access.md"}
    slow = {
        "name": "slow",
        "severity": 1,
        "evaluation_frequency": "PT1M",
        "description": f"It is slow. {PAGE}/slow.md",
    }
    resources = [
        SynthesizedResource("dev", "azurerm_monitor_activity_log_alert", "lock-removed", removed),
        make_metric_alert("dev", "cpu", "CPU is above 80 %."),
        SynthesizedResource("dev", "azurerm_monitor_scheduled_query_rules_alert_v2", "slow", slow),
        SynthesizedResource("dev", "azurerm_key_vault", "vault", {"name": "kv"}),
    ]
    assert render_alerts(read_alerts(resources)) == (
        "\n| alert | severity | looked at | fires when | page |\n"
        "|---|---|---|---|---|\n"
        "| `slow` | 1 | every minute | It is slow. | [slow](runbook/slow.md) |\n"
        "| `cpu` | 2 | every 5 minutes | CPU is above 80 %. | [cpu](runbook/cpu.md) |\n"
        "| `lock-removed` | log | as it happens | A lock was removed. | [access](runbook/access.md) |\n\n"
    )


def test_an_alert_of_several_stacks_is_shown_once_with_the_last_one_s_numbers() -> None:
    resources = [
        make_metric_alert("dev", "connections", "More than 28 connections."),
        make_metric_alert("production", "connections", "More than 675 connections."),
    ]
    assert [alert.fires_when for alert in read_alerts(resources)] == ["More than 675 connections."]


def test_an_alert_without_a_runbook_page_is_refused() -> None:
    body = {"name": "cpu", "severity": 2, "frequency": "PT5M", "description": "CPU is above 80 %."}
    with pytest.raises(ValueError, match=r"^dev: azurerm_monitor_metric_alert\.cpu does not end with the address"):
        read_alerts([SynthesizedResource("dev", "azurerm_monitor_metric_alert", "cpu", body)])
