"""What the plan guard refuses, what it lets through, and what it cannot judge."""

import json
from collections.abc import Sequence
from datetime import timedelta

import pytest
from pydantic import JsonValue

from environments import load
from operations.plan_guard.holders import (
    HOLDS_A_NAME,
    HOLDS_DATA,
    NO_LOCK_OF_ITS_OWN,
    PROTECTS,
    RECOVERY_ATTRIBUTES,
    REPLACEABLE,
)
from operations.plan_guard.judge import Place
from operations.terraform.plan import PlanError
from tests.operations.plan_guard.plans.made import LOSING, NOW, SUBSCRIPTION, change, judged, plan, resource
from tests.policy.rules import data as policy
from tests.support import resources

HOLDERS = {**HOLDS_DATA, **HOLDS_A_NAME, **PROTECTS}
DATABASE = "azurerm_postgresql_flexible_server.database_server"
KEPT = resource("azurerm_subnet.app", ["no-op"])


def spoken(actions: Sequence[str]) -> str:
    return "-".join(actions)


class TestLosses:
    """What holds data, a name or a protection goes only when its address is named."""

    @pytest.mark.parametrize("actions", LOSING, ids=spoken)
    @pytest.mark.parametrize("type_", [*HOLDERS, "azurerm_of_tomorrow"])
    def test_a_loss_is_refused_until_its_address_is_named(self, type_: str, actions: Sequence[str]) -> None:
        shown = plan(resource(f"{type_}.it", actions))
        refused = judged(shown)
        assert not refused.nothing_lost
        assert f"{type_}.it would be " in " ".join(refused.text().split())
        assert f"--allow-loss '{type_}.it'" in refused.text()
        named = judged(shown, f"{type_}.it")
        assert named.nothing_lost
        assert f"Allowed to be lost: {type_}.it." in named.text()

    @pytest.mark.parametrize("actions", LOSING, ids=spoken)
    @pytest.mark.parametrize("type_", sorted(REPLACEABLE))
    def test_what_terraform_makes_again_may_go_and_is_listed(self, type_: str, actions: Sequence[str]) -> None:
        report = judged(plan(resource(f"{type_}.it", actions)))
        assert report.nothing_lost
        assert f"{type_}.it" in report.text()

    @pytest.mark.parametrize("actions", [["no-op"], ["create"], ["update"], ["read"]], ids=spoken)
    def test_what_stays_is_no_loss(self, actions: Sequence[str]) -> None:
        assert judged(plan(resource(DATABASE, actions))).nothing_lost

    @pytest.mark.parametrize("address", ["azurerm_subnet.app", f"{DATABASE}[0]", DATABASE.upper(), "*", ""])
    def test_an_allowed_address_that_is_not_lost_is_an_error(self, address: str) -> None:
        with pytest.raises(PlanError, match="the plan does not lose it"):
            judged(plan(resource(DATABASE, ["delete"]), KEPT), DATABASE, address)

    def test_one_allowed_address_allows_no_other(self) -> None:
        vault = "azurerm_key_vault.key_vault"
        report = judged(plan(resource(DATABASE, ["delete"]), resource(vault, ["delete"])), vault)
        assert [each.resource.address for each in report.refused] == [DATABASE]

    def test_a_leftover_object_of_an_interrupted_replacement_is_a_loss_too(self) -> None:
        leftover = {**_fields(resource(DATABASE, ["delete"])), "deposed": "8f3c01aa"}
        assert f"{DATABASE} (deposed object 8f3c01aa)" in judged(plan(leftover)).text()
        assert not judged(plan(leftover)).nothing_lost

    def test_a_data_source_is_no_loss(self) -> None:
        read = {**_fields(resource(DATABASE, ["delete"])), "mode": "data"}
        assert judged(plan(read, KEPT)).nothing_lost


class TestDisposable:
    """An environment that is declared disposable may go, once it has no lock any more."""

    LOCK = "azurerm_management_lock.lock"

    def test_it_may_lose_everything(self) -> None:
        gone = [resource(f"{type_}.it", ["delete"]) for type_ in HOLDS_DATA]
        assert judged(plan(*gone), disposable=True).nothing_lost
        assert not judged(plan(*gone)).nothing_lost

    def test_the_flag_first_lifts_the_locks_and_nothing_else(self) -> None:
        lifted = resource(self.LOCK, ["delete"])
        assert judged(plan(lifted), disposable=True).nothing_lost
        report = judged(plan(lifted, resource(DATABASE, ["delete"])), disposable=True)
        assert [each.resource.address for each in report.refused] == [DATABASE]

    def test_the_settings_say_which_environment_is(self) -> None:
        platform = load()
        dev = platform.environments["dev"].model_copy(update={"disposable": True})
        changed = platform.model_copy(update={"environments": {**platform.environments, "dev": dev}})
        assert Place.of("dev", changed).disposable
        assert not Place.of("staging", changed).disposable
        assert not Place.of("shared", changed).disposable

    def test_there_is_no_other_stack(self) -> None:
        with pytest.raises(PlanError, match="no stack 'prod': it is one of shared, dev, staging, production"):
            Place.of("prod", load())


