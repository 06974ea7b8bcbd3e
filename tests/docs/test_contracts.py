"""docs/contracts/ against what is synthesized and configured."""

from collections.abc import Iterable, Iterator

import pytest

from constructs_lib.app_settings import read_app_settings
from constructs_lib.roles import ROLE_IDS
from tests.contract import CONTRACT
from tests.docs.pages import DOCS, assert_written
from tests.support import SynthesizedResource, TerraformJson, platform, resources, synthesized

CONTRACTS = DOCS / "contracts"


def table(header: str, rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table; `header` has a bar between columns."""
    columns = header.count("|") + 1
    lines = [f"| {header} |", "|---" * columns + "|", *(f"| {' | '.join(row)} |" for row in rows)]
    return "\n" + "\n".join(lines) + "\n\n"


def test_every_setting_of_the_application(pytestconfig: pytest.Config) -> None:
    def value(literal: str | None, secret: str | None, source: str | None, slot: str | None) -> str:
        own = f"; the slot's own is `{slot}`" if slot else ""
        return f"secret `{secret}`" if secret else f"by the stack: {source}" if source else f"`{literal}`{own}"

    rows = (
        (f"`{each.name}`", value(each.value, each.secret, each.source, each.slot_value), each.purpose)
        for each in read_app_settings()
    )
    assert_written(CONTRACTS / "application.md", "the settings", table("name | value | purpose", rows), pytestconfig)


def test_the_application_gets_all_that_it_asks_for() -> None:
    assert {setting.name for setting in read_app_settings()} >= CONTRACT


@pytest.mark.parametrize(("part", "stack"), [("the shared stack's", "shared"), ("an environment's", "production")])
def test_every_output(part: str, stack: str, pytestconfig: pytest.Config) -> None:
    outputs: dict[str, TerraformJson] = synthesized()[stack]["output"]
    rows = ((f"`{name}`", str(output["description"])) for name, output in sorted(outputs.items()))
    assert_written(CONTRACTS / "outputs.md", part, table("output | what it is", rows), pytestconfig)


def test_every_environment_has_the_same_outputs() -> None:
    assert len({tuple(sorted(synthesized()[name]["output"])) for name in platform().environments}) == 1


def test_no_output_is_secret() -> None:
    values = [str(output["value"]) for stack in synthesized().values() for output in stack["output"].values()]
    assert values
    secret = ("password", "_key}", "connection_string", "callback", "shared_key", "api_key")
    assert [value for value in values if any(word in value for word in secret)] == []


def of_ci(type_: str) -> Iterator[SynthesizedResource]:
    """The shared stack's resources of this type that belong to a CI identity, by name."""
    found = (each for each in resources() if each.stack == "shared" and each.type == type_)
    return iter(sorted(found, key=lambda each: each.name))


def referred(body: TerraformJson, argument: str) -> str:
    """The address of the resource that an argument refers to, or its text."""
    return str(body[argument]).removeprefix("${").split(".")[1] if "${" in str(body[argument]) else str(body[argument])


def test_who_may_be_an_identity(pytestconfig: pytest.Config) -> None:
    names = {each.name: each.body["name"] for each in of_ci("azurerm_user_assigned_identity")}
    rows = (
        (f"`{names[referred(each.body, 'user_assigned_identity_id')]}`", f"`{each.body['subject']}`")
        for each in of_ci("azurerm_federated_identity_credential")
    )
    assert_written(
        CONTRACTS / "ci-identity.md", "the trust", table("identity | subject of the token", rows), pytestconfig
    )


def test_what_an_identity_may_do(pytestconfig: pytest.Config) -> None:
    names = {each.name: str(each.body["name"]) for each in of_ci("azurerm_user_assigned_identity")}
    built_in = {guid: role for role, guid in ROLE_IDS.items()}
    custom = {each.name: str(each.body["name"]).split()[-1] for each in of_ci("azurerm_role_definition")}

    def role(body: TerraformJson) -> str:
        definition = str(body["role_definition_id"])
        guid = definition.rsplit("/", maxsplit=1)[-1]
        return built_in[guid] if guid in built_in else f"custom: {custom[referred(body, 'role_definition_id')]}"

    rows = sorted(
        (f"`{names[referred(each.body, 'principal_id')]}`", role(each.body), str(each.body["description"]))
        for each in of_ci("azurerm_role_assignment")
        # The others differ by their environment's name alone.
        if any(part in names[referred(each.body, "principal_id")] for part in ("-prod-", "-shared-"))
    )
    assert_written(CONTRACTS / "ci-identity.md", "the rights", table("identity | role | why", rows), pytestconfig)
