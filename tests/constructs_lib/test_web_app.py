"""The API's app and slot. A difference between them is a bug, which a swap would bring into production."""

import re
from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.app_settings import read_app_settings
from tests.constructs_lib.neighbours import find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

AUTOSCALE = {"minimum": 1, "default": 1, "maximum": 3}
VARIANTS = {
    "minimal": partial(make_environment, "dev"),
    "slot": partial(make_environment, "dev", web_app={"sku": "S1", "slot": True}),
    "autoscale": partial(make_environment, "dev", web_app={"sku": "S1", "autoscale": AUTOSCALE}),
    "behind-front-door": partial(
        make_environment, "dev", front_door={"api_requests_a_minute": 600, "sign_in_requests_a_minute": 10}
    ),
    "production": partial(make_environment, "production"),
}
APP, SLOT, PLAN = "azurerm_linux_web_app", "azurerm_linux_web_app_slot", "azurerm_service_plan"
# App Service sets the first two itself, and the third is set in site_config. Among the app settings they would show as
# changes in every plan.
# https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/r/linux_web_app.html.markdown
NOT_APP_SETTINGS = re.compile("DOCKER_REGISTRY_.*|WEBSITE_HEALTHCHECK_.*|WEBSITE_VNET_ROUTE_ALL")


@cache
def synthesize_web_app(variant: str) -> TerraformJson:
    return synthesize_construct("web-app", lambda neighbours: neighbours.web_app, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_web_app(variant) == snapshot


def test_slot_has_the_app_s_site_config() -> None:
    """Guards against an argument that only one of them has: a swap exchanges them."""
    body = synthesize_web_app("production")
    assert find_one(body, SLOT)["site_config"] == find_one(body, APP)["site_config"]


def test_slot_differs_only_in_its_sticky_settings() -> None:
    """Guards against a setting of the slot that a swap would move into production."""
    body = synthesize_web_app("slot")
    app, slot = (
        {name: value for name, value in find_one(body, type_).items() if name != "//"} for type_ in (APP, SLOT)
    )
    names = app["app_settings"].keys() | slot["app_settings"].keys()
    differing = {name for name in names if app["app_settings"].get(name) != slot["app_settings"].get(name)}
    assert differing == set(app["sticky_settings"]["app_setting_names"])
    assert differing
    shared = app.keys() & slot.keys() - {"name", "app_settings"}
    assert {name: app[name] for name in shared} == {name: slot[name] for name in shared}
    assert app.keys() - shared == {
        "app_settings",
        "depends_on",
        "location",
        "name",
        "resource_group_name",
        "service_plan_id",
        "sticky_settings",
    }
    assert slot.keys() - shared == {"app_service_id", "app_settings", "name"}


def test_terraform_ignores_the_image() -> None:
    """Guards against an apply that resets the image which a delivery has deployed."""
    body = synthesize_web_app("production")
    for site in (find_one(body, APP), find_one(body, SLOT)):
        assert site["lifecycle"]["ignore_changes"] == ["site_config[0].application_stack[0].docker_image_name"]
        assert not site["site_config"]["application_stack"]["docker_image_name"].endswith(":latest")


def test_only_one_front_door_is_admitted() -> None:
    """Guards against a rule with the service tag only, which admits everybody's Front Door."""
    site = find_one(synthesize_web_app("behind-front-door"), APP)["site_config"]
    assert site["ip_restriction_default_action"] == "Deny"
    (rule,) = site["ip_restriction"]
    assert rule["action"] == "Allow"
    assert rule["service_tag"] == "AzureFrontDoor.Backend"
    assert [header["x_azure_fdid"] for header in rule["headers"]] == [
        ["${azurerm_cdn_frontdoor_profile.edge/profile.resource_guid}"]
    ]


def test_without_front_door_the_app_is_open() -> None:
    """Guards against an environment without Front Door that nobody can reach."""
    site = find_one(synthesize_web_app("minimal"), APP)["site_config"]
    assert site["ip_restriction_default_action"] == "Allow"
    assert not site.get("ip_restriction")


@pytest.mark.parametrize("variant", VARIANTS)
def test_nobody_reaches_kudu(variant: str) -> None:
    """Guards against an open SCM site, which accepts deployments and opens shells."""
    body = synthesize_web_app(variant)
    for site in (*find_all(body, APP).values(), *find_all(body, SLOT).values()):
        assert site["site_config"]["scm_ip_restriction_default_action"] == "Deny"
        assert site["site_config"]["scm_use_main_ip_restriction"] is False
        assert site["ftp_publish_basic_authentication_enabled"] is False
        assert site["webdeploy_publish_basic_authentication_enabled"] is False


def test_autoscale_decides_the_worker_count() -> None:
    """Guards against an apply at peak load that scales production in."""
    assert find_one(synthesize_web_app("autoscale"), PLAN)["lifecycle"]["ignore_changes"] == ["worker_count"]
    assert "lifecycle" not in find_one(synthesize_web_app("minimal"), PLAN)


def test_health_check_asks_for_the_process_only() -> None:
    """Guards against a database outage that removes every instance. Azure needs the path and the eviction time."""
    site = find_one(synthesize_web_app("minimal"), APP)["site_config"]
    assert site["health_check_path"] == "/health/live"
    assert site["health_check_eviction_time_in_min"] == 2


def test_app_settings_hold_no_name_that_azure_sets_itself() -> None:
    """Guards against a change in every plan."""
    for name in find_one(synthesize_web_app("production"), APP)["app_settings"]:
        assert not NOT_APP_SETTINGS.fullmatch(name), name


def test_secrets_are_references() -> None:
    """Guards against a secret, or a reference to the wrong vault, in the app's settings."""
    app_settings = find_one(synthesize_web_app("production"), APP)["app_settings"]
    secrets = {setting.name: setting.secret for setting in read_app_settings() if setting.secret}
    assert len(secrets) >= 5
    assert {name: app_settings[name] for name in secrets} == {
        name: f"@Microsoft.KeyVault(VaultName=kv-augeo-prod-x7k2;SecretName={secret})"
        for name, secret in secrets.items()
    }


def test_rights_come_before_the_app() -> None:
    """Guards against a first start without the right to read secrets."""
    assert find_one(synthesize_web_app("minimal"), APP)["depends_on"] == [
        "azurerm_role_assignment.key-vault/api-reads-secrets"
    ]


def test_only_our_sites_may_call_from_a_browser() -> None:
    """Guards against a wildcard, which browsers refuse in combination with credentials."""
    cors = find_one(synthesize_web_app("minimal"), APP)["site_config"]["cors"]
    assert cors == {
        "allowed_origins": ["https://admin.test.example", "https://test.example"],
        "support_credentials": True,
    }