class TestPlace:
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
    def test_tags_tell_the_environment(self, stack: str, tagged: list[str], message: str | None) -> None:
        tagged_resources = [
            resource(f"azurerm_subnet.{at}", ["update"], environment=each) for at, each in enumerate(tagged)
        ]
        report = judged(plan(*tagged_resources), stack=stack)
        assert len(report.mismatches) == (message is not None)
        assert (message or "") in "".join(report.mismatches)

    def test_a_plan_that_takes_a_resource_of_another_environment_over_is_refused(self) -> None:
        moved = resource(
            DATABASE, ["update"], {"tags": {"environment": "production"}}, {"tags": {"environment": "dev"}}
        )
        assert "The plan is of production, not of dev" in judged(plan(moved)).text()

    def test_an_output_tells_it_too(self) -> None:
        told = change(["create"], None, "staging")
        assert "The plan is of staging" in judged(plan(KEPT, output_changes={"environment": told})).text()

    def test_another_subscription_is_refused(self) -> None:
        other = "99999999-9999-9999-9999-999999999999"
        provider: JsonValue = {"name": "azurerm", "expressions": {"subscription_id": {"constant_value": other}}}
        report = judged(plan(KEPT, configuration={"provider_config": {"azurerm": provider}}))
        assert report.mismatches == [f"The plan is for the subscription {other}, not for {SUBSCRIPTION}."]


class TestTime:
    """A plan that waited too long is made again."""

    @pytest.mark.parametrize(
        ("hours", "message"),
        [(0, ""), (23.9, ""), (25, "The plan is 25 hours old, and may be 24"), (-0.05, ""), (-1, "in the future")],
    )
    def test_its_age(self, hours: float, message: str) -> None:
        report = judged(plan(KEPT, timestamp=(NOW - timedelta(hours=hours)).isoformat()))
        assert report.nothing_lost == (not message)
        assert message in "".join(report.mismatches)

    def test_a_plan_that_stopped_at_an_error_is_refused(self) -> None:
        assert "stopped at an error" in judged(plan(KEPT, errored=True)).text()

    def test_a_part_of_a_plan_is_named_as_one(self) -> None:
        report = judged(plan(KEPT, complete=False))
        assert report.nothing_lost
        assert "A part of a plan" in report.text()


class TestMalformed:
    """What is no plan is never taken for one that loses nothing, and no value of it is repeated."""

    @pytest.mark.parametrize("shown", ["", "null", "[]", "{}", '"plan"', "Error: no plan", "\ufeff{}", "[" * 5000])
    def test_what_is_no_plan(self, shown: str) -> None:
        with pytest.raises(PlanError, match=r"no output of `terraform show -json PLAN`, format 1\.x"):
            judged(shown)

    def test_bytes_that_are_no_text(self) -> None:
        with pytest.raises(PlanError):
            judged(b"\xff\xfe\x00")

    @pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.999])
    def test_a_plan_that_is_cut_off(self, share: float) -> None:
        whole = plan(resource(DATABASE, ["delete"]), KEPT)
        with pytest.raises(PlanError, match="Invalid JSON"):
            judged(whole[: int(len(whole) * share)])

    @pytest.mark.parametrize("version", ["2.0", "0.2", "1", "11.0", "1.2-beta", ""])
    def test_another_major_version(self, version: str) -> None:
        with pytest.raises(PlanError, match="format_version"):
            judged(plan(KEPT, format_version=version))

    @pytest.mark.parametrize("key", ["format_version", "timestamp", "resource_changes", "configuration"])
    def test_a_part_of_the_plan_is_missing(self, key: str) -> None:
        whole = json.loads(plan(KEPT))
        del whole[key]
        with pytest.raises(PlanError, match=f"{key}: Field required"):
            judged(json.dumps(whole))

    @pytest.mark.parametrize("key", ["actions", "after_unknown", "before_sensitive", "after_sensitive"])
    def test_a_part_of_a_change_is_missing(self, key: str) -> None:
        whole = json.loads(plan(KEPT))
        del whole["resource_changes"][0]["change"][key]
        with pytest.raises(PlanError, match=f"{key}: Field required"):
            judged(json.dumps(whole))

    @pytest.mark.parametrize("actions", [[], ["obliterate"], "delete", None, [["delete"]]])
    def test_an_action_that_nobody_knows(self, actions: JsonValue) -> None:
        whole = json.loads(plan(KEPT))
        whole["resource_changes"][0]["change"]["actions"] = actions
        with pytest.raises(PlanError, match="actions"):
            judged(json.dumps(whole))

    def test_the_error_repeats_no_value(self) -> None:
        whole = json.loads(plan(resource(DATABASE, ["update"], {"password": "hunter2-hunter2"})))
        whole["resource_changes"][0]["change"] = whole["resource_changes"][0]["change"]["before"]
        with pytest.raises(PlanError) as refused:
            judged(json.dumps(whole))
        assert "hunter2" not in str(refused.value)
        assert len(str(refused.value).splitlines()) <= 7


class TestHolders:
    """The guard's tables know every type that there is, and agree with the policy over synthesized JSON."""

    def test_every_synthesized_type_is_in_exactly_one_table(self) -> None:
        tables = (HOLDS_DATA, HOLDS_A_NAME, PROTECTS, REPLACEABLE)
        there = {each.type for each in resources()}
        assert {type_: sum(type_ in table for table in tables) for type_ in there} == dict.fromkeys(there, 1)

    def test_what_the_policy_keeps_for_recovery_is_named_when_it_changes(self) -> None:
        kept = [(type_, attribute) for type_, attribute, _ in policy.KEPT_DAYS]
        for type_, attribute in kept:
            assert attribute.startswith(RECOVERY_ATTRIBUTES[type_])

    def test_what_the_policy_protects_is_what_the_guard_keeps(self) -> None:
        assert HOLDS_DATA.keys() == policy.HOLDS_DATA.keys()

    def test_only_types_that_hold_data_give_a_reason_for_having_no_lock(self) -> None:
        assert NO_LOCK_OF_ITS_OWN.keys() < HOLDS_DATA.keys()


def _fields(value: JsonValue) -> dict[str, JsonValue]:
    assert isinstance(value, dict)
    return value
