"""Which plans the guard refuses, which it lets pass, and which it cannot judge."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from pydantic import JsonValue

from environments import load
from operations.plan_guard.holders import HOLDS_A_NAME, HOLDS_DATA, PROTECTS, REPLACEABLE
from operations.plan_guard.judge import StackTarget
from operations.terraform.plan import PlanError
from tests.operations.plan_guard.plans.plan_json import (
    LOSING,
    NOW,
    SUBSCRIPTION,
    judge,
    make_change,
    make_plan,
    make_resource,
)

REFUSED_TYPES = {**HOLDS_DATA, **HOLDS_A_NAME, **PROTECTS}
DATABASE = "azurerm_postgresql_flexible_server.database_server"
REDIS = "azurerm_managed_redis.cache"
REDIS_DATABASE: dict[str, JsonValue] = {"clustering_policy": "OSSCluster", "module": []}
LOST_WITH_REDIS: dict[str, dict[str, JsonValue]] = {
    "the block is removed": {"default_database": []},
    "the block is not known yet": {},
    "another policy": {"default_database": [REDIS_DATABASE | {"clustering_policy": "NoCluster"}]},
    "a module": {"default_database": [{**REDIS_DATABASE, "module": [{"name": "RediSearch"}]}]},
    "a group": {"default_database": [REDIS_DATABASE | {"geo_replication_group_name": "group"}]},
}
"""The values after an update of a database REDIS_DATABASE with which the provider deletes it."""
UNCHANGED = make_resource("azurerm_subnet.app", ["no-op"])


def join_actions(actions: Sequence[str]) -> str:
    """Return the ID of a test's parameter."""
    return "-".join(actions)


class TestLosses:
    """A resource that holds data, a name or a protection may be lost only if its address is allowed."""

    @pytest.mark.parametrize("actions", LOSING, ids=join_actions)
    @pytest.mark.parametrize("type_", [*REFUSED_TYPES, "azurerm_of_tomorrow"])
    def test_a_loss_is_refused_unless_its_address_is_allowed(self, type_: str, actions: Sequence[str]) -> None:
        plan_json = make_plan(make_resource(f"{type_}.it", actions))
        refused = judge(plan_json)
        assert not refused.may_be_applied
        assert f"{type_}.it would be " in " ".join(refused.format_text().split())
        assert f"--allow-loss '{type_}.it'" in refused.format_text()
        allowed = judge(plan_json, f"{type_}.it")
        assert allowed.may_be_applied
        assert f"Allowed to be lost: {type_}.it." in allowed.format_text()

    @pytest.mark.parametrize("actions", LOSING, ids=join_actions)
    @pytest.mark.parametrize("type_", sorted(REPLACEABLE))
    def test_what_terraform_can_recreate_may_be_lost_and_is_listed(self, type_: str, actions: Sequence[str]) -> None:
        report = judge(make_plan(make_resource(f"{type_}.it", actions)))
        assert report.may_be_applied
        assert f"{type_}.it" in report.format_text()

    @pytest.mark.parametrize("actions", [["no-op"], ["create"], ["update"], ["read"]], ids=join_actions)
    def test_a_resource_that_stays_is_no_loss(self, actions: Sequence[str]) -> None:
        assert judge(make_plan(make_resource(DATABASE, actions))).may_be_applied

    @pytest.mark.parametrize("change", LOST_WITH_REDIS)
    def test_a_change_in_place_that_deletes_is_refused_unless_it_is_allowed(self, change: str) -> None:
        before: dict[str, JsonValue] = {"default_database": [REDIS_DATABASE]}
        plan_json = make_plan(make_resource(REDIS, ["update"], before, LOST_WITH_REDIS[change]))
        refused = judge(plan_json)
        assert "changed in place, and with it would go every key" in " ".join(refused.format_text().split())
        assert judge(plan_json, REDIS).may_be_applied

    @pytest.mark.parametrize(
        ("before", "after"),
        [
            (
                {"default_database": [{"clustering_policy": "OSSCluster", "eviction_policy": "NoEviction"}]},
                {"default_database": [{"clustering_policy": "OSSCluster", "eviction_policy": "AllKeysLRU"}]},
            ),
            ({"default_database": []}, {"default_database": [{"clustering_policy": "OSSCluster"}]}),
        ],
        ids=["eviction", "created"],
    )
    def test_a_change_in_place_that_keeps_the_database_is_no_loss(
        self, before: dict[str, JsonValue], after: dict[str, JsonValue]
    ) -> None:
        assert judge(make_plan(make_resource(REDIS, ["update"], before, after))).may_be_applied

    def test_an_action_is_refused_unless_it_is_allowed(self) -> None:
        """Guards against `azurerm_managed_redis_databases_flush`, which deletes every key: no resource changes."""
        address = "action.azurerm_managed_redis_databases_flush.all"
        action: JsonValue = {"address": address, "type": "azurerm_managed_redis_databases_flush", "name": "all"}
        plan_json = make_plan(UNCHANGED, action_invocations=[action])
        assert f"{address} would be run" in " ".join(judge(plan_json).format_text().split())
        assert judge(plan_json, address).may_be_applied

    def test_what_terraform_cannot_plan_yet_is_named(self) -> None:
        deferred: JsonValue = {"reason": "provider_config_unknown", "resource_change": make_resource(REDIS, ["create"])}
        report = judge(make_plan(UNCHANGED, deferred_changes=[deferred], complete=False))
        assert f"Terraform cannot plan these yet, so nothing is known of them: {REDIS}." in report.format_text()

    def test_a_failed_check_is_told(self) -> None:
        check: JsonValue = {
            "address": {"kind": "check", "to_display": "check.certificate"},
            "status": "fail",
            "instances": [{"status": "fail", "problems": [{"message": "It ends in a week."}]}],
        }
        report = judge(make_plan(UNCHANGED, checks=[check]))
        assert "A check of the code does not hold: check.certificate: It ends in a week." in report.format_text()

    @pytest.mark.parametrize("address", ["azurerm_subnet.app", f"{DATABASE}[0]", DATABASE.upper(), "*", ""])
    def test_an_allowed_address_that_is_not_lost_is_an_error(self, address: str) -> None:
        with pytest.raises(PlanError, match="the plan does not lose it"):
            judge(make_plan(make_resource(DATABASE, ["delete"]), UNCHANGED), DATABASE, address)

    def test_one_allowed_address_allows_no_other(self) -> None:
        vault = "azurerm_key_vault.key_vault"
        report = judge(make_plan(make_resource(DATABASE, ["delete"]), make_resource(vault, ["delete"])), vault)
        assert [loss.address for loss in report.refused] == [DATABASE]

    def test_a_deposed_object_is_a_loss_too(self) -> None:
        """An interrupted replacement leaves such an object behind, under the address of what replaced it."""
        report = judge(make_plan({**make_resource(DATABASE, ["delete"]), "deposed": "8f3c01aa"}))
        assert f"{DATABASE} (deposed object 8f3c01aa)" in report.format_text()
        assert not report.may_be_applied

    def test_a_data_source_is_no_loss(self) -> None:
        data_source = {**make_resource(DATABASE, ["delete"]), "mode": "data"}
        assert judge(make_plan(data_source, UNCHANGED)).may_be_applied


