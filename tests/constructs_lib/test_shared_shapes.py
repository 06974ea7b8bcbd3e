"""The parts that constructs share: endpoint, diagnostics, protection, role assignment, outputs, place."""

from dataclasses import replace
from functools import cache

import pytest
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from cdktf_cdktf_provider_azurerm.subnet import Subnet
from syrupy.assertion import SnapshotAssertion

from constructs_lib.diagnostics import ACTIVITY_LOG, add_diagnostic_setting, send_diagnostics
from constructs_lib.outputs import add_outputs
from constructs_lib.place import Capability
from constructs_lib.private_endpoint import add_private_endpoint
from constructs_lib.protection import protect
from constructs_lib.roles import CustomRole, grant
from tests.constructs_lib.neighbours import Neighbours, find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson


def add_owner(neighbours: Neighbours) -> Capability:
    return Capability(neighbours.stack, "owner")


def add_endpoint(neighbours: Neighbours) -> None:
    add_private_endpoint(add_owner(neighbours), role="cache", target=neighbours.workspace, network=neighbours.network)


def add_diagnostics(neighbours: Neighbours) -> None:
    add_diagnostic_setting(
        add_owner(neighbours), "of", target="/subscriptions/0", categories=ACTIVITY_LOG, workspace=neighbours.workspace
    )


def add_group(neighbours: Neighbours) -> ResourceGroup:
    return ResourceGroup(add_owner(neighbours), "group", name="rg-kept", location="eastus2")


def add_protected_group(neighbours: Neighbours) -> None:
    protect(add_group(neighbours), "kept", place=neighbours.stack.place, ignore_changes=["managed_by"])


def add_group_without_lock(neighbours: Neighbours) -> None:
    protect(add_group(neighbours), "kept", place=neighbours.stack.place, lock=False)


def add_disposable_group(neighbours: Neighbours) -> None:
    protect(add_group(neighbours), "kept", place=replace(neighbours.stack.place, disposable=True))


def grant_built_in_role(neighbours: Neighbours) -> None:
    grant(add_owner(neighbours), "reads", "Reader", to="someone", on="/subscriptions/0", why="Somebody reads.")


def grant_custom_role(neighbours: Neighbours) -> None:
    role = CustomRole("/providers/Microsoft.Authorization/roleDefinitions/own")
    grant(
        add_owner(neighbours),
        "acts",
        role,
        to="someone",
        on="/subscriptions/0",
        why="Somebody acts.",
        condition="(TRUE)",
    )


def add_region_output(neighbours: Neighbours) -> None:
    add_outputs(neighbours.stack, {"region": ("eastus2", "Where it stands")})


VARIANTS = {
    "endpoint": ("owner", add_endpoint),
    "diagnostics": ("owner", add_diagnostics),
    "protection": ("owner", add_protected_group),
    "protection-without-lock": ("owner", add_group_without_lock),
    "protection-disposable": ("owner", add_disposable_group),
    "role": ("owner", grant_built_in_role),
    "role-custom": ("owner", grant_custom_role),
    "outputs-and-place": ("", add_region_output),
}


@cache
def synthesize_shape(variant: str) -> TerraformJson:
    construct, make = VARIANTS[variant]
    return synthesize_construct(construct, make, make_environment("dev"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_shape(variant) == snapshot


def test_provider_never_asks_the_data_plane() -> None:
    """Guards against a runner outside the network that waits for an account which it cannot reach."""
    (provider,) = synthesize_shape("outputs-and-place")["provider"]["azurerm"]
    (features,) = provider["features"]
    assert features["storage"] == [{"data_plane_available": False}]
    assert provider["storage_use_azuread"] is True
    assert provider["resource_provider_registrations"] == "none"


def test_provider_and_terraform_are_pinned() -> None:
    """Guards against the bindings' version, 4.55: Azure ends the Key Vault API that it calls on 2027-02-27."""
    terraform = synthesize_shape("outputs-and-place")["terraform"]
    assert terraform["required_providers"]["azurerm"]["version"] == "4.81.0"
    assert terraform["required_version"] == ">= 1.11.0"


def test_state_is_reached_without_a_key() -> None:
    """Guards against an access key or a SAS in the backend's configuration."""
    backend = synthesize_shape("outputs-and-place")["terraform"]["backend"]["azurerm"]
    assert backend["use_azuread_auth"] is True
    assert backend.keys().isdisjoint({"access_key", "sas_token", "client_secret"})


def test_the_address_is_the_same_without_protection() -> None:
    """Guards against a disposable copy with other addresses, which would prove nothing about the real environment."""
    for variant, kept, locks in (
        ("protection", True, 1),
        ("protection-without-lock", True, 0),
        ("protection-disposable", False, 0),
    ):
        body = synthesize_shape(variant)
        assert set(find_all(body, "azurerm_resource_group")) == {"kept"}
        assert find_one(body, "azurerm_resource_group")["lifecycle"]["prevent_destroy"] is kept
        assert len(find_all(body, "azurerm_management_lock")) == locks


def test_type_without_categories_is_refused() -> None:
    """Guards against a new resource type whose logs are not sent."""

    def make(neighbours: Neighbours) -> None:
        (subnet, *_) = (child for child in neighbours.network.node.children if isinstance(child, Subnet))
        send_diagnostics(subnet, neighbours.workspace)

    with pytest.raises(KeyError, match="azurerm_subnet"):
        synthesize_construct("owner", make, make_environment("dev"))
