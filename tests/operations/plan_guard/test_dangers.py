"""What a plan opens, grants, unlocks, or keeps for a shorter time stands first, with all that matters."""

from collections.abc import Mapping, Sequence

import pytest
from pydantic import JsonValue

from constructs_lib.roles import ROLE_IDS
from operations.plan_guard.names import BUILT_IN_ROLES
from operations.plan_guard.report import FIRST
from tests.operations.plan_guard.plans.plan_json import judge, make_change, make_plan, make_resource

Values = Mapping[str, JsonValue]
GROUP, LOCK = "azurerm_network_security_group.group", "azurerm_management_lock.lock"
RULE: Values = {
    "name": "it",
    "direction": "Inbound",
    "access": "Allow",
    "protocol": "*",
    "source_address_prefix": "Internet",
    "source_port_range": "*",
    "destination_address_prefix": "*",
    "destination_port_range": "*",
    "priority": 100,
    "description": "",
}
ANY = "any protocol from Internet to *"
DENY: Values = {**RULE, "access": "Deny", "priority": 4096}
DEFINITIONS = "/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions"
TAGS: Values = {"tags": {"environment": "dev"}}
SECRET = "correct-horse-battery"  # noqa: S105


def list_first(*resources: JsonValue, **parts: JsonValue) -> list[str]:
    """Return the lines below the first heading."""
    text = judge(make_plan(*resources, **parts)).format_text(400)
    if f"\n{FIRST}\n" not in text:
        return []
    assert text.index(FIRST) < 200, "it stands first"
    lines: list[str] = []
    for line in text.split(f"\n{FIRST}\n\n")[1].splitlines():
        if line and not line.startswith("  "):
            break
        lines += [line.strip()] if line else []
    return lines


def change(address: str, before: Values, after: Values, marks: Values | None = None) -> list[str]:
    """Return the lines below the first heading for a resource that is changed in place."""
    resource = make_resource(address, ["update"])
    return list_first(
        {**resource, "change": make_change(["update"], {**TAGS, **before}, {**TAGS, **after}, **(marks or {}))}
    )


def make_rules(*rules: Values) -> Values:
    """Return a security group with these rules."""
    blocks: list[JsonValue] = [dict(rule) for rule in rules]
    return {"security_rule": blocks}


OPENED, GRANTED = "Opened to the network", "Granted"
UNLOCKED, SHORTER = "Unlocked, or protected less", "Kept for a shorter time, or recorded no longer"


CHANGES: Sequence[tuple[str, Values, Values, list[str]]] = [
    ("azurerm_key_vault", {"public_network_access_enabled": False}, {"public_network_access_enabled": True},
     [OPENED, "~ public_network_access_enabled: false -> true"]),
    ("azurerm_managed_redis", {"public_network_access": "Disabled"}, {"public_network_access": "Enabled"},
     [OPENED, '~ public_network_access: "Disabled" -> "Enabled"']),
    ("azurerm_storage_account", {"network_rules": [{"ip_rules": ["10.0.0.1"]}]},
     {"network_rules": [{"ip_rules": ["10.0.0.1", "0.0.0.0/0"]}]},
     [OPENED, '~ network_rules.ip_rules: + "0.0.0.0/0"']),
    ("azurerm_linux_web_app", {"site_config": [{"cors": [{"allowed_origins": ["https://a"]}]}]},
     {"site_config": [{"cors": [{"allowed_origins": ["*"]}]}]},
     [OPENED, '~ site_config.cors.allowed_origins: "https://a" -> "*"']),
    ("azurerm_storage_container", {"container_access_type": "private"}, {"container_access_type": "blob"},
     [OPENED, '~ container_access_type: "private" -> "blob"']),
    ("azurerm_cdn_frontdoor_firewall_policy", {"mode": "Prevention"}, {"mode": "Detection"},
     [OPENED, '~ mode: "Prevention" -> "Detection"']),
    ("azurerm_container_registry", {"admin_enabled": False}, {"admin_enabled": True},
     [GRANTED, "~ admin_enabled: false -> true"]),
    ("azurerm_role_definition", {"permissions": [{"actions": ["a"]}]}, {"permissions": [{"actions": ["a", "*"]}]},
     [GRANTED, '~ permissions.actions: + "*"']),
    ("azurerm_key_vault", {"purge_protection_enabled": True}, {"purge_protection_enabled": False},
     [UNLOCKED, "~ purge_protection_enabled: true -> false"]),
    ("azurerm_storage_container_immutability_policy", {"locked": True}, {"locked": False},
     [UNLOCKED, "~ locked: true -> false"]),
    ("azurerm_management_lock", {"lock_level": "ReadOnly"}, {"lock_level": "CanNotDelete"},
     [UNLOCKED, '~ lock_level: "ReadOnly" -> "CanNotDelete"']),
    ("azurerm_postgresql_flexible_server", {"backup_retention_days": 35}, {"backup_retention_days": 7},
     [SHORTER, "~ backup_retention_days: 35 -> 7"]),
    ("azurerm_storage_account", {"blob_properties": [{"delete_retention_policy": [{"days": 7}]}]},
     {"blob_properties": [{"delete_retention_policy": []}]},
     [SHORTER, "~ blob_properties.delete_retention_policy.days: 7 -> null"]),
    ("azurerm_storage_container_immutability_policy", {"immutability_period_in_days": 2555},
     {"immutability_period_in_days": 1}, [SHORTER, "~ immutability_period_in_days: 2555 -> 1"]),
    ("azurerm_monitor_diagnostic_setting", {"enabled_log": [{"category": "a"}, {"category": "b"}]},
     {"enabled_log": [{"category": "a"}]}, [SHORTER, '~ enabled_log.category: - "b"']),
    ("azurerm_storage_management_policy",
     {"rule": [{"actions": [{"version": [{"delete_after_days_since_creation": -1}]}]}]},
     {"rule": [{"actions": [{"version": [{"delete_after_days_since_creation": 1}]}]}]},
     [SHORTER, "~ rule.actions.version.delete_after_days_since_creation: -1 -> 1"]),
]  # fmt: skip


