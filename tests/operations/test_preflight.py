"""operations/preflight.py reports everything that is missing at once, and nothing if nothing is missing."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dns.resolver import NoResolverConfiguration

from environments import load
from environments.settings import Account
from operations import delegation, preflight
from operations.delegation import find_delegation_problems
from tests.operations.account import FILLED_IN, SUBSCRIPTION, TENANT

PLACEHOLDER_ID = "00000000-0000-0000-0000-000000000000"
# Writes down its arguments, and runs the rest of the script. The default prints a tenant, as
# `az account get-access-token --query tenant` does.
AZ = """#!/bin/sh
echo "$*" >>"$(dirname "$0")/az.log"
{}
"""


class Machine:
    """A machine with programs that the tests choose, and the settings of somebody's account."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.monkeypatch = monkeypatch
        self.install_az(f"echo {TENANT}")
        self.install_terraform('{"terraform_version": "1.11.0"}')
        monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
        monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu-of-the-test")
        for name in preflight.OTHER_LOGINS:
            monkeypatch.delenv(name, raising=False)
        self.set_variables(**FILLED_IN)
        self.set_remotes()
        self._write_program("gh", "#!/bin/sh\nexit 4\n")

    def set_variables(self, **variables: str) -> None:
        for name, value in variables.items():
            self.monkeypatch.setenv(name, value)

    def install_az(self, script: str) -> None:
        self._write_program("az", AZ.format(script))

    def install_terraform(self, answer: str) -> None:
        self._write_program("tofu-of-the-test", f"#!/bin/sh\necho '{answer}'\n")

    def set_remotes(self, *urls: str) -> None:
        lines = "".join(f"remote{at}\t{url} (fetch)\\n" for at, url in enumerate(urls))
        self._write_program("git", f"#!/bin/sh\nprintf '{lines}'\n")

    def install_gh(self, script: str) -> None:
        self._write_program("gh", f"#!/bin/sh\n{script}\n")

    def set_github(self, **answer: object) -> None:
        """Let GitHub's CLI answer for the repository, as created long ago unless `answer` says otherwise."""
        known = {
            "id": 20,
            "full_name": "auctions/infrastructure",
            "owner": {"id": 10},
            "created_at": "2024-01-01T00:00:00Z",
        }
        self._write_program("gh", f"#!/bin/sh\necho '{json.dumps(known | answer)}'\n")

    def read_az_calls(self) -> list[str]:
        log = self.folder / "az.log"
        return log.read_text().splitlines() if log.exists() else []

    def _write_program(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text)
        (self.folder / name).chmod(0o755)


@pytest.fixture(name="machine")
def _machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def test_if_nothing_is_missing_nothing_is_reported(machine: Machine) -> None:
    assert preflight.find_missing() == []
    assert machine.read_az_calls() == [
        f"account get-access-token --subscription {SUBSCRIPTION} --query tenant --output tsv"
    ]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ("", "is needed, and 'tofu-of-the-test' does not run. Install one;"),
        ('{"terraform_version": "1.10.5"}', "1.11 or newer is needed; 'tofu-of-the-test' is 1.10.5."),
    ],
)
def test_terraform_has_to_be_recent(machine: Machine, answer: str, message: str) -> None:
    machine.install_terraform(answer)
    assert [message in sentence for sentence in preflight.find_missing()] == [True]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "echo \"ERROR: Please run 'az login' to setup account.\" >&2; exit 1",
            f"no token for {SUBSCRIPTION}: Please run 'az login' to setup account. (az login --tenant {TENANT})",
        ),
        (
            "printf 'ERROR: AADSTS700082: The refresh token has expired.\\nTrace ID: 1\\n' >&2; exit 1",
            "AADSTS700082: The refresh token has expired. (az login",
        ),
        (
            "printf 'WARNING: A new release is there.\\nERROR: No subscription found.\\n' >&2; exit 1",
            f"no token for {SUBSCRIPTION}: No subscription found. (az login",
        ),
        ("exit 1", f"no token for {SUBSCRIPTION}: it ended with 1. (az login"),
        (
            "echo 44444444-4444-4444-4444-444444444444",
            f"The subscription {SUBSCRIPTION} is of the tenant 44444444-4444-4444-4444-444444444444, not of {TENANT}.",
        ),
    ],
)
def test_the_login_has_to_reach_the_subscription(machine: Machine, script: str, message: str) -> None:
    machine.install_az(script)
    assert [message in sentence for sentence in preflight.find_missing()] == [True]


def test_a_missing_azure_cli_is_reported(machine: Machine) -> None:
    (machine.folder / "az").unlink()
    machine.set_variables(PATH=str(machine.folder))
    assert preflight.find_missing() == [
        "The Azure CLI is needed: https://learn.microsoft.com/cli/azure/install-azure-cli"
    ]


