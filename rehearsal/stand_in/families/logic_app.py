"""Logic App workflows. A workflow has one definition, which contains its triggers and actions."""

from rehearsal.stand_in.family import Family
from rehearsal.stand_in.model import Json, RefusedError, Resource, ResourceType, Store, Write

WORKFLOW = "Microsoft.Logic/workflows"


def _complete_workflow(write: Write) -> None:
    write.require("location")
    definition = write.properties.setdefault("definition", {})
    for part in ("triggers", "actions", "parameters", "outputs"):
        definition.setdefault(part, {})
    addresses = [{"address": "203.0.113.20"}, {"address": "203.0.113.21"}]
    endpoints = {"outgoingIpAddresses": addresses, "accessEndpointIpAddresses": addresses}
    write.properties.update(
        state=write.properties.get("state", "Enabled"),
        accessEndpoint=f"https://prod-00.eastus2.logic.azure.com:443/workflows/{write.id.name}",
        endpointsConfiguration={"workflow": endpoints, "connector": endpoints},
        version="1",
    )
    for trigger in definition["triggers"]:
        write.store.ensure(f"{write.id.path}/triggers/{trigger}", {})


def _get_callback_url(store: Store, trigger: Resource, _: Json) -> Json:
    """https://learn.microsoft.com/rest/api/logic/workflow-triggers/list-callback-url."""
    workflow = store.find(trigger.id.parent)
    if workflow is None or trigger.id.name not in workflow.properties["definition"]["triggers"]:
        raise RefusedError(404, "WorkflowTriggerNotFound", f"The trigger '{trigger.id.name}' could not be found.")
    url = f"{workflow.properties['accessEndpoint']}/triggers/{trigger.id.name}/paths/invoke"
    return {"value": f"{url}?api-version=2016-10-01&sig=callback-signature", "method": "POST", "basePath": url}


_TYPES = (
    ResourceType(WORKFLOW, _complete_workflow),
    ResourceType(f"{WORKFLOW}/triggers", actions={"listCallbackUrl": _get_callback_url}),
)
FAMILY = Family(_TYPES)
