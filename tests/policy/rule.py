"""What a policy rule is, and the helpers that rules are written with.

A rule is a function in `tests/policy/rules/` with the decorator `@rule(...)`. It reads one synthesized stack and yields
a `Violation` for everything that is wrong in it. Its docstring says what must hold, why, and from which source.
`test_rules.py` runs every rule on every stack. `test_planted.py` shows that every rule can fail.
"""

import importlib
import inspect
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import NamedTuple, Self, cast

from bindings.loading import PROVIDER
from environments import Environment, Platform
from tests.support import SynthesizedResource, TerraformJson, resources

REFERENCE = re.compile(r"(?P<address>(?:data\.)?azurerm_\w+\.[\w-]+)(?:\.(?P<attribute>\w[\w.\[\]]*))?")
EXPRESSION = re.compile(r"\$\{[^}]*\}")


class Violation(NamedTuple):
    """One thing that a rule does not allow."""

    address: str
    """The stack, and the address of the resource in Terraform: `production: azurerm_key_vault.key_vault`."""
    attribute: str
    value: object
    expected: str
    """What would be right, in words: `must be true`."""

    def __str__(self) -> str:
        """Return `production: azurerm_key_vault.key_vault: purge_protection_enabled = false: must be true`."""
        return f"{self.address}: {self.attribute} = {json.dumps(self.value)}: {self.expected}"

    @classmethod
    def of(cls, resource: SynthesizedResource, attribute: str, expected: str) -> Self:
        """Return a violation by the present value of a resource's attribute."""
        return cls(resource.address, attribute, get_value(resource.body, attribute), expected)


@dataclass(frozen=True)
class Stack:
    """One synthesized stack, with the settings that it was made from and the JSON of the other stacks."""

    name: str
    body: TerraformJson
    platform: Platform
    bodies: Mapping[str, TerraformJson]
    """The JSON of every stack of the platform, by name, including this one."""

    @property
    def environment(self) -> Environment | None:
        """The environment's settings; None for the shared stack."""
        return self.platform.environments.get(self.name)

    def is_disposable(self, resource: SynthesizedResource) -> bool:
        """Return whether the settings make the environment of a resource disposable.

        The tag `environment` says which environment a resource is for. Containers have no tags; the names of those for
        state and plans end in the environment's name.
        """
        environments = self.platform.environments
        owner = get_value(resource.body, "tags.environment") or self.name
        if resource.type == "azurerm_storage_container":
            name = str(get_value(resource.body, "name")).removeprefix("tfstate-").removeprefix("plans-")
            owner = name if name in environments else owner
        environment = environments.get(str(owner))
        return environment is not None and environment.disposable

    def find_resources(self, *types: str) -> Iterator[SynthesizedResource]:
        """Yield the stack's resources of these types, or all of its resources if no type is given."""
        for resource in resources({self.name: self.body}):
            if not types or resource.type in types:
                yield resource

    def resolve(self, reference: object) -> SynthesizedResource | None:
        """Return the resource or data source that `${type.name.attribute}` refers to; None for anything else.

        The subnet of an association with a security group counts as the subnet itself.
        """
        match = REFERENCE.search(str(reference)) if "${" in str(reference) else None
        if match is None:
            return None
        *data, type_, name = match["address"].split(".")
        body = self.body.get("data" if data else "resource", {}).get(type_, {}).get(name)
        if (
            body
            and type_ == "azurerm_subnet_network_security_group_association"
            and str(reference).endswith(".subnet_id}")
        ):
            return self.resolve(body["subnet_id"])
        return None if body is None else SynthesizedResource(self.name, type_, name, body)


Check = Callable[[Stack], Iterable[Violation]]


class PolicyRule(NamedTuple):
    """A rule, registered under the name of its function."""

    name: str
    check: Check
    types: tuple[str, ...]
    """The resource types that the rule reads. Each must occur in some stack, or the rule would check nothing."""


RULES: dict[str, PolicyRule] = {}


def rule(*types: str) -> Callable[[Check], Check]:
    """Register a function as a rule.

    Args:
        types: The resource types that the rule reads; none if it reads whole stacks.
    """

    def register(check: Check) -> Check:
        name = check.__name__
        assert name not in RULES, f"there is a rule {name} already"
        RULES[name] = PolicyRule(name, check, types)
        return check

    return register


