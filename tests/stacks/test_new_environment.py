"""A fourth environment is one new file, and its line (with its import) in environments/__init__.py: nothing else."""

import json
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.environments.project import copy_project, edit, run
from tests.support import TerraformJson

OTHERS = ("dev", "staging", "production")


class Synths(NamedTuple):
    """The stacks' folders, before and after."""

    before: Path
    after: Path

    def changed(self, stack: str) -> bool:
        """Whether a stack's Terraform JSON has another byte than before."""
        before, after = (folder / stack / "cdk.tf.json" for folder in self)
        return before.read_bytes() != after.read_bytes()


def stack(folder: Path, name: str) -> TerraformJson:
    return json.loads((folder / name / "cdk.tf.json").read_text(encoding="utf-8"))


def addresses(synthesized: TerraformJson) -> dict[str, TerraformJson]:
    return {f"{type_}.{name}": body for type_, named in synthesized["resource"].items() for name, body in named.items()}


def plan_containers(policy: TerraformJson) -> list[str]:
    return [
        prefix.partition("/")[0]
        for rule in policy["rule"]
        for prefix in rule["filters"].get("prefix_match", [])
        if prefix.startswith("plans-")
    ]


@pytest.fixture(scope="module")
def synths(tmp_path_factory: pytest.TempPathFactory) -> Synths:
    project = copy_project(tmp_path_factory.mktemp("a new environment"))
    before = run(project, "-m", "tools.synth", "--output", "before")
    assert before.returncode == 0, before.stderr

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
    listed = project / "environments/__init__.py"
    edit(listed, '    "staging": STAGING,\n', '    "staging": STAGING,\n    "qa": QA,\n')
    edit(
        listed,
        "from environments.production import PRODUCTION\n",
        "from environments.production import PRODUCTION\nfrom environments.qa import QA\n",
    )

    after = run(project, "-m", "tools.synth", "--output", "after")
    assert (after.returncode, after.stderr) == (0, "")
    return Synths(project / "before/stacks", project / "after/stacks")


def test_there_is_a_fourth_stack(synths: Synths) -> None:
    assert {folder.name for folder in synths.before.iterdir()} == {"shared", *OTHERS}
    assert {folder.name for folder in synths.after.iterdir()} == {"shared", *OTHERS, "qa"}


def test_it_has_what_its_model_has_under_its_own_names(synths: Synths) -> None:
    qa, staging = stack(synths.after, "qa"), stack(synths.after, "staging")
    assert set(addresses(qa)) == set(addresses(staging)), "addresses in the state do not depend on the environment"
    assert qa["terraform"]["backend"]["azurerm"]["container_name"] == "tfstate-qa"
    assert qa["resource"]["azurerm_key_vault"]["key_vault"]["name"] == "kv-augeo-qa-x7k2"
    assert "10.20." not in json.dumps(qa)
    left = [
        word
        for word in ("rg-augeo-stg", "-stg-", "staging.augeo.example", '"environment": "staging"')
        if word in json.dumps(qa)
    ]
    assert left == [], "something of the model's is used by the new environment"


@pytest.mark.parametrize("name", OTHERS)
def test_the_others_stay_as_they_are(synths: Synths, name: str) -> None:
    assert not synths.changed(name)


def test_shared_makes_its_group_containers_and_identities_and_touches_nothing_else(synths: Synths) -> None:
    before, after = addresses(stack(synths.before, "shared")), addresses(stack(synths.after, "shared"))
    touched = [address for address in before if after.get(address) != before[address]]
    assert [address.partition(".")[0] for address in touched] == ["azurerm_storage_management_policy"]
    # The rule that forgets old plan files has a row a container.
    assert sorted(plan_containers(after[touched[0]])) == sorted([*plan_containers(before[touched[0]]), "plans-qa"])
    new = {address: after[address] for address in after.keys() - before.keys()}
    named = {body["name"] for body in new.values() if "name" in body}
    assert named >= {
        "rg-augeo-qa-eus2",
        "tfstate-qa",
        "plans-qa",
        "id-augeo-plan-qa-eus2",
        "id-augeo-apply-qa-eus2",
        "id-augeo-delivery-qa-eus2",
    }
    of_the_model = [address for address in before if "staging" in address]
    assert len(of_the_model) > 20
    assert Counter(address.partition(".")[0] for address in new) == Counter(
        address.partition(".")[0] for address in of_the_model
    )
    subjects = {body["subject"] for body in new.values() if "subject" in body}
    assert subjects == {f"repo:augeo/platform:environment:{name}" for name in ("qa-plan", "qa", "qa-delivery")}


def test_shared_tells_its_client_ids(synths: Synths) -> None:
    new = set(stack(synths.after, "shared")["output"]) - set(stack(synths.before, "shared")["output"])
    assert new == {"qa_plan_client_id", "qa_apply_client_id", "qa_delivery_client_id"}
