"""Whole stacks through the real Terraform and the real provider: plan, apply, an empty second plan, destroy."""

import contextlib
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
from rehearsal.seed import verify_mail
from rehearsal.stand_in import families
from rehearsal.stand_in.azure_types import AzureTypes
from rehearsal.stand_in.body_checks import BodyChecks
from rehearsal.stand_in.families.front_door import DOMAIN
from rehearsal.stand_in.families.monitor import DETECTOR_RULE
from rehearsal.stand_in.ids import ResourceId, parse_id
from rehearsal.stand_in.model import Json, RefusedError
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World, open_world
from tests.rehearsal import parts
from tests.rehearsal.wrong_bodies import make_wrong_bodies

pytestmark = pytest.mark.azure

ALL = os.environ.get("REHEARSE_ALL") == "1"


def settle(environment: Environment) -> Environment:
    """Return the environment in its last phase: the domain is delegated, mail is verified, and its quota raised."""
    return environment.model_copy(
        update={
            "domain": environment.domain.model_copy(update={"delegated": True}),
            "email": environment.email.model_copy(
                update={"verified": True, "quota_raised": environment.email.domain == "customer"}
            ),
        }
    )


def synthesize_stacks() -> dict[str, Json]:
    """Return every stack. The environments are in their second phase, which has everything of the first."""
    platform = load()

    def synthesize(name: str, change: Callable[[Environment], Environment]) -> Json:
        return synthesis.remove_prevent_destroy(synthesis.synthesize_environment(platform, name, change))

    bodies = {"shared": synthesis.remove_prevent_destroy(synthesis.synthesize_shared(platform))}
    bodies["dev"] = synthesize("dev", lambda environment: settle(synthesis.declare_disposable(environment)))
    bodies |= {name: synthesize(name, settle) for name in ("staging", "production")}
    if ALL:
        return bodies
    return {name: parts.remove_types(bodies[name], *parts.SLOW_TYPES) for name in ("dev", "production")}


class Applied(NamedTuple):
    """A stack after its first apply."""

    world: World
    terraform: IsolatedTerraform
    body: Json
    run: Run
    before: list[str]
    """The keys of the resources that existed before."""


def apply(folder: Path, name: str, body: Json) -> Generator[Applied]:
    """Apply a stack in a world of its own.

    The mail domain and its records come first, because a person has to verify the domain before the rest is applied.
    """
    folder.mkdir()
    with open_world(folder, load(), blobs=False) as world:
        manager = world.stand_in.resource_manager
        if name != "shared":
            parts.seed_platform(manager)
        before = [resource.id.key for resource in manager.list_resources()]
        terraform = world.write_stack(name, body, local_state=True)
        assert terraform.init().code == 0
        if records := parts.list_mail_records(body):
            first = terraform.apply(*(f"-target={address}" for address in records))
            assert first.code == 0, find_errors(first.output)
            verify_mail(manager)
        yield Applied(world, terraform, body, terraform.apply(), before)


@pytest.fixture(scope="module")
def applied(provider: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Applied]]:
    """Every stack, applied side by side, because most of the time is the provider's waiting."""
    assert provider
    folder = tmp_path_factory.mktemp("environments")
    generators = {name: apply(folder / name, name, body) for name, body in synthesize_stacks().items()}
    try:
        with ThreadPoolExecutor() as pool:
            yield dict(zip(generators, pool.map(next, generators.values()), strict=True))
    finally:
        for generator in generators.values():
            generator.close()


def test_everything_is_applied(applied: dict[str, Applied]) -> None:
    for name, stack in applied.items():
        assert stack.run.code == 0, (name, find_errors(stack.run.output))
        state = stack.terraform.read_state()
        types = {resource["type"] for resource in state["resources"] if resource["mode"] == "managed"}
        assert types == {type_ for type_, named in stack.body["resource"].items() if named}
        manager = stack.world.stand_in.resource_manager
        assert parts.find_strangers(manager, parts.list_ids(state), stack.before) == []


def test_the_second_plan_is_empty(applied: dict[str, Applied]) -> None:
    with ThreadPoolExecutor() as pool:
        plans = pool.map(IsolatedTerraform.plan, [stack.terraform for stack in applied.values()])
        for name, plan in zip(applied, plans, strict=True):
            assert plan.code == 0, (name, plan.output[-3000:])


class RealBody(NamedTuple):
    """The body of a PUT or a PATCH that the real provider sent."""

    id: ResourceId
    version: str
    body: Json
    is_patch: bool


