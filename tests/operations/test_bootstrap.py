"""scripts/bootstrap-state.sh with the real Terraform, run as a person runs it.

Three things are replaced: the shared stack by one with `terraform_data` resources, the azurerm backend by a local one
in the folder `azure`, and `az` by a script that gives the answers of the real one.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.operations.account import FILLED_IN
from tests.operations.state_file import StateFile

ROOT = Path(__file__).parents[2]
TERRAFORM = shutil.which(os.environ.get("TERRAFORM_BINARY_NAME", "terraform"))
pytestmark = pytest.mark.skipif(TERRAFORM is None, reason="needs Terraform or OpenTofu on PATH")
RESOURCES = 3

# The account exists as soon as there is a state, whether it is local or in the folder `azure`.
AZ = """#!/bin/sh
echo "$*" >> az.log
case "$*" in
  "account get-access-token"*) echo "$AUGEO_TENANT_ID"; exit ${AZ_LOGIN:-0} ;;
  "storage account list"*)
    if [ -s azure/terraform.tfstate ] || [ -s bootstrap.tfstate ] || [ -e azure/account ]; then echo /the/account; fi ;;
  "ad signed-in-user"*) echo my-object-id ;;
esac
"""
# Runs the real Terraform, with the fault that the first line of the file `faults` describes: a word of the command that
# the fault is for, and what happens. "before" and "after" let the command fail before or after it has run, "kill" ends
# the whole script after it has run, and "pass" only waits for the command. Each fault happens once.
FLAKY_TERRAFORM = """#!/bin/sh
fault=$(sed -n 1p faults 2>/dev/null)
word=${fault%% *} when=${fault##* }
case " $* " in *" $word "*) hit=yes ;; esac
[ -z "$hit" ] || [ "$when" != pass ] || { sed -i 1d faults; fault=; }
fail() { sed -i 1d faults; echo "the fault of the test: $fault" >&2; [ "$when" != kill ] || kill -9 0; exit 1; }
[ -z "$fault" ] || [ -z "$hit" ] || [ "$when" != before ] || fail
"$REAL_TERRAFORM" "$@" || exit
[ -z "$fault" ] || [ -z "$hit" ] || fail
"""


class BootstrapCheckout:
    """A checkout with a shared stack that needs no Azure, in which the script can be run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.azure = folder / "azure" / "terraform.tfstate"
        self.local = folder / "bootstrap.tfstate"
        self.stack = folder / "cdktf.out" / "stacks" / "shared"
        for name in ("azure", "bin", ".venv/bin"):
            (folder / name).mkdir(parents=True)
        for package in ("environments", "operations", "scripts", "tools"):
            shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
        python = folder / ".venv/bin/python"
        python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        python.chmod(0o755)
        (folder / "stack.json").write_text(
            json.dumps(
                {
                    "terraform": {"backend": {"local": {"path": str(self.azure)}}},
                    "resource": {
                        "terraform_data": {f"resource_{number}": {"input": number} for number in range(RESOURCES)}
                    },
                }
            )
        )
        (folder / "Makefile").write_text(
            "synth:\n\t@mkdir -p cdktf.out/stacks/shared\n\t@cp stack.json cdktf.out/stacks/shared/cdk.tf.json\n"
        )
        for name, text in (("az", AZ), ("terraform", FLAKY_TERRAFORM)):
            (folder / "bin" / name).write_text(text)
            (folder / "bin" / name).chmod(0o755)

    def bootstrap(self, *faults: str, answer: str = "yes", **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the script. Each fault is a word of a Terraform command, and `before`, `after`, `kill` or `pass`."""
        (self.folder / "faults").write_text("".join(f"{fault}\n" for fault in faults))
        environment = {
            **os.environ,
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "REAL_TERRAFORM": str(TERRAFORM),
            "TERRAFORM_BINARY_NAME": "terraform",
            **FILLED_IN,
            "AUGEO_WORKLOAD": "augeo",
            "BOOTSTRAP_PAUSE_SECONDS": "0",
            "CHECKPOINT_DISABLE": "1",
            **variables,
        }
        return subprocess.run(
            [self.folder / "scripts/bootstrap-state.sh"],
            env=environment,
            input=f"{answer}\n",
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            start_new_session=True,  # the group that `kill -9 0` ends
        )

    def read_ids(self, state_file: Path) -> dict[str, str]:
        """Return the ID of every resource in a state file, by the name of the resource."""
        state: StateFile = json.loads(state_file.read_text())
        return {resource["name"]: resource["instances"][0]["attributes"]["id"] for resource in state["resources"]}

    def assert_finished(self) -> None:
        assert len(self.read_ids(self.azure)) == RESOURCES
        assert not list(self.folder.glob("bootstrap.tfstate*"))
        assert not list(self.stack.glob("*_override.tf.json"))


@pytest.fixture(name="checkout")
def _checkout(tmp_path: Path) -> BootstrapCheckout:
    return BootstrapCheckout(tmp_path / "a checkout")


def test_the_state_arrives_in_azure_and_a_second_run_changes_nothing(checkout: BootstrapCheckout) -> None:
    first = checkout.bootstrap()
    assert first.returncode == 0, first.stderr
    assert f"Done: {RESOURCES} resources" in first.stdout
    checkout.assert_finished()
    granted = [line for line in (checkout.folder / "az.log").read_text().splitlines() if "role assignment" in line]
    assert len(granted) == 1
    assert "--scope /the/account" in granted[0]

    state = checkout.azure.read_bytes()
    second = checkout.bootstrap()
    assert second.returncode == 0, second.stderr
    assert second.stdout.endswith("is in staugeostateshareda1b2 already; nothing to do.\n")
    assert checkout.azure.read_bytes() == state
    checkout.assert_finished()


@pytest.mark.parametrize(
    "fault",
    ["init before", "apply before", "apply after", "apply kill", "-migrate-state kill", "pull after", "pull kill"],
)
def test_the_next_run_continues_an_interrupted_one_and_creates_nothing_twice(
    checkout: BootstrapCheckout, fault: str
) -> None:
    interrupted = checkout.bootstrap(fault)
    assert interrupted.returncode != 0
    states = [state for state in (checkout.local, checkout.azure) if state.exists() and state.stat().st_size]
    ids = checkout.read_ids(states[-1]) if states else {}

    finished = checkout.bootstrap()
    assert finished.returncode == 0, finished.stderr
    checkout.assert_finished()
    assert not ids or checkout.read_ids(checkout.azure) == ids


def test_a_make_clean_between_two_runs_keeps_the_state(checkout: BootstrapCheckout) -> None:
    checkout.bootstrap("apply after")
    ids = checkout.read_ids(checkout.local)
    shutil.rmtree(checkout.folder / "cdktf.out")
    assert checkout.bootstrap().returncode == 0
    assert checkout.read_ids(checkout.azure) == ids


def test_it_waits_until_the_account_lets_the_user_in(checkout: BootstrapCheckout) -> None:
    waited = checkout.bootstrap("apply pass", "-reconfigure before", "-reconfigure before")
    assert waited.returncode == 0, waited.stderr
    assert waited.stdout.count("does not let you in yet") == 2
    checkout.assert_finished()


def test_a_state_that_could_not_be_read_is_not_overwritten(checkout: BootstrapCheckout) -> None:
    """A run that was killed had moved it. Then a colleague changed it, while this user had no right to read it."""
    checkout.bootstrap("apply kill")
    before = checkout.local.read_bytes()
    assert checkout.bootstrap().returncode == 0
    newer = json.loads(checkout.azure.read_text())
    newer["serial"] += 7
    checkout.azure.write_text(json.dumps(newer))
    checkout.local.write_bytes(before)
    again = checkout.bootstrap("-reconfigure before")
    assert again.returncode == 0, again.stderr
    assert json.loads(checkout.azure.read_text())["serial"] == newer["serial"]
    checkout.assert_finished()


def test_nothing_is_applied_without_a_yes(checkout: BootstrapCheckout) -> None:
    refused = checkout.bootstrap(answer="no")
    assert refused.returncode != 0
    assert not checkout.azure.exists()


def test_an_account_without_a_state_is_not_taken_over(checkout: BootstrapCheckout) -> None:
    (checkout.folder / "azure/account").touch()
    refused = checkout.bootstrap()
    assert refused.returncode == 1
    assert "there is no state of it, neither in it nor here" in refused.stderr


def test_an_account_that_cannot_be_read_is_not_taken_over(checkout: BootstrapCheckout) -> None:
    (checkout.folder / "azure/account").touch()
    refused = checkout.bootstrap("init before")
    assert refused.returncode == 1
    assert "You need Storage Blob Data Contributor on it" in refused.stderr


def test_a_person_has_to_decide_between_two_states(checkout: BootstrapCheckout) -> None:
    assert checkout.bootstrap().returncode == 0
    other = json.loads(checkout.azure.read_text()) | {"lineage": "another"}
    checkout.local.write_text(json.dumps(other))
    refused = checkout.bootstrap()
    assert refused.returncode == 1
    assert "Look at both" in refused.stderr
    assert checkout.local.exists()


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"AZ_LOGIN": "1"}, "The Azure CLI gets no token"),
        ({"AZ_LOGIN": "1", "ARM_USE_OIDC": "true"}, "The Azure CLI gets no token"),
        ({"TERRAFORM_BINARY_NAME": "tofu-of-the-test"}, "'tofu-of-the-test' does not run"),
        (
            {"AUGEO_SUBSCRIPTION_ID": "00000000-0000-0000-0000-000000000000"},
            "These are still placeholders: subscription_id.",
        ),
    ],
)
def test_everything_that_is_missing_is_reported_before_anything_is_done(
    checkout: BootstrapCheckout, variables: dict[str, str], message: str
) -> None:
    refused = checkout.bootstrap(**variables)
    assert refused.returncode == 1
    assert message in refused.stderr
    assert not checkout.local.exists()
