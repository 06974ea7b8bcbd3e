"""What a report says about a plan, in a terminal and in a comment."""

from collections.abc import Sequence

import pytest
from pydantic import JsonValue

from operations.plan_guard.report import COMMENT_LENGTH, FENCE, FIRST
from operations.terraform.plan import REASONS
from tests.operations.plan_guard.plans.plan_json import judge, make_change, make_plan, make_resource

APP = "azurerm_linux_web_app.web_app"
DATABASE = "azurerm_postgresql_flexible_server.database_server"
SECRET = "correct-horse-battery"  # noqa: S105


def test_a_replacement_names_what_forces_it() -> None:
    replaced = make_resource(
        DATABASE,
        ["delete", "create"],
        {"id": "/subscriptions/1", "geo_redundant_backup_enabled": True, "sku_name": "a"},
        {"geo_redundant_backup_enabled": False, "sku_name": "b"},
        after_unknown={"id": True},
        replace_paths=[["geo_redundant_backup_enabled"]],
        action_reason="replace_because_cannot_update",
    )
    text = judge(make_plan(replaced)).format_text()
    assert "because an attribute cannot be changed in place: geo_redundant_backup_enabled\n" in text
    forcing = [line.strip() for line in text.splitlines() if line.endswith("(forces the replacement)")]
    assert forcing == ["~ geo_redundant_backup_enabled: true -> false  (forces the replacement)"]
    assert "Azure sets anew: id\n" in text
    assert '\n  ~ sku_name: "a" -> "b"\n' in text


def test_a_key_of_a_sensitive_map_is_not_named_as_the_cause() -> None:
    replaced = make_resource(
        APP,
        ["delete", "create"],
        {"map": {SECRET: 1}},
        {"map": {}},
        before_sensitive={"map": True},
        replace_paths=[["map", SECRET], ["block", 0, "name"]],
    )
    text = judge(make_plan(replaced)).format_text()
    assert "map, block[0].name" in text
    assert SECRET not in text


@pytest.mark.parametrize("reason", [*REASONS, "replace_because_of_a_reason_of_tomorrow"])
def test_every_reason_is_given_in_words(reason: str) -> None:
    destroyed = make_resource("azurerm_subnet.it", ["delete"], action_reason=reason)
    text = judge(make_plan(destroyed)).format_text()
    assert REASONS.get(reason, reason) in text


def test_moves_outputs_and_drift_are_named() -> None:
    text = judge(
        make_plan(
            make_resource(APP, ["no-op"], previous_address="azurerm_linux_web_app.before"),
            output_changes={
                "token": make_change(["update"], SECRET, "x", before_sensitive=True, after_sensitive=True),
                "same": make_change(["no-op"], "x", "x"),
            },
            resource_drift=[
                make_resource("azurerm_management_lock.by_hand", ["delete"]),
                make_resource("azurerm_subnet.resized", ["update"]),
            ],
        )
    ).format_text()
    assert "azurerm_linux_web_app.before -> azurerm_linux_web_app.web_app" in text
    assert "change: token" in text
    assert "same" not in text
    deleted = text.split("\nDELETED OUTSIDE OF TERRAFORM")[1]
    assert "azurerm_management_lock.by_hand" in deleted
    assert "azurerm_subnet.resized" not in deleted
    assert SECRET not in text


def test_a_large_plan_begins_with_its_counts_and_stays_readable() -> None:
    records = [make_resource(f"azurerm_dns_txt_record.record_{number}", ["create"]) for number in range(300)]
    subnets = [make_resource(f"azurerm_subnet.subnet_{number}", ["create"]) for number in range(200)]
    text = judge(make_plan(*records, *subnets, make_resource("azurerm_subnet.gone", ["delete"]))).format_text()
    assert text.startswith("Plan of dev: 1 to destroy, 500 to create.\n")
    assert "  300 azurerm_dns_txt_record: record_0, record_1, " in text
    assert text.index("azurerm_subnet.gone") < text.index("CREATE")
    assert len(text.splitlines()) < 200
    assert all(len(line) <= 120 for line in text.splitlines())


def change_tag(address: str, **others: JsonValue) -> dict[str, JsonValue]:
    """Return a resource whose tag `owner` changes, and with it what `others` says."""
    old: dict[str, JsonValue] = {"tags": {"environment": "dev"}, **dict.fromkeys(others)}
    return make_resource(address, ["update"], old, {"tags": {"environment": "dev", "owner": "b"}, **others})


def test_the_same_change_of_many_resources_is_one_entry_after_what_is_their_own() -> None:
    zones = [change_tag(f"azurerm_dns_zone.zone-{number}") for number in range(60)]
    other = change_tag("azurerm_service_plan.plan", worker_count=3)
    lines = judge(make_plan(*zones, other)).format_text().splitlines()
    assert lines[1:] == [
        "",
        "CHANGE azurerm_service_plan.plan",
        "  ~ worker_count: null -> 3",
        "  and, as in other resources: tags.owner",
        "",
        "CHANGE 61 resources in the same way",
        "  60 azurerm_dns_zone, azurerm_service_plan.plan",
        '  ~ tags.owner: null -> "b"',
    ]


def test_few_resources_with_the_same_change_are_named() -> None:
    zones = [change_tag(f"azurerm_dns_zone.zone-{number}") for number in range(3)]
    text = judge(make_plan(*zones)).format_text()
    assert "  azurerm_dns_zone.zone-0\n  azurerm_dns_zone.zone-1\n  azurerm_dns_zone.zone-2\n  ~ tags.owner" in text


