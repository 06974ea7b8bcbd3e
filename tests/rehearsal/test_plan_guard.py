"""The plan guard on plans that the real provider makes."""

import io
import json
from pathlib import Path

import pytest

from environments import load
from operations.plan_guard.guard import Guard
from operations.plan_guard.judge import StackTarget
from operations.plan_guard.live import find_outdated_images
from operations.terraform.events import find_errors
from operations.terraform.plan import read_plan
from rehearsal import synthesis
from rehearsal.progress import Progress
from rehearsal.seed import list_prerequisites
from rehearsal.steps import Rehearsal, StepError
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World
from tests.rehearsal import parts

pytestmark = pytest.mark.azure

DATABASE = "azurerm_postgresql_flexible_server_database.database"
SERVER = "azurerm_postgresql_flexible_server.database_server"


def test_a_replacement_of_the_database_is_refused_and_its_cause_named(azure_world: World) -> None:
    types = ("azurerm_postgresql_flexible_server_database",)
    body = parts.extract_types(parts.synthesize_stack("dev"), *types)
    stack = azure_world.write_stack("dev", body, local_state=True)
    assert stack.init().code == 0
    apply = stack.apply()
    assert apply.code == 0, find_errors(apply.output)
    other = synthesis.remove_prevent_destroy(
        synthesis.synthesize_environment(load(), "dev", synthesis.switch_geo_backup)
    )
    changed = azure_world.write_stack("dev", parts.extract_types(other, *types), local_state=True)
    assert changed.plan().code == 2
    plan, target = changed.read_plan(), StackTarget.from_settings("dev", load())
    report = Guard(target).judge_json(plan)
    assert {loss.address for loss in report.refused} == {SERVER, DATABASE}
    assert "geo_redundant_backup_enabled" in report.format_text()
    assert Guard(target, [SERVER, DATABASE]).judge_json(plan).may_be_applied


def test_only_what_is_declared_disposable_may_be_destroyed(azure_world: World, tmp_path: Path) -> None:
    platform = load()
    environment = synthesis.make_disposable_copy(platform.environments["dev"])
    for path, location in list_prerequisites(azure_world.endpoint.subscription, platform, environment).items():
        azure_world.endpoint.request("PUT", path, {"location": location})
    whole = synthesis.synthesize_environment(platform, "dev", lambda _: environment)
    body = parts.extract_types(whole, "azurerm_postgresql_flexible_server_database")
    copy = azure_world.write_stack("copy", body, local_state=True)
    assert copy.init().code == 0
    apply = copy.apply()
    assert apply.code == 0, find_errors(apply.output)
    rehearsal = Rehearsal(azure_world, platform, "dev", Progress(io.StringIO()), tmp_path)
    assert rehearsal.plan_to_destroy(copy, environment) == len(parts.list_ids(copy.read_state()))
    with pytest.raises(StepError, match="does not go by the flag"):
        rehearsal.plan_to_destroy(copy, environment.model_copy(update={"disposable": False}))
    destroy = copy.apply_plan()
    assert destroy.code == 0, find_errors(destroy.output)
    assert parts.list_ids(copy.read_state()) == []


