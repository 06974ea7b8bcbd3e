"""Compares what a delivery sets with what a saved plan would put back."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from pydantic import JsonValue

from operations.terraform.plan import Plan, PlanError, ResourceChange, Verb, read_plan
from operations.terraform.runner import Terraform

WEB_APPS = frozenset({"azurerm_linux_web_app", "azurerm_linux_web_app_slot"})
"""The types with an image that deliveries set, and that `ignore_changes` names."""

SENDS_THE_IMAGE = ("app_settings", "service_plan_id", "site_config")
"""The attributes of these types with whose change the provider sends the image too.

A saved plan has the image of the time when it was made. If a delivery sets another one between the plan and its apply,
the apply puts the old image back: https://github.com/hashicorp/terraform-provider-azurerm/issues/28102, and
internal/services/appservice/linux_web_app_resource.go, `ExpandForUpdate`, in azurerm 4.81.0. Other ignored values are
sent only when they change: see the Update functions of their types.
"""

_IMAGE = ("site_config", 0, "application_stack")


def find_outdated_images(plan: Plan, terraform: Terraform) -> Iterator[str]:
    """Yield a sentence for each image that the plan would put back although another one is live now.

    It reads Azure again if the plan would send an image, and nothing otherwise.

    Raises:
        PlanError: Azure cannot be read.
        TerraformError: Terraform failed.
    """
    sent = [resource for resource in plan.select(Verb.CHANGE) if _sends_the_image(resource)]
    if not sent:
        return
    live = _read_live_state(terraform, [resource.address for resource in sent]).prior_state
    for resource in sent:
        planned = _find_value(resource.change.before, _IMAGE)
        now = _find_value(live.find_values(resource.address), _IMAGE)
        if planned != now:
            yield (
                f"{resource.address} runs {_describe_image(now)} now, and the plan would put "
                f"{_describe_image(planned)} back: a delivery has changed it since. Plan again."
            )


def _sends_the_image(resource: ResourceChange) -> bool:
    before, after = resource.change.before, resource.change.after
    if resource.type not in WEB_APPS or not isinstance(before, dict) or not isinstance(after, dict):
        return False
    return any(before.get(name) != after.get(name) for name in SENDS_THE_IMAGE)


def _read_live_state(terraform: Terraform, addresses: list[str]) -> Plan:
    """Return a plan that only reads some resources, and everything that they refer to."""
    with tempfile.TemporaryDirectory(prefix="live-") as folder:
        file = Path(folder) / "live.tfplan"
        targets = [f"-target={address}" for address in addresses]
        run = terraform.run("plan", "-refresh-only", "-input=false", "-lock=false", *targets, f"-out={file}")
        if run.code:
            raise PlanError(f"What runs now cannot be read, so that nothing can be applied:\n{run.output[-2000:]}")
        return read_plan(terraform.show_plan(file))


def _find_value(values: JsonValue, path: tuple[str | int, ...]) -> JsonValue:
    """Return the value at a path, or None."""
    for part in path:
        if isinstance(values, dict) and isinstance(part, str):
            values = values.get(part)
        elif isinstance(values, list) and isinstance(part, int) and part < len(values):
            values = values[part]
        else:
            return None
    return values


def _describe_image(stack: JsonValue) -> str:
    """Return the image in an application stack, in words."""
    image = _find_value(stack, (0, "docker_image_name"))
    return str(image) if image else "no image"
