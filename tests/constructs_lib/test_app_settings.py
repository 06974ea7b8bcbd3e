"""app-settings.json, which lists all settings that the API reads in the cloud."""

import pytest
from pydantic import ValidationError

from constructs_lib.app_settings import AppSetting, read_app_settings, resolve_app_settings
from tests.contract import CONTRACT

# Settings beyond the application's contract that the host needs, and who reads them.
HOST = {
    "AZURE_CLIENT_ID",  # azure-identity: which of the app's identities it logs in as
    "FRONT_DOOR_ID",  # client_address.py
    "OTEL_SERVICE_NAME",  # OpenTelemetry
    "WEB_CONCURRENCY",  # startup.sh
    "WEBSITES_PORT",  # App Service, like the rest
    "WEBSITES_CONTAINER_START_TIME_LIMIT",
    "WEBSITES_CONTAINER_STOP_TIME_LIMIT",
    "WEBSITES_ENABLE_APP_SERVICE_STORAGE",
    "WEBSITE_SWAP_WARMUP_PING_PATH",
    "WEBSITE_SWAP_WARMUP_PING_STATUSES",
}
SECRETS = {
    "DATABASE_URL",
    "REDIS_URL",
    "JWT_SECRET_KEY",
    "SUPER_ADMIN_PASSWORD",
    "AZURE_COMMUNICATION_CONNECTION_STRING",
}


def make_setting(**given: str) -> AppSetting:
    return AppSetting.model_validate({"name": "A_NAME", "purpose": "Stands for a setting.", **given})


def compose_reference(secret: str) -> str:
    return f"secret:{secret}"


def test_list_is_the_contract_and_what_the_host_needs() -> None:
    """Guards against an API that does not start for lack of a setting, and against settings that nothing reads."""
    names = [setting.name for setting in read_app_settings()]
    assert len(names) == len(set(names))
    assert set(names) == CONTRACT | HOST


def test_what_is_secret_comes_from_the_vault() -> None:
    """Guards against a password written into a file of this repository."""
    assert {setting.name for setting in read_app_settings() if setting.secret} == SECRETS


def test_debug_is_off() -> None:
    """Guards against tracebacks that clients can see."""
    assert [setting.value for setting in read_app_settings() if setting.name == "DEBUG"] == ["false"]


def test_every_kind_of_source_is_filled_in() -> None:
    """Guards against a slot that lacks the app's settings, and against a sticky setting that a swap moves."""
    resolved = resolve_app_settings(
        [
            make_setting(name="FIXED", value="1"),
            make_setting(name="OWN", value="app", slot_value="slot"),
            make_setting(name="KEPT", secret="a-secret"),  # noqa: S106  a secret's name
            make_setting(name="KNOWN", **{"from": "region"}),
        ],
        compose_reference=compose_reference,
        sources={"region": "eastus2"},
    )
    assert resolved.app == {"FIXED": "1", "OWN": "app", "KEPT": "secret:a-secret", "KNOWN": "eastus2"}
    assert resolved.slot == {**resolved.app, "OWN": "slot"}
    assert resolved.sticky == ["OWN"]


@pytest.mark.parametrize(
    ("sources", "message"),
    [
        ({}, r"asks for \['region'\]"),
        ({"region": "eastus2", "moon": "full"}, r"leaves \['moon'\] unasked"),
    ],
    ids=["unknown", "unasked"],
)
def test_source_that_does_not_match_is_refused(sources: dict[str, str], message: str) -> None:
    """Guards against a mistyped name, which would otherwise give an empty setting."""
    with pytest.raises(ValueError, match=message):
        resolve_app_settings([make_setting(**{"from": "region"})], compose_reference=compose_reference, sources=sources)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({}, "exactly one of value, secret and from; has none"),
        ({"value": "1", "secret": "a-secret"}, "exactly one"),
        ({"secret": "a-secret", "slot_value": "2"}, "slot_value goes with value"),
        ({"secret": "Not A Name"}, "should match pattern"),
        ({"value": "1", "name": "lower_case"}, "should match pattern"),
        ({"value": "1", "vaule": "2"}, "Extra inputs are not permitted"),
    ],
    ids=["no-source", "two-sources", "sticky-secret", "secret-name", "name", "unknown-field"],
)
def test_bad_entry_is_refused(given: dict[str, str], message: str) -> None:
    """Guards against an entry without a single clear value."""
    with pytest.raises(ValidationError, match=message):
        make_setting(**given)
