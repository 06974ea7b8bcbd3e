"""What a policy rule is, and what it is checked against.

A rule is a function in `tests/policy/rules/` under `@rule(...)`. It reads one synthesized stack and yields a `Problem`
for all that is wrong. Its docstring says why, with the source. `test_rules.py` runs every rule over every stack;
`test_planted.py` shows each of them red.
"""

import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, cast

from bindings.loading import PROVIDER
from environments import Environment, Platform
from tests.support import SynthesizedResource, TerraformJson, resources

REFERENCE = re.compile(r"(?P<address>(?:data\.)?azurerm_\w+\.[\w-]+)(?:\.(?P<attribute>\w[\w.\[\]]*))?")
EXPRESSION = re.compile(r"\$\{[^}]*\}")


class Problem(NamedTuple):
    """One thing that is wrong, in the reader's words."""

    address: str
    """`<stack>: <address in Terraform>`."""
    attribute: str
    value: object
    right: str
    """What would be right."""

    def __str__(self) -> str:
        """`production: azurerm_key_vault.key_vault: purge_protection_enabled = false: must be true`."""
        return f"{self.address}: {self.attribute} = {json.dumps(self.value)}: {self.right}"


@dataclass(frozen=True)
class Stack:
    """One synthesized stack, with the settings that it came from and the stacks beside it."""

    name: str
    body: TerraformJson
    platform: Platform
    beside: Mapping[str, TerraformJson]
    """Every stack of the platform by name, this one too."""

    @property
    def environment(self) -> Environment | None:
        """The environment's settings; None for the shared stack."""
        return self.platform.environments.get(self.name)

    def disposable(self, resource: SynthesizedResource) -> bool:
        """Whether the settings say that the environment which a resource is for, by its tags, may go.

        Containers have no tags; those of state and of plans end in the environment's name.
        """
        name = str(at(resource.body, "name")).removeprefix("tfstate-").removeprefix("plans-")
        known = name if resource.type == "azurerm_storage_container" and name in self.platform.environments else None
        owner = self.platform.environments.get(known or str(at(resource.body, "tags.environment") or self.name))
        return owner is not None and owner.disposable

    def of(self, *types: str) -> Iterator[SynthesizedResource]:
        """Its resources of these types; all of them without any."""
        for resource in resources({self.name: self.body}):
            if not types or resource.type in types:
                yield resource

    def named(self, reference: object) -> SynthesizedResource | None:
        """The resource, or data source, that `${type.name.attribute}` speaks of; None for anything else."""
        found = REFERENCE.search(str(reference)) if "${" in str(reference) else None
        if found is None:
            return None
        *data, type_, name = found["address"].split(".")
        body = self.body.get("data" if data else "resource", {}).get(type_, {}).get(name)
        return None if body is None else SynthesizedResource(self.name, type_, name, body)


class Rule(NamedTuple):
    """A rule under its name. Each type in `on` must occur in some stack: a rule that looks at nothing is no rule."""

    name: str
    check: Callable[[Stack], Iterable[Problem]]
    on: tuple[str, ...]


RULES: dict[str, Rule] = {}


def rule(*on: str) -> Callable[[Callable[[Stack], Iterable[Problem]]], Callable[[Stack], Iterable[Problem]]]:
    """Make a function a rule under its own name. `on`: the resource types that it reads; none means whole stacks."""

    def register(check: Callable[[Stack], Iterable[Problem]]) -> Callable[[Stack], Iterable[Problem]]:
        name = check.__name__
        assert name not in RULES, f"there is a rule {name} already"
        RULES[name] = Rule(name, check, on)
        return check

    return register


def load_rules() -> None:
    """Import every file of `tests/policy/rules/`, so that its rules stand in `RULES`."""
    for file in sorted((Path(__file__).parent / "rules").glob("*.py")):
        importlib.import_module(f"tests.policy.rules.{file.stem}")


class Must(NamedTuple):
    """One row: every resource of the type has one of these values there. A list of one block counts as the block."""

    type: str
    attribute: str
    allowed: tuple[object, ...]


def must(stack: Stack, rows: Sequence[Must]) -> Iterator[Problem]:
    """What does not keep to such rows."""
    for row in rows:
        for resource in stack.of(row.type):
            if at(resource.body, row.attribute) not in row.allowed:
                yield wrong(resource, row.attribute, f"must be {either(row.allowed)}")


def types(rows: Sequence[Must]) -> tuple[str, ...]:
    """The resource types in such rows."""
    return tuple(sorted({row.type for row in rows}))


def either(values: Iterable[object]) -> str:
    """`"1.2" or "1.3"`."""
    return " or ".join(json.dumps(value) for value in values)


def at(body: object, path: str) -> object:
    """The value at a dotted path (`site_config.cors`, `rule.0.name`); None where there is none."""
    for step in filter(None, path.split(".")):
        if isinstance(body, list):
            members = cast(list[object], body)
            if step.isdecimal():
                body = members[int(step)] if int(step) < len(members) else None
                continue
            body = members[0] if len(members) == 1 else None
        body = cast(TerraformJson, body).get(step) if isinstance(body, dict) else None
    return body


def listed(body: object, path: str) -> list[object]:
    """The list at a path; empty where there is none, and a list of one for a single value."""
    value = at(body, path)
    return [] if value is None else cast(list[object], value) if isinstance(value, list) else [value]


def wrong(resource: SynthesizedResource, attribute: str, right: str) -> Problem:
    """A problem with what stands in an attribute of a resource."""
    return Problem(resource.address, attribute, at(resource.body, attribute), right)


def strings(body: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every string below, with its dotted path."""
    if isinstance(body, str):
        yield path, body
    elif isinstance(body, dict | list):
        members = cast(TerraformJson, body).items() if isinstance(body, dict) else enumerate(cast(list[object], body))
        for step, member in members:
            yield from strings(member, f"{path}.{step}".lstrip("."))


def texts(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Every string of a stack: the address of what it belongs to, its path there, and itself."""
    for section in ("resource", "data"):
        for type_, named in stack.body.get(section, {}).items():
            for name, body in named.items():
                prefix = "data." if section == "data" else ""
                for path, text in strings(body):
                    yield f"{stack.name}: {prefix}{type_}.{name}", path, text
    for section in ("output", "provider", "terraform"):
        for path, text in strings(stack.body.get(section, {})):
            first, _, rest = path.partition(".")
            yield f"{stack.name}: {section}.{first}", rest, text


def references(text: str) -> Iterator[tuple[str, str | None]]:
    """Address and attribute (`default_database[0].port`) of all that a string refers to, in `${...}` or bare."""
    bare = REFERENCE.fullmatch(text)
    for expression in [text] if bare else EXPRESSION.findall(text):
        for found in REFERENCE.finditer(expression):
            yield found["address"], found["attribute"]


@cache
def binding(type_: str) -> type:
    """The bindings' class of a resource type, which knows the provider's arguments and attributes.

    Raises:
        ModuleNotFoundError: the provider has no such type.
    """
    data = type_.startswith("data.")
    module = importlib.import_module(f"{PROVIDER}.{'data_' + type_[5:] if data else type_.removeprefix('azurerm_')}")
    wanted = type_.removeprefix("data.")
    return next(
        each
        for _, each in inspect.getmembers(module, inspect.isclass)
        if wanted == getattr(each, "TF_RESOURCE_TYPE", None)
    )
