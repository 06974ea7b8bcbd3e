"""Write the JavaScript twin: a program that synthesizes the same stacks through the npm bindings.

The twin is generated from the Terraform JSON of the Python program. It has the same constructs in the same tree, each
with the same arguments, written out as literals. The twin does not compute these values, as the Python program does, so
its speed is hard to reach.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import JsonValue

Block = dict[str, JsonValue]

NODE_MODULES = Path(__file__).parent / "node_modules"

# A line of a binding's translation to Terraform: `tags: cdktf.hashMapper(cdktf.stringToTerraform)(this._tags),`
_ARGUMENT = re.compile(
    r"^ +(\w+): (cdktf\.hashMapper\(cdktf\.)?(?!.*Hcl).*\((?:this\._|struct\.)(\w+)(?:\.internalValue)?\),$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Binding:
    """The npm module of one Terraform type."""

    module: str
    class_name: str
    arguments: dict[str, str]
    """The constructor's names of the arguments and of the blocks' arguments, by their Terraform names."""
    maps: frozenset[str]
    """Terraform names of the arguments whose keys are the user's own: tags, app settings."""


@cache
def read_binding(terraform_type: str, *, data_source: bool = False) -> Binding:
    """Read the npm module of ``azurerm_key_vault``, of the data source of that name, or of the provider itself."""
    name = "provider" if terraform_type == "azurerm" else terraform_type.removeprefix("azurerm_")
    module = f"@cdktf/provider-azurerm/lib/{'data-azurerm-' if data_source else ''}{name.replace('_', '-')}"
    source = (NODE_MODULES / module / "index.js").read_text(encoding="utf-8")
    declared = re.search(
        r"^class (\w+) extends cdktf\.Terraform(?:Resource|DataSource|Provider) ", source, re.MULTILINE
    )
    if declared is None:
        raise ValueError(f"{module} declares no class for {terraform_type}")
    rows: list[tuple[str, str, str]] = _ARGUMENT.findall(source)
    return Binding(
        module=module,
        class_name=declared[1],
        arguments={terraform: argument for terraform, _, argument in rows},
        maps=frozenset(terraform for terraform, mapper, _ in rows if mapper),
    )


def write_program(stacks: dict[str, Block]) -> str:
    """Return the twin's source for the stacks' Terraform JSON, by name. Its argument is the output directory."""
    requires: dict[str, set[str]] = {}
    statements = [line for name, stack in stacks.items() for line in _write_stack(name, stack, requires)]
    return "\n".join(
        [
            '"use strict";',
            'const { App, AzurermBackend, LocalBackend, TerraformOutput, TerraformStack } = require("cdktf");',
            'const { Construct } = require("constructs");',
            *(
                f"const {{ {', '.join(sorted(names))} }} = require({json.dumps(module)});"
                for module, names in requires.items()
            ),
            "const app = new App({ outdir: process.argv[2] });",
            *statements,
            "app.synth();",
            "",
        ]
    )


def _write_stack(name: str, stack: Block, requires: dict[str, set[str]]) -> Iterator[str]:
    yield f"{{ // {name}"
    yield f"const tree = new Map([[{json.dumps(name)}, new TerraformStack(app, {json.dumps(name)})]]);"
    yield f"const stack = tree.get({json.dumps(name)});"
    for kind, content in stack.items():
        match kind:
            case "//" | "resource" | "data":
                continue
            case "provider":
                for provider, configurations in require_object(content).items():
                    binding = _require_binding(read_binding(provider), requires)
                    for number, configuration in enumerate(require_array(configurations)):
                        arguments, overrides = _split_arguments(binding, require_object(configuration))
                        identity = json.dumps(f"{provider}-{number}")
                        yield "{"
                        yield f"const it = new {binding.class_name}(stack, {identity}, {json.dumps(arguments)});"
                        yield from _write_overrides(overrides)
                        yield "}"
            case "output":
                for logical_id, output in require_object(content).items():
                    arguments = {_to_camel_case(key): value for key, value in require_object(output).items()}
                    yield f"new TerraformOutput(stack, {json.dumps('output-' + logical_id)}, {json.dumps(arguments)})"
                    yield f"  .overrideLogicalId({json.dumps(logical_id)});"
            case "terraform":
                yield from _write_terraform_block(require_object(content))
            case _:
                yield f"stack.addOverride({json.dumps(kind)}, {json.dumps(content)});"
    scopes = {name}
    for path, binding, logical_id, element in sorted(_iter_elements(stack), key=lambda element: element[0]):
        yield from _write_element(path, _require_binding(binding, requires), logical_id, element, scopes)
    yield "}"


