"""Whole stacks through the real Terraform and the real provider: plan, apply, an empty second plan, destroy."""

import os
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

from environments import Environment, load
from operations.terraform.events import find_errors
from operations.terraform.runner import Run
from rehearsal import synthesis
from rehearsal.stand_in.families.front_door import DOMAIN
from rehearsal.stand_in.model import Json
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World, world
from tests.rehearsal import parts

pytestmark = pytest.mark.azure

WAITING = ("azurerm_key_vault", "azurerm_management_lock", "azurerm_monitor_metric_alert")
"""The provider itself waits about two minutes at each of these, in Azure as here."""
ALL = os.environ.get("REHEARSE_ALL") == "1"


def settled(settings: Environment) -> Environment:
    """The second phase of domain and mail."""
    return settings.model_copy(
        update={
            "domain": settings.domain.model_copy(update={"delegated": True}),
            "email": settings.email.model_copy(update={"verified": True}),
        }
    )


def stacks() -> dict[str, Json]:
    """Every stack, the environments in their second phase, which has all of the first."""
    platform = load()

    def environment(name: str, change: Callable[[Environment], Environment]) -> Json:
        return synthesis.unprotected(synthesis.environment(platform, name, change))

    bodies = {"shared": synthesis.unprotected(synthesis.shared(platform))}
    bodies["dev"] = environment("dev", lambda settings: settled(synthesis.disposable(settings)))
    bodies |= {name: environment(name, settled) for name in ("staging", "production")}
    return bodies if ALL else {name: parts.without(bodies[name], *WAITING) for name in ("dev", "production")}


class Applied(NamedTuple):
    """A stack after its first apply."""

    here: World
    terraform: IsolatedTerraform
    body: Json
    run: Run
    before: list[str]


def apply(folder: Path, name: str, body: Json) -> Generator[Applied]:
    """Apply a stack in a world of its own; the mail domain's records first, whose verification is a person's step."""
    folder.mkdir()
    with world(folder, load(), blobs=False) as here:
        if name != "shared":
            parts.seed(here.stand_in.resource_manager)
        before = [each.id.key for each in here.stand_in.resource_manager.list_resources()]
        stack = here.stack(name, body, local_state=True)
        assert stack.init().code == 0
        if proof := parts.mail_records(body):
            first = stack.apply(*(f"-target={address}" for address in proof))
            assert first.code == 0, find_errors(first.output)
            parts.verify_mail(here.stand_in.resource_manager)
        yield Applied(here, stack, body, stack.apply(), before)


@pytest.fixture(scope="module")
def applied(provider: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Applied]]:
    """Every stack, applied side by side: most of the time is the provider's waiting."""
    assert provider
    folder = tmp_path_factory.mktemp("environments")
    running = {name: apply(folder / name, name, body) for name, body in stacks().items()}
    try:
        with ThreadPoolExecutor() as pool:
            yield dict(zip(running, pool.map(next, running.values()), strict=True))
    finally:
        for each in running.values():
            each.close()


def test_everything_is_applied(applied: dict[str, Applied]) -> None:
    for name, stack in applied.items():
        assert stack.run.code == 0, (name, find_errors(stack.run.output))
        made = {each["type"] for each in stack.terraform.read_state()["resources"] if each["mode"] == "managed"}
        assert made == {type_ for type_, named in stack.body["resource"].items() if named}
        manager, known = stack.here.stand_in.resource_manager, parts.ids(stack.terraform.read_state())
        assert parts.strangers(manager, known, stack.before) == []


def test_the_second_plan_is_empty(applied: dict[str, Applied]) -> None:
    with ThreadPoolExecutor() as pool:
        plans = pool.map(IsolatedTerraform.plan, [stack.terraform for stack in applied.values()])
        for name, planned in zip(applied, plans, strict=True):
            assert planned.code == 0, (name, planned.output[-3000:])


def test_front_door_finds_the_token_that_the_stack_publishes(applied: dict[str, Applied]) -> None:
    managers = (stack.here.stand_in.resource_manager for stack in applied.values())
    domains = [manager.show(each.id) for manager in managers for each in manager.list_resources(DOMAIN)]
    assert {each["properties"]["domainValidationState"] for each in domains} == {"Approved"}


# What Azure hands out and the provider exports into state. docs/data-model.md says what follows from it.
EXPORTED = {
    "azurerm_application_insights": {"instrumentation_key", "connection_string"},
    "azurerm_communication_service": {
        "primary_connection_string",
        "primary_key",
        "secondary_connection_string",
        "secondary_key",
    },
    "azurerm_linux_web_app": {"custom_domain_verification_id", "site_credential"},
    "azurerm_linux_web_app_slot": {"custom_domain_verification_id", "site_credential"},
    "azurerm_log_analytics_workspace": {"primary_shared_key", "secondary_shared_key"},
    "azurerm_logic_app_trigger_http_request": {"callback_url"},
    "azurerm_managed_redis": {"default_database"},
    "azurerm_static_web_app": {"api_key"},
    "azurerm_storage_account": {
        f"{rank}_{what}"
        for rank in ("primary", "secondary")
        for what in ("access_key", "connection_string", "blob_connection_string")
    },
}


def test_state_holds_no_credential_beyond_the_documented_ones(applied: dict[str, Applied]) -> None:
    for stack in applied.values():
        for resource in stack.terraform.read_state()["resources"]:
            for instance in resource["instances"]:
                marked = {each[0]["value"] for each in instance.get("sensitive_attributes", [])}
                filled = {name for name in marked if instance["attributes"].get(name)}
                filled -= set(stack.body["resource"].get(resource["type"], {}).get(resource["name"], {}))
                assert filled <= EXPORTED.get(resource["type"], set()), (resource["type"], filled)


def test_no_password_is_in_state_and_one_was_sent(applied: dict[str, Applied]) -> None:
    for name, stack in applied.items():
        if name == "shared":
            continue
        sent = [
            each["body"]["properties"]["administratorLoginPassword"]
            for each in stack.here.stand_in.request_log.entries
            if each["method"] == "PUT" and each["path"].rpartition("/")[0].endswith("/flexibleServers")
        ]
        assert len(sent) == 1
        assert sent[0].startswith("Aa1-")
        assert sent[0] not in str(stack.terraform.read_state())


def test_destroy_leaves_nothing(applied: dict[str, Applied]) -> None:
    """Last: it takes the others' stacks away. dev alone, because it alone is declared disposable."""
    if not ALL:
        pytest.skip("REHEARSE_ALL=1 destroys dev too: three minutes of the provider's own waiting")
    dev = applied["dev"]
    destroyed = dev.terraform.destroy()
    assert destroyed.code == 0, destroyed.output[-3000:]
    assert parts.strangers(dev.here.stand_in.resource_manager, (), dev.before) == []
