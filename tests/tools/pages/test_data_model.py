"""tools/pages/data_model.py: a small tree of models as docs/data-model.md would show it."""

from typing import Annotated, Literal, cast

import pytest
from pydantic import BaseModel, Field

from tools.pages.data_model import (
    Schema,
    describe_default,
    describe_meaning,
    describe_values,
    read_settings_models,
    render_settings_models,
)


class Owner(BaseModel):
    """Who owns it.

    A second paragraph, which the page leaves out.
    """

    name: Annotated[str, Field(pattern="^(a|b)$", description="the name\nmore of it")]


class Edge(BaseModel):
    """What stands in front."""

    owner: Owner = Owner(name="a")


class Place(BaseModel):
    """Where it stands."""

    region: Annotated[Literal["east", "west"], Field(description="the region")] = "east"
    workers: Annotated[int, Field(ge=1, le=3000, description="how many")]
    edge: Annotated[Edge | None, Field(description="None where there is none")] = None
    owners: Annotated[tuple[Owner, ...], Field(min_length=1, description="all owners")]


class Root(BaseModel):
    """Holds all."""

    place: Place


MODELS = cast(dict[str, Schema], Root.model_json_schema()["$defs"])


def test_models() -> None:
    assert render_settings_models(MODELS, first=["Place"]) == (
        "\n### Place\n\nWhere it stands.\n\n"
        "| field | takes | unless written | meaning |\n"
        "|---|---|---|---|\n"
        "| `region` | `east`, `west` | `east` | the region |\n"
        "| `workers` | whole number 1 to 3,000 |  | how many |\n"
        "| `edge` | [Edge](#edge) or `None` | `None` | None where there is none |\n"
        "| `owners` | list of at least 1: [Owner](#owner) |  | all owners |\n"
        "\n### Edge\n\nWhat stands in front.\n\n"
        "| field | takes | unless written | meaning |\n"
        "|---|---|---|---|\n"
        "| `owner` | [Owner](#owner) | its own defaults | Who owns it. |\n"
        "\n### Owner\n\nWho owns it.\n\n"
        "| field | takes | unless written | meaning |\n"
        "|---|---|---|---|\n"
        "| `name` | text `^(a\\|b)$` |  | the name |\n"
        "\n"
    )


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        (Schema(type="boolean"), "`True`, `False`"),
        (Schema(type="number", minimum=0.5, maximum=10), "number 0.5 to 10"),
        (Schema(type="integer", minimum=2), "whole number at least 2"),
        (Schema(type="string", minLength=1), "text, not empty"),
        (Schema(type="string", minLength=3, maxLength=24), "text 3 to 24 characters"),
        (Schema(type="string"), "text"),
        (Schema(enum=[7, 30]), "`7`, `30`"),
        (Schema(type="array", items=Schema(type="string"), minItems=1, maxItems=5), "list of 1 to 5: text"),
    ],
)
def test_values_in_words(schema: Schema, words: str) -> None:
    assert describe_values(schema) == words


def test_a_field_that_must_be_written_has_no_default() -> None:
    assert describe_default(Schema(type="string")) == ""
    assert describe_default(Schema(type="string", default="")) == "``"


def test_a_field_without_a_description_has_no_meaning() -> None:
    assert describe_meaning(Schema(type="string"), {}) == ""


def test_every_settings_model_is_read() -> None:
    assert {"Environment", "Shared", "Account", "DatabaseSettings"} <= read_settings_models().keys()