def list_real_bodies(applied: dict[str, Applied]) -> list[RealBody]:
    """Return the bodies of all writes that were not refused, without those of the paths that a route answers."""
    return [
        RealBody(parse_id(entry["path"]), entry["query"]["api-version"], entry["body"], entry["method"] == "PATCH")
        for stack in applied.values()
        for entry in stack.world.stand_in.request_log.entries
        if entry["method"] in ("PUT", "PATCH") and entry["status"] < 400
        if not any(route.match(entry["method"], entry["path"]) for route in families.ROUTES)
    ]


def test_azures_types_take_every_real_body_and_none_that_is_made_wrong(
    applied: dict[str, Applied], types: AzureTypes
) -> None:
    checks, taken, made = BodyChecks(types), set[str](), 0
    for id_, version, body, is_patch in list_real_bodies(applied):
        checks.check_request(id_, version, body, patch=is_patch)
        number = types.find_body(id_.type, version)
        if id_.type == DETECTOR_RULE and number is None:
            continue  # A file that was made before the stacks used this type lacks it: `make azure-types` adds it.
        assert number is not None, f"the file of types lacks {id_.type}@{version}"
        if is_patch:
            continue
        for wrong in make_wrong_bodies(types, number, checks.name_body(number, id_, body)):
            made += 1
            with contextlib.suppress(RefusedError):
                checks.check_request(id_, version, wrong.body, patch=False)
                taken.add(f"{id_.type} {wrong.kind} {wrong.path}")
    assert taken == set()
    assert made > 1000


# What Azure returns and its types lack: the provider reads both.
# https://learn.microsoft.com/rest/api/postgresql/administrators-microsoft-entra/get
# https://learn.microsoft.com/rest/api/appservice/web-apps/list-publishing-credentials
GAPS_OF_THE_TYPES = ("/administrators/", "/config/publishingcredentials")


def test_what_is_answered_has_azures_types(applied: dict[str, Applied], types: AzureTypes) -> None:
    checks = BodyChecks(types)
    versions = {id_.type.lower(): version for id_, version, _, _ in list_real_bodies(applied)}
    faults = {
        f"{resource.id.type}: {fault}"
        for stack in applied.values()
        for manager in [stack.world.stand_in.resource_manager]
        for resource in manager.list_resources()
        if (version := versions.get(resource.id.type.lower()))
        if not any(gap in resource.id.path for gap in GAPS_OF_THE_TYPES)
        for fault in checks.list_answer_faults(resource.id, version, manager.show(resource.id))
    }
    assert faults == set()


def test_front_door_finds_the_token_that_the_stack_publishes(applied: dict[str, Applied]) -> None:
    managers = [stack.world.stand_in.resource_manager for stack in applied.values()]
    domains = [manager.show(domain.id) for manager in managers for domain in manager.list_resources(DOMAIN)]
    assert {domain["properties"]["domainValidationState"] for domain in domains} == {"Approved"}


# The credentials that Azure issues and the provider exports into state. docs/data-model.md says what follows from it.
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
        f"{rank}_{secret}"
        for rank in ("primary", "secondary")
        for secret in ("access_key", "connection_string", "blob_connection_string")
    },
}


def test_state_holds_no_credential_beyond_the_documented_ones(applied: dict[str, Applied]) -> None:
    for stack in applied.values():
        for resource in stack.terraform.read_state()["resources"]:
            configured = stack.body["resource"].get(resource["type"], {}).get(resource["name"], {})
            for instance in resource["instances"]:
                sensitive = {path[0]["value"] for path in instance.get("sensitive_attributes", [])}
                filled = {name for name in sensitive if instance["attributes"].get(name)} - set(configured)
                assert filled <= EXPORTED.get(resource["type"], set()), (resource["type"], filled)


def test_no_password_is_in_state_and_one_was_sent(applied: dict[str, Applied]) -> None:
    for name, stack in applied.items():
        if name == "shared":
            continue
        passwords = [
            request["body"]["properties"]["administratorLoginPassword"]
            for request in stack.world.stand_in.request_log.entries
            if request["method"] == "PUT" and request["path"].rpartition("/")[0].endswith("/flexibleServers")
        ]
        assert len(passwords) == 1
        assert passwords[0].startswith("Aa1-")
        assert passwords[0] not in str(stack.terraform.read_state())


def test_destroy_leaves_nothing(applied: dict[str, Applied]) -> None:
    """Last, because it takes a stack away. It destroys dev, because only dev is declared disposable."""
    if not ALL:
        pytest.skip("REHEARSE_ALL=1 destroys dev too: three minutes of the provider's own waiting")
    dev = applied["dev"]
    destroy = dev.terraform.destroy()
    assert destroy.code == 0, destroy.output[-3000:]
    assert parts.find_strangers(dev.world.stand_in.resource_manager, (), dev.before) == []
