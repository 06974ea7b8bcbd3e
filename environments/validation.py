"""All settings checked at once, and every error told in words: where, which field, its value, what would be right."""

import difflib
import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from types import NoneType
from typing import Annotated, Literal, get_args, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from environments.model import WITHOUT_A_NAME, Known, Settings
from environments.naming import ENVIRONMENT_NAMES, SHARED_NAMES
from environments.settings import Account, Environment, Platform, Shared

VARIABLES = "AUGEO_"

CERTIFICATE_NAME = 64
"""Characters that a managed certificate may name: https://learn.microsoft.com/azure/frontdoor/domain"""


class SettingsError(Exception):
    """The settings cannot stand; `str()` of it lists every reason, a line each."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        super().__init__("\n".join([f"{count} wrong; nothing was synthesized.", *(f"  {line}" for line in problems)]))


def validate(shared: Shared, environments: Mapping[str, Environment]) -> Platform:
    """The checked platform.

    Raises:
        SettingsError: with every problem of every environment.
    """
    written = Platform(
        shared=_with_variables(shared), environments={f"{name}": each for name, each in environments.items()}
    )
    platform, errors = None, list[ErrorDetails]()
    try:
        platform = Platform.model_validate(written)
    except ValidationError as error:
        errors = _without_echoes(error.errors(include_url=False))
    lines = [_in_words(detail) for detail in errors]
    lines += _between(platform or written, [detail["loc"] for detail in errors])
    places = {place: order for order, place in enumerate(("shared", *written.environments))}
    lines.sort(key=lambda line: places.get(line.partition(":")[0], 0))
    lines = [*_unknown_variables(), *lines]
    if platform is None or lines:
        raise SettingsError(lines)
    return platform


def _without_echoes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Less those of a list that pydantic calls too short because an item in it is wrong."""
    inside = {detail["loc"][:-1] for detail in errors}
    return [detail for detail in errors if detail["type"] != "too_short" or detail["loc"] not in inside]


def _with_variables(shared: Shared) -> Shared:
    """`AUGEO_<FIELD>`, if not empty, replaces what the account says, for CI of a fork. Lists: commas between."""
    account = getattr(shared, "account", None)
    if not isinstance(account, Account):
        return shared  # for pydantic to refuse
    given: dict[str, object] = {name: value for name in Account.model_fields if (value := _variable(name))}
    if "alert_emails" in given:
        addresses = (address.strip() for address in _variable("alert_emails").split(","))
        given["alert_emails"] = tuple(filter(None, addresses))
    return shared.model_copy(update={"account": account.model_copy(update=given)})


def _variable(field: str) -> str:
    # An unset variable of a GitHub workflow is an empty one.
    return os.environ.get(f"{VARIABLES}{field.upper()}", "").strip()


def _unknown_variables() -> Iterator[str]:
    known = {f"{VARIABLES}{name.upper()}" for name in Account.model_fields} | {"AUGEO_STOCK_BINDINGS"}
    for variable in sorted(os.environ):
        if variable.startswith(VARIABLES) and variable not in known:
            hint = _closest(variable, known, cutoff=0.8)  # all of them begin alike
            yield f"environment variable {variable}: no such setting{hint}"


def _between(platform: Platform, wrong: Collection[tuple[str | int, ...]]) -> Iterator[str]:
    """What does not go together across environments: of all that is right by itself, whatever else is wrong."""
    shared = Known(platform.shared, {loc[1:] for loc in wrong if loc[0] == "shared"})
    environments = {
        name: Known(environment, {loc[2:] for loc in wrong if loc[:2] == ("environments", name)})
        for name, environment in platform.environments.items()
    }
    yield from _taken_twice(environments)
    if domain := shared.get("account.domain", str):
        yield from _too_long(environments, domain)
    yield from _misnamed(platform, shared, environments)


def _taken_twice(environments: Mapping[str, Known]) -> Iterator[str]:
    seen: dict[tuple[str, str], str] = {}
    for name, known in environments.items():
        if (written := known.get("name", str)) and written != name:
            yield f"{name}: name = {written!r}: must be {name!r}, as ENVIRONMENTS calls it"
        for path in ("short_name", "domain.label", "database.server_name"):
            if (value := known.get(path, str)) and (other := seen.setdefault((path, value), name)) != name:
                yield f"{name}: {path} = {value!r}: is {other}'s already; each environment needs its own"


def _too_long(environments: Mapping[str, Known], domain: str) -> Iterator[str]:
    for name, known in environments.items():
        host = f"admin.{label}.{domain}" if (label := known.get("domain.label", str)) else ""
        if (over := len(host) - CERTIFICATE_NAME) > 0:
            yield (
                f"{name}: the host '{host}' has {len(host)} characters, certificates take {CERTIFICATE_NAME}: "
                f"shorten domain.label or account.domain by {over}"
            )