def load_rules() -> None:
    """Import every file of `tests/policy/rules/`, which registers its rules in `RULES`."""
    for file in sorted((Path(__file__).parent / "rules").glob("*.py")):
        importlib.import_module(f"tests.policy.rules.{file.stem}")


class Requirement(NamedTuple):
    """Every resource of a type must have one of the allowed values in an attribute.

    In the attribute's path, a list of one block counts as the block.
    """

    type: str
    attribute: str
    allowed: tuple[object, ...]


def check_requirements(stack: Stack, requirements: Sequence[Requirement]) -> Iterator[Violation]:
    """Yield a violation for every resource that does not meet a requirement."""
    for requirement in requirements:
        for resource in stack.find_resources(requirement.type):
            if get_value(resource.body, requirement.attribute) not in requirement.allowed:
                expected = f"must be {format_choices(requirement.allowed)}"
                yield Violation.of(resource, requirement.attribute, expected)


def list_types(requirements: Sequence[Requirement]) -> tuple[str, ...]:
    """Return the resource types that requirements are for."""
    return tuple(sorted({requirement.type for requirement in requirements}))


def format_choices(values: Iterable[object]) -> str:
    """Return `"1.2" or "1.3"`."""
    return " or ".join(json.dumps(value) for value in values)


def get_value(body: object, path: str) -> object:
    """Return the value at a dotted path such as `site_config.cors` or `rule.0.name`; None if there is none."""
    for step in filter(None, path.split(".")):
        if isinstance(body, list):
            members = cast(list[object], body)
            if step.isdecimal():
                body = members[int(step)] if int(step) < len(members) else None
                continue
            body = members[0] if len(members) == 1 else None
        body = cast(TerraformJson, body).get(step) if isinstance(body, dict) else None
    return body


def get_list(body: object, path: str) -> list[object]:
    """Return the list at a dotted path. A single value becomes a list of one; no value becomes an empty list."""
    value = get_value(body, path)
    if value is None:
        return []
    return cast(list[object], value) if isinstance(value, list) else [value]


def walk_strings(body: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every string in a value, with its dotted path."""
    if isinstance(body, str):
        yield path, body
    elif isinstance(body, dict | list):
        members = cast(TerraformJson, body).items() if isinstance(body, dict) else enumerate(cast(list[object], body))
        for step, member in members:
            yield from walk_strings(member, f"{path}.{step}".lstrip("."))


def walk_stack_strings(stack: Stack) -> Iterator[tuple[str, str, str]]:
    """Yield every string of a stack: the address of what it belongs to, its path there, and the string."""
    for section in ("resource", "data"):
        prefix = "data." if section == "data" else ""
        for type_, bodies in stack.body.get(section, {}).items():
            for name, body in bodies.items():
                for path, text in walk_strings(body):
                    yield f"{stack.name}: {prefix}{type_}.{name}", path, text
    for section in ("output", "provider", "terraform"):
        for path, text in walk_strings(stack.body.get(section, {})):
            first, _, remainder = path.partition(".")
            yield f"{stack.name}: {section}.{first}", remainder, text


def find_references(text: str) -> Iterator[tuple[str, str | None]]:
    """Yield the address and the attribute (`default_database[0].port`) of everything that a string refers to.

    A reference stands in `${...}`, or it is the whole string, as in `depends_on`.
    """
    expressions = [text] if REFERENCE.fullmatch(text) else EXPRESSION.findall(text)
    for expression in expressions:
        for match in REFERENCE.finditer(expression):
            yield match["address"], match["attribute"]


@cache
def load_binding(type_: str) -> type:
    """Return the bindings' class of a resource type, which has the provider's arguments and attributes.

    Raises:
        ModuleNotFoundError: The provider has no such type.
    """
    is_data = type_.startswith("data.")
    resource_type = type_.removeprefix("data.")
    module_name = resource_type if is_data else resource_type.removeprefix("azurerm_")
    module = importlib.import_module(f"{PROVIDER}.{f'data_{module_name}' if is_data else module_name}")
    return next(
        class_
        for _, class_ in inspect.getmembers(module, inspect.isclass)
        if resource_type == getattr(class_, "TF_RESOURCE_TYPE", None)
    )
