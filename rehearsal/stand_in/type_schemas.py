"""Translates Azure's types into JSON Schema (https://json-schema.org), so that a library checks the bodies."""

from enum import Enum, auto

from rehearsal.stand_in.azure_types import READ_ONLY, REQUIRED, WRITE_ONLY, AzureTypes, TypeRow
from rehearsal.stand_in.model import Json

CHOICE = "choice"
"""The keyword of a schema that lists the values of a choice. `body_checks.Choice` compares with them."""

_UNLISTED = {
    # The types of 2019-10-01 list `Actual` alone, and azurerm 4.81.0 creates budgets of both kinds at this version:
    # https://learn.microsoft.com/azure/cost-management-billing/costs/tutorial-acm-create-budgets#configure-forecasted-budget-alerts
    "thresholdType": ["Forecasted"],
    # internal/services/applicationinsights/application_insights_resource.go of azurerm 4.81.0 takes these too.
    "Application_Type": ["ios", "java", "MobileCenter", "Node.JS", "phone", "store"],
}
"""Values of open choices that the types lack and Azure takes, by the name of the property."""


class Purpose(Enum):
    """What a body is for."""

    PUT = auto()
    """A request with a whole resource. Azure ignores its read-only properties, so they may hold anything."""
    PATCH = auto()
    """A request with a part of a resource: no property is required."""
    ANSWER = auto()
    """A resource as Azure returns it: with its read-only properties, and without the write-only ones."""


def make_schema(types: AzureTypes, number: int, purpose: Purpose) -> Json:
    """Return the JSON Schema of a type."""
    return _Translation(types, purpose).translate(number)


class _Translation:
    """The translation of one type and of all types that it refers to."""

    def __init__(self, types: AzureTypes, purpose: Purpose) -> None:
        self._types = types
        self._purpose = purpose
        self._definitions: Json = {}

    def translate(self, number: int) -> Json:
        return self._refer(number) | {"$defs": self._definitions}

    def _refer(self, number: int) -> Json:
        """Return a reference to a type, after its translation. Types may refer to themselves."""
        name = str(number)
        if name not in self._definitions:
            self._definitions[name] = {}
            self._definitions[name] = self._translate_row(self._types.rows[number])
        return {"$ref": f"#/$defs/{name}"}

    def _translate_row(self, row: TypeRow) -> Json:
        translations = {
            "any": _translate_any,
            "integer": _translate_integer,
            "string": _translate_string,
            "choice": _translate_choice,
            "array": self._translate_array,
            "union": self._translate_union,
            "object": self._translate_object,
            "variants": self._translate_variants,
        }
        translate = translations.get(row["kind"])
        return translate(row) if translate else {"type": row["kind"]}

    def _translate_array(self, row: TypeRow) -> Json:
        items = row.get("of")
        schema: Json = {"type": "array"} | ({"items": self._refer(items)} if isinstance(items, int) else {})
        return schema | _copy_limits(row, minItems="min", maxItems="max")

    def _translate_union(self, row: TypeRow) -> Json:
        members = row.get("of", [])
        return {"anyOf": [self._refer(member) for member in ([members] if isinstance(members, int) else members)]}

    def _translate_object(self, row: TypeRow) -> Json:
        schema: Json = {"type": "object", "properties": {}, "additionalProperties": False}
        required: list[str] = []
        for name, (number, flags) in row.get("properties", {}).items():
            if self._purpose is Purpose.ANSWER and flags & WRITE_ONLY:
                continue
            if self._purpose is not Purpose.ANSWER and flags & READ_ONLY:
                schema["properties"][name] = {}
                continue
            schema["properties"][name] = self._refer(number)
            if name in _UNLISTED:
                row_of_choice = self._types.rows[number]
                values = [*row_of_choice.get("values", []), *_UNLISTED[name]]
                schema["properties"][name] = _translate_choice({**row_of_choice, "values": values})
            if flags & REQUIRED and self._purpose is not Purpose.PATCH:
                required.append(name)
        if (rest := row.get("rest")) is not None:
            schema["additionalProperties"] = self._refer(rest)
        return schema | ({"required": required} if required else {})

    def _translate_variants(self, row: TypeRow) -> Json:
        """Return a schema that compares a body with one variant alone, so that errors speak of that variant."""
        by, variants = row.get("by", ""), row.get("variants", {})
        chosen: list[Json] = []
        for value, number in variants.items():
            variant = self._types.rows[number]
            properties = row.get("properties", {}) | variant.get("properties", {})
            name = f"{number} with {by}"
            self._definitions[name] = self._translate_object({**variant, "properties": properties})
            condition: Json = {"properties": {by: {"const": value}}, "required": [by]}
            chosen.append({"if": condition, "then": {"$ref": f"#/$defs/{name.replace(' ', '%20')}"}})
        schema: Json = {"type": "object", "properties": {by: {"enum": list(variants)}}, "allOf": chosen}
        return schema | ({} if self._purpose is Purpose.PATCH else {"required": [by]})


def _translate_any(_: TypeRow) -> Json:
    return {}


def _translate_integer(row: TypeRow) -> Json:
    """Admit fractions too, because Bicep has no type for them: the threshold of an alert is an integer there.

    https://github.com/Azure/bicep/issues/486
    """
    return {"type": "number"} | _copy_limits(row, minimum="min", maximum="max")


def _translate_string(row: TypeRow) -> Json:
    return {"type": "string"} | _copy_limits(row, minLength="min", maxLength="max", pattern="pattern")


def _translate_choice(row: TypeRow) -> Json:
    """Admit the values of a choice. `CHOICE` is a keyword of our own, because JSON Schema's `enum` tells case.

    Some choices are open in the types: a client must expect values that later versions add. A service knows its own
    values and refuses others: https://github.com/Azure/autorest/blob/main/docs/extensions/readme.md#x-ms-enum. But the
    provider sends an empty string for an open choice that it leaves to Azure, such as the `sharingScope` of a subnet.
    """
    return {CHOICE: [*row.get("values", []), *([""] if row.get("open") else [])]}


def _copy_limits(row: TypeRow, **names: str) -> Json:
    """Return the limits that a row has, under their names in JSON Schema."""
    return {name: row[key] for name, key in names.items() if key in row}
