"""PostgreSQL: a wrong argument here restarts it, locks everybody out or loses what is in it."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.database import PARAMETERS, PGBOUNCER_PARAMETERS
from tests.constructs_lib.neighbours import all_of, built, environment, only
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(environment, "dev"),
    "general-purpose": partial(environment, "dev", database={"sku": "GP_Standard_D2ds_v5"}),
    "pgbouncer": partial(environment, "dev", database={"sku": "GP_Standard_D2ds_v5", "pgbouncer": True}),
    "highly-available": partial(
        environment, "dev", database={"sku": "GP_Standard_D2ds_v5", "high_availability": "SameZone"}
    ),
    "geo-redundant": partial(environment, "dev", database={"geo_redundant_backup": True}),
    "production": partial(environment, "production"),
    "adopted-server": partial(environment, "dev", database={"server_name": "psql-augeo-restored"}),
    "disposable": partial(environment, "dev", disposable=True),
}
SERVER = "azurerm_postgresql_flexible_server"
PARAMETER = "azurerm_postgresql_flexible_server_configuration"


@cache
def database(variant: str) -> TerraformJson:
    return built("database", lambda near: near.database, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert database(variant) == snapshot


def test_everything_on_the_server_waits_for_one_before() -> None:
    """Guards against ServerIsBusy: the server refuses an operation while another one runs (azurerm issue 29177)."""
    body = database("pgbouncer")
    on_the_server = (f"{SERVER}_database", PARAMETER, f"{SERVER}_active_directory_administrator")
    waits_for = {
        f"{type_}.{id_}": each["depends_on"] for type_ in on_the_server for id_, each in all_of(body, type_).items()
    }
    at, chain = "azurerm_private_endpoint.database/endpoint", list[str]()
    while following := [address for address, before in waits_for.items() if before == [at]]:
        (at,) = following
        chain.append(at)
    assert chain[0] == f"{SERVER}_database.database"
    assert len(chain) == len(waits_for) == len(PARAMETERS | PGBOUNCER_PARAMETERS) + 2


def test_pgbouncer_is_asked_for_where_it_is_chosen() -> None:
    """Guards against its parameters on a Burstable server, which refuses them."""

    def names(variant: str) -> set[str]:
        return {each["name"] for each in all_of(database(variant), PARAMETER).values()}

    assert names("general-purpose") == set(PARAMETERS)
    assert names("pgbouncer") == {*PARAMETERS, *PGBOUNCER_PARAMETERS}


def test_password_is_write_only_and_made_up_at_each_apply() -> None:
    """Guards against a password in source, plan or state."""
    server = only(database("minimal"), SERVER)
    assert "administrator_password" not in server
    assert server["administrator_password_wo"] == "Aa1-${uuid()}"  # noqa: S105  an expression
    # An import leaves the version unset: unignored, the next apply would reset the password.
    assert "administrator_password_wo_version" in server["lifecycle"]["ignore_changes"]


def test_what_azure_changes_is_ignored() -> None:
    """Guards against a plan that undoes a failover, shrinks a disk (which replaces the server) or a restore."""
    assert {
        "zone",
        "high_availability[0].standby_availability_zone",
        "storage_mb",
        "create_mode",
        "source_server_id",
        "point_in_time_restore_time_in_utc",
    } <= set(only(database("production"), SERVER)["lifecycle"]["ignore_changes"])


def test_restored_server_is_adopted_under_the_same_address() -> None:
    """Guards against a restore whose server Terraform cannot take over: the name is a setting, the address is not."""
    assert {id_: each["name"] for id_, each in all_of(database("adopted-server"), SERVER).items()} == {
        "database_server": "psql-augeo-restored"
    }


def test_private_endpoint_is_the_only_way_in() -> None:
    """Guards against a server that answers the internet."""
    body = database("minimal")
    assert only(body, SERVER)["public_network_access_enabled"] is False
    assert only(body, "azurerm_private_endpoint")["private_service_connection"]["subresource_names"] == [
        "postgresqlServer"
    ]


def test_disposable_keeps_the_address_and_loses_the_protection() -> None:
    """Guards against a rehearsal that cannot be destroyed."""
    body = database("disposable")
    assert only(body, SERVER)["lifecycle"]["prevent_destroy"] is False
    assert not all_of(body, "azurerm_management_lock")
    assert all_of(database("minimal"), "azurerm_management_lock")