@pytest.mark.parametrize(("type_", "before", "after", "expected"), CHANGES)
def test_a_dangerous_change_stands_first(type_: str, before: Values, after: Values, expected: list[str]) -> None:
    heading, line = expected
    assert change(f"{type_}.it", before, after) == [heading, f"{type_}.it", line]
    # The way back is not dangerous, except where every change may be.
    back = change(f"{type_}.it", after, before)
    assert back == [] or type_ == "azurerm_management_lock" or "cors" in line


RULES: Sequence[tuple[list[Values], list[Values], list[str]]] = [
    ([DENY], [DENY, {**RULE, "name": "new"}],
     ["+ security_rule[new]: Inbound Allow any protocol from Internet to * all ports, priority 100"]),
    ([RULE], [{**RULE, "destination_port_range": "22"}],
     [(f"~ security_rule[it]: Inbound Allow {ANY} all ports, priority 100 -> "
      f"Inbound Allow {ANY} port 22, priority 100")]),
    ([DENY], [], ["- security_rule[it]: Inbound Deny any protocol from Internet to * all ports, priority 4096"]),
    ([DENY], [{**DENY, "access": "Allow"}],
     [(f"~ security_rule[it]: Inbound Deny {ANY} all ports, priority 4096 -> "
      f"Inbound Allow {ANY} all ports, priority 4096")]),
    ([RULE], [{**RULE, "description": "new"}], []),
    ([{**RULE, "source_port_ranges": None}], [{**RULE, "source_port_ranges": []}], []),
    ([RULE], [], []),
    ([], [DENY], []),
]  # fmt: skip


@pytest.mark.parametrize(("before", "after", "expected"), RULES)
def test_a_security_rule_that_lets_more_through(before: list[Values], after: list[Values], expected: list[str]) -> None:
    lines = change(GROUP, make_rules(*before), make_rules(*after))
    assert lines == ([OPENED, GROUP, *expected] if expected else [])


def test_a_restriction_of_the_app_is_shown_whole() -> None:
    restriction: JsonValue = {"name": "all", "action": "Allow", "ip_address": "0.0.0.0/0", "priority": 1, "headers": []}
    before: Values = {"site_config": [{"ip_restriction": []}]}
    app = "azurerm_linux_web_app.app"
    assert change(app, before, {"site_config": [{"ip_restriction": [restriction]}]}) == [
        OPENED,
        app,
        '+ site_config.ip_restriction[all]: name: "all", action: "Allow", ip_address: "0.0.0.0/0", priority: 1',
    ]


@pytest.mark.parametrize("actions", [["delete"], ["forget"], ["delete", "create"]], ids="-".join)
@pytest.mark.parametrize(
    ("address", "values", "expected"),
    [
        (LOCK, {"lock_level": "CanNotDelete", "scope": "/subscriptions/s/resourceGroups/rg"},
         [UNLOCKED, LOCK, "the lock goes; lock_level: CanNotDelete; scope: the whole resource group rg"]),
        ("azurerm_monitor_diagnostic_setting.it", {"target_resource_id": "/subscriptions/s/providers/A/b"},
         [SHORTER, "azurerm_monitor_diagnostic_setting.it",
          "its logs are no longer recorded; target_resource_id: A/b in the subscription"]),
        ("azurerm_subnet_network_security_group_association.it", {"subnet_id": "x"},
         [OPENED, "azurerm_subnet_network_security_group_association.it",
          "the subnet has no security group any more; subnet_id: x"]),
    ],
)  # fmt: skip
def test_a_protection_that_goes_stands_first(
    address: str, values: Values, expected: Sequence[str], actions: list[str]
) -> None:
    lines = list_first(make_resource(address, actions, values, values))
    assert [lines[0], lines[1], lines[2][2:]] == expected


