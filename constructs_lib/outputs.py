"""Stack outputs: what scripts and people may read of a stack. Scripts read nothing else; nothing here is secret."""

from collections.abc import Mapping

from cdktf import TerraformOutput
from constructs import Construct


def outputs(stack: Construct, rows: Mapping[str, tuple[str, str]]) -> None:
    """Declare outputs: by name, the value and what it is."""
    for name, (value, description) in rows.items():
        TerraformOutput(stack, name, value=value, description=description)
