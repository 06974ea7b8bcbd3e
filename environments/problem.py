"""One problem of the settings, and the line that reports it."""

import difflib
from collections.abc import Collection
from typing import Final, NamedTuple

from environments.base import Settings

NO_VALUE: Final = object()
"""The value of a problem that has none, because the setting is missing or several settings are at fault together."""


class SettingProblem(NamedTuple):
    """One thing that is wrong with the settings; `str()` words it as one line."""

    where: str
    """The environment's name, `shared`, or an environment variable."""
    field: str
    """The setting's path there (`web_app.workers`); empty if no single setting is at fault."""
    value: object
    """The value of the setting, or NO_VALUE."""
    right: str
    """What would be right; a whole sentence if there is no field."""
    source: str = ""
    """The environment variable that the value comes from; empty if it is written in a file."""

    def __str__(self) -> str:
        """Return `where: field = value: what would be right`."""
        if not self.field:
            return f"{self.where}: {self.right}"
        value = "" if self.value is NO_VALUE else f" = {_show_value(self.value)}"
        source = f" from {self.source}" if self.source else ""
        return f"{self.where}: {self.field}{value}{source}: {self.right}"


def _show_value(value: object) -> str:
    return f"{type(value).__name__}(...)" if isinstance(value, Settings) else repr(value)


def suggest_name(word: str, names: Collection[str], cutoff: float = 0.6) -> str:
    """Return the end of a sentence about an unknown name: the name that is closest to it, or all names.

    `cutoff` is how alike two names must be, between 0 and 1.
    """
    close = difflib.get_close_matches(word, names, n=1, cutoff=cutoff)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(names))}"