def test_a_new_resource_may_open_and_grant_but_shortens_nothing() -> None:
    values: Values = {"public_network_access_enabled": True, "backup_retention_days": 7, "high_availability": []}
    server = "azurerm_postgresql_flexible_server.server"
    created = make_resource(server, ["create"], None, values, after_unknown={"geo_redundant_backup_enabled": True})
    assert list_first(created) == [OPENED, server, "+ public_network_access_enabled: true"]


def test_a_value_that_nobody_knows_yet_may_be_dangerous() -> None:
    address = "azurerm_key_vault.vault"
    closed: Values = {"public_network_access_enabled": False}
    lines = change(address, closed, {}, {"after_unknown": {"public_network_access_enabled": True}})
    assert lines == [OPENED, address, "~ public_network_access_enabled: false -> (known after apply)"]


def test_the_same_danger_in_many_resources_is_one_entry() -> None:
    closed, opened = ({"public_network_access_enabled": value} for value in (False, True))
    vaults = [make_resource(f"azurerm_key_vault.vault_{number}", ["update"], closed, opened) for number in range(9)]
    assert list_first(*vaults) == [OPENED, "9 azurerm_key_vault", "~ public_network_access_enabled: false -> true"]


class TestGrants:
    """A role assignment names the role, the principal and the scope, by the names that the plan knows."""

    ADDRESS = "azurerm_role_assignment.it"
    GUID = "c2bb4711-2d28-4af4-af54-91d91486d3e8"

    def grant(self, values: Values, *others: JsonValue, unknown: JsonValue = None, **parts: JsonValue) -> str:
        created = make_resource(self.ADDRESS, ["create"], None, values, after_unknown=unknown or {})
        heading, address, line = list_first(created, *others, **parts)
        assert (heading, address) == (GRANTED, self.ADDRESS)
        return line

    @pytest.mark.parametrize(
        ("values", "line"),
        [
            ({"role_definition_name": "Reader", "principal_id": GUID, "scope": "/subscriptions/s"},
             f"+ Reader to {GUID} on the whole subscription s"),
            ({"role_definition_id": f"{DEFINITIONS}/8E3AF657-a8ff-443c-a75c-2fe8c4bcb635", "principal_id": GUID,
              "scope": "/subscriptions/s/resourceGroups/g"},
             f"+ Owner to {GUID} on the whole resource group g"),
            ({"role_definition_id": f"/providers/Microsoft.Authorization/roleDefinitions/{GUID}", "principal_id": "p",
              "scope": "/subscriptions/s/resourceGroups/g/providers/Microsoft.KeyVault/vaults/v"},
             f"+ the role {GUID} to p on Microsoft.KeyVault/vaults/v in g"),
            ({"role_definition_name": "Reader", "principal_id": "p", "scope": "s", "condition": "@Resource[x]"},
             '+ Reader to p on s, only if "@Resource[x]"'),
        ],
    )  # fmt: skip
    def test_ids_in_words(self, values: Values, line: str) -> None:
        assert self.grant(values) == line

    def test_ids_that_the_state_and_the_plan_know(self) -> None:
        role_id = f"{DEFINITIONS}/{self.GUID}"
        own_role: JsonValue = {"role_definition_resource_id": role_id, "name": "Own role", "id": f"{role_id}|/"}
        resources: JsonValue = [
            {"address": "data.azurerm_user_assigned_identity.api", "values": {"principal_id": "P", "id": "/i"}},
            {"address": "azurerm_key_vault.vault", "values": {"id": "/Vault"}},
            {"address": "azurerm_role_definition.own", "values": own_role},
        ]
        line = self.grant(
            {"role_definition_id": role_id, "principal_id": "p", "scope": "/vault"},
            prior_state={"values": {"root_module": {"resources": resources}}},
        )
        assert line == "+ Own role to data.azurerm_user_assigned_identity.api on azurerm_key_vault.vault"

    def test_an_identity_of_the_app_itself(self) -> None:
        app = make_resource("azurerm_linux_web_app.app", ["no-op"], {}, {"identity": [{"principal_id": "p"}]})
        line = self.grant({"role_definition_name": "Reader", "principal_id": "p", "scope": "s"}, app)
        assert line == "+ Reader to azurerm_linux_web_app.app on s"

    def test_what_is_not_known_yet_is_named_by_the_code(self) -> None:
        references = {
            "principal_id": ["azurerm_user_assigned_identity.new.principal_id", "azurerm_user_assigned_identity.new"],
            "scope": ["azurerm_key_vault.new.id", "azurerm_key_vault.new"],
        }
        expressions: dict[str, JsonValue] = {name: {"references": [*found]} for name, found in references.items()}
        resources: JsonValue = [{"address": self.ADDRESS, "expressions": expressions}]
        line = self.grant(
            {"role_definition_name": "Reader"},
            unknown={"principal_id": True, "scope": True},
            configuration={"root_module": {"resources": resources}},
        )
        assert line == "+ Reader to azurerm_user_assigned_identity.new on azurerm_key_vault.new"

    def test_a_federated_credential_says_who_may_log_in(self) -> None:
        address = "azurerm_federated_identity_credential.it"
        subject, issuer = "repo:somebody/else:environment:production", "https://token.actions.githubusercontent.com"
        values: Values = {"subject": subject, "issuer": issuer, "user_assigned_identity_id": "/id"}
        identity = make_resource("azurerm_user_assigned_identity.apply", ["no-op"], {"id": "/id"}, {"id": "/id"})
        assert list_first(make_resource(address, ["create"], None, values), identity) == [
            GRANTED,
            address,
            f"+ subject: {subject}; issuer: {issuer}; user_assigned_identity_id: azurerm_user_assigned_identity.apply",
        ]


