"""Finds the blocks of two lists or sets that belong together, so that a report compares each with its own past.

A plan writes a set as a list in no particular order. Terraform itself pairs only elements that are equal, and shows all
others as removed and added: https://github.com/hashicorp/terraform/issues/21818.
"""

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from operations.plan_guard.redaction import Value

Key = tuple[str, ...]
"""The attributes of a block that tell it apart from the others."""

_WEB_APPS = ("azurerm_linux_web_app", "azurerm_linux_web_app_slot")


def _list_places(types: Iterable[str], *blocks: str) -> list[str]:
    return [f"{type_}.{block}" for type_ in types for block in blocks]


_PLACES: Mapping[Key, Sequence[str]] = {
    ("name",): [
        "azurerm_application_insights_standard_web_test.request.header",
        "azurerm_cdn_frontdoor_firewall_policy.custom_rule",
        "azurerm_consumption_budget_resource_group.filter.dimension",
        "azurerm_consumption_budget_resource_group.filter.tag",
        "azurerm_container_app_environment.workload_profile",
        *_list_places(
            ["azurerm_container_app_job"],
            "event_trigger_config.scale.rules",
            "secret",
            "template.container",
            "template.container.env",
            "template.container.liveness_probe.header",
            "template.container.readiness_probe.header",
            "template.container.startup_probe.header",
            "template.init_container",
            "template.init_container.env",
            "template.volume",
        ),
        "azurerm_logic_app_workflow.access_control.trigger.open_authentication_policy",
        "azurerm_logic_app_workflow.access_control.trigger.open_authentication_policy.claim",
        "azurerm_managed_redis.default_database.module",
        *_list_places(
            ["azurerm_monitor_action_group"],
            "arm_role_receiver",
            "automation_runbook_receiver",
            "azure_app_push_receiver",
            "azure_function_receiver",
            "email_receiver",
            "event_hub_receiver",
            "itsm_receiver",
            "logic_app_receiver",
            "sms_receiver",
            "voice_receiver",
            "webhook_receiver",
        ),
        "azurerm_monitor_autoscale_setting.profile",
        "azurerm_monitor_autoscale_setting.profile.rule.metric_trigger.dimensions",
        "azurerm_monitor_metric_alert.criteria.dimension",
        "azurerm_monitor_metric_alert.dynamic_criteria.dimension",
        "azurerm_monitor_scheduled_query_rules_alert_v2.criteria.dimension",
        "azurerm_network_security_group.security_rule",
        "azurerm_private_endpoint.ip_configuration",
        "azurerm_private_endpoint.network_interface",
        "azurerm_private_endpoint.private_dns_zone_configs",
        "azurerm_private_endpoint.private_dns_zone_configs.record_sets",
        "azurerm_storage_management_policy.rule",
        "azurerm_storage_management_policy.rule.filters.match_blob_index_tag",
        "azurerm_subnet.delegation",
        "azurerm_virtual_network.subnet",
        "azurerm_virtual_network.subnet.delegation",
        *_list_places(
            _WEB_APPS,
            "auth_settings_v2.custom_oidc_v2",
            "connection_string",
            "site_config.ip_restriction",
            "site_config.scm_ip_restriction",
            "site_credential",
            "storage_account",
        ),
    ],
    ("action_group_id",): _list_places(
        ["azurerm_monitor_activity_log_alert", "azurerm_monitor_metric_alert"],
        "action",
    ),
    ("category", "category_group"): ["azurerm_monitor_diagnostic_setting.enabled_log"],
    ("category",): _list_places(["azurerm_monitor_diagnostic_setting"], "enabled_metric", "metric"),
    ("cdn_frontdoor_domain_id",): [
        "azurerm_cdn_frontdoor_security_policy.security_policies.firewall.association.domain"
    ],
    ("email",): ["azurerm_key_vault.contact"],
    ("endpoint_resource_id",): ["azurerm_storage_account.network_rules.private_link_access"],
    ("fqdn",): ["azurerm_private_endpoint.custom_dns_configs"],
    ("id",): _list_places(["azurerm_subnet", "azurerm_virtual_network"], "ip_address_pool"),
    ("ip_range",): ["azurerm_container_registry.network_rule_set.ip_rule"],
    ("location",): ["azurerm_container_registry.georeplications"],
    ("match_variable",): ["azurerm_cdn_frontdoor_profile.log_scrubbing_rule"],
    ("match_variable", "selector"): _list_places(
        ["azurerm_cdn_frontdoor_firewall_policy"],
        "custom_rule.match_condition",
        "log_scrubbing.scrubbing_rule",
        "managed_rule.exclusion",
        "managed_rule.override.exclusion",
        "managed_rule.override.rule.exclusion",
    ),
    ("metric_namespace", "metric_name"): ["azurerm_monitor_metric_alert.criteria"],
    ("object_id", "application_id"): ["azurerm_key_vault.access_policy"],
    ("path",): _list_places(
        ["azurerm_container_app_job"],
        "template.container.volume_mounts",
        "template.init_container.volume_mounts",
    )
    + _list_places(_WEB_APPS, "site_config.auto_heal_setting.trigger.slow_request_with_path"),
    ("rule_group_name",): ["azurerm_cdn_frontdoor_firewall_policy.managed_rule.override"],
    ("rule_id",): ["azurerm_cdn_frontdoor_firewall_policy.managed_rule.override.rule"],
    ("server",): ["azurerm_container_app_job.registry"],
    ("service_uri",): ["azurerm_monitor_autoscale_setting.notification.webhook"],
    ("status_code_range", "path"): _list_places(_WEB_APPS, "site_config.auto_heal_setting.trigger.status_code"),
    ("threshold_type", "operator", "threshold"): ["azurerm_consumption_budget_resource_group.notification"],
    ("trigger_parameter",): ["azurerm_container_app_job.event_trigger_config.scale.rules.authentication"],
    ("type",): ["azurerm_cdn_frontdoor_firewall_policy.managed_rule"],
    ("value",): ["azurerm_dns_txt_record.record"],
}
KEYS: Mapping[str, Key] = {place: key for key, places in _PLACES.items() for place in places}
"""By `type.attribute`: the key of the blocks there, from the provider's schema."""

