"""Managed Redis. Some of its arguments can only be set at creation, so they must be right from the beginning."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import find_all, find_one, make_environment, synthesize_construct
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(make_environment, "dev"),
    "highly-available": partial(make_environment, "dev", cache={"high_availability": True}),
    "persistent": partial(
        make_environment,
        "dev",
        cache={"persistence": "6h", "loss_accepted": "Bids of the last six hours, in rehearsals."},
    ),
    "production": partial(make_environment, "production"),
    "disposable": partial(make_environment, "dev", disposable=True),
}
REDIS = "azurerm_managed_redis"


@cache
def synthesize_cache(variant: str) -> TerraformJson:
    return synthesize_construct("cache", lambda neighbours: neighbours.cache, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert synthesize_cache(variant) == snapshot


def test_plain_clients_find_one_endpoint_with_tls() -> None:
    """Guards against OSSCluster, the default: plain clients do not follow its redirects, and a change replaces it."""
    database = find_one(synthesize_cache("minimal"), REDIS)["default_database"]
    assert database["clustering_policy"] == "EnterpriseCluster"
    assert database["client_protocol"] == "Encrypted"


def test_the_database_sends_logs_and_the_cluster_sends_metrics() -> None:
    """Guards against log categories on the cluster. It has none, and Azure would refuse the setting."""
    settings = find_all(synthesize_cache("minimal"), "azurerm_monitor_diagnostic_setting").values()
    sent = {setting["target_resource_id"]: setting.keys() & {"enabled_log", "enabled_metric"} for setting in settings}
    assert sent == {
        "${azurerm_managed_redis.cache.id}/databases/default": {"enabled_log"},
        "${azurerm_managed_redis.cache.id}": {"enabled_metric"},
    }


def test_private_endpoint_is_the_only_way_in() -> None:
    """Guards against a cache that is reachable from the Internet."""
    body = synthesize_cache("minimal")
    assert find_one(body, REDIS)["public_network_access"] == "Disabled"
    assert find_one(body, "azurerm_private_endpoint")["private_service_connection"]["subresource_names"] == [
        "redisEnterprise"
    ]


def test_disposable_loses_the_protection() -> None:
    """Guards against a rehearsal that cannot be destroyed, and against a production cache that can."""
    assert find_one(synthesize_cache("disposable"), REDIS)["lifecycle"]["prevent_destroy"] is False
    assert not find_all(synthesize_cache("disposable"), "azurerm_management_lock")
    assert find_one(synthesize_cache("production"), REDIS)["lifecycle"]["prevent_destroy"] is True
    assert (
        find_one(synthesize_cache("production"), "azurerm_management_lock")["scope"]
        == "${azurerm_managed_redis.cache.id}"
    )
