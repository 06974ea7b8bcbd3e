"""`make azure-types`: from a clone of Azure/bicep-types-az to the file that the stand-in reads."""

import json
import sys
from pathlib import Path

import pytest

from rehearsal import make_azure_types
from rehearsal.stand_in.azure_types import read_types
from rehearsal.stand_in.body_checks import BodyChecks
from rehearsal.stand_in.ids import parse_id
from rehearsal.stand_in.model import Json, RefusedError
from tests.rehearsal.client import GROUP

CACHE = parse_id(f"{GROUP}/providers/Microsoft.Cache/redisEnterprise/redis")


def refer(number: int) -> Json:
    """Return a reference to another type of the same file."""
    return {"$ref": f"#/{number}"}


# As Microsoft's generator writes it: generated/redisenterprise/microsoft.cache/2025-07-01/types.json, cut down.
ROWS: list[Json] = [
    {"$type": "StringType", "pattern": "^[a-z]+$", "maxLength": 9},
    {"$type": "StringLiteralType", "value": "Enabled"},
    {"$type": "StringLiteralType", "value": "Disabled"},
    {"$type": "StringType"},
    {"$type": "UnionType", "elements": [refer(1), refer(2), refer(3)]},
    {"$type": "IntegerType", "minValue": 1},
    {"$type": "ArrayType", "itemType": refer(5)},
    {
        "$type": "ObjectType",
        "name": "Microsoft.Cache/redisEnterprise",
        "properties": {
            "name": {"type": refer(0), "flags": 9},
            "id": {"type": refer(3), "flags": 10},
            "state": {"type": refer(4), "flags": 1},
            "ports": {"type": refer(6), "flags": 0},
            "key": {"type": refer(8), "flags": 4},
            "tags": {"type": refer(9), "flags": 0},
            "parent": {"type": refer(7), "flags": 0},
            "source": {"type": refer(10), "flags": 0},
        },
    },
    {"$type": "StringType", "sensitive": True},
    {"$type": "ObjectType", "name": "Tags", "properties": {}, "additionalProperties": refer(3)},
    {
        "$type": "DiscriminatedObjectType",
        "name": "Source",
        "discriminator": "kind",
        "baseProperties": {"note": {"type": refer(3), "flags": 0}},
        "elements": {"Enabled": refer(11)},
    },
    {
        "$type": "ObjectType",
        "name": "EnabledSource",
        "properties": {"kind": {"type": refer(1), "flags": 1}, "size": {"type": refer(5), "flags": 1}},
    },
    {"$type": "ResourceType", "name": "Microsoft.Cache/redisEnterprise@2025-07-01", "body": refer(7)},
    {"$type": "ResourceType", "name": "Microsoft.Cache/redis@2025-07-01", "body": refer(3)},
    {
        "$type": "ResourceFunctionType",
        "name": "flush",
        "resourceType": "Microsoft.Cache/redisEnterprise",
        "apiVersion": "2025-07-01",
        "input": refer(6),
    },
]


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone of Azure/bicep-types-az with one file of types."""
    folder = tmp_path / "clone" / "generated" / "redisenterprise" / "microsoft.cache" / "2025-07-01"
    folder.mkdir(parents=True)
    (folder / "types.json").write_text(json.dumps(ROWS), encoding="utf-8")
    return tmp_path / "clone"


def run_command(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    """Run the command as `make azure-types` does."""
    monkeypatch.setattr(sys, "argv", ["make azure-types", *map(str, arguments)])
    return make_azure_types.main()


def list_faults(checks: BodyChecks, **body: object) -> str:
    """Return why a PUT of a cache with this body is refused, or an empty text."""
    try:
        checks.check_request(CACHE, "2025-07-01", {"state": "Enabled"} | body, patch=False)
    except RefusedError as error:
        return error.message
    return ""


def test_a_clone_becomes_a_file_that_refuses_what_the_types_do_not_have(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "types.json.gz"
    assert run_command(monkeypatch, clone, "--output", file) == 0
    assert capsys.readouterr().out == "types.json.gz: 1 resource types at 1 api-versions\n"
    types = read_types(file)
    assert types.list_versions("Microsoft.Cache/redisEnterprise") == ["2025-07-01"]
    assert types.list_versions("Microsoft.Cache/redis") == (), "the stand-in does not know this type"
    assert types.find_action_body("Microsoft.Cache/redisEnterprise", "2025-07-01", "flush") is not None
    checks = BodyChecks(types)
    assert list_faults(checks, ports=[1], key="k", tags={"a": "b"}, source={"kind": "Enabled", "size": 2}) == ""
    assert "Allowed: Enabled, Disabled." in list_faults(checks, state="Sideways")
    assert "minimum of 1" in list_faults(checks, ports=[0])
    assert "'size'" in list_faults(checks, source={"kind": "Enabled"})
    assert "'colour'" in list_faults(checks, parent={"state": "Enabled", "colour": 1})


def test_a_file_is_copied(
    clone: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first, second = tmp_path / "first.json.gz", tmp_path / "new" / "second.json.gz"
    assert run_command(monkeypatch, clone, "--output", first) == 0
    assert run_command(monkeypatch, first, "--output", second) == 0
    assert first.read_bytes() == second.read_bytes()
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("name", "message"),
    [("clone", "is no clone of"), ("damaged", "is no file of Azure's types"), ("nowhere", "is no clone of")],
)
def test_another_source_is_refused_and_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, message: str
) -> None:
    (tmp_path / "clone").mkdir()
    (tmp_path / "damaged").write_bytes(b"{}")
    file = tmp_path / "types.json.gz"
    assert run_command(monkeypatch, tmp_path / name, "--output", file) == 1
    assert message in capsys.readouterr().err
    assert not file.exists()


def test_a_kind_of_type_that_nobody_knows_is_refused(
    clone: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = next(clone.rglob("types.json"))
    file.write_text(json.dumps([{"$type": "FloatType"}, *ROWS[1:]]), encoding="utf-8")
    assert run_command(monkeypatch, clone, "--output", clone / "types.json.gz") == 1
    assert "'FloatType' is no kind of type that is known" in capsys.readouterr().err
