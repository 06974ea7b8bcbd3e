"""The API's app and slot: a difference between them is a bug that a swap would bring into production."""

import re
from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from constructs_lib.app_settings import read_app_settings
from tests.constructs_lib.neighbours import all_of, built, environment, only
from tests.support import TerraformJson

AUTOSCALE = {"minimum": 1, "default": 1, "maximum": 3}
VARIANTS = {
    "minimal": partial(environment, "dev"),
    "slot": partial(environment, "dev", web_app={"sku": "S1", "slot": True}),
    "autoscale": partial(environment, "dev", web_app={"sku": "S1", "autoscale": AUTOSCALE}),
    "behind-front-door": partial(
        environment, "dev", front_door={"api_requests_a_minute": 600, "sign_in_requests_a_minute": 10}
    ),
    "production": partial(environment, "production"),
}
APP, SLOT, PLAN = "azurerm_linux_web_app", "azurerm_linux_web_app_slot", "azurerm_service_plan"
# The first two App Service sets itself; with the third in site_config they make permanent diffs.
# https://github.com/hashicorp/terraform-provider-azurerm/blob/main/website/docs/r/linux_web_app.html.markdown
NOT_APP_SETTINGS = re.compile("DOCKER_REGISTRY_.*|WEBSITE_HEALTHCHECK_.*|WEBSITE_VNET_ROUTE_ALL")


@cache
def web_app(variant: str) -> TerraformJson:
    return built("web-app", lambda near: near.web_app, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert web_app(variant) == snapshot


def test_slot_has_the_app_s_site_config() -> None:
    """Guards against an argument that only one of the two was given: a swap exchanges them."""
    body = web_app("production")
    assert only(body, SLOT)["site_config"] == only(body, APP)["site_config"]


def test_slot_differs_only_in_its_sticky_settings() -> None:
    """Guards against a setting of the slot's own that a swap carries into production."""
    body = web_app("slot")
    app, slot = ({name: value for name, value in only(body, type_).items() if name != "//"} for type_ in (APP, SLOT))
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


def test_image_is_the_delivery_s() -> None:
    """Guards against an apply that resets the deployed image."""
    body = web_app("production")
    for each in (only(body, APP), only(body, SLOT)):
        assert each["lifecycle"]["ignore_changes"] == ["site_config[0].application_stack[0].docker_image_name"]
        assert not each["site_config"]["application_stack"]["docker_image_name"].endswith(":latest")


def test_one_front_door_alone_comes_in() -> None:
    """Guards against the service tag alone, which admits everybody's Front Door."""
    site = only(web_app("behind-front-door"), APP)["site_config"]
    assert site["ip_restriction_default_action"] == "Deny"
    (rule,) = site["ip_restriction"]
    assert rule["action"] == "Allow"
    assert rule["service_tag"] == "AzureFrontDoor.Backend"
    assert [header["x_azure_fdid"] for header in rule["headers"]] == [
        ["${azurerm_cdn_frontdoor_profile.edge/profile.resource_guid}"]
    ]


def test_without_front_door_the_app_is_open() -> None:
    """Guards against a dev environment that nobody can reach."""
    site = only(web_app("minimal"), APP)["site_config"]
    assert site["ip_restriction_default_action"] == "Allow"
    assert not site.get("ip_restriction")


@pytest.mark.parametrize("variant", VARIANTS)
def test_nobody_reaches_kudu(variant: str) -> None:
    """Guards against the SCM site, which takes deployments and opens shells, being open where the app is."""
    body = web_app(variant)
    for each in (*all_of(body, APP).values(), *all_of(body, SLOT).values()):
        assert each["site_config"]["scm_ip_restriction_default_action"] == "Deny"
        assert each["site_config"]["scm_use_main_ip_restriction"] is False
        assert each["ftp_publish_basic_authentication_enabled"] is False
        assert each["webdeploy_publish_basic_authentication_enabled"] is False


def test_autoscale_owns_the_worker_count() -> None:
    """Guards against an apply at peak that scales production back in."""
    assert only(web_app("autoscale"), PLAN)["lifecycle"]["ignore_changes"] == ["worker_count"]
    assert "lifecycle" not in only(web_app("minimal"), PLAN)


def test_health_check_looks_at_the_process_alone() -> None:
    """Guards against a database that is away taking every instance out; Azure wants path and eviction together."""
    site = only(web_app("minimal"), APP)["site_config"]
    assert site["health_check_path"] == "/health/live"
    assert site["health_check_eviction_time_in_min"] == 2


def test_app_settings_hold_no_name_that_azure_sets_itself() -> None:
    """Guards against a diff in every plan."""
    for name in only(web_app("production"), APP)["app_settings"]:
        assert not NOT_APP_SETTINGS.fullmatch(name), name


def test_secrets_are_references() -> None:
    """Guards against a secret, or a reference to the wrong vault, among the app's settings."""
    app_settings = only(web_app("production"), APP)["app_settings"]
    secrets = {setting.name: setting.secret for setting in read_app_settings() if setting.secret}
    assert len(secrets) >= 5
    assert {name: app_settings[name] for name in secrets} == {
        name: f"@Microsoft.KeyVault(VaultName=kv-augeo-prod-x7k2;SecretName={secret})"
        for name, secret in secrets.items()
    }


def test_rights_come_before_the_app() -> None:
    """Guards against a first start that may not read its secrets."""
    assert only(web_app("minimal"), APP)["depends_on"] == ["azurerm_role_assignment.key-vault/api-reads-secrets"]


def test_own_sites_alone_may_call_from_a_browser() -> None:
    """Guards against a wildcard, which browsers refuse together with credentials."""
    cors = only(web_app("minimal"), APP)["site_config"]["cors"]
    assert cors == {
        "allowed_origins": ["https://admin.test.example", "https://test.example"],
        "support_credentials": True,
    }
