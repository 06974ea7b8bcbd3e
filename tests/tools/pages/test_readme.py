"""tools/pages/readme.py: the environments in a few words, and what `make synth` prints."""

from environments import load
from tools.pages.readme import (
    describe_cache,
    describe_database,
    describe_web_app,
    render_environments,
    render_synth_output,
)
from tools.pages.stacks import TerraformJson

ENVIRONMENTS = load().environments
PRODUCTION = ENVIRONMENTS["production"]
STACKS: dict[str, TerraformJson] = {
    "shared": {"resource": {"azurerm_resource_group": {"a": {}, "b": {}}, "azurerm_dns_zone": {"c": {}}}},
    "dev": {},
}


def test_web_app() -> None:
    settings = PRODUCTION.web_app.model_copy(update={"sku": "P0v3", "zone_balanced": True, "slot": True})
    assert settings.autoscale is not None
    autoscale = settings.autoscale.model_copy(update={"minimum": 2, "maximum": 5})
    scaled = settings.model_copy(update={"autoscale": autoscale})
    assert describe_web_app(scaled) == "P0v3 x2 to x5 over zones, slot"
    fixed = {"autoscale": None, "workers": 1, "zone_balanced": False, "slot": False}
    assert describe_web_app(settings.model_copy(update=fixed)) == "P0v3 x1"


def test_database() -> None:
    settings = PRODUCTION.database.model_copy(
        update={
            "sku": "GP_Standard_D2ds_v5",
            "storage_gb": 64,
            "backup_retention_days": 30,
            "high_availability": "ZoneRedundant",
            "geo_redundant_backup": True,
        }
    )
    assert describe_database(settings) == "D2ds_v5, 64 GB, backups 30 days, ZoneRedundant, geo backup"
    small = settings.model_copy(update={"high_availability": None, "geo_redundant_backup": False})
    assert describe_database(small) == "D2ds_v5, 64 GB, backups 30 days"


def test_cache() -> None:
    settings = PRODUCTION.cache.model_copy(
        update={"sku": "Balanced_B1", "high_availability": True, "persistence": "1h"}
    )
    assert describe_cache(settings) == "Balanced_B1, high availability, snapshot every 1h"
    small = settings.model_copy(update={"high_availability": False, "persistence": None})
    assert describe_cache(small) == "Balanced_B1"


def test_each_environment_has_a_column() -> None:
    environments = {"one": ENVIRONMENTS["dev"], "two": PRODUCTION}
    lines = render_environments(environments, {"one": 57.6, "two": 99.2}).splitlines()
    assert lines[1:3] == ["|  | one | two |", "|---|---|---|"]
    assert lines[-3:] == ["| Front Door |  | with rate limits |", "| About, USD a month | 58 | 99 |", ""]


def test_synth_output_keeps_the_seconds_that_are_shown() -> None:
    """Guards against a README that changes at every run, because a synth never takes the same time twice."""
    present = "shared   9   9  cdktf.out/stacks/shared/cdk.tf.json   0.33\n"
    assert render_synth_output(STACKS, present) == (
        "\n```console\n"
        "$ make synth\n"
        ".venv: installing requirements.txt (once, and again when it changes)\n"
        "stack      resources    types  file                                   seconds\n"
        "-------  -----------  -------  -----------------------------------  ---------\n"
        "shared             3        2  cdktf.out/stacks/shared/cdk.tf.json       0.33\n"
        "dev                0        0  cdktf.out/stacks/dev/cdk.tf.json          0.20\n"
        "```\n\n"
    )