@pytest.mark.parametrize("variable", preflight.OTHER_LOGINS)
def test_another_login_needs_no_azure_cli(machine: Machine, variable: str) -> None:
    machine.set_variables(**{variable: "true"})
    assert preflight.find_missing() == []
    assert machine.read_az_calls() == []
    assert preflight.find_missing(needs_azure_cli=True) == []
    assert len(machine.read_az_calls()) == 1
    machine.set_variables(**{variable: "false"})
    assert preflight.find_missing() == []
    assert len(machine.read_az_calls()) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subscription_id", PLACEHOLDER_ID),
        ("tenant_id", PLACEHOLDER_ID),
        ("domain", "augeo.example"),
        ("alert_emails", "me@augeo.org,oncall@augeo.example"),
        ("super_admin_email", "admin@augeo.example"),
        ("database_admins_object_id", PLACEHOLDER_ID),
        ("database_admins_name", "augeo-database-admins"),
        ("github_repository", "augeo/platform"),
        ("name_suffix", "x7k2"),
    ],
)
def test_a_placeholder_is_reported(machine: Machine, field: str, value: str) -> None:
    assert field in Account.model_fields
    machine.set_variables(**{f"AUGEO_{field.upper()}": value})
    assert f"These are still placeholders: {field}. Fill them in in environments/shared.py." in preflight.find_missing()


@pytest.mark.parametrize(
    ("remotes", "reason"),
    [
        ((), ""),
        (("https://github.com/auctions/infrastructure.git",), ""),
        (("git@github.com:auctions/infrastructure",), ""),
        (("ssh://git@github.com/auctions/infrastructure/",), ""),
        (("work:auctions/infrastructure.git",), ""),
        (("git@gitlab.com:mirror/infrastructure.git", "git@github.com:auctions/infrastructure.git"), ""),
        (("https://github.com/somebody/infrastructure",), "comes from somebody/infrastructure, but"),
        (("git@github.com:auctions/platform.git",), "comes from auctions/platform, but"),
        (("git@gitlab.com:somebody/infrastructure.git",), "comes from gitlab.com/somebody/infrastructure, but"),
        (("git@gitlab.com:auctions/infrastructure.git",), "comes from gitlab.com/auctions/infrastructure, but"),
        (("https://dev.azure.com/auctions/project/_git/infrastructure",), "comes from dev.azure.com/auctions/project/"),
        (("/srv/git/renamed.git",), ""),
        (("../elsewhere/renamed.git",), ""),
        (("ssh://git@ssh.github.com:443/auctions/infrastructure.git",), ""),
        (("work:somebody/infrastructure.git",), "comes from somebody/infrastructure, but"),
        (("https://github.com/Auctions/Infrastructure.git",), "with regard to case"),
    ],
)
def test_a_checkout_of_another_repository_than_the_trusted_one_is_reported(
    machine: Machine, remotes: tuple[str, ...], reason: str
) -> None:
    machine.set_remotes(*remotes)
    missing = preflight.find_missing()
    assert len(missing) == bool(reason)
    assert reason in "".join(missing)


@pytest.mark.parametrize(
    ("answer", "ids", "reason"),
    [
        ({}, ("", ""), ""),
        ({}, ("10", "20"), ""),
        ({}, ("10", "21"), "GitHub's ids are 10 and 20, but github_owner_id and github_repository_id are 10 and 21."),
        (
            {"created_at": "2026-07-15T00:00:00Z"},
            ("", ""),
            "github_owner_id must be 10, and github_repository_id 20.",
        ),
        ({"created_at": "2026-07-14T23:59:59Z"}, ("", ""), ""),
        (
            {"full_name": "auctions/renamed"},
            ("10", "20"),
            "was renamed or transferred: it is auctions/renamed. Subjects must match it.",
        ),
        ({"full_name": "auctions/renamed"}, ("", ""), "github_owner_id must be 10, and github_repository_id 20."),
        ({"full_name": "Auctions/infrastructure"}, ("", ""), "is written otherwise: it is Auctions/infrastructure."),
        ({"use_immutable_subject": True}, ("", ""), "github_owner_id must be 10, and github_repository_id 20."),
        ({"use_immutable_subject": True}, ("10", "20"), ""),
        ({"use_immutable_subject": False}, ("10", "20"), "carry no ids: remove github_owner_id"),
        ({"use_immutable_subject": False, "created_at": "2026-08-01T00:00:00Z"}, ("", ""), ""),
        (
            {"use_immutable_subject": False, "sub_claim_prefix": "repo:auctions@10/infrastructure@20"},
            ("", ""),
            "github_owner_id must be 10, and github_repository_id 20.",
        ),
        ({"sub_claim_prefix": "repo:auctions/infrastructure"}, ("10", "20"), "carry no ids: remove github_owner_id"),
        ({"use_default": False}, ("", ""), "follow a template of its own, which Azure would not trust."),
    ],
)
def test_subjects_are_those_that_github_emits(
    machine: Machine, answer: dict[str, object], ids: tuple[str, str], reason: str
) -> None:
    machine.set_github(**answer)
    machine.set_variables(AUGEO_GITHUB_OWNER_ID=ids[0], AUGEO_GITHUB_REPOSITORY_ID=ids[1])
    missing = " ".join(preflight.find_missing())
    assert (reason in missing) if reason else missing == ""


