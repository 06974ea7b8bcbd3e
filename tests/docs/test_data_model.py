"""docs/data-model.md against the settings' models. `make snapshots` writes its tables anew."""

import json
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
MEANINGS = {
    "Account.cost_center_tag": "the tag `cost-center` of every resource",
    "Account.owner_tag": "the tag `owner` of every resource",
    "Autoscale.maximum": "never more workers",
    "Autoscale.minimum": "never fewer workers",
    "Autoscale.scale_in_below_cpu_percent": "one worker less, below",
    "Autoscale.scale_out_above_cpu_percent": "one worker more, above",
    "BudgetSettings.monthly_usd": "mail goes out at 80 and 100 % of it, and when 100 % is forecast; nothing is stopped",
    "CacheSettings.eviction": "the keys that go when memory is full: those with an expiry, any, none (writes fail)",
    "CacheSettings.sku": "size of the cache: 0.5, 1, 3, 6, 12 GB",
    "DatabaseSettings.backup_retention_days": "days back that the server can be restored to",
    "DatabaseSettings.high_availability": "a standby in the same or in another zone; failover by itself",
    "DatabaseSettings.maintenance_day": "when Azure may patch the server",
    "DatabaseSettings.maintenance_hour_utc": "the hour at which the window opens, UTC",
    "DatabaseSettings.pgbouncer": "a connection pool on port 6432, by transaction",
    "DatabaseSettings.sku": "compute: the part before the first underscore is the tier",
    "EmailSettings.sender_name": "the name that recipients see",
    "Environment.location": "the Azure region of everything but the static site's own choice",
    "FrontDoorSettings.api_requests_a_minute": "to every path with `/api/` in it",
    "FrontDoorSettings.sign_in_requests_a_minute": "to every path with `/api/v1/auth/` in it",
    "ObservabilitySettings.retention_days": "days that logs are kept",
    "RegistrySettings.sku": "storage and throughput of the container registry",
    "Shared.location": "the Azure region of the shared stack",
    "StateSettings.deleted_kept_days": "days that deleted state, and earlier versions of it, can be brought back",
    "StateSettings.replication": "copies of the state: over zones, in the paired region, or both",
    "StaticSiteSettings.tier": "Free, or Standard with a service level agreement",
    "StorageSettings.backups_kept_days": "days after which a backup is deleted",
    "StorageSettings.replication": "copies of the blobs: in one place, over zones, in the paired region, or both",
    "WebAppSettings.sku": "size of a worker",
    "WebAppSettings.zone_balanced": "True spreads the workers over the region's zones",
}
"""Of the fields that have no description of their own in the models."""

# The part of JSON Schema that pydantic writes for the settings.
Schema = TypedDict(
    "Schema",
    {
        "$ref": str,
        "type": str,
        "format": str,
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
    if schema.get("format") == "date":
        return "date"
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


def meaning(field: str, schema: Schema, models: Mapping[str, Schema]) -> str:
    """A field's description: its own, that of the model it holds or the items it lists, or the one written here.

    Raises:
        KeyError: it has none.
    """
    described = [schema, schema.get("items", {})]
    described += [
        models[part["$ref"].rsplit("/", maxsplit=1)[1]] for part in (schema, *schema.get("anyOf", [])) if "$ref" in part
    ]
    found = [each["description"] for each in described if "description" in each]
    return found[0].splitlines()[0] if found else MEANINGS[field]


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
            default = "" if "default" not in schema else f"`{json.dumps(schema['default'])}`"
            default = default.replace("null", "None").replace("false", "False").replace("`{}`", "its own defaults")
            yield f"| `{field}` | {value(schema)} | {default} | {meaning(f'{name}.{field}', schema, known)} |\n"


def test_no_meaning_is_written_twice_or_for_nothing() -> None:
    asked: set[str] = set()
    for name, model in models().items():
        for field, schema in model.get("properties", {}).items():
            try:
                meaning("", schema, models())
            except KeyError:
                asked.add(f"{name}.{field}")
    assert asked == set(MEANINGS)


def test_every_model_and_field_is_there_as_it_is(pytestconfig: pytest.Config) -> None:
    assert_written(PAGE, "the tables", "".join(tables()) + "\n", pytestconfig)


def test_every_cross_check_is_quoted_as_it_is_in_the_code() -> None:
    quoted = re.findall(r"^\| .* \| \"(.*)\" \|$", PAGE.read_text(), re.MULTILINE)
    assert len(quoted) > 20
    assert [phrase for phrase in quoted if phrase not in SETTINGS.read_text() + VALIDATION.read_text()] == []
