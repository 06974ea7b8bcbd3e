"""Mutants of the settings' rules that behave like the code, so that no test can notice them, with the reason.

`mutants.py` finds them. It fails if one of them is gone, so that the list stays as short as it can be.
"""

from collections.abc import Mapping

EQUIVALENT: Mapping[str, str] = {
    "base: 'T' -> 'Tx'": "only type checkers read the name of a type variable",
    "base: 'without a name' -> 'without a namex'": "any text will do that is no setting's name",
    "base.CheckedValues.read: 1 -> 2": "a slice that ends behind the last part is the whole path once more",
    "base.Settings.validate_default: True -> False": "the defaults are right, so checking them finds nothing",
    "settings._find_tier_conflicts: 30 -> 31": "the ranges of `workers` and `autoscale.maximum` end at 30 too",
    (
        "validation._find_refused_names: server and (owner := servers.get(server, name)) != name -> "
        "(server or True) and (owner := servers.get(server, name)) != name"
    ): "without a server's name, `servers.get` returns the environment itself",
}
