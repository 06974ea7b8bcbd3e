"""The base class of all settings, which reports every error of a slice at once.

A slice is one model: the whole environment, or a part of it such as the database. Creating one checks nothing;
`environments.load()` checks the whole tree. See docs/adr/0005-settings-checked-at-once.md.
"""

from collections.abc import Collection, Iterator, Mapping
from types import UnionType
from typing import TYPE_CHECKING, Final, NamedTuple, Self, TypeVar, Union, cast, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ModelWrapValidatorHandler, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails, InitErrorDetails

T = TypeVar("T")
UNNAMED = "without a name"
"""The key under which a slice keeps values that were written without a setting's name. Validation refuses them."""
UNKNOWN: Final = object()
"""The value of a setting that is missing, or wrong by itself."""


class UnknownSettingError(LookupError):
    """A rule reads a setting that its model does not have. The rule is wrong then, not the settings."""


class CheckedValues:
    """The values of a slice that are right by themselves. Rules compare these, whatever else in the slice is wrong."""

    def __init__(self, model: type["Settings"], written: object, wrong: Collection[tuple[int | str, ...]]) -> None:
        """Read from `written`, an instance of `model` or what stands in its place, except at the `wrong` paths."""
        self._model = model
        self._written = written
        self._wrong = wrong

    def read(self, path: str) -> object:
        """Return the setting at a path such as `autoscale.minimum`, or UNKNOWN.

        Raises:
            UnknownSettingError: the model has no such setting.
        """
        find_field(self._model, path)
        parts = tuple(path.split("."))
        if any(parts[:end] in self._wrong for end in range(len(parts) + 1)):
            return UNKNOWN
        value = self._written
        for part in parts:
            fields = cast(Mapping[str, object], value if isinstance(value, Mapping) else getattr(value, "__dict__", {}))
            value = fields.get(part, UNKNOWN)
        return value

    def get(self, path: str, kind: type[T]) -> T | None:
        """Return the setting at a path if it is known and of this type, otherwise None.

        Raises:
            UnknownSettingError: the model has no such setting.
        """
        value = self.read(path)
        return value if value is not UNKNOWN and isinstance(value, kind) else None


class Conflict(NamedTuple):
    """A setting that contradicts another one: its path in the slice, its value, and what would be right."""

    path: str
    value: object
    right: str


if TYPE_CHECKING:
    Unchecked = BaseModel  # type checkers keep pydantic's signature, and underline a wrong name or type
else:

    class KeepsWhatIsWritten(type(BaseModel)):
        """Makes `Model(...)` keep what is written, without checking it.

        pydantic checks a model where it is created. The first wrong value of a module of literals would end its import,
        and hide all other errors. Unknown names and unnamed values are kept too, so that validation can refuse them.

        This uses pydantic's public methods alone, but one behaviour is not in pydantic's documentation: in a model that
        forbids unknown names, `model_copy(update=...)` keeps them. pydantic 2.14 does so, which is the oldest version
        that pyproject.toml allows. If a later version does not, the rows of SHAPES with "no such setting" fail in
        tests/environments/test_bad_settings.py.
        """

        def __call__(cls, *unnamed: object, **named: object) -> BaseModel:
            """Return an instance with the defaults and these values, unchecked."""
            written = named | ({UNNAMED: unnamed} if unnamed else {})
            return cls.model_construct().model_copy(update=written)

    class Unchecked(BaseModel, metaclass=KeepsWhatIsWritten):
        """A model that is checked by `model_validate()` and not where it is created."""


class Settings(Unchecked):
    """A slice of an environment.

    It is unchecked until `environments.load()` checks it with its whole environment. Once checked it is frozen. A name
    that the model does not have is refused.
    """

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, revalidate_instances="always"
    )

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:  # noqa: ARG003
        """Yield the settings of this slice that contradict each other. Each model has its own rules."""
        yield from ()

    @model_validator(mode="wrap")
    @classmethod
    def _collect_errors(cls, written: object, validate: ModelWrapValidatorHandler[Self]) -> Self:
        """Raise the errors of single settings and the conflicts together. pydantic would stop before the conflicts."""
        checked, errors = None, list[ErrorDetails]()
        try:
            checked = validate(written)
        except ValidationError as error:
            errors = error.errors()
        values = CheckedValues(cls, checked or written, {error["loc"] for error in errors})
        conflicts = [_turn_into_error(conflict) for conflict in cls.find_conflicts(values)]
        if checked is None or conflicts:
            raise ValidationError.from_exception_data(cls.__name__, [*map(_copy_error, errors), *conflicts])
        return checked


def find_field(model: type[Settings], path: str) -> FieldInfo:
    """Return the field of a model, or of the models in it, at a path such as `web_app.autoscale.minimum`.

    Raises:
        UnknownSettingError: there is no such field.
    """
    *parents, name = path.split(".")
    owner: type[Settings] | None = model
    for parent in parents:
        field = owner.model_fields.get(parent) if owner else None
        owner = find_model(field) if field else None
    if owner is None or name not in owner.model_fields:
        raise UnknownSettingError(f"{model.__name__} has no setting '{path}'")
    return owner.model_fields[name]


def find_model(field: FieldInfo) -> type[Settings] | None:
    """Return the model that a field holds, such as `Autoscale` of `Autoscale | None`; None if it holds no model."""
    annotation: object = field.annotation
    members = get_args(annotation) if get_origin(annotation) in {Union, UnionType} else (annotation,)
    return next((member for member in members if isinstance(member, type) and issubclass(member, Settings)), None)


def _turn_into_error(conflict: Conflict) -> InitErrorDetails:
    return InitErrorDetails(
        type="value_error",
        loc=tuple(conflict.path.split(".")),
        input=conflict.value,
        ctx={"error": ValueError(conflict.right)},
    )


def _copy_error(error: ErrorDetails) -> InitErrorDetails:
    return InitErrorDetails(type=error["type"], loc=error["loc"], input=error["input"], ctx=error.get("ctx", {}))
