"""The application's settings in the cloud. `backend/.azure/app-settings.json` lists all of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, NamedTuple, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

APP_SETTINGS_FILE = Path(__file__).parent.parent / "backend" / ".azure" / "app-settings.json"


class AppSetting(BaseModel):
    """One setting. Its value comes from exactly one of `value`, `secret` and `source`."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    name: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_]*$")]
    purpose: Annotated[str, Field(min_length=10)]
    value: str | None = None
    """The value, the same in every environment."""
    slot_value: str | None = None
    """The slot's value instead of `value`. It makes the setting sticky: a swap leaves it where it is."""
    secret: Annotated[str | None, Field(pattern=r"^[a-z][a-z0-9-]*$")] = None
    """The name of a secret in the vault."""
    source: Annotated[str | None, Field(alias="from")] = None
    """The name of a value that the stack provides."""

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        sources = [name for name in ("value", "secret", "source") if getattr(self, name) is not None]
        if len(sources) != 1:
            raise ValueError(f"{self.name}: needs exactly one of value, secret and from; has {sources or 'none'}")
        if self.slot_value is not None and self.value is None:
            raise ValueError(f"{self.name}: slot_value goes with value")
        return self


class ResolvedSettings(NamedTuple):
    """What App Service gets: the app's settings, the slot's settings, and the names of the sticky ones."""

    app: Mapping[str, str]
    slot: Mapping[str, str]
    sticky: Sequence[str]


def read_app_settings(path: Path = APP_SETTINGS_FILE) -> Sequence[AppSetting]:
    """Read the list and check it.

    Raises:
        pydantic.ValidationError: An entry does not have exactly one source, or has an unknown field.
    """
    return TypeAdapter(list[AppSetting]).validate_json(path.read_bytes())


def resolve_app_settings(
    settings: Sequence[AppSetting], *, compose_reference: Callable[[str], str], sources: Mapping[str, str]
) -> ResolvedSettings:
    """Give every setting its value.

    Args:
        settings: The list.
        compose_reference: Turns a secret's name into a Key Vault reference.
        sources: The values that the stack provides, by the name that a setting's `from` asks for.

    Raises:
        ValueError: A setting asks for a source that the stack does not provide, or no setting asks for a provided one.
    """
    asked, offered = {setting.source for setting in settings if setting.source}, set(sources)
    if asked != offered:
        raise ValueError(
            f"app-settings.json asks for {sorted(asked - offered)}, which the stack does not know, "
            f"and leaves {sorted(offered - asked)} unasked"
        )

    def resolve(setting: AppSetting) -> str:
        if setting.secret:
            return compose_reference(setting.secret)
        if setting.source:
            return sources[setting.source]
        return setting.value or ""

    app_values = {setting.name: resolve(setting) for setting in settings}
    slot_values = {setting.name: setting.slot_value for setting in settings if setting.slot_value is not None}
    return ResolvedSettings(app=app_values, slot=app_values | slot_values, sticky=sorted(slot_values))
