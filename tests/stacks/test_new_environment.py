"""A fourth environment needs one new file, and an import and a line in environments/__init__.py, and nothing else."""

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest
from cdktf import App

from main import add_stacks
from tests.environments.project import copy_project, edit, run
from tests.support import TerraformJson

OTHERS = ("dev", "staging", "production")


class Synths(NamedTuple):
    """The folders of the stacks, before and after the new environment."""

    before: Path
    after: Path

    def differ(self, stack: str) -> bool:
        """Return whether any byte of a stack's Terraform JSON has changed."""
        before, after = (folder / stack / "cdk.tf.json" for folder in self)
        return before.read_bytes() != after.read_bytes()


def read_stack(folder: Path, name: str) -> TerraformJson:
    return json.loads((folder / name / "cdk.tf.json").read_text(encoding="utf-8"))


def index_resources(synthesized: TerraformJson) -> dict[str, TerraformJson]:
    """Return the resources of a stack, by address."""
    return {f"{type_}.{name}": body for type_, named in synthesized["resource"].items() for name, body in named.items()}


def find_plan_containers(policy: TerraformJson) -> list[str]:
    """Return the containers of plan files that a storage account's lifecycle rules name."""
    return [
        prefix.partition("/")[0]
        for rule in policy["rule"]
        for prefix in rule["filters"].get("prefix_match", [])
        if prefix.startswith("plans-")
    ]


@pytest.fixture(scope="module")
def synths(tmp_path_factory: pytest.TempPathFactory) -> Synths:
    project = copy_project(tmp_path_factory.mktemp("a new environment"))
    app = App(outdir=str(project / "before"))
    stacks = list(add_stacks(app))
    app.synth()
    assert len(stacks) == 1 + len(OTHERS)

    text = (project / "environments/staging.py").read_text(encoding="utf-8")
    for old, new in (
        ("STAGING", "QA"),
        ('"staging"', '"qa"'),
        ('"stg"', '"qa"'),
        ("10.20.", "10.40."),
        ("(staging)", "(qa)"),
    ):
        assert old in text
        text = text.replace(old, new)
    text = text.replace('application_environment="qa"', 'application_environment="staging"')
    (project / "environments/qa.py").write_text(text, encoding="utf-8")
    package_file = project / "environments/__init__.py"
    edit(package_file, '    "staging": STAGING,\n', '    "staging": STAGING,\n    "qa": QA,\n')
    edit(
        package_file,
        "    from environments.production import PRODUCTION\n",
        "    from environments.production import PRODUCTION\n    from environments.qa import QA\n",
    )

    completed = run(project, "-m", "tools.synth", "--output", "after")
    assert (completed.returncode, completed.stderr) == (0, "")
    return Synths(project / "before/stacks", project / "after/stacks")


def test_there_is_a_fourth_stack(synths: Synths) -> None:
    assert {folder.name for folder in synths.before.iterdir()} == {"shared", *OTHERS}
    assert {folder.name for folder in synths.after.iterdir()} == {"shared", *OTHERS, "qa"}


def test_it_has_the_resources_of_its_model_under_its_own_names(synths: Synths) -> None:
    qa, staging = read_stack(synths.after, "qa"), read_stack(synths.after, "staging")
    assert set(index_resources(qa)) == set(index_resources(staging)), (
        "addresses in the state do not depend on the environment"
    )
    assert qa["terraform"]["backend"]["azurerm"]["container_name"] == "tfstate-qa"
    assert qa["resource"]["azurerm_key_vault"]["key_vault"]["name"] == "kv-augeo-qa-x7k2"
    assert "10.20." not in json.dumps(qa)
    leftovers = [
        word
        for word in ("rg-augeo-stg", "-stg-", "staging.augeo.example", '"environment": "staging"')
        if word in json.dumps(qa)
    ]
    assert leftovers == [], "something of the model's is used by the new environment"


@pytest.mark.parametrize("name", OTHERS)
def test_the_others_stay_as_they_are(synths: Synths, name: str) -> None:
    assert not synths.differ(name)


def test_shared_creates_its_group_containers_and_identities_and_changes_nothing_else(synths: Synths) -> None:
    before = index_resources(read_stack(synths.before, "shared"))
    after = index_resources(read_stack(synths.after, "shared"))
    changed = [address for address in before if after.get(address) != before[address]]
    assert [address.partition(".")[0] for address in changed] == ["azurerm_storage_management_policy"]
    # The rule that deletes old plan files has a prefix for each container.
    policies = before[changed[0]], after[changed[0]]
    containers_before, containers_after = (find_plan_containers(policy) for policy in policies)
    assert sorted(containers_after) == sorted([*containers_before, "plans-qa"])
    new = {address: after[address] for address in after.keys() - before.keys()}
    names = {body["name"] for body in new.values() if "name" in body}
    assert names >= {
        "rg-augeo-qa-eus2",
        "tfstate-qa",
        "plans-qa",
        "id-augeo-plan-qa-eus2",
        "id-augeo-apply-qa-eus2",
        "id-augeo-delivery-qa-eus2",
    }
    addresses_of_model = [address for address in before if "staging" in address]
    assert len(addresses_of_model) > 20
    assert Counter(address.partition(".")[0] for address in new) == Counter(
        address.partition(".")[0] for address in addresses_of_model
    )
    subjects = {body["subject"] for body in new.values() if "subject" in body}
    assert subjects == {f"repo:augeo/platform:environment:{name}" for name in ("qa-plan", "qa", "qa-delivery")}


def test_shared_outputs_its_client_ids(synths: Synths) -> None:
    new = set(read_stack(synths.after, "shared")["output"]) - set(read_stack(synths.before, "shared")["output"])
    assert new == {"qa_plan_client_id", "qa_apply_client_id", "qa_delivery_client_id"}
