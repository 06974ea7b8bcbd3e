"""frontend/augeo-admin/.azure/staticwebapp.config.json against the documented rules of Static Web Apps.

https://learn.microsoft.com/azure/static-web-apps/configuration
"""

import json
import re
from pathlib import Path
from string import Template

import pytest
from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict  # pydantic takes the one of `typing` from Python 3.12 on

FILE = Path("frontend/augeo-admin/.azure/staticwebapp.config.json")
CLOSED = ConfigDict(extra="forbid", strict=True)


@with_config(CLOSED)
class Route(TypedDict, total=False):
    """A rule. Only `route` decides whether it matches."""

    route: str
    headers: dict[str, str]
    statusCode: int


@with_config(CLOSED)
class Fallback(TypedDict):
    """What a path that is no file answers with, and which paths do not."""

    rewrite: str
    exclude: list[str]


@with_config(CLOSED)
class Override(TypedDict):
    """What an error answers with; its status stays."""

    rewrite: str


@with_config(CLOSED)
class Config(TypedDict):
    """The parts of the file that are used here, of those that the documentation names; another name is an error."""

    routes: list[Route]
    navigationFallback: Fallback
    responseOverrides: dict[str, Override]
    globalHeaders: dict[str, str]
    mimeTypes: dict[str, str]


def read(text: str) -> Config:
    """The file, checked.

    Raises:
        pydantic.ValidationError: a part is missing, unknown or of another type.
    """
    return TypeAdapter(Config).validate_json(text)


CONFIG = read(FILE.read_text())


def directives(policy: str) -> dict[str, list[str]]:
    """A Content Security Policy, by directive."""
    return {words[0]: words[1:] for words in (part.split() for part in policy.split(";")) if words}


POLICY = directives(CONFIG["globalHeaders"]["Content-Security-Policy"])


def test_a_misspelt_part_is_refused() -> None:
    with pytest.raises(ValueError, match="navigationFallBack"):
        read(FILE.read_text().replace("navigationFallback", "navigationFallBack"))


def test_it_is_below_the_size_that_azure_takes() -> None:
    # https://learn.microsoft.com/azure/static-web-apps/configuration#restrictions
    assert FILE.stat().st_size < 20 * 1024


@pytest.mark.parametrize(
    "pattern", [*(route.get("route", "") for route in CONFIG["routes"]), *CONFIG["navigationFallback"]["exclude"]]
)
def test_a_wildcard_stands_at_the_end_or_before_extensions(pattern: str) -> None:
    assert re.fullmatch(r"/[^*]*(\*(\.\w+|\.\{\w+(,\w+)*\})?)?", pattern)


def test_every_path_of_the_application_answers_with_it_and_no_missing_file_does() -> None:
    assert CONFIG["navigationFallback"]["rewrite"] == "/index.html"
    excluded = CONFIG["navigationFallback"]["exclude"]
    assert "/assets/*" in excluded
    extensions = re.search(r"\{(.*)\}", excluded[1])
    assert extensions
    assert {"js", "css", "map", "svg", "woff2", "ico"} <= set(extensions[1].split(","))


def test_hashed_assets_are_kept_for_ever_and_the_page_is_asked_for_again() -> None:
    caching = {route.get("route"): route.get("headers", {}).get("Cache-Control") for route in CONFIG["routes"]}
    assert caching["/assets/*"] == "public, max-age=31536000, immutable"
    # The fallback serves the page under any path, so that its caching can only be said globally.
    assert CONFIG["globalHeaders"]["Cache-Control"] == "no-cache"


def test_errors_can_be_overridden_by_code_only_where_azure_lets_them() -> None:
    assert set(CONFIG["responseOverrides"]) <= {"400", "401", "403", "404"}


def test_nobody_signs_in_through_azures_own_providers() -> None:
    assert {"route": "/.auth/*", "statusCode": 404} in CONFIG["routes"]


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Content-Type-Options", r"nosniff"),
        ("X-Frame-Options", r"DENY"),
        ("Referrer-Policy", r"(strict-origin-when-cross-origin|same-origin|no-referrer)"),
        ("Strict-Transport-Security", r"max-age=31536000; includeSubDomains"),
        ("Permissions-Policy", r"(\w+=\(\)(, |$))+"),
        ("Cross-Origin-Opener-Policy", r"same-origin"),
    ],
)
def test_security_headers(header: str, value: str) -> None:
    assert re.fullmatch(value, CONFIG["globalHeaders"][header])


def test_scripts_come_from_the_site_alone() -> None:
    assert POLICY["default-src"] == ["'self'"]
    assert POLICY["script-src"] == ["'self'"]
    assert POLICY["object-src"] == ["'none'"]
    assert POLICY["base-uri"] == ["'self'"]
    assert POLICY["frame-ancestors"] == ["'none'"]
    assert not [source for sources in POLICY.values() for source in sources if source in {"*", "'unsafe-eval'"}]


def test_a_delivery_puts_the_environments_api_in() -> None:
    """How: docs/contracts/admin-site.md."""
    shipped = Template(FILE.read_text()).substitute(API_HOSTNAME="api.staging.augeo.example")
    policy = directives(read(shipped)["globalHeaders"]["Content-Security-Policy"])
    assert "$" not in shipped
    assert {"https://api.staging.augeo.example", "wss://api.staging.augeo.example"} <= set(policy["connect-src"])
    assert "https://api.staging.augeo.example" in policy["img-src"]


def test_the_browsers_telemetry_gets_out() -> None:
    assert "https://*.in.applicationinsights.azure.com" in POLICY["connect-src"]


def test_the_file_holds_no_placeholder_but_the_apis_host() -> None:
    assert set(re.findall(r"\$\{(\w+)\}", FILE.read_text())) == {"API_HOSTNAME"}
    assert json.loads(FILE.read_text())
