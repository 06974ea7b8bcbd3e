"""docs/data-model.md against the settings' models. Its tables are in tools/pages/data_model.py."""

import re
from pathlib import Path

from tests.docs.repository import DOCS
from tools.pages.data_model import describe_meaning, read_settings_models

PAGE = DOCS / "data-model.md"
SETTINGS = Path("environments/settings.py")
VALIDATION = Path("environments/validation.py")


def test_every_field_says_what_it_means() -> None:
    models = read_settings_models()
    fields = {
        f"{name}.{field}": schema
        for name, model in models.items()
        for field, schema in model.get("properties", {}).items()
    }
    assert len(fields) > 60
    assert [field for field, schema in fields.items() if not describe_meaning(schema, models)] == []


def test_every_cross_check_is_quoted_as_the_code_words_it() -> None:
    quotes = re.findall(r"^\| .* \| \"(.*)\" \|$", PAGE.read_text(), re.MULTILINE)
    assert len(quotes) > 20
    assert [quote for quote in quotes if quote not in SETTINGS.read_text() + VALIDATION.read_text()] == []
