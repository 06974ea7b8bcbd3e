"""Settings are read without the bindings: in milliseconds, and by tools that have no Node."""

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
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")
