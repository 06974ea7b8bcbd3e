"""The stacks as they are synthesized, and as they would be from settings that differ."""

import json
import tempfile
from collections.abc import Callable
from typing import cast

import bindings

bindings.install()  # before the imports below, which load cdktf

from cdktf import App, TerraformStack, Testing

from environments import Environment, Platform
from rehearsal.stand_in.model import Json
from stacks.platform import PlatformStack
from stacks.shared import SharedStack


def shared(platform: Platform) -> Json:
    """The shared stack's Terraform JSON."""
    return _synthesized(lambda app: SharedStack(app, platform=platform))


def environment(
    platform: Platform, name: str, change: Callable[[Environment], Environment] = lambda unchanged: unchanged
) -> Json:
    """An environment's Terraform JSON, from its settings or from what `change` makes of them."""
    settings = change(platform.environments[name])
    return _synthesized(lambda app: PlatformStack(app, environment=settings, platform=platform))


def _synthesized(stack: Callable[[App], TerraformStack]) -> Json:
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:  # an App makes one itself, and leaves it
        return cast(Json, json.loads(Testing.synth(stack(Testing.app(outdir=folder)))))


def disposable(settings: Environment) -> Environment:
    """The same environment, declared disposable. Raises ValueError for production sizing."""
    return Environment.model_validate(settings.model_dump() | {"disposable": True})


def disposable_copy(settings: Environment) -> Environment:
    """Another environment of the same settings, declared disposable. Raises ValueError for production sizing."""
    own = {"name": "copy", "short_name": "copy", "disposable": True}
    domain = settings.domain.model_dump() | {"label": "copy"}
    return Environment.model_validate(settings.model_dump() | own | {"domain": domain})


def with_daily_cap(settings: Environment) -> Environment:
    """Half a gigabyte more of logs a day: a change in place."""
    more = settings.observability.model_copy(update={"daily_cap_gb": settings.observability.daily_cap_gb + 0.5})
    return settings.model_copy(update={"observability": more})


def with_other_geo_backup(settings: Environment) -> Environment:
    """The other choice of geo-redundant backup, which PostgreSQL takes at creation alone."""
    database = settings.database
    other = database.model_copy(update={"geo_redundant_backup": not database.geo_redundant_backup})
    return settings.model_copy(update={"database": other})


def unprotected(stack: Json) -> Json:
    """The same stack after somebody removed every prevent_destroy."""
    copy = cast(Json, json.loads(json.dumps(stack)))
    for named in copy["resource"].values():
        for resource in named.values():
            resource.get("lifecycle", {}).pop("prevent_destroy", None)
    return copy
