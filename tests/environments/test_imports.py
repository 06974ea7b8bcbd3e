"""Settings load without the bindings, so they load in milliseconds, also in tools that have no Node.js."""

import subprocess
import sys

PROGRAM = """
import sys
import environments
environments.load()
loaded = {name.partition(".")[0] for name in sys.modules}
print(sorted(loaded & {"jsii", "cdktf", "constructs", "cdktf_cdktf_provider_azurerm", "constructs_lib", "stacks"}))
"""


def test_settings_load_neither_jsii_nor_cdktf() -> None:
    process = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (process.returncode, process.stdout, process.stderr) == (0, "[]\n", "")
