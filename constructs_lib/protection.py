"""Protection of resources that hold data: a fixed address in the state, prevent_destroy, and a lock in Azure."""

from collections.abc import Sequence

from cdktf import TerraformResource, TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.management_lock import ManagementLock

from constructs_lib.place import Place


def protect(
    resource: TerraformResource,
    address: str,
    *,
    place: Place,
    lock: bool = True,
    ignore_changes: Sequence[str] = (),
) -> None:
    """Give a resource that holds data a fixed address, and protect it from deletion.

    In a disposable environment the resource has the same address and no protection.

    Args:
        resource: The resource that must not be lost.
        address: Its logical id in the Terraform state. It must never change: a new one recreates the resource.
        place: Says whether the environment is disposable.
        lock: Also has Azure refuse to delete the resource. DNS zones must not have a lock, because their records would
            inherit it.
        ignore_changes: Attributes that Azure or the delivery changes outside of Terraform.

    Raises:
        ValueError: Something refers to the resource already, so its address can no longer be set.
    """
    resource.override_logical_id(address)
    if resource.friendly_unique_id != address:
        # cdktf fixes an address at its first use, and silently ignores a later one.
        raise ValueError(f"{resource.node.path}: protect it before anything refers to it")
    resource.lifecycle = TerraformResourceLifecycle(
        prevent_destroy=not place.disposable, ignore_changes=list(ignore_changes) or None
    )
    if lock and not place.disposable:
        ManagementLock(
            resource,
            "lock",
            name="cannot-delete",
            scope=resource.get_string_attribute("id"),
            lock_level="CanNotDelete",
            notes="Holds data. docs/operations/runbook/protected-resources.md says how it may go.",
        )