WITHOUT_KEY = frozenset(
    {
        *_list_places(
            ["azurerm_container_app_job"],
            "event_trigger_config.scale",
            "template.container.liveness_probe",
            "template.container.readiness_probe",
            "template.container.startup_probe",
        ),
        "azurerm_monitor_autoscale_setting.profile.rule",
        "azurerm_monitor_scheduled_query_rules_alert_v2.criteria",
        "azurerm_role_definition.permissions",
        *_list_places(
            ["azurerm_storage_account"],
            "blob_properties.cors_rule",
            "queue_properties.cors_rule",
            "share_properties.cors_rule",
        ),
    }
)
"""The blocks that have no key: each is paired with the most similar one."""

_OFTEN_A_KEY: Sequence[Key] = (("name",), ("key",), ("id",), ("priority",))
"""The keys that are tried for blocks that no table lists."""


class Pair(NamedTuple):
    """A block before and after. None where there is none."""

    label: str
    old: dict[str, Value] | None
    new: dict[str, Value] | None


def pair_blocks(old: Sequence[dict[str, Value]], new: Sequence[dict[str, Value]], place: str) -> Iterator[Pair]:
    """Yield every block of two lists or sets with its counterpart.

    Args:
        old: The blocks before.
        new: The blocks after.
        place: `type.attribute` of the list.
    """
    candidates = [KEYS[place]] if place in KEYS else [] if place in WITHOUT_KEY else _OFTEN_A_KEY
    for key in candidates:
        old_labels, new_labels = ([_make_label(block, key) for block in blocks] for blocks in (old, new))
        if _are_unique(old_labels) and _are_unique(new_labels):
            old_blocks, new_blocks = (dict(zip(*pair, strict=True)) for pair in ((old_labels, old), (new_labels, new)))
            for label in dict.fromkeys([*old_labels, *new_labels]):
                yield Pair(label, old_blocks.get(label), new_blocks.get(label))
            return
    yield from _pair_most_similar(old, new)


def _make_label(block: dict[str, Value], key: Key) -> str:
    """Return the key's values as a text, or an empty text if one is hidden, unknown or no text, number or boolean."""
    values = [block.get(name) for name in key]
    if not all(value is None or isinstance(value, str | int | float) for value in values):
        return ""
    return " ".join(str(value) for value in values if value not in (None, ""))


def _are_unique(labels: Sequence[str]) -> bool:
    return all(labels) and all(count == 1 for count in Counter(labels).values())


def _pair_most_similar(old: Sequence[dict[str, Value]], new: Sequence[dict[str, Value]]) -> Iterator[Pair]:
    """Pair equal blocks first, then those that have the most attributes in common, and at least half of them.

    If then one is left on either side, it is what changed.
    """
    if len(old) <= 1 and len(new) <= 1:
        yield Pair("", old[0] if old else None, new[0] if new else None)
        return
    left_old, left_new = dict(enumerate(old)), dict(enumerate(new))
    scores = (
        (_count_equal(old_block, new_block), old_index, new_index)
        for (old_index, old_block), (new_index, new_block) in itertools.product(left_old.items(), left_new.items())
    )
    pairs: list[tuple[int, int]] = []
    for score, old_index, new_index in sorted(scores, key=lambda score: (-score[0], abs(score[1] - score[2]))):
        if score < 0.5:
            break
        if old_index in left_old and new_index in left_new:
            del left_old[old_index], left_new[new_index]
            pairs.append((old_index, new_index))
    if len(left_old) == len(left_new) == 1:
        pairs.append((left_old.popitem()[0], left_new.popitem()[0]))
    for old_index, new_index in sorted(pairs, key=lambda pair: pair[1]):
        yield Pair(str(new_index), old[old_index], new[new_index])
    for index, block in left_old.items():
        yield Pair(str(index), block, None)
    for index, block in left_new.items():
        yield Pair(str(index), None, block)


def _count_equal(old: dict[str, Value], new: dict[str, Value]) -> float:
    """Return the share of attributes that are equal in two blocks, from 0 to 1."""
    names = old.keys() | new.keys()
    return sum(old.get(name) == new.get(name) for name in names) / len(names) if names else 1.0
