"""Alerts in Teams: a Logic App that turns Azure Monitor's common alert schema into an Adaptive Card.

Microsoft has retired Teams connectors, so the card is posted to the webhook of a Teams workflow. The webhook's address
is a secret. The Logic App reads it from the vault with its own identity, and keeps inputs and outputs out of the run
history.
https://learn.microsoft.com/azure/azure-monitor/alerts/alerts-common-schema
"""

import json

from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace
from cdktf_cdktf_provider_azurerm.logic_app_action_custom import LogicAppActionCustom
from cdktf_cdktf_provider_azurerm.logic_app_trigger_http_request import LogicAppTriggerHttpRequest
from cdktf_cdktf_provider_azurerm.logic_app_workflow import LogicAppWorkflow, LogicAppWorkflowIdentity
from cdktf_cdktf_provider_azurerm.user_assigned_identity import UserAssignedIdentity

from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.place import AzureStack, Capability

SECRET = "teams-webhook-url"  # noqa: S105  the secret's name, not the secret
READ, POST = "Read_the_webhook_address", "Post_the_card"
RUNBOOK, PORTAL = " Runbook: ", "https://portal.azure.com"
ESSENTIALS = "triggerBody()?['data']?['essentials']"


class Teams(Capability):
    """The Logic App (`workflow`), its HTTP trigger (`trigger`), and the identity that reads the webhook's address."""

    def __init__(self, scope: AzureStack, id_: str, *, workspace: LogAnalyticsWorkspace) -> None:
        super().__init__(scope, id_)
        self.identity = UserAssignedIdentity(self, "identity", **self.place.compose_arguments("identity", "teams"))
        self.workflow = LogicAppWorkflow(
            self,
            "workflow",
            **self.place.compose_arguments("logic_app"),
            identity=LogicAppWorkflowIdentity(type="UserAssigned", identity_ids=[self.identity.id]),
        )
        send_diagnostics(self.workflow, workspace)
        self.trigger = LogicAppTriggerHttpRequest(
            self,
            "trigger",
            name="alert",
            logic_app_id=self.workflow.id,
            schema=json.dumps({"type": "object", "properties": {"data": {"type": "object"}}}),
        )
        read = LogicAppActionCustom(
            self, "read", name=READ, logic_app_id=self.workflow.id, body=json.dumps(self._build_read_action())
        )
        LogicAppActionCustom(
            self,
            "post",
            name=POST,
            logic_app_id=self.workflow.id,
            body=json.dumps(_build_post_action()),
            depends_on=[read],
        )

    def _build_read_action(self) -> dict[str, object]:
        return {
            "type": "Http",
            "runAfter": {},
            "inputs": {
                "method": "GET",
                "uri": f"https://{self.place.names.compose('key_vault')}.vault.azure.net/secrets/{SECRET}?api-version=7.4",
                "authentication": {
                    "type": "ManagedServiceIdentity",
                    "identity": self.identity.id,
                    "audience": "https://vault.azure.net",
                },
            },
            "runtimeConfiguration": {"secureData": {"properties": ["inputs", "outputs"]}},
        }


def _build_post_action() -> dict[str, object]:
    def build_text(expression: str, **style: object) -> dict[str, object]:
        return {"type": "TextBlock", "wrap": True, "text": expression, **style}

    state, description = f"{ESSENTIALS}?['monitorCondition']", f"coalesce({ESSENTIALS}?['description'], '')"
    facts = (
        ("Severity", f"@{{{ESSENTIALS}?['severity']}}"),
        ("Since", f"@{{{ESSENTIALS}?['firedDateTime']}}"),
        # An alert of Service Health has no list of configuration items.
        (
            "Target",
            f"@{{join(coalesce({ESSENTIALS}?['configurationItems'], createArray({ESSENTIALS}?['alertId'])), ', ')}}",
        ),
    )
    # Every rule's description ends with the address of its runbook page.
    runbook = f"if(contains({description}, '{RUNBOOK}'), last(split({description}, '{RUNBOOK}')), '{PORTAL}')"
    links = (
        ("Open the runbook", f"@{{{runbook}}}"),
        ("Open the alert", f"@{{coalesce({ESSENTIALS}?['investigationLink'], '{PORTAL}')}}"),
    )
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [
            {
                "type": "Container",
                "bleed": True,
                "style": f"@{{if(equals({state}, 'Resolved'), 'good', 'attention')}}",
                "items": [
                    build_text(f"@{{{state}}}: @{{{ESSENTIALS}?['alertRule']}}", weight="Bolder", size="Large"),
                ],
            },
            build_text(f"@{{first(split({description}, '{RUNBOOK}'))}}"),
            {"type": "FactSet", "facts": [{"title": title, "value": value} for title, value in facts]},
        ],
        "actions": [{"type": "Action.OpenUrl", "title": title, "url": url} for title, url in links],
    }
    return {
        "type": "Http",
        "runAfter": {READ: ["Succeeded"]},
        "inputs": {
            "method": "POST",
            "uri": f"@{{body('{READ}')?['value']}}",
            "headers": {"Content-Type": "application/json"},
            "body": {
                "type": "message",
                "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}],
            },
        },
        "runtimeConfiguration": {"secureData": {"properties": ["inputs", "outputs"]}},
    }
