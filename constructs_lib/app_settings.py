"""The application's settings in the cloud: `backend/.azure/app-settings.json`, the one list of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

APP_SETTINGS_FILE = Path(__file__).parent.parent / "backend" / ".azure" / "app-settings.json"


class AppSetting(BaseModel):
    """One setting, with exactly one source of its value."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    purpose: Annotated[str, Field(min_length=10)]
    value: str | None = None
    """The same in every environment."""
    slot_value: str | None = None
    """What the slot has instead of `value`; makes the setting sticky: a swap does not carry it along."""
    secret: Annotated[str | None, Field(pattern=r"^[a-z][a-z0-9-]*$")] = None
    """The name of a secret in the vault."""
    source: Annotated[str | None, Field(alias="from")] = None
    """A value that the stack knows, by name."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        given = [name for name in ("value", "secret", "source") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"{self.name}: needs exactly one of value, secret and from; has {given or 'none'}")
        if self.slot_value is not None and self.value is None:
            raise ValueError(f"{self.name}: slot_value goes with value")
        return self


class Resolved(NamedTuple):
    """What App Service gets: the app's settings, the slot's, and the names that stay where they are in a swap."""

    app: Mapping[str, str]
    slot: Mapping[str, str]
    sticky: Sequence[str]


def read_app_settings(path: Path = APP_SETTINGS_FILE) -> Sequence[AppSetting]:
    """The list, checked.

    Raises:
        pydantic.ValidationError: an entry that has no single source, or an unknown field.
    """
    return TypeAdapter(list[AppSetting]).validate_json(path.read_bytes())


def resolve(settings: Sequence[AppSetting], *, reference: Callable[[str], str], known: Mapping[str, str]) -> Resolved:
    """Fill in the values.

    Args:
        settings: The list.
        reference: Turns a secret's name into a Key Vault reference.
        known: What the stack knows, by the name that `from` gives it.

    Raises:
        ValueError: `from` names something that the stack does not know, or knows something that nothing asks for.
    """
    asked, offered = {setting.source for setting in settings if setting.source}, set(known)
    if asked != offered:
        raise ValueError(
            f"app-settings.json asks for {sorted(asked - offered)}, which the stack does not know, "
            f"and leaves {sorted(offered - asked)} unasked"
        )
    app = {
        setting.name: reference(setting.secret)
        if setting.secret
        else known[setting.source]
        if setting.source
        else setting.value or ""
        for setting in settings
    }
    own = {setting.name: setting.slot_value for setting in settings if setting.slot_value is not None}
    return Resolved(app=app, slot=app | own, sticky=sorted(own))
