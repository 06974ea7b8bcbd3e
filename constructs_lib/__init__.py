"""One file a capability. Importing any of them first puts the bindings in place, see ``bindings.py``."""

from constructs_lib import bindings

bindings.install()
