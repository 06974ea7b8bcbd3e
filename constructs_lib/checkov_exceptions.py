"""Exceptions from Checkov's rules, recorded on the resource that needs them.

Checkov ignores inline skips in Terraform JSON. So an exception is written into the resource's `//` block, which
Terraform ignores, and `tools/run_checkov.py` applies it. `make exceptions` lists all exceptions. `make check` fails if
an exception is no longer needed.
"""

import re

from cdktf import TerraformResource

_CHECK_ID = re.compile(r"CKV2?_[A-Z]+_[0-9]+")


def except_check(resource: TerraformResource, check: str, reason: str) -> None:
    """Except `resource` from the Checkov rule `check`, such as `CKV_AZURE_109`.

    `reason` must let a reviewer judge the exception.

    Raises:
        ValueError: `check` is not the id of a Checkov rule, or `reason` is empty.
    """
    if not _CHECK_ID.fullmatch(check):
        raise ValueError(f"{check!r} is not the id of a Checkov rule, such as CKV_AZURE_109")
    if not reason.strip():
        raise ValueError(f"{resource.node.path}: the exception from {check} needs a reason")
    resource.add_override(f"//.checkov.{check}", reason)
