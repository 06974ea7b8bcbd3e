"""Checks frontend/augeo-admin/.azure/staticwebapp.config.json against the documented rules of Static Web Apps.

https://learn.microsoft.com/azure/static-web-apps/configuration
"""

import json
import re
from pathlib import Path
from string import Template

import pytest
from pydantic import ConfigDict, TypeAdapter, with_config
from typing_extensions import TypedDict  # pydantic accepts the one of `typing` from Python 3.12 on

FILE = Path("frontend/augeo-admin/.azure/staticwebapp.config.json")
CLOSED = ConfigDict(extra="forbid", strict=True)


@with_config(CLOSED)
class RouteRule(TypedDict, total=False):
    """A rule for the paths that match `route`."""

    route: str
    headers: dict[str, str]
    statusCode: int


@with_config(CLOSED)
class Fallback(TypedDict):
    """The file that answers for a path without a file, and the paths that are excluded."""

    rewrite: str
    exclude: list[str]


@with_config(CLOSED)
class Override(TypedDict):
    """The file that answers for an error. The status code stays."""

    rewrite: str


@with_config(CLOSED)
class Config(TypedDict):
    """The documented parts of the file that are used here. Any other part is an error."""

    routes: list[RouteRule]
    navigationFallback: Fallback
    responseOverrides: dict[str, Override]
    globalHeaders: dict[str, str]
    mimeTypes: dict[str, str]


def read_config(text: str) -> Config:
    """Read the file's text and check it.

    Raises:
        pydantic.ValidationError: A part is missing, unknown or of another type.
    """
    return TypeAdapter(Config).validate_json(text)


CONFIG = read_config(FILE.read_text())


def parse_policy(policy: str) -> dict[str, list[str]]:
    """Return the sources of a Content Security Policy, by directive."""
    return {words[0]: words[1:] for words in (part.split() for part in policy.split(";")) if words}


POLICY = parse_policy(CONFIG["globalHeaders"]["Content-Security-Policy"])


def test_a_misspelt_part_is_refused() -> None:
    with pytest.raises(ValueError, match="navigationFallBack"):
        read_config(FILE.read_text().replace("navigationFallback", "navigationFallBack"))


def test_it_is_below_the_size_that_azure_accepts() -> None:
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


def test_hashed_assets_are_cached_for_ever_and_the_page_is_revalidated() -> None:
    caching = {route.get("route"): route.get("headers", {}).get("Cache-Control") for route in CONFIG["routes"]}
    assert caching["/assets/*"] == "public, max-age=31536000, immutable"
    # The fallback serves the page under any path, so only a global header can set the page's caching.
    assert CONFIG["globalHeaders"]["Cache-Control"] == "no-cache"


def test_only_errors_that_azure_allows_are_overridden() -> None:
    assert set(CONFIG["responseOverrides"]) <= {"400", "401", "403", "404"}


def test_sign_in_through_azures_own_providers_is_off() -> None:
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


def test_scripts_come_from_the_site_only() -> None:
    assert POLICY["default-src"] == ["'self'"]
    assert POLICY["script-src"] == ["'self'"]
    assert POLICY["object-src"] == ["'none'"]
    assert POLICY["base-uri"] == ["'self'"]
    assert POLICY["frame-ancestors"] == ["'none'"]
    assert not [source for sources in POLICY.values() for source in sources if source in {"*", "'unsafe-eval'"}]


def test_a_delivery_fills_in_the_environments_api() -> None:
    """docs/contracts/admin-site.md says how a delivery does that."""
    delivered = Template(FILE.read_text()).substitute(API_HOSTNAME="api.staging.augeo.example")
    policy = parse_policy(read_config(delivered)["globalHeaders"]["Content-Security-Policy"])
    assert "$" not in delivered
    assert {"https://api.staging.augeo.example", "wss://api.staging.augeo.example"} <= set(policy["connect-src"])
    assert "https://api.staging.augeo.example" in policy["img-src"]


def test_the_browser_may_send_telemetry() -> None:
    assert "https://*.in.applicationinsights.azure.com" in POLICY["connect-src"]


def test_the_file_holds_no_placeholder_but_the_apis_host() -> None:
    assert set(re.findall(r"\$\{(\w+)\}", FILE.read_text())) == {"API_HOSTNAME"}
    assert json.loads(FILE.read_text())
