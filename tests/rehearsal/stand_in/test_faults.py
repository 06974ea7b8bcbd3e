"""Faults of Azure during an apply: nothing is lost or created twice, and the next apply converges."""

import re
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

from environments import load
from operations.terraform.events import find_diagnostics, find_errors
from rehearsal.stand_in.faults import Fault
from rehearsal.terraform import IsolatedTerraform
from rehearsal.world import World, open_world
from tests.rehearsal import parts

pytestmark = pytest.mark.azure

NETWORK = "Microsoft.Network/virtualNetworks"
NSG = "Microsoft.Network/networkSecurityGroups"
SERVER = "Microsoft.DBforPostgreSQL/flexibleServers"
STORAGE = "Microsoft.Storage/storageAccounts"
SITE = "Microsoft.Web/staticSites"
PLAN = "Microsoft.Web/serverFarms"
LOGS = "Microsoft.OperationalInsights/workspaces"
ACTIONS = "Microsoft.Insights/actionGroups"
MAIL = "Microsoft.Communication/communicationServices"
ZONE = "Microsoft.Network/dnsZones"
EXISTS = re.compile(r'a resource with the ID "([^"]+)" already exists')


class Case(NamedTuple):
    """A fault, the resource that is applied with it, and what becomes of the apply."""

    resource: str
    fault: Fault
    outcome: Literal["survives", "fails", "orphans"]
    """`orphans`: Azure has created a resource that is not in the state, so it has to be imported."""


FEATURES = parts.synthesize_stack("dev")["provider"]["azurerm"][0]["features"][0]
FAILED = "fails" if FEATURES.get("persist_id_on_create_before_polling_for_completion") else "orphans"
"""The outcome of a create whose operation fails.

With that feature the resource is in the state, tainted. Without it, the resource is not in the state.
"""

CASES = {
    "throttled once": Case("virtual_network", Fault("status", NETWORK, status=429, code="TooManyRequests"), "survives"),
    "throttled three times": Case(
        "log_analytics_workspace", Fault("status", LOGS, status=429, code="TooManyRequests", count=3), "survives"
    ),
    "a server error": Case("network_security_group", Fault("status", NSG, status=500), "survives"),
    "unavailable": Case("service_plan", Fault("status", PLAN, status=503, code="ServiceUnavailable"), "survives"),
    "a read that fails": Case("storage_account", Fault("status", STORAGE, method="GET", status=502), "survives"),
    "a conflict": Case(
        "network_security_group", Fault("status", NSG, status=409, code="AnotherOperationInProgress"), "fails"
    ),
    "refused": Case("static_web_app", Fault("status", SITE, status=400, code="BadRequest"), "fails"),
    "forbidden": Case("service_plan", Fault("status", PLAN, status=403, code="AuthorizationFailed"), "fails"),
    "a connection reset": Case("virtual_network", Fault("reset", NETWORK), "fails"),
    "a connection reset at a read": Case("service_plan", Fault("reset", PLAN, method="GET"), "fails"),
    "an answer lost": Case("storage_account", Fault("lost-answer", STORAGE), "orphans"),
    "an answer lost to a slow create": Case("communication_service", Fault("lost-answer", MAIL), "orphans"),
    "an answer cut in half": Case("monitor_action_group", Fault("truncate", ACTIONS), "orphans"),
    "a slow answer": Case("service_plan", Fault("hang", PLAN, seconds=2), "survives"),
    "a server that cannot be made": Case(
        "postgresql_flexible_server", Fault("failed-operation", SERVER, code="OverconstrainedAllocation"), FAILED
    ),
    "a service that cannot be made": Case(
        "communication_service", Fault("failed-operation", MAIL, code="AllocationFailed"), FAILED
    ),
    "a network that cannot be made": Case("virtual_network", Fault("failed-operation", NETWORK), FAILED),
}


@pytest.fixture
def world(provider: Path, tmp_path: Path) -> Iterator[World]:
    """A world for one fault, with the resources of the shared stack."""
    assert provider
    with open_world(tmp_path, load(), blobs=False) as world:
        parts.seed_platform(world.stand_in.resource_manager)
        yield world


