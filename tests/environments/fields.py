"""Descriptions and choices of settings, read from the models, so that tables of tests need no copies of them."""

import re
from typing import Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from environments.base import find_field
from environments.settings import Environment, Shared


def get_field(where: str, path: str) -> FieldInfo:
    """Return the field at a path such as `web_app.sku`, or at that of an item in it, such as `alert_emails.1`."""
    return find_field(Shared if where == "shared" else Environment, re.sub(r"\.[0-9]+$", "", path))


def read_description(where: str, path: str) -> str:
    """Return the description of a setting, which its errors have in brackets."""
    description = get_field(where, path).description
    assert description
    return description


def read_choices(where: str, path: str) -> tuple[object, ...]:
    """Return the values of a closed choice; None is the last one if the setting may be None."""
    annotation: object = get_field(where, path).annotation
    if get_origin(annotation) is Literal:
        return get_args(annotation)
    literal, none = get_args(annotation)
    assert (get_origin(literal), none) == (Literal, type(None))
    return (*get_args(literal), None)


def list_choices(choices: tuple[object, ...]) -> str:
    """Return the choices as an error lists them: `'a', 'b' or None`."""
    *others, last = map(repr, choices)
    return f"{', '.join(others)} or {last}"


def fill(line: str) -> str:
    """Return an error's line with `<description>` and `<choices>` replaced by those of the field that it names."""
    where, _, text = line.partition(": ")
    path = re.match(r"[a-z0-9_.]+", text)
    if "<description>" in line:
        assert path
        line = line.replace("<description>", read_description(where, path.group()))
    if "<choices>" in line:
        assert path
        line = line.replace("<choices>", list_choices(read_choices(where, path.group())))
    return line
