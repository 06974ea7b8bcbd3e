"""The path of an attribute in a plan, as the steps that lead to it and as a report writes it."""

import json
import re
from collections.abc import Sequence
from typing import NamedTuple

PLAIN_NAME = re.compile(r"[A-Za-z0-9_-]+")
"""A name that needs no quotes in a path."""

PLAIN_LABEL = re.compile(r"[A-Za-z0-9_.:/* -]+")
"""A label of a block that needs no quotes in a path."""


class Block(NamedTuple):
    """The step into one block of a list or a set."""

    label: str
    """What tells it apart from the others; empty for the only one."""


Step = str | int | Block
Path = tuple[Step, ...]


def format_path(path: Sequence[Step]) -> str:
    """Return a path as a report writes it.

    `("a", "b")` is `a.b`, `("a", 0)` is `a[0]`, `("a", "b c")` is `a["b c"]`, `("a", Block("x"), "b")` is `a[x].b`, and
    `("a", Block(""), "b")` is `a.b`.
    """
    text = ""
    for step in path:
        match step:
            case Block(label):
                quoted = label if PLAIN_LABEL.fullmatch(label) else json.dumps(label)
                text += f"[{quoted}]" if label else ""
            case str() if PLAIN_NAME.fullmatch(step):
                text += f".{step}" if text else step
            case _:
                text += f"[{json.dumps(step)}]"
    return text


def is_below(path: Sequence[Step], above: Sequence[Step]) -> bool:
    """Return whether a path is the other one, or leads further down from it. Which block it leads through is ignored.

    A provider names a block by its index, and a report by its label.
    """
    if len(path) < len(above):
        return False
    steps = zip(path, above, strict=False)
    return all(step == other or not (isinstance(step, str) or isinstance(other, str)) for step, other in steps)


def get_place(path: Sequence[Step]) -> str:
    """Return where in a resource's schema a path leads to: `site_config.ip_restriction.action`."""
    return ".".join(step for step in path if isinstance(step, str))
