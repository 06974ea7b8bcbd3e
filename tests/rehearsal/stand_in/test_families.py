"""Every module of `families/` is listed, describes its types, and needs no web framework."""

import subprocess
import sys
from pkgutil import iter_modules
from types import ModuleType

import pytest

from rehearsal.stand_in import families
from rehearsal.stand_in.family import Family


def test_every_module_of_the_folder_is_listed() -> None:
    modules = [module.name for module in iter_modules(families.__path__)]
    assert sorted(families.NAMES) == sorted(modules)


def test_a_module_that_is_not_in_the_folder_is_refused() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_family"):
        families.load_family("no_such_family")


@pytest.mark.parametrize("misspelt", ["FAMILLY", "TYPES", "ROUTES"])
def test_a_module_without_a_family_is_refused(monkeypatch: pytest.MonkeyPatch, misspelt: str) -> None:
    name = f"{families.__name__}.planted"
    module = ModuleType(name)
    setattr(module, misspelt, families.TYPES)
    monkeypatch.setitem(sys.modules, name, module)
    with pytest.raises(TypeError, match=r"families\.planted has no FAMILY"):
        families.load_family("planted")


def test_a_family_without_types_and_routes_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one resource type or route"):
        Family()


def test_every_type_belongs_to_one_family() -> None:
    names = [type_.name.lower() for type_ in families.TYPES]
    assert len(names) == len(set(names))


def test_families_load_no_web_framework() -> None:
    program = (
        "import sys, rehearsal.stand_in.families as f; print(len(f.TYPES), *{n.split('.')[0] for n in sys.modules})"
    )
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()
    assert int(loaded[0]) == len(families.TYPES)
    assert {"starlette", "uvicorn", "trustme"}.isdisjoint(loaded)