def _misnamed(platform: Platform, shared: Known, environments: Mapping[str, Known]) -> Iterator[str]:
    """What Azure would refuse of the names that are composed."""
    if not shared.get("account", Account) or not all(
        shared.get(path, str) for path in ("account.workload", "account.name_suffix", "location")
    ):
        return
    parts = "account.workload or account.name_suffix"
    yield from (f"shared: {problem}" for problem in platform.shared.names.problems(SHARED_NAMES, parts))
    names = {
        name: platform.names(platform.environments[name])
        for name, known in environments.items()
        if known.get("short_name", str) and known.get("location", str)
    }
    for name, each in names.items():
        yield from (f"{name}: {problem}" for problem in each.problems(ENVIRONMENT_NAMES, f"short_name, {parts}"))
    servers = {each.compose("postgresql"): name for name, each in names.items()}
    for name, known in environments.items():
        server = known.get("database.server_name", str)
        if server and (other := servers.get(server, name)) != name:
            yield f"{name}: database.server_name = {server!r}: is the name that {other}'s server is given"


def _in_words(detail: ErrorDetails) -> str:
    """One of pydantic's errors as `environment: field = value: what would be right`."""
    path = list(detail["loc"])
    if path[0] == "environments":
        path.pop(0)
    where, field, value = path[0], ".".join(str(part) for part in path[1:]) or "itself", detail["input"]
    shown = f"{type(value).__name__}(...)" if isinstance(value, Settings) else repr(value)
    match detail["type"]:
        case "missing":
            return f"{where}: {field}: is missing: {_taken(path)}{_described(path)}"
        case "extra_forbidden" if path[-1] == WITHOUT_A_NAME:
            slice_ = ".".join(str(part) for part in path[1:-1]) or "itself"
            return f"{where}: {slice_} = {shown}: stands there without a setting's name{_known(path)}"
        case "extra_forbidden":
            return f"{where}: {field} = {shown}: no such setting{_similar(path)}"
        case "value_error":
            return f"{where}: {field} = {shown}{_origin(path)}: {detail.get('ctx', {})['error']}"
        case _:
            return f"{where}: {field} = {shown}{_origin(path)}: {_right(path, detail)}{_described(path)}"


def _origin(path: list[str | int]) -> str:
    """Where a value of the account comes from, if it is not what is written."""
    if path[:2] != ["shared", "account"] or len(path) == 2 or not _variable(str(path[2])):
        return ""
    return f" from {VARIABLES}{str(path[2]).upper()}"


# By pydantic's type of error: https://docs.pydantic.dev/latest/errors/validation_errors/
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
OF_ANOTHER_TYPE = {
    "bool_type",
    "float_type",
    "int_type",
    "literal_error",
    "model_attributes_type",
    "model_type",
    "string_type",
    "tuple_type",
}


def _right(path: list[str | int], detail: ErrorDetails) -> str:
    """What would be right instead of the value."""
    if detail["type"] in OF_ANOTHER_TYPE:
        return f"must be {_taken(path)}"
    if said := RIGHT.get(detail["type"]):
        return said.format_map(detail.get("ctx", {}))
    message = str(detail["msg"])
    return message[0].lower() + message[1:]


def _taken(path: list[str | int]) -> str:
    """What the setting at an error's path takes: `a whole number`, `FrontDoorSettings(...) or None`."""
    if len(path) == 1:
        return f"{Shared.__name__ if path[0] == 'shared' else Environment.__name__}(...)"
    steps = list(_models(path))
    model, part = steps[-1]
    annotation: object = model.model_fields[part].annotation
    return _in_a_word(get_args(annotation)[0] if isinstance(path[-1], int) else annotation)


WORDS: Mapping[object, str] = {
    bool: "True or False",
    float: "a number",
    int: "a whole number",
    str: "text in quotes",
    NoneType: "None",
}


def _in_a_word(annotation: object) -> str:
    """A field's type as its author writes it."""
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _in_a_word(inner[0])
    if origin is tuple:
        return "a tuple: ('one', 'two') or ('one',)"
    if origin is Literal:
        return _one_of(inner)
    if inner and get_origin(inner[0]) is Literal:
        return _one_of((*get_args(inner[0]), None))
    if inner:
        return " or ".join(map(_in_a_word, inner))
    return WORDS.get(annotation) or f"{getattr(annotation, '__name__', annotation)}(...)"


def _one_of(choices: Iterable[object]) -> str:
    *others, last = map(repr, choices)
    return f"one of {', '.join(others)} or {last}"


def _models(path: list[str | int]) -> Iterator[tuple[type[Settings], str]]:
    """The model and the field at each step of an error's path."""
    model: type[Settings] | None = Shared if path[0] == "shared" else Environment
    for part in path[1:]:
        if model is None or not isinstance(part, str):
            return
        yield model, part
        field = model.model_fields.get(part)
        inner = (*get_args(field.annotation), field.annotation) if field else ()
        model = next((each for each in inner if isinstance(each, type) and issubclass(each, Settings)), None)


def _described(path: list[str | int]) -> str:
    for model, part in reversed(list(_models(path))):
        field = model.model_fields.get(part)
        return f" ({field.description})" if field and field.description else ""
    return ""


def _similar(path: list[str | int]) -> str:
    model, part = list(_models(path))[-1]
    return _closest(part, model.model_fields)


def _known(path: list[str | int]) -> str:
    model, _ = list(_models(path))[-1]
    return f"; known: {', '.join(model.model_fields)}"


def _closest(word: str, known: Collection[str], cutoff: float = 0.6) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=cutoff)
    return f"; did you mean {close[0]}?" if close else f"; known: {', '.join(sorted(known))}"
