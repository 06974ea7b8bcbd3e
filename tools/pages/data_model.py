"""docs/data-model.md: a table for each settings model, written from pydantic's JSON Schema."""

from collections.abc import Mapping, Sequence
from typing import TypedDict, cast

from environments.settings import Platform
from tools.pages.markdown_table import render_table

FIRST_MODELS = ("Environment", "Shared", "Account")
"""The models that a reader starts from. The others follow by name."""

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


def read_settings_models() -> Mapping[str, Schema]:
    """Return the schema of every model below `Platform`, by the model's name."""
    return cast(dict[str, Schema], Platform.model_json_schema()["$defs"])


def render_settings_models(models: Mapping[str, Schema], first: Sequence[str] = FIRST_MODELS) -> str:
    """Return a section with a table of fields for each model."""
    others = sorted(models.keys() - set(first))
    sections = [_render_model(name, models) for name in (*first, *others)]
    return "".join(sections) + "\n"


def _render_model(name: str, models: Mapping[str, Schema]) -> str:
    model = models[name]
    summary = model.get("description", "").splitlines()[0]
    rows = [
        [f"`{field}`", describe_values(schema), describe_default(schema), describe_meaning(schema, models)]
        for field, schema in model.get("properties", {}).items()
    ]
    return f"\n### {name}\n\n{summary}\n\n{render_table(['field', 'takes', 'unless written', 'meaning'], rows)}"


def describe_values(schema: Schema) -> str:
    """Return in words what a field takes."""
    if "$ref" in schema:
        name = _get_model_name(schema["$ref"])
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(describe_values(alternative) for alternative in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{choice}`" for choice in schema["enum"])
    if "items" in schema:
        length = _describe_range(schema.get("minItems"), schema.get("maxItems"))
        return f"list of{length}: {describe_values(schema['items'])}"
    return _describe_scalar(schema)


def _describe_scalar(schema: Schema) -> str:
    """Return in words what a field takes that is neither a model, a choice nor a list."""
    pattern = f" `{schema['pattern']}`".replace("|", "\\|") if "pattern" in schema else ""
    length = _describe_range(schema.get("minLength"), schema.get("maxLength"), " characters")
    amount = _describe_range(schema.get("minimum"), schema.get("maximum"))
    words = {
        "null": "`None`",
        "boolean": "`True`, `False`",
        "integer": f"whole number{amount}",
        "number": f"number{amount}",
        "string": f"text{pattern}{length}",
    }
    return words[schema.get("type", "string")]


def _describe_range(lowest: float | None, highest: float | None, unit: str = "") -> str:
    """Return a range in words with a space before it, or nothing."""
    if lowest is not None and highest is not None:
        return f" {lowest:,} to {highest:,}{unit}"
    if lowest == 1 and unit:
        return ", not empty"
    return "" if lowest is None else f" at least {lowest:,}{unit}"


def describe_default(schema: Schema) -> str:
    """Return the value that a field has if it is not written; nothing if it must be written."""
    if "default" not in schema:
        return ""
    return "its own defaults" if "$ref" in schema else f"`{schema['default']}`"


def describe_meaning(schema: Schema, models: Mapping[str, Schema]) -> str:
    """Return the first line of a field's description, or of the description of the model that it holds."""
    references = [part["$ref"] for part in (schema, *schema.get("anyOf", [])) if "$ref" in part]
    candidates = [schema, *(models[_get_model_name(reference)] for reference in references)]
    descriptions = [candidate["description"] for candidate in candidates if "description" in candidate]
    return descriptions[0].splitlines()[0] if descriptions else ""


def _get_model_name(reference: str) -> str:
    """Return `Domain` of `#/$defs/Domain`."""
    return reference.rsplit("/", maxsplit=1)[1]
