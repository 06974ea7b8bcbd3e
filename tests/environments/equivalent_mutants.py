"""Mutants of the settings' rules that no settings can tell from the code, and why. See `mutants.py`."""

from collections.abc import Mapping

EQUIVALENT: Mapping[str, str] = {}