class TestDisposable:
    """An environment that is declared disposable may be destroyed once it has no locks any more."""

    LOCK = "azurerm_management_lock.lock"

    def test_it_may_lose_everything(self) -> None:
        plan_json = make_plan(*(make_resource(f"{type_}.it", ["delete"]) for type_ in HOLDS_DATA))
        assert judge(plan_json, disposable=True).may_be_applied
        assert not judge(plan_json).may_be_applied

    def test_a_plan_that_removes_locks_may_remove_nothing_else(self) -> None:
        removed_lock = make_resource(self.LOCK, ["delete"])
        assert judge(make_plan(removed_lock), disposable=True).may_be_applied
        report = judge(make_plan(removed_lock, make_resource(DATABASE, ["delete"])), disposable=True)
        assert [loss.address for loss in report.refused] == [DATABASE]

    def test_the_settings_say_which_environment_is_disposable(self) -> None:
        platform = load()
        dev = platform.environments["dev"].model_copy(update={"disposable": True})
        changed = platform.model_copy(update={"environments": {**platform.environments, "dev": dev}})
        assert StackTarget.from_settings("dev", changed).disposable
        assert not StackTarget.from_settings("staging", changed).disposable
        assert not StackTarget.from_settings("shared", changed).disposable

    def test_a_stack_that_does_not_exist_is_an_error(self) -> None:
        with pytest.raises(PlanError, match="no stack 'prod': it is one of shared, dev, staging, production"):
            StackTarget.from_settings("prod", load())


