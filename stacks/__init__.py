"""One stack an environment, and the shared one."""

import constructs_lib  # noqa: F401  first of all: it decides how cdktf and the bindings are loaded