def check_convergence(world: World, stack: IsolatedTerraform, before: list[str]) -> int:
    """Check that the next apply and plan succeed and that the state is complete. Return how many had to be imported."""
    again = stack.apply()
    orphans = [diagnostic for diagnostic in find_diagnostics(again.output) if EXISTS.search(diagnostic.summary)]
    for orphan in orphans:
        imported = stack.run("import", "-no-color", str(orphan.address), EXISTS.findall(orphan.summary)[0])
        assert imported.code == 0, imported.output
    if orphans:
        again = stack.apply()
    assert again.code == 0, find_errors(again.output)
    assert stack.plan().code == 0, "the second plan is empty"
    manager, ids = world.stand_in.resource_manager, parts.list_ids(stack.read_state())
    assert ids
    assert [path for path in ids if manager.find(path) is None] == [], "the state has a resource that does not exist"
    assert parts.find_strangers(manager, ids, before) == [], "a resource was created that is not in the state"
    return len(orphans)


def run_case(folder: Path, case: Case) -> None:
    """Apply with the fault in a world of its own, check the outcome, and check that everything converges."""
    folder.mkdir()
    with open_world(folder, load(), blobs=False) as world:
        parts.seed_platform(world.stand_in.resource_manager)
        before = [resource.id.key for resource in world.stand_in.resource_manager.list_resources()]
        body = parts.extract_types(parts.synthesize_stack("dev"), f"azurerm_{case.resource}")
        stack = world.write_stack("dev", body, local_state=True)
        assert stack.init().code == 0
        fault = world.stand_in.faults.add(case.fault)
        first = stack.apply()
        assert fault.met == fault.count, "the fault was met"
        assert (first.code == 0) == (case.outcome == "survives"), find_errors(first.output)
        if case.fault.kind in ("status", "failed-operation") and first.code:
            assert any(case.fault.code in error for error in find_errors(first.output)), (
                "Azure's error reaches the user"
            )
        assert bool(check_convergence(world, stack, before)) == (case.outcome == "orphans")


@pytest.fixture(scope="module")
def results(provider: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    """The result of every case. Four run at a time, because a case waits more than it works."""
    assert provider
    folder = tmp_path_factory.mktemp("faults")
    with ThreadPoolExecutor(max_workers=4) as pool:
        parts.synthesize_stack("dev")
        yield {name: pool.submit(run_case, folder / str(n), case) for n, (name, case) in enumerate(CASES.items())}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", CASES)
def test_fault(results: dict[str, Future[None]], name: str) -> None:
    results[name].result()


def test_a_killed_apply(world: World) -> None:
    before = [resource.id.key for resource in world.stand_in.resource_manager.list_resources()]
    body = parts.extract_types(parts.synthesize_stack("dev"), "azurerm_postgresql_flexible_server_database")
    stack = world.write_stack("dev", body, local_state=True)
    assert stack.init().code == 0
    world.stand_in.faults.add(Fault("hang", f"{SERVER}/databases", seconds=2))
    with stack.start("apply", "-auto-approve", "-no-color") as process:
        assert any("flexible_server_database.database: Creating" in line for line in process.stdout or ())
    time.sleep(3)  # Azure continues: it creates the database after Terraform has ended
    check_convergence(world, stack, before)


def test_a_throttled_destroy(world: World) -> None:
    stack = world.write_stack(
        "dev", parts.extract_types(parts.synthesize_stack("dev"), "azurerm_service_plan"), local_state=True
    )
    assert stack.init().code == 0
    before = [resource.id.key for resource in world.stand_in.resource_manager.list_resources()]
    assert stack.apply().code == 0
    fault = world.stand_in.faults.add(Fault("status", PLAN, method="DELETE", status=429, code="TooManyRequests"))
    assert stack.destroy().code == 0
    assert fault.met == 1
    assert parts.list_ids(stack.read_state()) == []
    assert parts.find_strangers(world.stand_in.resource_manager, (), before) == []
