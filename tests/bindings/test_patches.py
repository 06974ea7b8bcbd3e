"""The replaced functions: the bindings' type checks refuse what they refused before."""

from typing import cast

import pytest
from cdktf_cdktf_provider_azurerm.resource_group import ResourceGroup

from constructs_lib.place import AzureStack
from tests.support import synthesize_content


@pytest.mark.parametrize("wrong", [None, 3])
def test_a_wrong_argument_is_refused_all_the_same(wrong: str) -> None:
    """Guards against a check that accepts None, or everything, for a required argument."""

    def make(stack: AzureStack) -> None:
        with pytest.raises(TypeError, match="argument name must be str"):
            ResourceGroup(stack, "group", name=wrong, location="eastus2")
        with pytest.raises(TypeError, match="argument managed_by must be"):
            ResourceGroup(stack, "group", name="rg", location="eastus2", managed_by=cast(str, 3))
        ResourceGroup(stack, "group", name="rg", location="eastus2", managed_by=None)

    synthesize_content(make)
