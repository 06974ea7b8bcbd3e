"""Which Terraform can be used for a stack, and the errors if there is none or nothing was synthesized."""

import os
from pathlib import Path

import pytest

from operations.terraform.runner import Terraform, TerraformError


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "'tofu-of-the-test' does not run. Install one;"),
        ("no json", "'tofu-of-the-test' does not run. Install one;"),
        ('{"terraform_version": "1.10.5"}', "is needed; 'tofu-of-the-test' is 1.10.5."),
        ('{"terraform_version": "0.15.0-beta1"}', "is needed; 'tofu-of-the-test' is 0.15.0-beta1."),
        ('{"terraform_version": "1.11.0"}', None),
        ('{"terraform_version": "2.0.0"}', None),
    ],
)
def test_an_old_or_missing_terraform_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str | None, message: str | None
) -> None:
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu-of-the-test")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    (tmp_path / "cdk.tf.json").write_text("{}")
    if answer:
        (tmp_path / "tofu-of-the-test").write_text(f"#!/bin/sh\necho '{answer}'\n")
        (tmp_path / "tofu-of-the-test").chmod(0o755)
    if message is None:
        assert Terraform.for_stack(tmp_path).binary == "tofu-of-the-test"
        return
    with pytest.raises(TerraformError) as refused:
        Terraform.for_stack(tmp_path)
    assert message in str(refused.value)


def test_a_stack_that_is_not_synthesized_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TerraformError, match="make synth ENV=dev"):
        Terraform.for_stack(tmp_path / "dev")
