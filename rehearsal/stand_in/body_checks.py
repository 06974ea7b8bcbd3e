"""Compares requests and answers with Azure's own types."""

from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING, cast

import jsonschema_rs

from rehearsal.stand_in.azure_types import AzureTypes
from rehearsal.stand_in.ids import ResourceId
from rehearsal.stand_in.model import Json, RefusedError
from rehearsal.stand_in.type_schemas import CHOICE, Purpose, make_schema

if TYPE_CHECKING:
    from jsonschema_rs import KeywordValidator


_READS_EMPTY_AS_ABSENT = ("microsoft.web/sites/config", "microsoft.web/sites/slots/config")
"""The types in which Azure reads an empty string as absent.

azurerm sends empty strings for what is not configured of `authsettings`, in choices too, and its acceptance tests pass:
https://github.com/hashicorp/terraform-provider-azurerm/blob/v4.81.0/internal/services/appservice/linux_web_app_resource_test.go
"""


class Choice:
    """The keyword `CHOICE`: a string is one of some values, in any case and with or without a space after a comma.

    The provider sends the operation of an autoscale setting as `scale`, where the types have `Scale`, and the type of
    an identity as `SystemAssigned, UserAssigned`, where some types have no space.
    """

    def __init__(self, parent_schema: Json, value: list[str], schema_path: list[str | int]) -> None:  # noqa: ARG002
        self._values = value
        self._plain_values = {_make_plain(allowed) for allowed in value}

    def validate(self, instance: object) -> None:
        """Raise ValueError if it is none of the values."""
        if not isinstance(instance, str) or _make_plain(instance) not in self._plain_values:
            raise ValueError(f"has the value {instance!r}. Allowed: {', '.join(filter(None, self._values))}")


def _make_plain(value: str) -> str:
    return value.lower().replace(", ", ",")


class BodyChecks:
    """Refuses api-versions that the types do not have, and bodies that are none of these types.

    A resource type that the file of types lacks is not checked.
    """

    def __init__(self, types: AzureTypes) -> None:
        self._types = types
        self._get_validator = cache(self._make_validator)

    def check_version(self, type_: str, version: str) -> None:
        """Check that Azure has published an api-version for a resource type.

        https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-register-resource-provider

        Raises:
            RefusedError: 400, because it has not, or because the file of types does not have this version.
        """
        versions = self._types.list_versions(type_)
        if versions and version.lower() not in versions:
            raise RefusedError(
                400,
                "NoRegisteredProviderFound",
                f"No registered resource provider found for API version '{version}' for type '{type_}'. "
                f"The supported api-versions are '{', '.join(versions)}'.",
            )

    def check_request(self, id_: ResourceId, version: str, body: Json, *, patch: bool) -> None:
        """Check the body of a PUT or a PATCH, and the name of the resource.

        Raises:
            RefusedError: 400, with everything that is wrong.
        """
        number = self._types.find_body(id_.type, version)
        if id_.type.lower() in _READS_EMPTY_AS_ABSENT:
            body = _drop_empty_strings(body)
        if number is not None:
            purpose = Purpose.PATCH if patch else Purpose.PUT
            self._refuse(number, self.name_body(number, id_, body), purpose)

    def check_action(self, id_: ResourceId, action: str, version: str, body: Json) -> None:
        """Check the body of a POST. Raises RefusedError (400) with everything that is wrong."""
        number = self._types.find_action_body(id_.type, version, action)
        if number is not None:
            self._refuse(number, _drop_nulls(body), Purpose.PUT)

    def list_answer_faults(self, id_: ResourceId, version: str, body: Json) -> list[str]:
        """Return everything that is wrong with a resource as the stand-in returns it.

        Azure says for every resource how far it is, so a type that has a `provisioningState` must show it.
        """
        number = self._types.find_body(id_.type, version)
        if number is None:
            return []
        named_body = self.name_body(number, id_, body)
        faults = [_describe_error(error) for error in self._list_errors(number, named_body, Purpose.ANSWER)]
        if self.has_state(id_.type, version) and "provisioningState" not in body.get("properties", {}):
            faults.append("Path 'properties' lacks 'provisioningState'.")
        return faults

    def name_body(self, number: int, id_: ResourceId, body: Json) -> Json:
        """Return the body of a type without what is null, and with the name, which may choose the variant."""
        return _drop_nulls(body) | {"name": self._spell_name(number, id_.name)}

    def has_state(self, type_: str, version: str) -> bool:
        """Return whether resources of this type say in `properties.provisioningState` how far they are."""
        number = self._types.find_body(type_, version)
        if number is None:
            return False
        properties = self._types.rows[number].get("properties", {}).get("properties")
        return bool(properties) and "provisioningState" in self._types.rows[properties[0]].get("properties", {})

    def _refuse(self, number: int, body: Json, purpose: Purpose) -> None:
        errors = list(self._list_errors(number, body, purpose))
        if errors:
            message = " ".join(_describe_error(error) for error in errors)
            is_name = all(error.instance_path == ["name"] for error in errors)
            code = "InvalidResourceName" if is_name else "InvalidRequestContent"
            raise RefusedError(400, code, f"The request content was invalid. {message}")

    def _list_errors(self, number: int, body: Json, purpose: Purpose) -> Iterable[jsonschema_rs.ValidationError]:
        return self._get_validator(number, purpose).iter_errors(body)

    def _make_validator(self, number: int, purpose: Purpose) -> jsonschema_rs.Draft202012Validator:
        keywords: dict[str, type[KeywordValidator]] = {CHOICE: Choice}
        return jsonschema_rs.Draft202012Validator(make_schema(self._types, number, purpose), keywords=keywords)

    def _spell_name(self, number: int, name: str) -> str:
        """Return a resource's name as the type spells it, if the name chooses the variant (`config/authsettingsv2`)."""
        row = self._types.rows[number]
        variants = row.get("variants", {}) if row.get("by") == "name" else {}
        return next((variant for variant in variants if variant.lower() == name.lower()), name)


def _describe_error(error: jsonschema_rs.ValidationError) -> str:
    """Return one sentence that names the property, its value and what would be right."""
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path).lstrip(".")
    where = f"Path '{path}'" if path else "The body"
    match error.kind:
        case jsonschema_rs.ValidationErrorKind.AdditionalProperties(unexpected=names):
            return f"{where} has no property named {_quote(names)}."
        case jsonschema_rs.ValidationErrorKind.Required(property=name):
            return f"{where} lacks the required property '{name}'."
        case jsonschema_rs.ValidationErrorKind.Custom(keyword="choice"):
            return f"{where} {error.message}."
        case _:
            return f"{where}: {error.message}."


def _quote(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)


def _drop_empty_strings(body: Json) -> Json:
    """Return the body in which properties that are an empty string are null."""
    properties = {name: value or None if isinstance(value, str) else value for name, value in body.items()}
    if isinstance(nested := properties.get("properties"), dict):
        properties["properties"] = _drop_empty_strings(cast(Json, nested))
    return properties


def _drop_nulls(body: Json) -> Json:
    """Return the body without the properties that are null, which Azure reads as absent."""
    return {name: _drop_from(value) for name, value in body.items() if value is not None}


def _drop_from(value: object) -> object:
    if isinstance(value, dict):
        return _drop_nulls(cast(Json, value))
    if isinstance(value, list):
        return [_drop_from(item) for item in cast(list[object], value)]
    return value
