"""PostgreSQL. A wrong argument can restart the server, lock everybody out or lose the data."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.database import PARAMETERS, PGBOUNCER_PARAMETERS
from tests.constructs_lib.neighbours import find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(make_environment, "dev"),
    "general-purpose": partial(make_environment, "dev", database={"sku": "GP_Standard_D2ds_v5"}),
    "pgbouncer": partial(make_environment, "dev", database={"sku": "GP_Standard_D2ds_v5", "pgbouncer": True}),
    "highly-available": partial(
        make_environment, "dev", database={"sku": "GP_Standard_D2ds_v5", "high_availability": "SameZone"}
    ),
    "geo-redundant": partial(make_environment, "dev", database={"geo_redundant_backup": True}),
    "production": partial(make_environment, "production"),
    "adopted-server": partial(make_environment, "dev", database={"server_name": "psql-augeo-restored"}),
    "disposable": partial(make_environment, "dev", disposable=True),
}
SERVER = "azurerm_postgresql_flexible_server"
PARAMETER = "azurerm_postgresql_flexible_server_configuration"


@cache
def synthesize_database(variant: str) -> TerraformJson:
    return synthesize_construct("database", lambda neighbours: neighbours.database, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_database(variant) == snapshot


def test_everything_on_the_server_waits_for_one_before() -> None:
    """Guards against ServerIsBusy: the server refuses an operation while another one runs.

    https://github.com/hashicorp/terraform-provider-azurerm/issues/29177
    """
    body = synthesize_database("pgbouncer")
    on_the_server = (f"{SERVER}_database", PARAMETER, f"{SERVER}_active_directory_administrator")
    waits_for = {
        f"{type_}.{id_}": resource["depends_on"]
        for type_ in on_the_server
        for id_, resource in find_all(body, type_).items()
    }
    last, chain = "azurerm_private_endpoint.database/endpoint", list[str]()
    while waiting := [address for address, predecessors in waits_for.items() if predecessors == [last]]:
        (last,) = waiting
        chain.append(last)
    assert chain[0] == f"{SERVER}_database.database"
    assert len(chain) == len(waits_for) == len(PARAMETERS | PGBOUNCER_PARAMETERS) + 2


def test_pgbouncer_is_configured_only_where_it_is_chosen() -> None:
    """Guards against PgBouncer's parameters on a Burstable server, which refuses them."""

    def names(variant: str) -> set[str]:
        return {parameter["name"] for parameter in find_all(synthesize_database(variant), PARAMETER).values()}

    assert names("general-purpose") == set(PARAMETERS)
    assert names("pgbouncer") == {*PARAMETERS, *PGBOUNCER_PARAMETERS}


def test_password_is_write_only_and_made_up_at_each_apply() -> None:
    """Guards against a password in source, plan or state."""
    server = find_one(synthesize_database("minimal"), SERVER)
    assert "administrator_password" not in server
    assert server["administrator_password_wo"] == "Aa1-${uuid()}"  # noqa: S105  an expression
    # After an import the version is unset. If it were not ignored, the next apply would reset the password.
    assert "administrator_password_wo_version" in server["lifecycle"]["ignore_changes"]


def test_what_azure_changes_is_ignored() -> None:
    """Guards against a plan that undoes a failover or a restore, or shrinks a disk, which replaces the server."""
    assert {
        "zone",
        "high_availability[0].standby_availability_zone",
        "storage_mb",
        "create_mode",
        "source_server_id",
        "point_in_time_restore_time_in_utc",
    } <= set(find_one(synthesize_database("production"), SERVER)["lifecycle"]["ignore_changes"])


def test_restored_server_is_adopted_under_the_same_address() -> None:
    """Guards against a restored server that Terraform cannot adopt: its name is a setting, its address is fixed."""
    assert {id_: server["name"] for id_, server in find_all(synthesize_database("adopted-server"), SERVER).items()} == {
        "database_server": "psql-augeo-restored"
    }


def test_private_endpoint_is_the_only_way_in() -> None:
    """Guards against a server that is reachable from the Internet."""
    body = synthesize_database("minimal")
    assert find_one(body, SERVER)["public_network_access_enabled"] is False
    assert find_one(body, "azurerm_private_endpoint")["private_service_connection"]["subresource_names"] == [
        "postgresqlServer"
    ]


def test_disposable_keeps_the_address_and_loses_the_protection() -> None:
    """Guards against a rehearsal that cannot be destroyed."""
    body = synthesize_database("disposable")
    assert find_one(body, SERVER)["lifecycle"]["prevent_destroy"] is False
    assert not find_all(body, "azurerm_management_lock")
    assert find_all(synthesize_database("minimal"), "azurerm_management_lock")