@pytest.mark.slow
def test_a_rule_that_opens_the_network_stands_first_whoever_adds_it(azure_world: World) -> None:
    type_ = "azurerm_network_security_group"
    body = parts.extract_types(parts.synthesize_stack("dev"), type_)
    stack = azure_world.write_stack("dev", body, local_state=True)
    assert stack.init().code == 0
    apply = stack.apply()
    assert apply.code == 0, find_errors(apply.output)
    guard = Guard(StackTarget.from_settings("dev", load()))
    assert "LOOK HERE FIRST" not in guard.judge_json(plan_anew(stack)).format_text()

    name, group = next((name, group) for name, group in body["resource"][type_].items() if "app-nsg" in name)
    address = f"{type_}.{name}"
    opened = dict.fromkeys(group["security_rule"][0]) | {
        "name": "open-door", "description": "", "priority": 105, "direction": "Inbound", "access": "Allow",
        "protocol": "*", "source_address_prefix": "Internet", "source_port_range": "*",
        "destination_address_prefix": "*", "destination_port_range": "*",
    }  # fmt: skip
    group["security_rule"].append(opened)
    report = guard.judge_json(plan_anew(azure_world.write_stack("dev", body, local_state=True)))
    assert (
        "\nLOOK HERE FIRST\n\n  Opened to the network\n"
        f"    {address}\n"
        "      + security_rule[open-door]: Inbound Allow any protocol from Internet to * all ports, priority 105\n"
    ) in report.format_text()

    group["security_rule"].remove(opened)
    stack = azure_world.write_stack("dev", body, local_state=True)
    groups = azure_world.stand_in.resource_manager.list_resources("Microsoft.Network/networkSecurityGroups")
    resource = next(resource for resource in groups if "-app-" in resource.id.path)
    rule = json.loads(json.dumps(resource.properties["securityRules"][0]))
    rule["name"] = "by-hand"
    rule["properties"] |= {"priority": 105, "sourceAddressPrefix": "Internet", "direction": "Inbound"}
    resource.properties["securityRules"].append(rule)
    for arguments, what in (((), "changes the resource too"), (("-refresh-only",), "leaves it so")):
        text = guard.judge_json(plan_anew(stack, *arguments)).format_text()
        assert (
            f"    {type_}.{name}\n    (outside of Terraform; this plan {what})\n      + security_rule[by-hand]: "
            in text
        )
        assert f"CHANGED OUTSIDE OF TERRAFORM since the last apply\n  {type_}.{name}\n" in text


def plan_anew(stack: IsolatedTerraform, *arguments: str) -> str:
    """Plan, and return the plan as JSON."""
    plan = stack.plan(*arguments)
    assert plan.code in (0, 2), plan.output
    return stack.read_plan()


@pytest.mark.slow
def test_an_image_that_a_delivery_has_set_since_the_plan_makes_the_plan_outdated(azure_world: World) -> None:
    """Guards against an apply that puts the old image back: the provider sends the one of the time of the plan."""
    app = "azurerm_linux_web_app"
    body = parts.extract_types(parts.synthesize_stack("staging"), app, f"{app}_slot")
    stack = azure_world.write_stack("staging", body, local_state=True)
    assert stack.init().code == 0
    apply = stack.apply()
    assert apply.code == 0, find_errors(apply.output)
    for named in (body["resource"][app], body["resource"][f"{app}_slot"]):
        for resource in named.values():
            resource["app_settings"] = resource["app_settings"] | {"NEW_SETTING": "1"}
    changed = azure_world.write_stack("staging", body, local_state=True)
    assert changed.plan().code == 2
    plan = read_plan(changed.read_plan())
    assert list(find_outdated_images(plan, changed)) == []

    manager = azure_world.stand_in.resource_manager
    sites = [*manager.list_resources("Microsoft.Web/sites"), *manager.list_resources("Microsoft.Web/sites/slots")]
    assert len(sites) == 2
    for site in sites:
        web = manager.find(f"{site.id.path}/config/web")
        assert web is not None
        registry = web.properties["linuxFxVersion"].rpartition("/")[0]
        web.properties["linuxFxVersion"] = f"{registry}/augeo-api@sha256:{'1' * 64}"
    sentences = list(find_outdated_images(plan, changed))
    assert len(sentences) == 2
    for sentence in sentences:
        assert f"runs augeo-api@sha256:{'1' * 64} now, and the plan would put augeo-api:bootstrap back" in sentence

    assert changed.apply_plan().code == 0
    web = manager.find(f"{sites[0].id.path}/config/web")
    assert web is not None
    assert web.properties["linuxFxVersion"].endswith(":bootstrap"), "what the guard prevents"
