"""What a bad day of Azure does to an apply: nothing is lost, nothing is doubled, and the next apply converges."""

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
    """A fault, what is applied while it strikes, and whether the provider gets over it by itself."""

    resource: str
    fault: Fault
    outcome: Literal["survives", "fails", "orphans"]
    """Orphans: Azure has made what state does not know, and it has to be imported."""


FEATURES = parts.synthesize_stack("dev")["provider"]["azurerm"][0]["features"][0]
FAILED = "fails" if FEATURES.get("persist_id_on_create_before_polling_for_completion") else "orphans"
"""A create that ends Failed: in state and tainted with that feature, unknown to state without it."""

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
    "forbidden": Case("dns_zone", Fault("status", ZONE, status=403, code="AuthorizationFailed"), "fails"),
    "a connection reset": Case("virtual_network", Fault("reset", NETWORK), "fails"),
    "a connection reset at a read": Case("dns_zone", Fault("reset", ZONE, method="GET"), "fails"),
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
def here(provider: Path, tmp_path: Path) -> Iterator[World]:
    """A world for one fault, with what the shared stack makes."""
    assert provider
    with open_world(tmp_path, load(), blobs=False) as found:
        parts.seed_platform(found.stand_in.resource_manager)
        yield found


def converges(here: World, stack: IsolatedTerraform, before: list[str]) -> int:
    """A repeated apply and a second plan succeed, and state holds what is there; gives how much had to be imported."""
    again = stack.apply()
    orphans = [error for error in find_diagnostics(again.output) if EXISTS.search(error.summary)]
    for orphan in orphans:
        imported = stack.run("import", "-no-color", str(orphan.address), EXISTS.findall(orphan.summary)[0])
        assert imported.code == 0, imported.output
    if orphans:
        again = stack.apply()
    assert again.code == 0, find_errors(again.output)
    assert stack.plan().code == 0, "the second plan is empty"
    manager, known = here.stand_in.resource_manager, parts.list_ids(stack.read_state())
    assert known
    assert [path for path in known if manager.find(path) is None] == [], "state knows what is not there"
    assert parts.find_strangers(manager, known, before) == [], "something was made that state does not know"
    return len(orphans)


def strike(folder: Path, case: Case) -> None:
    """Apply while the fault strikes, in a world of its own; then see to it that everything converges."""
    folder.mkdir()
    with open_world(folder, load(), blobs=False) as here:
        parts.seed_platform(here.stand_in.resource_manager)
        before = [each.id.key for each in here.stand_in.resource_manager.list_resources()]
        stack = here.write_stack(
            "dev", parts.extract_types(parts.synthesize_stack("dev"), f"azurerm_{case.resource}"), local_state=True
        )
        assert stack.init().code == 0
        fault = here.stand_in.faults.add(case.fault)
        first = stack.apply()
        assert fault.met == fault.count, "the fault struck"
        assert (first.code == 0) == (case.outcome == "survives"), find_errors(first.output)
        if case.fault.kind in ("status", "failed-operation") and first.code:
            assert any(case.fault.code in each for each in find_errors(first.output)), (
                "Azure's own words reach the reader"
            )
        assert bool(converges(here, stack, before)) == (case.outcome == "orphans")


@pytest.fixture(scope="module")
def struck(provider: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Future[None]]]:
    """Every case, some side by side: each waits more than it works."""
    assert provider
    folder = tmp_path_factory.mktemp("faults")
    with ThreadPoolExecutor(max_workers=4) as pool:
        parts.synthesize_stack("dev")
        yield {name: pool.submit(strike, folder / str(n), case) for n, (name, case) in enumerate(CASES.items())}
        pool.shutdown(cancel_futures=True)


@pytest.mark.parametrize("name", CASES)
def test_fault(struck: dict[str, Future[None]], name: str) -> None:
    struck[name].result()


def test_a_killed_apply(here: World) -> None:
    before = [each.id.key for each in here.stand_in.resource_manager.list_resources()]
    body = parts.extract_types(parts.synthesize_stack("dev"), "azurerm_postgresql_flexible_server_database")
    stack = here.write_stack("dev", body, local_state=True)
    assert stack.init().code == 0
    here.stand_in.faults.add(Fault("hang", f"{SERVER}/databases", seconds=2))
    with stack.start("apply", "-auto-approve", "-no-color") as process:
        assert any("flexible_server_database.database: Creating" in line for line in process.stdout or ())
    time.sleep(3)  # Azure goes on: the database comes to be after Terraform is gone
    converges(here, stack, before)


def test_a_throttled_destroy(here: World) -> None:
    stack = here.write_stack(
        "dev", parts.extract_types(parts.synthesize_stack("dev"), "azurerm_service_plan"), local_state=True
    )
    assert stack.init().code == 0
    before = [each.id.key for each in here.stand_in.resource_manager.list_resources()]
    assert stack.apply().code == 0
    fault = here.stand_in.faults.add(Fault("status", PLAN, method="DELETE", status=429, code="TooManyRequests"))
    assert stack.destroy().code == 0
    assert fault.met == 1
    assert parts.list_ids(stack.read_state()) == []
    assert parts.find_strangers(here.stand_in.resource_manager, (), before) == []