def test_changes_that_differ_only_where_they_are_cut_are_not_the_same() -> None:
    texts = [f"{'word ' * 100}{number} {'word ' * 100}" for number in range(5)]
    resources = [
        make_resource(f"azurerm_dns_zone.zone_{number}", ["update"], {"a": ""}, {"a": text})
        for number, text in enumerate(texts)
    ]
    assert "in the same way" not in judge(make_plan(*resources)).format_text()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_name_is_never_broken_and_a_line_only_if_a_name_is_longer(width: int) -> None:
    names = [f"azurerm_dns_zone.a-name-with-many-hyphens-{number}" for number in range(40)]
    names.append(f"azurerm_dns_zone.{'longer-than-a-line-' * 9}")
    resources = [make_resource(name, ["create"]) for name in names]
    values: list[JsonValue] = [f"value-{number}" for number in range(30)]
    changed = make_resource(APP, ["update"], {"a": [{"b": ["x"]}]}, {"a": [{"b": values}, {"b": ["y"]}]})
    text = judge(make_plan(*resources, changed, make_resource(DATABASE, ["delete"]))).format_text(width)
    wrapped = [line for line in text.splitlines()[1:] if "--allow-loss" not in line]  # that is for copying
    assert all(len(line) <= width or " " not in line.strip() for line in wrapped)
    words = set(text.replace(",", " ").replace("[", " ").replace("]", " ").split())
    assert {name.removeprefix("azurerm_dns_zone.") for name in names} <= words
    assert {f'"{value}"' for value in values} <= words


class TestOutside:
    """What somebody has changed without Terraform is told, and what the provider has only read is one line."""

    SUBNET = "azurerm_subnet.subnet"

    def describe(self, before: JsonValue, after: JsonValue, *arguments: str) -> str:
        resources: JsonValue = [{"address": self.SUBNET, "expressions": {name: {} for name in arguments}}]
        drifted: JsonValue = {
            **make_resource(self.SUBNET, ["update"]),
            "change": make_change(["update"], before, after),
        }
        plan = make_plan(
            make_resource(APP, ["no-op"]),
            resource_drift=[drifted],
            configuration={"root_module": {"resources": resources}},
        )
        return judge(plan).format_text()

    def test_what_the_code_sets(self) -> None:
        text = self.describe({"a": 1}, {"a": 2}, "a")
        assert text.endswith(f"\n\nCHANGED OUTSIDE OF TERRAFORM since the last apply\n  {self.SUBNET}\n    ~ a: 1 -> 2")

    def test_what_the_code_does_not_set(self) -> None:
        text = self.describe({"a": 1, "b": 1}, {"a": 2, "b": 2}, "c")
        assert text.endswith(
            f"\n\nREAD ANEW: not set in the code, and not as after the last apply\n  {self.SUBNET}: a, b"
        )

    UNTOUCHED: Sequence[tuple[JsonValue, JsonValue]] = (
        (None, 0),
        ("", None),
        (None, False),
        (None, []),
        ([{"a": None}], [{}]),
    )

    @pytest.mark.parametrize(("before", "after"), UNTOUCHED)
    def test_what_the_provider_only_writes_otherwise(self, before: JsonValue, after: JsonValue) -> None:
        assert self.describe({"a": before}, {"a": after}, "a") == "Plan of dev: no resource changes."


def test_a_plan_without_changes_says_so() -> None:
    assert judge(make_plan(make_resource(APP, ["no-op"]))).format_text() == "Plan of dev: no resource changes."


def test_a_comment_begins_with_the_refusal_and_no_value_ends_its_code_block() -> None:
    value = f"{FENCE}\n@everyone <img src=x> | `"
    changed = make_resource(APP, ["update"], {"a": "x"}, {"a": value})
    comment = judge(make_plan(make_resource(DATABASE, ["delete"]), changed)).format_markdown()
    lines = comment.splitlines()
    assert lines[0] == "## Plan of dev: 1 to destroy, 1 to change. REFUSED"
    assert comment.index("would be destroyed") < comment.index("CHANGE")
    assert [line for line in lines if line.startswith(FENCE)] == [f"{FENCE}text", FENCE] * 2


def test_a_comment_shows_what_is_dangerous_before_all_changes() -> None:
    vault: dict[str, JsonValue] = {"public_network_access_enabled": False}
    opened = make_resource("azurerm_key_vault.vault", ["update"], vault, {"public_network_access_enabled": True})
    changed = [
        make_resource(f"{APP}_{number}", ["update"], {"a": "x" * 60}, {"a": f"{number}" * 20}) for number in range(2000)
    ]
    comment = judge(make_plan(*changed, opened)).format_markdown()
    headings = [line for line in comment.splitlines() if line.startswith("#")]
    assert headings == ["## Plan of dev: 2001 to change.", f"### {FIRST}", "### ALL CHANGES"]
    assert comment.index("~ public_network_access_enabled: false -> true") < comment.index("### ALL CHANGES")
    assert len(comment) < 65_536


def test_a_refusal_of_thousands_of_losses_fits_into_a_comment() -> None:
    lost = [make_resource(f"azurerm_storage_container.{'c' * 60}{number}", ["delete"]) for number in range(2000)]
    assert len(judge(make_plan(*lost)).format_markdown()) < 65_536


def test_a_long_comment_is_cut_between_lines_and_keeps_the_refusal() -> None:
    changed = [
        make_resource(f"{APP}_{number}", ["update"], {"a": "x" * 60}, {"a": f"{number}" * 20}) for number in range(2000)
    ]
    comment = judge(make_plan(make_resource(DATABASE, ["delete"]), *changed)).format_markdown()
    assert COMMENT_LENGTH - 1000 < len(comment) < 65_536
    assert f"--allow-loss '{DATABASE}'" in comment
    assert comment.endswith(f" more characters: run the guard to read them\n{FENCE}\n")
