"""What keeps data: an address that refactoring cannot change, no destroy in a plan, no delete in Azure."""

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
    """Give a resource that holds data its fixed address and its protection.

    A disposable environment keeps the address and loses the protection.

    Args:
        resource: What must not be lost.
        address: Its logical id in the Terraform state, for ever: a new one recreates the resource.
        place: Tells whether the environment is disposable.
        lock: Whether Azure, too, refuses to delete it. Not for DNS zones: their records inherit the lock.
        ignore_changes: Attributes that Azure or the delivery changes behind Terraform's back.

    Raises:
        ValueError: something refers to the resource already, so its address is fixed.
    """
    resource.override_logical_id(address)
    if resource.friendly_unique_id != address:
        # cdktf fixes an address at its first use, and then overlooks a new one without a word.
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
