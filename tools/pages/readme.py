"""README.md: the table of environments, and what `make synth` prints."""

import re
from collections.abc import Mapping

from tabulate import tabulate

from environments import Environment
from environments.settings import CacheSettings, DatabaseSettings, WebAppSettings
from tools.pages.markdown_table import render_table_block
from tools.pages.stacks import TerraformJson
from tools.synth.stacks import SynthRow

SECONDS = 0.2
"""What is shown for a stack that the README does not have yet. Other stacks keep the seconds that are shown."""


def render_environments(environments: Mapping[str, Environment], costs: Mapping[str, float]) -> str:
    """Return a table with a column for each environment.

    Args:
        environments: The settings, by name.
        costs: US dollars a month, by the environment's name.
    """
    settings = environments.values()
    rows = [
        ["API: App Service", *(describe_web_app(environment.web_app) for environment in settings)],
        ["PostgreSQL 17", *(describe_database(environment.database) for environment in settings)],
        ["Managed Redis", *(describe_cache(environment.cache) for environment in settings)],
        ["Front Door", *("with rate limits" if environment.front_door else "" for environment in settings)],
        ["About, USD a month", *(f"{costs[name]:.0f}" for name in environments)],
    ]
    return render_table_block(["", *environments], rows)


def describe_web_app(settings: WebAppSettings) -> str:
    """Return the API's App Service plan in a few words."""
    scale = settings.autoscale
    workers = f"x{scale.minimum} to x{scale.maximum}" if scale else f"x{settings.workers}"
    zones = " over zones" if settings.zone_balanced else ""
    slot = ", slot" if settings.slot else ""
    return f"{settings.sku} {workers}{zones}{slot}"


def describe_database(settings: DatabaseSettings) -> str:
    """Return the database server in a few words."""
    parts = [
        settings.sku.split("Standard_")[1],
        f"{settings.storage_gb} GB",
        f"backups {settings.backup_retention_days} days",
        settings.high_availability or "",
        "geo backup" if settings.geo_redundant_backup else "",
    ]
    return ", ".join(part for part in parts if part)


def describe_cache(settings: CacheSettings) -> str:
    """Return the cache in a few words."""
    parts = [
        settings.sku,
        "high availability" if settings.high_availability else "",
        f"snapshot every {settings.persistence}" if settings.persistence else "",
    ]
    return ", ".join(part for part in parts if part)


def render_synth_output(stacks: Mapping[str, TerraformJson], present: str) -> str:
    """Return a console block that shows what `make synth` prints.

    Args:
        stacks: The synthesized stacks, by name.
        present: The block as the README has it. Its seconds stay, because they differ from run to run.
    """
    rows: list[SynthRow] = []
    for stack, body in stacks.items():
        by_type: Mapping[str, Mapping[str, object]] = body.get("resource", {})
        file = f"cdktf.out/stacks/{stack}/cdk.tf.json"
        match = re.search(rf"^{stack} .* (\d+\.\d+)$", present, re.MULTILINE)
        rows.append(
            SynthRow(
                stack=stack,
                resources=sum(len(resources) for resources in by_type.values()),
                types=len(by_type),
                file=file,
                seconds=float(match[1]) if match else SECONDS,
            )
        )
    table = tabulate(rows, headers="keys", floatfmt=".2f")
    installed = ".venv: installing requirements.txt (once, and again when it changes)"
    return f"\n```console\n$ make synth\n{installed}\n{table}\n```\n\n"
