"""Environment variables that replace the account's settings."""

import pytest

from environments.shared import ACCOUNT
from tests.environments.changes import ABSENT, check, find_problems


@pytest.mark.parametrize("name", ["domain", "database_admins_object_id", "github_repository", "super_admin_email"])
def test_a_bad_variable_is_refused_like_a_bad_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"AUGEO_{name.upper()}", "?")
    [line] = find_problems({})
    assert line.startswith(f"shared: account.{name} = '?' from AUGEO_{name.upper()}: has the wrong form (")


@pytest.mark.parametrize("value", [" fork.example", "fork.example\n", "\tfork.example "])
def test_a_variable_may_have_white_space_around_it(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_DOMAIN", value)
    assert check({}).shared.account.domain == "fork.example"


@pytest.mark.parametrize("value", [" a@fork.example , b@fork.example,", "a@fork.example,b@fork.example"])
def test_addresses_of_a_variable_may_have_white_space_around_them(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_ALERT_EMAILS", value)
    assert check({}).shared.account.alert_emails == ("a@fork.example", "b@fork.example")


def test_a_variable_that_names_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_ALERT_EMAILS", ",")
    assert find_problems({}) == [
        "shared: account.alert_emails = () from AUGEO_ALERT_EMAILS: must name at least 1 (mail addresses, name@domain)"
    ]


def test_a_bad_address_among_those_of_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_ALERT_EMAILS", "oncall@augeo.example,nobody")
    [line] = find_problems({})
    assert line.startswith("shared: account.alert_emails.1 = 'nobody' from AUGEO_ALERT_EMAILS: has the wrong form")


def test_variables_fill_in_a_forks_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field of the account has a variable, and the variable wins over the value in the file."""
    values = {
        "workload": "fork",
        "name_suffix": "f0rk",
        "subscription_id": "11111111-1111-1111-1111-111111111111",
        "tenant_id": "22222222-2222-2222-2222-222222222222",
        "domain": "fork.example",
        "records": "www CNAME site.example.com.",
        "alert_emails": "one@fork.example,two@fork.example,",
        "super_admin_email": "admin@fork.example",
        "database_admins_name": "fork-admins",
        "database_admins_object_id": "33333333-3333-3333-3333-333333333333",
        "github_repository": "fork/platform",
        "github_owner_id": "12345",
        "github_repository_id": "67890",
        "owner_tag": "fork team",
        "cost_center_tag": "42",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"AUGEO_{name.upper()}", value)
    account = check({}).shared.account
    assert account.model_dump() == {**values, "alert_emails": ("one@fork.example", "two@fork.example")}
    assert set(values) == set(vars(ACCOUNT))
    assert ACCOUNT.domain == "augeo.example", "the account in the file must not change"


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_an_empty_variable_is_an_unset_one(nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GitHub workflow that passes on an unset variable passes on an empty one."""
    monkeypatch.setenv("AUGEO_DOMAIN", nothing)
    assert check({}).shared.account.domain == ACCOUNT.domain


def test_a_variable_that_resembles_no_other_is_refused_with_all_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_LOCATION", "eastus2")
    [line] = find_problems({})
    assert line.startswith("environment variable AUGEO_LOCATION: no such setting; known: AUGEO_ALERT_EMAILS, AUGEO_")


def test_the_variable_of_the_bindings_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_STOCK_BINDINGS", "1")
    check({})


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_DOMIAN", "fork.example")
    assert find_problems({}) == ["environment variable AUGEO_DOMIAN: no such setting; did you mean AUGEO_DOMAIN?"]


def test_a_variable_replaces_a_field_that_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_DOMAIN", "fork.example")
    assert check({"shared": {"account.domain": ABSENT}}).shared.account.domain == "fork.example"
