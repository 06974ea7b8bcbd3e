"""Stack outputs: the values of a stack that scripts and people may read.

Scripts read nothing else of a stack. No output is secret.
"""

from collections.abc import Mapping

from cdktf import TerraformOutput
from constructs import Construct


def add_outputs(stack: Construct, outputs: Mapping[str, tuple[str, str]]) -> None:
    """Add outputs to a stack: by name, the value and its description."""
    for name, (value, description) in outputs.items():
        TerraformOutput(stack, name, value=value, description=description)
