"""Settings as they are written, with some of them changed: what the tables of good and bad settings are made of."""

from collections.abc import Mapping
from typing import Final, TypeVar, cast

from environments import ENVIRONMENTS, Platform
from environments.settings import Environment, Settings, Shared
from environments.shared import SHARED
from environments.validation import validate

S = TypeVar("S", bound=Settings)
Changes = Mapping[str, object]
ABSENT: Final = object()
"""As a value: the setting is left out."""


def changed(settings: S, changes: Changes) -> S:
    """A copy with these settings changed, unchecked: `changed(DEV, {"web_app.sku": "S1", "cache": ABSENT})`."""
    values = dict(vars(settings))
    for path, value in changes.items():
        field, _, inner = path.partition(".")
        if inner:
            values[field] = changed(cast(Settings, values[field]), {inner: value})
        elif value is ABSENT:
            del values[field]
        else:
            values[field] = value
    return type(settings)(**values)


def written(where: str) -> Settings:
    """The environment of this name as it is written, or the shared settings."""
    return SHARED if where == "shared" else ENVIRONMENTS[where]


def check(changes: Mapping[str, Changes]) -> Platform:
    """Validate everything that is written, with these changes by environment ("shared" is the shared settings)."""
    whole = {where: changed(written(where), changes.get(where, {})) for where in ("shared", *ENVIRONMENTS)}
    shared = cast(Shared, whole.pop("shared"))
    return validate(shared, cast(dict[str, Environment], whole))
