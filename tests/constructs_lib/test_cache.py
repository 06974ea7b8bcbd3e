"""Managed Redis: what is fixed at creation has to be right on day 0."""

from functools import cache, partial

import pytest
from syrupy.assertion import SnapshotAssertion

from tests.constructs_lib.neighbours import all_of, built, environment, only
from tests.support import TerraformJson

VARIANTS = {
    "minimal": partial(environment, "dev"),
    "highly-available": partial(environment, "dev", cache={"high_availability": True}),
    "persistent": partial(
        environment, "dev", cache={"persistence": "6h", "loss_accepted": "Bids of the last six hours, in rehearsals."}
    ),
    "production": partial(environment, "production"),
    "disposable": partial(environment, "dev", disposable=True),
}
REDIS = "azurerm_managed_redis"


@cache
def redis(variant: str) -> TerraformJson:
    return built("cache", lambda near: near.cache, VARIANTS[variant]())


@pytest.mark.parametrize("variant", VARIANTS)
def test_snapshot(variant: str, snapshot: SnapshotAssertion) -> None:
    assert redis(variant) == snapshot


def test_plain_clients_find_one_endpoint_with_tls() -> None:
    """Guards against OSSCluster, the default, whose redirects plain clients do not follow; a change is a new cache."""
    database = only(redis("minimal"), REDIS)["default_database"]
    assert database["clustering_policy"] == "EnterpriseCluster"
    assert database["client_protocol"] == "Encrypted"


def test_logs_are_the_database_s_and_metrics_the_cluster_s() -> None:
    """Guards against log categories on the cluster, which has none: Azure refuses the setting."""
    settings = all_of(redis("minimal"), "azurerm_monitor_diagnostic_setting").values()
    sent = {each["target_resource_id"]: each.keys() & {"enabled_log", "enabled_metric"} for each in settings}
    assert sent == {
        "${azurerm_managed_redis.cache.id}/databases/default": {"enabled_log"},
        "${azurerm_managed_redis.cache.id}": {"enabled_metric"},
    }


def test_private_endpoint_is_the_only_way_in() -> None:
    """Guards against a cache that answers the internet."""
    body = redis("minimal")
    assert only(body, REDIS)["public_network_access"] == "Disabled"
    assert only(body, "azurerm_private_endpoint")["private_service_connection"]["subresource_names"] == [
        "redisEnterprise"
    ]


def test_disposable_loses_the_protection() -> None:
    """Guards against a rehearsal that cannot be destroyed, and against production that can."""
    assert only(redis("disposable"), REDIS)["lifecycle"]["prevent_destroy"] is False
    assert not all_of(redis("disposable"), "azurerm_management_lock")
    assert only(redis("production"), REDIS)["lifecycle"]["prevent_destroy"] is True
    assert only(redis("production"), "azurerm_management_lock")["scope"] == "${azurerm_managed_redis.cache.id}"
