"""Checks all settings at once.

The rules within one environment are in settings.py. This module runs them, and has the rules between environments.
"""

from collections.abc import Collection, Iterator, Mapping

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from environments.base import CheckedValues
from environments.naming import ENVIRONMENT_NAMES, SHARED_NAMES
from environments.problem import NO_VALUE, SettingProblem
from environments.pydantic_errors import describe_error
from environments.settings import Account, Environment, Platform, Shared
from environments.variables import apply_variables, find_unknown_variables
from environments.zone_file import read_zone_file

CERTIFICATE_NAME_LENGTH = 64
"""The most characters that a managed certificate's name may have: https://learn.microsoft.com/azure/frontdoor/domain"""


class SettingsError(Exception):
    """The settings are wrong. `problems` has a line for each reason, and `str()` lists them all."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = problems
        count = "1 setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        super().__init__("\n".join([f"{count} wrong; nothing was synthesized.", *(f"  {line}" for line in problems)]))


def validate(shared: Shared, environments: Mapping[str, Environment]) -> Platform:
    """Return the checked platform.

    Raises:
        SettingsError: with every problem of every environment.
    """
    written = Platform(
        shared=apply_variables(shared),
        environments={f"{name}": environment for name, environment in environments.items()},
    )
    platform, errors = written, list[ErrorDetails]()
    try:
        platform = Platform.model_validate(written)
    except ValidationError as error:
        errors = _drop_echoes(error.errors())
    problems = [describe_error(error) for error in errors]
    problems += _find_problems_between_environments(platform, [error["loc"] for error in errors])
    order = {where: position for position, where in enumerate(("shared", *written.environments))}
    problems.sort(key=lambda problem: order[problem.where])
    problems = [*find_unknown_variables(), *problems]
    if problems:
        raise SettingsError([str(problem) for problem in problems])
    return platform


def _drop_echoes(errors: list[ErrorDetails]) -> list[ErrorDetails]:
    """Drop errors that follow from another one: pydantic also calls a list too short if an item in it is wrong."""
    owners = {error["loc"][:-1] for error in errors}
    return [error for error in errors if error["type"] != "too_short" or error["loc"] not in owners]


def _find_problems_between_environments(
    platform: Platform, wrong: Collection[tuple[str | int, ...]]
) -> Iterator[SettingProblem]:
    """Yield contradictions between environments. Settings that are wrong by themselves are left out."""
    shared = CheckedValues(Shared, platform.shared, {path[1:] for path in wrong if path[0] == "shared"})
    environments = {
        name: CheckedValues(
            Environment, environment, {path[2:] for path in wrong if path[:2] == ("environments", name)}
        )
        for name, environment in platform.environments.items()
    }
    yield from _find_other_names(environments)
    yield from _find_duplicates(environments)
    if records := shared.get("account.records", str):
        yield from _find_delegated_records(environments, records)
    if domain := shared.get("account.domain", str):
        yield from _find_long_hosts(environments, domain)
    yield from _find_refused_names(platform, shared, environments)


def _find_other_names(environments: Mapping[str, CheckedValues]) -> Iterator[SettingProblem]:
    """Yield the environments whose name is not the one under which they are listed."""
    for key, values in environments.items():
        if (name := values.get("name", str)) and name != key:
            yield SettingProblem(key, "name", name, f"must be {key!r}, as ENVIRONMENTS calls it")


def _find_duplicates(environments: Mapping[str, CheckedValues]) -> Iterator[SettingProblem]:
    """Yield the settings that must differ between environments and do not."""
    owners: dict[tuple[str, str], str] = {}
    for name, values in environments.items():
        for path in ("short_name", "domain.label", "database.server_name"):
            if (value := values.get(path, str)) and (owner := owners.setdefault((path, value), name)) != name:
                right = f"is {owner}'s already; each environment needs its own"
                yield SettingProblem(name, path, value, right)


def _find_delegated_records(environments: Mapping[str, CheckedValues], records: str) -> Iterator[SettingProblem]:
    """Yield records of the parent zone that nobody would find, because an environment's zone answers for the name."""
    labels = {label: name for name, values in environments.items() if (label := values.get("domain.label", str))}
    for record in read_zone_file(records, "zone.example"):
        if owner := labels.get(record.name.rpartition(".")[2]):
            right = f"has a record for '{record.name}', for which {owner}'s zone answers: "
            right += f"set it in {owner}'s domain.records"
            yield SettingProblem("shared", "account.records", records, right)


def _find_long_hosts(environments: Mapping[str, CheckedValues], domain: str) -> Iterator[SettingProblem]:
    """Yield the environments whose longest host name does not fit into a managed certificate."""
    for name, values in environments.items():
        label = values.get("domain.label", str)
        if not label:
            continue
        host = f"admin.{label}.{domain}"
        if (excess := len(host) - CERTIFICATE_NAME_LENGTH) > 0:
            sentence = (
                f"the host '{host}' has {len(host)} characters, certificates take {CERTIFICATE_NAME_LENGTH}: "
                f"shorten domain.label or account.domain by {excess}"
            )
            yield SettingProblem(name, "", NO_VALUE, sentence)


def _find_refused_names(
    platform: Platform, shared: CheckedValues, environments: Mapping[str, CheckedValues]
) -> Iterator[SettingProblem]:
    """Yield composed names that Azure would refuse, and each server name that another environment's server gets."""
    if not shared.get("account", Account) or not all(
        shared.get(path, str) for path in ("account.workload", "account.name_suffix", "location")
    ):
        return
    parts = "account.workload or account.name_suffix"
    for sentence in platform.shared.names.find_problems(SHARED_NAMES, parts):
        yield SettingProblem("shared", "", NO_VALUE, sentence)
    names_by_environment = {
        name: platform.make_names(platform.environments[name])
        for name, values in environments.items()
        if values.get("short_name", str) and values.get("location", str)
    }
    for name, names in names_by_environment.items():
        for sentence in names.find_problems(ENVIRONMENT_NAMES, f"short_name, {parts}"):
            yield SettingProblem(name, "", NO_VALUE, sentence)
    servers = {names.compose("postgresql"): name for name, names in names_by_environment.items()}
    for name, values in environments.items():
        server = values.get("database.server_name", str)
        if server and (owner := servers.get(server, name)) != name:
            right = f"is the name that {owner}'s server is given"
            yield SettingProblem(name, "database.server_name", server, right)
