"""Turns pydantic's errors into problems that a person who writes settings understands.

pydantic's types of error: https://docs.pydantic.dev/latest/errors/validation_errors/
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import NoneType
from typing import Annotated, Literal, get_args, get_origin

from pydantic_core import ErrorDetails

from environments.base import UNNAMED, Settings, find_model
from environments.problem import NO_VALUE, SettingProblem, suggest_name
from environments.settings import Environment, Shared
from environments.variables import name_variable, read_variable

SettingPath = Sequence[str | int]
"""Where a setting is in `Shared` or in an `Environment`: names, and a number for an item of a list."""

RIGHT = {
    "finite_number": "must be a finite number",
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_pattern_mismatch": "has the wrong form",
    "string_too_long": "must have a length of at most {max_length}",
    "string_too_short": "must have a length of at least {min_length}",
    "string_unicode": "has a character that is none in Unicode",
    "too_long": "must name at most {max_length}",
    "too_short": "must name at least {min_length}",
}
"""What would be right, by pydantic's type of error; the names in braces are in pydantic's context of the error."""
OF_ANOTHER_TYPE = {
    "bool_type",
    "float_type",
    "int_type",
    "literal_error",
    "model_type",
    "string_type",
    "tuple_type",
}
"""pydantic's types of error for a value of another type than the field's."""
TYPE_WORDS: Mapping[object, str] = {
    bool: "True or False",
    float: "a number",
    int: "a whole number",
    str: "text in quotes",
    NoneType: "None",
}


def describe_error(error: ErrorDetails) -> SettingProblem:
    """Return the problem that an error from the validation of a `Platform` reports."""
    where, *path = error["loc"]
    model: type[Settings] = Shared
    if where == "environments":
        where, *path = path
        model = Environment
    where = str(where)
    field = _join_path(path)
    match error["type"]:
        case "missing":
            right = f"is missing: {_describe_type(model, path)}{_describe_meaning(model, path)}"
            return SettingProblem(where, field, NO_VALUE, right)
        case "extra_forbidden" if path[-1] == UNNAMED:
            right = f"stands there without a setting's name{_list_names(model, path)}"
            return SettingProblem(where, _join_path(path[:-1]), error["input"], right)
        case "extra_forbidden":
            return SettingProblem(where, field, error["input"], f"no such setting{_suggest_name(model, path)}")
        case "value_error":
            right = f"{error.get('ctx', {})['error']}"
        case _:
            right = f"{_describe_right(model, path, error)}{_describe_meaning(model, path)}"
    return SettingProblem(where, field, error["input"], right, _find_source(path))


def _join_path(path: SettingPath) -> str:
    return ".".join(map(str, path)) or "itself"


def _find_source(path: SettingPath) -> str:
    """Return the environment variable that a value of the account comes from; empty if there is none."""
    match path:
        case ["account", str(name), *_] if read_variable(name):
            return name_variable(name)
        case _:
            return ""


def _describe_right(model: type[Settings], path: SettingPath, error: ErrorDetails) -> str:
    """Return what would be right in the place of a value."""
    if error["type"] in OF_ANOTHER_TYPE:
        return f"must be {_describe_type(model, path)}"
    if right := RIGHT.get(error["type"]):
        return right.format_map(error.get("ctx", {}))
    message = str(error["msg"])
    return message[0].lower() + message[1:]


def _describe_type(model: type[Settings], path: SettingPath) -> str:
    """Return what the setting at a path takes: `a whole number`, `FrontDoorSettings(...) or None`."""
    if not path:
        return f"{model.__name__}(...)"
    owner, name = _find_owner(model, path)
    annotation: object = owner.model_fields[name].annotation
    return _word_annotation(get_args(annotation)[0] if isinstance(path[-1], int) else annotation)


def _word_annotation(annotation: object) -> str:
    """Return a field's type as the author of settings writes its values."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _word_annotation(arguments[0])
    if origin is tuple:
        return "a tuple: ('one', 'two') or ('one',)"
    if origin is Literal:
        return _list_choices(arguments)
    if arguments and get_origin(arguments[0]) is Literal:
        return _list_choices((*get_args(arguments[0]), None))
    if arguments:
        return " or ".join(map(_word_annotation, arguments))
    return TYPE_WORDS.get(annotation) or f"{getattr(annotation, '__name__', annotation)}(...)"


def _list_choices(choices: Iterable[object]) -> str:
    *others, last = map(repr, choices)
    return f"one of {', '.join(others)} or {last}"


def _find_owner(model: type[Settings], path: SettingPath) -> tuple[type[Settings], str]:
    """Return the innermost model on the way along a path, and the name of its field there."""
    *_, last = _walk(model, path)
    return last


def _walk(model: type[Settings], path: SettingPath) -> Iterator[tuple[type[Settings], str]]:
    """Yield the model and the field's name at each step along a path, as far as there are models."""
    inner: type[Settings] | None = model
    for part in map(str, path):
        if inner is None:
            return
        yield inner, part
        field = inner.model_fields.get(part)
        inner = find_model(field) if field else None


def _describe_meaning(model: type[Settings], path: SettingPath) -> str:
    """Return the description of the field at a path, in brackets; empty if it has none."""
    if not path:
        return ""
    owner, name = _find_owner(model, path)
    field = owner.model_fields.get(name)
    return f" ({field.description})" if field and field.description else ""


def _suggest_name(model: type[Settings], path: SettingPath) -> str:
    owner, name = _find_owner(model, path)
    return suggest_name(name, owner.model_fields)


def _list_names(model: type[Settings], path: SettingPath) -> str:
    owner, _ = _find_owner(model, path)
    return f"; known: {', '.join(owner.model_fields)}"
