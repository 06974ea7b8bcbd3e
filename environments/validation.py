"""All settings checked at once, and every error told in words: where, which field, its value, what would be right."""

import difflib
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from environments.naming import ENVIRONMENT_NAMES, SHARED_NAMES, Names
from environments.settings import VARIABLES, Account, Environment, InsideError, Platform, Settings, Shared

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
    lines: list[str] = []
    platform = None
    try:
        platform = Platform.model_validate({"shared": shared, "environments": dict(environments)})
    except ValidationError as error:
        lines = [line for detail in error.errors(include_url=False) for line in _in_words(detail)]
    wrong = {line.split(" = ")[0].split(": is missing")[0] for line in lines}
    lines += _unknown_variables()
    lines += [line for line in _across(environments) if line.split(" = ")[0] not in wrong]
    lines += _composed(shared, environments, wrong)
    if platform is None or lines:
        raise SettingsError(lines)
    return platform


def _unknown_variables() -> Iterator[str]:
    known = {f"{VARIABLES}{name.upper()}" for name in Account.model_fields} | {"AUGEO_STOCK_BINDINGS"}
    for variable in sorted(os.environ):
        if variable.startswith(VARIABLES) and variable not in known:
            hint = _closest(variable, known)
            yield f"environment variable {variable}: no such setting{hint}"


def _across(environments: Mapping[str, Environment]) -> Iterator[str]:
    """What two environments may not share, of what is written: told also when one of them is wrong by itself."""
    seen: dict[tuple[str, object], str] = {}
    for name, environment in environments.items():
        written = getattr(environment, "name", name)
        if written != name:
            yield f"{name}: name = {written!r}: must be {name!r}, as ENVIRONMENTS calls it"
        for path in ("short_name", "domain.label", "database.server_name"):
            value = _written(environment, path)
            if isinstance(value, str) and (other := seen.setdefault((path, value), name)) != name:
                yield f"{name}: {path} = {value!r}: is {other}'s already; each environment needs its own"


def _composed(shared: Shared, environments: Mapping[str, Environment], wrong: set[str]) -> Iterator[str]:
    """What Azure would refuse of the names that are composed, wherever the parts are right by themselves."""
    if any(field.startswith("shared: account") or field == "shared: location" for field in wrong):
        return
    account = Account.model_validate(shared.account)
    suffix = account.name_suffix
    yield from (
        f"shared: {problem}"
        for problem in Names(account.workload, "shared", shared.location, suffix).problems(SHARED_NAMES)
    )
    servers: dict[str, str] = {}
    sound = {
        name: environment
        for name, environment in environments.items()
        if not {f"{name}: {field}" for field in ("short_name", "location", "domain", "domain.label")} & wrong
        and _written(environment, "domain.label") is not None
    }
    for name, environment in sound.items():
        names = Names(account.workload, environment.short_name, environment.location, suffix)
        servers[names("postgresql")] = name
        yield from (f"{name}: {problem}" for problem in names.problems(ENVIRONMENT_NAMES))
        host = f"admin.{environment.domain.label}.{account.domain}"
        if len(host) > CERTIFICATE_NAME:
            yield (
                f"{name}: the host '{host}' has {len(host)} characters, certificates take {CERTIFICATE_NAME}: "
                "shorten domain.label or domain"
            )
    for name, environment in sound.items():
        server = _written(environment, "database.server_name")
        if isinstance(server, str) and (other := servers.get(server, name)) != name:
            yield f"{name}: database.server_name = {server!r}: is the name that {other}'s server is given"


def _written(environment: Environment, path: str) -> object:
    value: object = environment
    for part in path.split("."):
        value = getattr(value, part, None)
    return value


def _in_words(detail: ErrorDetails) -> list[str]:
    """One of pydantic's errors as `environment: field = value: what would be right`."""
    path = list(detail["loc"])
    if path[0] == "environments":
        path.pop(0)
    where, field = path[0], ".".join(str(part) for part in path[1:])
    if not field:
        return [f"{where}: {detail['msg']}"]
    value, error = detail["input"], detail.get("ctx", {}).get("error")
    if isinstance(error, InsideError):
        return [f"{where}: {field}.{inner} = {each!r}: {right}" for inner, each, right in error.problems]
    match detail["type"]:
        case "missing":
            return [f"{where}: {field}: is missing{_described(path)}"]
        case "extra_forbidden":
            return [f"{where}: {field} = {value!r}: no such setting{_similar(path)}"]
        case _:
            shown = "" if isinstance(value, Settings) else f" = {value!r}"
            return [f"{where}: {field}{shown}{_variable(path)}: {_right(detail)}{_described(path)}"]


def _variable(path: list[str | int]) -> str:
    """Where a value of the account comes from, if it is not what is written."""
    variable = f"{VARIABLES}{path[2]}".upper() if path[:2] == ["shared", "account"] and len(path) > 2 else ""
    return f" from {variable}" if os.environ.get(variable) else ""


def _right(detail: ErrorDetails) -> str:
    """What would be right instead of the value."""
    context = detail.get("ctx", {})
    match detail["type"]:
        case "greater_than_equal":
            return f"must be at least {context['ge']}"
        case "less_than_equal":
            return f"must be at most {context['le']}"
        case "literal_error":
            return f"must be one of {context['expected']}"
        case "value_error":
            return str(context["error"])
        case "string_pattern_mismatch":
            return "has the wrong form"
        case _:
            message = str(detail["msg"])
            return message[0].lower() + message[1:]


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


def _closest(word: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]}?" if close else f"; there are {', '.join(sorted(known))}"
