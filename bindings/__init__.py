"""Loads cdktf and the provider's bindings fast. Entry points call `bindings.install()` before they import cdktf."""

from bindings.loading import install

__all__ = ["install"]