CLOSED: Values = {"public_network_access_enabled": False}
OPEN: Values = {"public_network_access_enabled": True}


class TestOutside:
    """What somebody has done without Terraform stands there too, with what this plan does about it."""

    VAULT = "azurerm_key_vault.vault"

    def test_what_the_plan_leaves(self) -> None:
        drift: JsonValue = [make_resource(self.VAULT, ["update"], CLOSED, OPEN)]
        assert list_first(make_resource(self.VAULT, ["no-op"], OPEN, OPEN), resource_drift=drift) == [
            OPENED,
            self.VAULT,
            "(outside of Terraform; this plan leaves it so)",
            "~ public_network_access_enabled: false -> true",
        ]

    def test_a_lock_that_somebody_has_deleted(self) -> None:
        drift: JsonValue = [make_resource(LOCK, ["delete"], {"lock_level": "CanNotDelete"})]
        created = make_resource(LOCK, ["create"], None, {"lock_level": "CanNotDelete"})
        assert list_first(created, resource_drift=drift) == [
            UNLOCKED,
            LOCK,
            "(outside of Terraform; this plan changes the resource too)",
            "- the lock goes; lock_level: CanNotDelete",
        ]


class TestSecrets:
    """Nothing sensitive is shown, but that it changes is."""

    @pytest.mark.parametrize("marked", [True, [True], [{"name": True, "source_address_prefix": True}]])
    def test_a_hidden_rule(self, marked: JsonValue) -> None:
        old, new = (make_rules({**RULE, "name": SECRET, "source_address_prefix": prefix}) for prefix in "ab")
        lines = change(GROUP, old, new, {"before_sensitive": {"security_rule": marked}})
        assert lines[:2] == [OPENED, GROUP]
        assert "(sensitive)" in lines[2]
        assert SECRET not in "".join(lines)

    def test_a_hidden_role_and_copies_of_it(self) -> None:
        values: Values = {"role_definition_name": SECRET, "principal_id": SECRET, "scope": f"/subscriptions/{SECRET}"}
        created = make_resource("azurerm_role_assignment.it", ["create"], None, values, after_sensitive={"scope": True})
        source = make_resource(
            "azurerm_subnet.it", ["no-op"], {"a": SECRET}, {"a": SECRET}, before_sensitive={"a": True}
        )
        lines = list_first(created, source)
        assert lines[2] == "+ (sensitive) to (sensitive) on (sensitive)"


def test_a_hidden_name_that_only_the_state_has() -> None:
    role: JsonValue = {"role_definition_resource_id": "/r", "name": SECRET}
    state: JsonValue = {"root_module": {"resources": [{"address": "azurerm_role_definition.it", "values": role}]}}
    source = make_resource("azurerm_role_definition.it", ["no-op"], {"name": SECRET}, {"name": SECRET})
    change = make_change(["no-op"], {"name": SECRET}, {"name": SECRET}, before_sensitive={"name": True})
    values: Values = {"role_definition_id": "/r", "principal_id": "p", "scope": "s"}
    created = make_resource("azurerm_role_assignment.it", ["create"], None, values)
    lines = list_first(created, {**source, "change": change}, prior_state={"values": state})
    assert lines[2] == "+ (sensitive) to p on s"


def test_every_role_that_the_platform_grants_has_its_name() -> None:
    assert {guid: role for role, guid in ROLE_IDS.items()}.items() <= BUILT_IN_ROLES.items()
