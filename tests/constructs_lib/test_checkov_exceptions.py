"""constructs_lib/checkov_exceptions.py: what a construct records is what tools/run_checkov.py reads."""

from pathlib import Path

import pytest
from cdktf import App, TerraformStack
from cdktf_cdktf_provider_azurerm.provider import AzurermProvider, AzurermProviderFeatures
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup

from constructs_lib.checkov_exceptions import except_check
from tools import run_checkov
from tools.run_checkov import Finding


@pytest.fixture
def group(tmp_path: Path) -> ResourceGroup:
    stack = TerraformStack(App(outdir=str(tmp_path / "out")), "dev")
    AzurermProvider(stack, "azurerm", features=[AzurermProviderFeatures()])
    return ResourceGroup(stack, "group", name="rg-augeo-dev", location="eastus2")


def test_a_recorded_exception_is_read_back(tmp_path: Path, group: ResourceGroup) -> None:
    except_check(group, "CKV_AZURE_33", "no queues: see the design, section 4.")
    except_check(group, "CKV2_AZURE_1", "keys of Microsoft's are enough")
    App.of(group).synth()
    assert run_checkov.read_exceptions(tmp_path / "out/stacks") == [
        Finding("dev", "azurerm_resource_group.group", "CKV2_AZURE_1", "keys of Microsoft's are enough"),
        Finding("dev", "azurerm_resource_group.group", "CKV_AZURE_33", "no queues: see the design, section 4."),
    ]
    assert [finding.text for finding in run_checkov.read_exceptions(tmp_path / "out/stacks")] == [
        "keys of Microsoft's are enough",
        "no queues: see the design, section 4.",
    ]
    text = (tmp_path / "out/stacks/dev/cdk.tf.json").read_text(encoding="utf-8")
    (line,) = [number for number, line in enumerate(text.splitlines(), start=1) if line == '      "group": {']
    assert run_checkov.read_addresses(text) == {line: "azurerm_resource_group.group"}


@pytest.mark.parametrize(
    ("check", "reason"), [("AZURE_33", "because"), ("CKV_AZURE_33.x", "because"), ("CKV_AZURE_33", " ")]
)
def test_a_malformed_exception_is_refused(group: ResourceGroup, check: str, reason: str) -> None:
    with pytest.raises(ValueError, match=r"CKV_AZURE_|needs a reason"):
        except_check(group, check, reason)
