"""docs/data-model.md against the settings' models. `make snapshots` writes its tables anew."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypedDict, cast

import pytest

from environments.settings import Platform
from tests.docs.pages import DOCS, assert_written

PAGE = DOCS / "data-model.md"
SETTINGS = Path("environments/settings.py")
VALIDATION = Path("environments/validation.py")
FIRST = ("Environment", "Shared", "Account")
"""The models that a reader starts from; the others follow by name."""

# The part of JSON Schema that pydantic writes for the settings.
Schema = TypedDict(
    "Schema",
    {
        "$ref": str,
        "type": str,
        "description": str,
        "enum": list[str | int],
        "pattern": str,
        "minimum": float,
        "maximum": float,
        "minLength": int,
        "maxLength": int,
        "minItems": int,
        "maxItems": int,
        "anyOf": list["Schema"],
        "items": "Schema",
        "default": object,
        "properties": dict[str, "Schema"],
    },
    total=False,
)


def between(lowest: float | None, highest: float | None, unit: str = "") -> str:
    """A range in words, or nothing."""
    if lowest is not None and highest is not None:
        return f" {lowest:,} to {highest:,}{unit}"
    if lowest == 1 and unit:
        return ", not empty"
    return "" if lowest is None else f" at least {lowest:,}{unit}"


def value(schema: Schema) -> str:
    """What a field takes."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", maxsplit=1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(value(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    return scalar(schema)


def scalar(schema: Schema) -> str:
    """What a field takes that is neither a model nor a choice."""
    if "items" in schema:
        return f"list of{between(schema.get('minItems'), schema.get('maxItems'))}: {value(schema['items'])}"
    pattern = f" `{schema['pattern']}`".replace("|", "\\|") if "pattern" in schema else ""
    length = between(schema.get("minLength"), schema.get("maxLength"), " characters")
    words = {
        "null": "`None`",
        "boolean": "`True`, `False`",
        "integer": f"whole number{between(schema.get('minimum'), schema.get('maximum'))}",
        "number": f"number{between(schema.get('minimum'), schema.get('maximum'))}",
        "string": f"text{pattern}{length}",
    }
    return words[schema.get("type", "string")]


def default(schema: Schema) -> str:
    """What a field is unless it is written; empty if it must be."""
    if "default" not in schema:
        return ""
    return "its own defaults" if "$ref" in schema else f"`{schema['default']}`"


def meaning(schema: Schema, models: Mapping[str, Schema]) -> str:
    """A field's description: its own, or that of the model it holds; empty if it has none."""
    described = [schema]
    described += [
        models[part["$ref"].rsplit("/", maxsplit=1)[1]] for part in (schema, *schema.get("anyOf", [])) if "$ref" in part
    ]
    found = [each["description"] for each in described if "description" in each]
    return found[0].splitlines()[0] if found else ""


def models() -> Mapping[str, Schema]:
    """Every model below Platform, by name."""
    return cast(dict[str, Schema], Platform.model_json_schema()["$defs"])


def tables() -> Iterator[str]:
    """A section for each model."""
    known = models()
    for name in (*FIRST, *sorted(set(known) - set(FIRST))):
        model = known[name]
        yield f"\n### {name}\n\n{model.get('description', '').splitlines()[0]}\n\n"
        yield "| field | takes | unless written | meaning |\n|---|---|---|---|\n"
        for field, schema in model.get("properties", {}).items():
            yield f"| `{field}` | {value(schema)} | {default(schema)} | {meaning(schema, known)} |\n"


def test_every_field_says_what_it_means() -> None:
    known = models()
    fields = {f"{name}.{field}": each for name in known for field, each in known[name].get("properties", {}).items()}
    assert len(fields) > 60
    assert [field for field, schema in fields.items() if not meaning(schema, known)] == []


def test_every_model_and_field_is_there_as_it_is(pytestconfig: pytest.Config) -> None:
    assert_written(PAGE, "the tables", "".join(tables()) + "\n", pytestconfig)


def test_every_cross_check_is_quoted_as_it_is_in_the_code() -> None:
    quoted = re.findall(r"^\| .* \| \"(.*)\" \|$", PAGE.read_text(), re.MULTILINE)
    assert len(quoted) > 20
    assert [phrase for phrase in quoted if phrase not in SETTINGS.read_text() + VALIDATION.read_text()] == []
