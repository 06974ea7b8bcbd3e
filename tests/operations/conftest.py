"""Fixtures for the tests that run the real Terraform."""

from pathlib import Path

import pytest

from tests.operations.plan_guard.plans.checkout import Checkout


@pytest.fixture(scope="session")
def checkout_template(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A checkout that is made once. Tests copy it, which is faster than to run git and Terraform for each of them."""
    return Checkout.create(tmp_path_factory.mktemp("template") / "a checkout")


@pytest.fixture
def checkout(checkout_template: Checkout, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Checkout:
    """A checkout that is the working directory until the test ends."""
    copy = checkout_template.copy(tmp_path / "a checkout")
    monkeypatch.chdir(copy.folder)
    monkeypatch.delenv("GIT_DIR", raising=False)
    return copy