def _iter_elements(stack: Block) -> Iterator[tuple[str, Binding, str, Block]]:
    """Yield every resource and data source with its path in the tree of constructs, its type and its logical id."""
    for kind in ("resource", "data"):
        for terraform_type, elements in require_object(stack.get(kind, {})).items():
            binding = read_binding(terraform_type, data_source=kind == "data")
            for logical_id, element in require_object(elements).items():
                metadata = require_object(require_object(require_object(element)["//"])["metadata"])
                yield str(metadata["path"]), binding, logical_id, require_object(element)


def _require_binding(binding: Binding, requires: dict[str, set[str]]) -> Binding:
    requires.setdefault(binding.module, set()).add(binding.class_name)
    return binding


def _write_element(path: str, binding: Binding, logical_id: str, element: Block, scopes: set[str]) -> Iterator[str]:
    scope, _, name = path.rpartition("/")
    yield from _write_scopes(scope, scopes)
    scopes.add(path)
    arguments, overrides = _split_arguments(binding, element)
    yield "{"
    yield f"const scope = tree.get({json.dumps(scope)});"
    yield f"const it = new {binding.class_name}(scope, {json.dumps(name)}, {json.dumps(arguments)});"
    yield f"tree.set({json.dumps(path)}, it);"
    yield f"it.overrideLogicalId({json.dumps(logical_id)});"
    yield from _write_overrides(overrides)
    yield "}"


def _write_overrides(overrides: Block) -> Iterator[str]:
    for path, value in overrides.items():
        yield f"it.addOverride({json.dumps(path)}, {json.dumps(value)});"


def _write_scopes(path: str, scopes: set[str]) -> Iterator[str]:
    """Write the constructs that are above a resource in the tree, each of them once."""
    if path in scopes:
        return
    scopes.add(path)
    parent, _, name = path.rpartition("/")
    yield from _write_scopes(parent, scopes)
    yield f"tree.set({json.dumps(path)}, new Construct(tree.get({json.dumps(parent)}), {json.dumps(name)}));"


def _write_terraform_block(settings: Block) -> Iterator[str]:
    for key, value in settings.items():
        if key == "backend":
            ((kind, arguments),) = require_object(value).items()
            backend = {"azurerm": "AzurermBackend", "local": "LocalBackend"}[kind]
            camel = {_to_camel_case(name): argument for name, argument in require_object(arguments).items()}
            yield f"new {backend}(stack, {json.dumps(camel)});"
        else:
            yield f"stack.addOverride({json.dumps('terraform.' + key)}, {json.dumps(value)});"


def _split_arguments(binding: Binding, block: Block) -> tuple[Block, Block]:
    """Split a block into constructor arguments and overrides.

    Overrides hold, by path, the arguments that newer providers have added and the binding does not know.
    """
    arguments: Block = {}
    overrides: Block = {}
    for key, value in block.items():
        match key:
            case "//":
                continue
            case "depends_on":
                arguments["dependsOn"] = [{"fqn": address} for address in require_array(value)]
            case "provider":
                arguments["provider"] = {"fqn": value}
            case "lifecycle":
                arguments["lifecycle"] = {
                    _to_camel_case(name): setting for name, setting in require_object(value).items()
                }
            case _ if key in binding.arguments:
                arguments[binding.arguments[key]] = (
                    value if key in binding.maps else _convert_value(binding, value, key, overrides)
                )
            case _:
                overrides[key] = value
    return arguments, overrides


def _convert_value(binding: Binding, value: JsonValue, path: str, overrides: Block) -> JsonValue:
    match value:
        case dict():
            overrides |= {f"{path}.{key}": inner for key, inner in value.items() if key not in binding.arguments}
            return {
                binding.arguments[key]: inner
                if key in binding.maps
                else _convert_value(binding, inner, f"{path}.{key}", overrides)
                for key, inner in value.items()
                if key in binding.arguments
            }
        case list():
            return [_convert_value(binding, item, f"{path}.{at}", overrides) for at, item in enumerate(value)]
        case _:
            return value


def _to_camel_case(name: str) -> str:
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def require_object(value: JsonValue) -> Block:
    """Return a value that is an object in Terraform's JSON syntax.

    Raises:
        TypeError: It is no object.
    """
    if not isinstance(value, dict):
        raise TypeError(f"not an object: {value!r}")
    return value


def require_array(value: JsonValue) -> list[JsonValue]:
    """Return a value that is an array in Terraform's JSON syntax.

    Raises:
        TypeError: It is no array.
    """
    if not isinstance(value, list):
        raise TypeError(f"not an array: {value!r}")
    return value
