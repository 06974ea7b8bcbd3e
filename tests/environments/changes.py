"""Changes the settings that are written in `environments/`, for the tables of good and bad settings."""

from collections.abc import Mapping
from typing import Final, TypeVar, cast

import pytest

from environments import ENVIRONMENTS, Platform, SettingsError
from environments.settings import Environment, Settings, Shared
from environments.shared import SHARED
from environments.validation import validate

S = TypeVar("S", bound=Settings)
Changes = Mapping[str, object]
ABSENT: Final = object()
"""The value of a change that leaves the setting out."""


def change_settings(settings: S, changes: Changes) -> S:
    """Return an unchecked copy with changes: `change_settings(DEV, {"web_app.sku": "S1", "cache": ABSENT})`."""
    values = dict(vars(settings))
    for path, value in changes.items():
        field, _, inner = path.partition(".")
        if inner:
            values[field] = change_settings(cast(Settings, values[field]), {inner: value})
        elif value is ABSENT:
            del values[field]
        else:
            values[field] = value
    return type(settings)(**values)


def get_written(where: str) -> Settings:
    """Return the settings of this environment, or the shared ones, as they are written."""
    return SHARED if where == "shared" else ENVIRONMENTS[where]


def check(changes: Mapping[str, Changes]) -> Platform:
    """Validate all settings that are written, with changes by environment; those of "shared" are the shared settings'.

    Raises:
        SettingsError: they are wrong.
    """
    settings = {
        where: change_settings(get_written(where), changes.get(where, {})) for where in ("shared", *ENVIRONMENTS)
    }
    shared = cast(Shared, settings.pop("shared"))
    return validate(shared, cast(dict[str, Environment], settings))


def find_problems(changes: Mapping[str, Changes]) -> list[str]:
    """Return the lines that refuse all settings with these changes; fail if they are not refused."""
    with pytest.raises(SettingsError) as refusal:
        check(changes)
    return refusal.value.problems