class TestTarget:
    """A plan of another environment or subscription is refused."""

    @pytest.mark.parametrize(
        ("stack", "tagged", "message"),
        [
            ("dev", ["dev"], None),
            ("dev", ["production"], "The plan is of production, not of dev"),
            ("dev", ["dev", "production"], "The plan is of production, not of dev"),
            ("dev", ["shared"], "The plan is of shared, not of dev"),
            ("dev", [""], "does not say which environment it is of"),
            ("shared", ["shared", "dev", "production"], None),
            ("shared", ["dev"], "The plan is of dev, not of shared"),
        ],
    )
    def test_the_tags_name_the_environment(self, stack: str, tagged: list[str], message: str | None) -> None:
        tagged_resources = [
            make_resource(f"azurerm_subnet.subnet_{index}", ["update"], environment=environment)
            for index, environment in enumerate(tagged)
        ]
        report = judge(make_plan(*tagged_resources), stack=stack)
        assert len(report.mismatches) == (message is not None)
        assert (message or "") in "".join(report.mismatches)

    def test_a_plan_that_takes_over_a_resource_of_another_environment_is_refused(self) -> None:
        moved = make_resource(
            DATABASE, ["update"], {"tags": {"environment": "production"}}, {"tags": {"environment": "dev"}}
        )
        assert "The plan is of production, not of dev" in judge(make_plan(moved)).format_text()

    def test_the_output_names_the_environment_too(self) -> None:
        output = make_change(["create"], None, "staging")
        report = judge(make_plan(UNCHANGED, output_changes={"environment": output}))
        assert "The plan is of staging" in report.format_text()

    def test_another_subscription_is_refused(self) -> None:
        other = "99999999-9999-9999-9999-999999999999"
        provider: JsonValue = {"name": "azurerm", "expressions": {"subscription_id": {"constant_value": other}}}
        report = judge(make_plan(UNCHANGED, configuration={"provider_config": {"azurerm": provider}}))
        assert report.mismatches == [f"The plan is for the subscription {other}, not for {SUBSCRIPTION}."]


class TestAgeAndCompletion:
    """A plan that is too old, or that Terraform did not finish, is refused."""

    @pytest.mark.parametrize(
        ("hours", "message"),
        [(0, ""), (23.9, ""), (25, "The plan is 25 hours old, and may be 24"), (-0.05, ""), (-1, "in the future")],
    )
    def test_a_plan_that_is_too_old_or_from_the_future_is_refused(self, hours: float, message: str) -> None:
        report = judge(make_plan(UNCHANGED, timestamp=(NOW - timedelta(hours=hours)).isoformat()))
        assert report.may_be_applied == (not message)
        assert message in "".join(report.mismatches)

    def test_a_plan_that_stopped_at_an_error_is_refused(self) -> None:
        assert "stopped at an error" in judge(make_plan(UNCHANGED, errored=True)).format_text()

    def test_a_partial_plan_is_reported_as_such(self) -> None:
        report = judge(make_plan(UNCHANGED, complete=False))
        assert report.may_be_applied
        assert "A part of a plan" in report.format_text()


class TestMalformed:
    """Anything that is no plan is an error, and the message repeats none of its values."""

    @pytest.mark.parametrize("text", ["", "null", "[]", "{}", '"plan"', "Error: no plan", "\ufeff{}", "[" * 5000])
    def test_a_text_that_is_no_plan(self, text: str) -> None:
        with pytest.raises(PlanError, match=r"no output of `terraform show -json PLAN`, format 1\.x"):
            judge(text)

    def test_bytes_that_are_no_text(self) -> None:
        with pytest.raises(PlanError):
            judge(b"\xff\xfe\x00")

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
    def test_a_plan_that_is_cut_off(self, share: float) -> None:
        whole = make_plan(make_resource(DATABASE, ["delete"]), UNCHANGED)
        with pytest.raises(PlanError, match="Invalid JSON"):
            judge(whole[: int(len(whole) * share)])

    @pytest.mark.parametrize("version", ["2.0", "0.2", "1", "11.0", "1.2-beta", ""])
    def test_a_plan_of_another_major_version(self, version: str) -> None:
        with pytest.raises(PlanError, match="format_version"):
            judge(make_plan(UNCHANGED, format_version=version))

    @pytest.mark.parametrize("key", ["format_version", "timestamp", "configuration"])
    def test_a_plan_without_a_required_field(self, key: str) -> None:
        whole = json.loads(make_plan(UNCHANGED))
        del whole[key]
        with pytest.raises(PlanError, match=f"{key}: Field required"):
            judge(json.dumps(whole))

    @pytest.mark.parametrize("key", ["actions", "after_unknown", "before_sensitive", "after_sensitive"])
    def test_a_change_without_a_required_field(self, key: str) -> None:
        whole = json.loads(make_plan(UNCHANGED))
        del whole["resource_changes"][0]["change"][key]
        with pytest.raises(PlanError, match=f"{key}: Field required"):
            judge(json.dumps(whole))

    @pytest.mark.parametrize("actions", [[], ["obliterate"], "delete", None, [["delete"]]])
    def test_an_unknown_action(self, actions: JsonValue) -> None:
        whole = json.loads(make_plan(UNCHANGED))
        whole["resource_changes"][0]["change"]["actions"] = actions
        with pytest.raises(PlanError, match="actions"):
            judge(json.dumps(whole))

    def test_the_error_repeats_no_value(self) -> None:
        whole = json.loads(make_plan(make_resource(DATABASE, ["update"], {"password": "hunter2-hunter2"})))
        whole["resource_changes"][0]["change"] = whole["resource_changes"][0]["change"]["before"]
        with pytest.raises(PlanError) as refused:
            judge(json.dumps(whole))
        assert "hunter2" not in str(refused.value)
        assert len(str(refused.value).splitlines()) <= 7
