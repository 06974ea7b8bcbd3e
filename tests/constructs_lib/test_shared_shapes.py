"""The shapes that constructs share: endpoint, diagnostics, protection, role assignment, outputs, place."""

from dataclasses import replace
from functools import cache

import pytest
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup
from syrupy.assertion import SnapshotAssertion

from constructs_lib.diagnostics import ACTIVITY_LOG, add_diagnostic_setting, send_diagnostics
from constructs_lib.outputs import add_outputs
from constructs_lib.place import Capability
from constructs_lib.private_endpoint import add_private_endpoint
from constructs_lib.protection import protect
from constructs_lib.roles import CustomRole, grant
from tests.constructs_lib.neighbours import Neighbours, all_of, built, environment, only
from tests.support import TerraformJson


def owner(near: Neighbours) -> Capability:
    return Capability(near.stack, "owner")


def endpoint(near: Neighbours) -> None:
    add_private_endpoint(owner(near), role="cache", target=near.workspace, network=near.network)


def diagnostics(near: Neighbours) -> None:
    add_diagnostic_setting(
        owner(near), "of", target="/subscriptions/0", categories=ACTIVITY_LOG, workspace=near.workspace
    )


def group(near: Neighbours) -> ResourceGroup:
    return ResourceGroup(owner(near), "group", name="rg-kept", location="eastus2")


def protected(near: Neighbours) -> None:
    protect(group(near), "kept", place=near.stack.place, ignore_changes=["managed_by"])


def protected_without_lock(near: Neighbours) -> None:
    protect(group(near), "kept", place=near.stack.place, lock=False)


def protected_disposable(near: Neighbours) -> None:
    protect(group(near), "kept", place=replace(near.stack.place, disposable=True))


def granted(near: Neighbours) -> None:
    grant(owner(near), "reads", "Reader", to="someone", on="/subscriptions/0", why="Somebody reads.")


def granted_custom_role(near: Neighbours) -> None:
    role = CustomRole("/providers/Microsoft.Authorization/roleDefinitions/own")
    grant(owner(near), "acts", role, to="someone", on="/subscriptions/0", why="Somebody acts.", condition="(TRUE)")


def with_outputs(near: Neighbours) -> None:
    add_outputs(near.stack, {"region": ("eastus2", "Where it stands")})


VARIANTS = {
    "endpoint": ("owner", endpoint),
    "diagnostics": ("owner", diagnostics),
    "protection": ("owner", protected),
    "protection-without-lock": ("owner", protected_without_lock),
    "protection-disposable": ("owner", protected_disposable),
    "role": ("owner", granted),
    "role-custom": ("owner", granted_custom_role),
    "outputs-and-place": ("", with_outputs),
}


@cache
def shape(variant: str) -> TerraformJson:
    construct, make = VARIANTS[variant]
    return built(construct, make, environment("dev"))


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert shape(variant) == snapshot


def test_provider_never_asks_the_data_plane() -> None:
    """Guards against a runner outside the network that waits for an account it cannot reach."""
    (provider,) = shape("outputs-and-place")["provider"]["azurerm"]
    (features,) = provider["features"]
    assert features["storage"] == [{"data_plane_available": False}]
    assert provider["storage_use_azuread"] is True
    assert provider["resource_provider_registrations"] == "none"


def test_provider_and_terraform_are_pinned() -> None:
    """Guards against the bindings' own 4.55: the Key Vault API that it calls ends on 2027-02-27."""
    terraform = shape("outputs-and-place")["terraform"]
    assert terraform["required_providers"]["azurerm"]["version"] == "4.81.0"
    assert terraform["required_version"] == ">= 1.11.0"


def test_state_is_reached_without_a_key() -> None:
    """Guards against an access key, or a SAS, in the backend's configuration."""
    backend = shape("outputs-and-place")["terraform"]["backend"]["azurerm"]
    assert backend["use_azuread_auth"] is True
    assert backend.keys().isdisjoint({"access_key", "sas_token", "client_secret"})


def test_protection_keeps_the_address_where_it_drops_the_rest() -> None:
    """Guards against a disposable copy at other addresses, which would prove nothing about the real one."""
    for variant, kept, locks in (
        ("protection", True, 1),
        ("protection-without-lock", True, 0),
        ("protection-disposable", False, 0),
    ):
        body = shape(variant)
        assert set(all_of(body, "azurerm_resource_group")) == {"kept"}
        assert only(body, "azurerm_resource_group")["lifecycle"]["prevent_destroy"] is kept
        assert len(all_of(body, "azurerm_management_lock")) == locks


def test_type_without_categories_is_refused() -> None:
    """Guards against a new resource type whose logs go nowhere."""

    def make(near: Neighbours) -> None:
        send_diagnostics(near.network.app_subnet, near.workspace)

    with pytest.raises(KeyError, match="azurerm_subnet"):
        built("owner", make, environment("dev"))