NAMES = ["shared-build", "shared-plan"] + [
    f"{name}{job}" for name in ("dev", "staging", "production") for job in ("", "-delivery", "-plan")
]


@pytest.mark.parametrize(
    ("there", "reason"),
    [
        (NAMES, ""),
        (
            [name for name in NAMES if name != "production"],
            "lacks the environments production, which Azure would trust.",
        ),
        ([], "lacks the environments shared-build, shared-plan, dev, "),
    ],
)
def test_trust_is_made_after_the_rules(machine: Machine, there: list[str], reason: str) -> None:
    """Guards against an environment that GitHub makes at its first use, without any rule."""
    ruled = {"protection_rules": [{"type": "branch_policy"}], "deployment_branch_policy": {"protected_branches": True}}
    machine.set_github(environments=[{"name": name} | ruled for name in there])
    problems = preflight.find_missing(makes_trust=True)
    assert len(problems) == bool(reason)
    assert reason in "".join(problems)
    assert preflight.find_missing() == []


def test_an_error_of_github_is_no_empty_list(machine: Machine, capsys: pytest.CaptureFixture[str]) -> None:
    machine.install_gh("""echo '{"message": "Not Found", "status": "404"}'; exit 1""")
    assert preflight.find_missing(makes_trust=True) == []
    assert capsys.readouterr().err.startswith("Not checked: the rules of GitHub's environments")


def test_githubs_spelling_counts_more_than_a_remotes(machine: Machine) -> None:
    machine.set_remotes("https://github.com/Auctions/Infrastructure.git")
    assert "write it as GitHub shows it" in " ".join(preflight.find_missing())
    machine.set_github()
    assert preflight.find_missing() == []


@pytest.mark.parametrize("rules", [[], [{"type": "wait_timer"}]])
def test_an_environment_without_a_rule_is_told(machine: Machine, rules: list[dict[str, str]]) -> None:
    without_rules: list[dict[str, object]] = [{"name": name, "protection_rules": rules} for name in NAMES]
    machine.set_github(environments=without_rules)
    (problem,) = preflight.find_missing(makes_trust=True)
    assert "have no rule, so every branch may log in: shared-build, " in problem


@pytest.mark.parametrize(
    ("delegated", "servers", "reason"),
    [
        (False, [], ""),
        (True, ["ns1-01.azure-dns.com", "ns2-01.azure-dns.net"], ""),
        (
            True,
            ["ns.registrar.example"],
            "does not lead to Azure DNS: its name servers are ns.registrar.example.",
        ),
        (True, [], "does not lead to Azure DNS: it has no name servers that can be found."),
    ],
)
def test_a_domain_has_to_be_delegated_before_a_setting_says_so(
    machine: Machine, delegated: bool, servers: list[str], reason: str
) -> None:
    assert machine
    platform = load()
    dev = platform.environments["dev"]
    environments = {"dev": dev.model_copy(update={"domain": dev.domain.model_copy(update={"delegated": delegated})})}
    problems = list(find_delegation_problems(platform.shared.account, environments, look_up=lambda _: servers))
    assert len(problems) == bool(reason)
    assert reason in "".join(problems)


def test_deploy_reports_everything_at_once_before_anything_is_planned(machine: Machine) -> None:
    """This is a fresh clone on a machine that has none of the programs."""
    unfilled = {name: value for name, value in os.environ.items() if name not in FILLED_IN}
    synthesized = Path("cdktf.out/stacks/dev/cdk.tf.json")
    before = synthesized.stat().st_mtime_ns if synthesized.exists() else None
    refused = subprocess.run(
        [sys.executable, "-m", "operations.deploy", "dev"],
        env=unfilled | {"PATH": "/nowhere", "TERRAFORM_BINARY_NAME": "none"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("deploy: before Azure is reached,\n- Terraform or OpenTofu 1.11")
    named = (
        "name_suffix, subscription_id, tenant_id, domain, alert_emails, super_admin_email, database_admins_name, "
        "database_admins_object_id, github_repository"
    )
    for words in (
        "'none' does not run",
        "The Azure CLI is needed",
        f"These are still placeholders: {named}.",
        "git is not installed",
    ):
        assert words in refused.stderr
    assert before == (synthesized.stat().st_mtime_ns if synthesized.exists() else None)
    assert machine.read_az_calls() == []


def test_bad_settings_are_reported_together_with_what_is_missing(machine: Machine) -> None:
    machine.install_terraform("")
    machine.set_variables(AUGEO_SUBSCRIPTION_ID="mine", AUGEO_DOMAIN="no domain")
    refused = subprocess.run(
        [sys.executable, "-m", "operations.preflight", "cdktf diff"], capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("cdktf diff: before Azure is reached,\n- Terraform or OpenTofu 1.11")
    assert "subscription_id = 'mine'" in refused.stderr
    assert "domain = 'no domain'" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_a_machine_without_a_resolver_finds_no_name_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise NoResolverConfiguration

    monkeypatch.setattr(delegation, "Resolver", fail)
    assert delegation.look_up_name_servers("augeo.example") == []
