"""Replaces three functions that the bindings' generated code calls very often. The results stay the same.

The replacements are in place for the whole process. They depend on how jsii 1.x and its generated code are written;
docs/adr/0006-lazy-bindings.md says what to check when jsii is upgraded.
"""

import functools
import typing
from collections.abc import Callable, Mapping
from types import NoneType
from typing import Union, get_args, get_origin
from weakref import WeakKeyDictionary

import jsii
import typeguard


def cache_element_ids() -> None:
    """Replace `jsii.get`, so that it asks the kernel only once for an element's `id`.

    The `id` is one token as long as the element lives. With the stock function it changes when an element gets a
    `for_each` later. This program does not use `for_each`.
    """
    get_property: Callable[[object, str], object] = vars(jsii)["get"]
    ids: WeakKeyDictionary[object, object] = WeakKeyDictionary()

    def get(element: object, name: str, /) -> object:
        if name != "id":
            return get_property(element, name)
        if element not in ids:
            ids[element] = get_property(element, name)
        return ids[element]

    jsii.get = get


def cache_type_hints() -> None:
    """Replace `typing.get_type_hints`, so that it evaluates the type hints of each of the bindings' constructors once.

    The generated code asks at every call for the type hints of a function called `_typecheckingstub__...`. For all
    other functions nothing changes.
    """
    evaluate = typing.get_type_hints
    evaluate_once = functools.cache(evaluate)

    @functools.wraps(evaluate)
    def get_type_hints(
        obj: Callable[..., object],
        globalns: dict[str, object] | None = None,
        localns: Mapping[str, object] | None = None,
        include_extras: bool = False,
    ) -> dict[str, object]:
        if getattr(obj, "__name__", "").startswith("_typecheckingstub__"):
            return evaluate_once(obj)
        return evaluate(obj, globalns, localns, include_extras)

    typing.get_type_hints = get_type_hints


def skip_checks_of_none() -> None:
    """Replace `typeguard.check_type`, so that it accepts None at once where None is allowed.

    Most calls leave out most arguments. typeguard tries None last, and raises an error for each other type before that.
    """
    check: Callable[..., None] = vars(typeguard)["check_type"]

    @functools.wraps(check)
    def check_type(argname: str, value: object, expected_type: object, *args: object, **kwargs: object) -> None:
        if value is None and get_origin(expected_type) is Union and NoneType in get_args(expected_type):
            return
        check(argname, value, expected_type, *args, **kwargs)

    typeguard.check_type = check_type
