"""What every slice of the settings has in common: it is kept as written, and then told all that is wrong in it."""

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic_core import ErrorDetails, InitErrorDetails

T = TypeVar("T")
WITHOUT_A_NAME = "without a name"
"""Where a slice keeps what was written into it without a setting's name, to be refused with the rest."""
UNKNOWN: Final = object()
"""In the place of a setting that is left out, or wrong by itself."""


class Known:
    """What a slice holds and is right by itself, whatever else in it is wrong: what a conflict may look at."""

    def __init__(self, written: object, wrong: Collection[tuple[int | str, ...]]) -> None:
        self._written = written
        self._wrong = wrong

    def value(self, path: str) -> object:
        """The setting at this path (`autoscale.minimum`), or UNKNOWN."""
        parts = tuple(path.split("."))
        if any(parts[:end] in self._wrong for end in range(len(parts) + 1)):
            return UNKNOWN
        value = self._written
        for part in parts:
            inside = cast(Mapping[str, object], value if isinstance(value, Mapping) else getattr(value, "__dict__", {}))
            value = inside.get(part, UNKNOWN)
        return value

    def get(self, path: str, kind: type[T]) -> T | None:
        """The setting at this path if it is known and of this type."""
        value = self.value(path)
        return value if value is not UNKNOWN and isinstance(value, kind) else None


class Conflict(NamedTuple):
    """A setting that does not go with another one, and what would be right."""

    path: str
    value: object
    right: str


class Settings(BaseModel):
    """A slice of an environment: frozen, closed (an unknown name is refused), checked with its whole environment."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, revalidate_instances="always"
    )

    if not TYPE_CHECKING:  # the type checker keeps pydantic's own signature

        def __init__(self, *unnamed: object, **given: object) -> None:
            """Keep what was written, unchecked: `load()` validates the tree, so that one run shows every error."""
            given |= {WITHOUT_A_NAME: unnamed} if unnamed else {}
            defaults = {
                name: field.default for name, field in type(self).model_fields.items() if not field.is_required()
            }
            for name, value in {
                "__dict__": defaults | given,
                "__pydantic_fields_set__": set(given),
                "__pydantic_extra__": None,
                "__pydantic_private__": None,
            }.items():
                object.__setattr__(self, name, value)

        # pydantic-core validates into a class with an __init__ of its own by calling it, unless it bears this mark.
        __init__.__pydantic_base_init__ = True

    @classmethod
    def conflicts(cls, known: Known) -> Iterator[Conflict]:  # noqa: ARG003
        """What does not go together in this slice, as far as it is known."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _every_error(cls, given: object, validated: ModelWrapValidatorHandler[Self]) -> Self:
        """The settings' own errors and the conflicts between them: pydantic by itself stops after the former."""
        whole, errors = None, list[ErrorDetails]()
        try:
            whole = validated(given)
        except ValidationError as error:
            errors = error.errors(include_url=False)
        known = Known(whole or given, {detail["loc"] for detail in errors})
        found = [
            InitErrorDetails(
                type="value_error",
                loc=tuple(conflict.path.split(".")),
                input=conflict.value,
                ctx={"error": ValueError(conflict.right)},
            )
            for conflict in cls.conflicts(known)
        ]
        if whole is None or found:
            raise ValidationError.from_exception_data(cls.__name__, [*map(_once_more, errors), *found])
        return whole


def _once_more(detail: ErrorDetails) -> InitErrorDetails:
    return InitErrorDetails(type=detail["type"], loc=detail["loc"], input=detail["input"], ctx=detail.get("ctx", {}))
