"""Installs the bindings before the tests of this folder import cdktf."""

import bindings

bindings.install()
