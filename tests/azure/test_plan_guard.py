"""The plan guard, on plans that Terraform made and on what nobody should hand it."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from environments import load
from rehearsal import plan_guard, synthesis
from rehearsal.model import Json
from rehearsal.plan_guard import PROTECTED, REFUSED, UNREADABLE, Plan
from rehearsal.terraform import errors
from rehearsal.world import World
from tests.azure import parts
from tests.support import resources

SERVER = "azurerm_postgresql_flexible_server.database_server"
Guard = Callable[..., int]


def change(address: str, actions: list[str], **more: object) -> Json:
    """One entry of a plan's resource_changes."""
    type_ = address.split(".", maxsplit=1)[0]
    body: Json = {"actions": actions, "before": {"sku": "a"}, "after": {"sku": "b"}, "after_unknown": {}, **more}
    return {"address": address, "type": type_, "mode": "managed", "change": body}


def plan(*changes: Json, **more: object) -> str:
    """A plan as `terraform show -json` has it, made just now."""
    return json.dumps(
        {"format_version": "1.2", "timestamp": datetime.now(UTC).isoformat(), "resource_changes": changes, **more}
    )


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    """`plan_guard check` on a plan's JSON; gives the exit code."""

    def check(text: str, *options: str, environment: str = "production") -> int:
        file = tmp_path / "plan.json"
        file.write_text(text, encoding="utf-8")
        return plan_guard.main(["check", str(file), "--environment", environment, *options])

    return check


def test_a_change_in_place_is_told_attribute_by_attribute(guard: Guard, capsys: pytest.CaptureFixture[str]) -> None:
    assert guard(plan(change(SERVER, ["update"]))) == 0
    assert 'sku: "a" -> "b"' in capsys.readouterr().out


@pytest.mark.parametrize("actions", [["delete"], ["delete", "create"], ["create", "delete"], ["forget"]])
@pytest.mark.parametrize("type_", PROTECTED)
def test_losing_what_is_protected_is_refused(guard: Guard, type_: str, actions: list[str]) -> None:
    assert guard(plan(change(f"{type_}.it", actions))) == REFUSED
    assert guard(plan(change(f"{type_}.it", actions)), "--allow-loss", f"{type_}.it") == 0
    assert guard(plan(change(f"{type_}.it", actions)), "--allow-loss", f"{type_}.other") == REFUSED


def test_losing_an_alert_is_no_loss(guard: Guard) -> None:
    assert guard(plan(change("azurerm_monitor_metric_alert.it", ["delete"]))) == 0


def test_sensitive_values_are_never_shown(guard: Guard, capsys: pytest.CaptureFixture[str]) -> None:
    secret = {"before": {"key": "old-secret"}, "after": {"key": "new-secret", "list": ["in-list"]}}
    marks = {"before_sensitive": {"key": True}, "after_sensitive": {"key": True, "list": [True]}}
    assert guard(plan(change("azurerm_storage_account.it", ["update"], **secret, **marks))) == 0
    shown = capsys.readouterr()
    assert "key: (sensitive)" in shown.out
    assert "list: (sensitive)" in shown.out
    for each in ("old-secret", "new-secret", "in-list"):
        assert each not in shown.out + shown.err


def test_the_cause_of_a_replacement_is_named(guard: Guard, capsys: pytest.CaptureFixture[str]) -> None:
    replaced = change(SERVER, ["delete", "create"], replace_paths=[["high_availability", 0, "mode"]])
    assert guard(plan(replaced)) == REFUSED
    shown = capsys.readouterr()
    assert "cannot be changed in place: high_availability.0.mode" in shown.out
    assert f"{SERVER} would be lost (replace)" in shown.err


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (plan(timestamp=(datetime.now(UTC) - timedelta(hours=25)).isoformat()), "make a new one"),
        (plan(timestamp=(datetime.now(UTC) + timedelta(hours=1)).isoformat()), "make a new one"),
        (plan(errored=True), "not a whole one"),
        (plan(complete=False), "not a whole one"),
        (plan(change("azurerm_dns_zone.it", ["create"], after={"tags": {"environment": "dev"}})), "one of 'dev'"),
    ],
)
def test_what_is_not_to_be_applied_now_is_refused(
    guard: Guard, capsys: pytest.CaptureFixture[str], text: str, why: str
) -> None:
    assert guard(text) == REFUSED
    assert why in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "\x00",
        '{"format_version": "2.0", "timestamp": "2026-11-23T00:00:00Z"}',
        plan()[:-20],
        plan(resource_changes=[{"address": "a"}]),
        plan(change("a.b", ["explode"])),
    ],
)
def test_what_is_no_plan_is_said_to_be_none(guard: Guard, capsys: pytest.CaptureFixture[str], text: str) -> None:
    assert guard(text) == UNREADABLE
    assert "cannot be read" in capsys.readouterr().err


def test_a_stamp_ties_a_plan_to_its_environment_commit_and_bytes(
    guard: Guard, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, stamp = tmp_path / "it.tfplan", tmp_path / "stamp.json"
    file.write_bytes(b"a plan")
    assert plan_guard.main(["stamp", str(file), "--environment", "production", "--commit", "abc"]) == 0
    stamp.write_text(capsys.readouterr().out, encoding="utf-8")
    options = ("--plan", str(file), "--stamp", str(stamp))
    assert guard(plan(), *options, "--commit", "abc") == 0
    assert guard(plan(), *options, "--commit", "def") == REFUSED
    assert guard(plan(), *options, "--commit", "abc", environment="staging") == REFUSED
    file.write_bytes(b"another plan")
    assert guard(plan(), *options, "--commit", "abc") == REFUSED


def test_a_disposable_environment_may_go(guard: Guard, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = plan(change(SERVER, ["delete"]))
    assert guard(gone, environment="dev") == REFUSED
    platform = load()
    disposable = platform.environments | {"dev": synthesis.disposable(platform.environments["dev"])}
    monkeypatch.setattr(plan_guard, "load", lambda: platform.model_copy(update={"environments": disposable}))
    assert guard(gone, environment="dev") == 0


def test_every_type_that_the_stacks_protect_is_guarded() -> None:
    protected = {each.type for each in resources() if each.body.get("lifecycle", {}).get("prevent_destroy")}
    assert protected
    assert protected - set(PROTECTED) == set()


@pytest.mark.azure
def test_a_real_plan_that_replaces_the_database_is_refused(azure_world: World, guard: Guard) -> None:
    parts.seed(azure_world.stand_in.azure)
    types = ("azurerm_postgresql_flexible_server_database",)
    stack = azure_world.stack("dev", parts.part(parts.stack("dev"), *types), local_state=True)
    assert stack.init().code == 0
    first = stack.apply()
    assert first.code == 0, errors(first.output)
    other = synthesis.unprotected(synthesis.environment(load(), "dev", synthesis.with_other_geo_backup))
    changed = azure_world.stack("dev", parts.part(other, *types), local_state=True)
    assert changed.plan().code == 2
    text = changed.show()
    assert guard(text, environment="dev") == REFUSED
    lost = list(plan_guard.losses(Plan.model_validate_json(text), ()))
    assert [each.split()[0] for each in lost] == [SERVER, "azurerm_postgresql_flexible_server_database.database"]
    assert any("geo_redundant_backup_enabled" in line for line in plan_guard.describe(Plan.model_validate_json(text)))
    allowed = [each for loss in lost for each in ("--allow-loss", loss.split()[0])]
    assert guard(text, *allowed, environment="dev") == 0
