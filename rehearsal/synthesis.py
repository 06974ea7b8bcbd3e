"""Synthesizes the stacks from their settings, and from settings that differ in one thing.

It loads cdktf. Entry points call `bindings.install()` before they import this module, so that it loads fast.
"""

import json
import tempfile
from collections.abc import Callable
from typing import cast

from cdktf import App, TerraformStack, Testing

from environments import Environment, Platform
from rehearsal.stand_in.model import Json
from stacks.platform import PlatformStack
from stacks.shared import SharedStack


def synthesize_shared(platform: Platform) -> Json:
    """Return the shared stack's Terraform JSON."""
    return _synthesize(lambda app: SharedStack(app, platform=platform))


def synthesize_environment(
    platform: Platform, name: str, change: Callable[[Environment], Environment] = lambda environment: environment
) -> Json:
    """Return an environment's Terraform JSON, from its settings or from what `change` returns for them."""
    environment = change(platform.environments[name])
    return _synthesize(lambda app: PlatformStack(app, environment=environment, platform=platform))


def _synthesize(add_stack: Callable[[App], TerraformStack]) -> Json:
    with tempfile.TemporaryDirectory(prefix="rehearsal-") as folder:  # an App makes a folder itself, and leaves it
        return cast(Json, json.loads(Testing.synth(add_stack(Testing.app(outdir=folder)))))


def declare_disposable(environment: Environment) -> Environment:
    """Return the same environment, declared disposable.

    Raises:
        ValueError: The environment has production sizing, which may not be disposable.
    """
    return Environment.model_validate(environment.model_dump() | {"disposable": True})


def make_disposable_copy(environment: Environment) -> Environment:
    """Return another environment with the same settings, declared disposable.

    Raises:
        ValueError: The environment has production sizing, which may not be disposable.
    """
    own = {"name": "copy", "short_name": "copy", "disposable": True}
    domain = environment.domain.model_dump() | {"label": "copy"}
    return Environment.model_validate(environment.model_dump() | own | {"domain": domain})


def list_phases(environment: Environment) -> dict[str, Environment]:
    """Return the environment in each later phase of its domain and of its mail, in the order of the quickstart.

    `quota_raised` is not among them. Its way back deletes a sender, which the lock on the email service refuses.
    """
    phases: dict[str, Environment] = {}
    for own_names, email in (("beside", {}), ("first", {"verified": True}), ("only", {"verified": True})):
        domain = environment.domain.model_dump() | {"delegated": True, "own_names": own_names}
        changes: Json = {"domain": domain}
        if environment.email.domain == "customer":
            changes["email"] = environment.email.model_dump() | email
        phases[own_names] = Environment.model_validate(environment.model_dump() | changes)
    return phases


def raise_daily_cap(environment: Environment) -> Environment:
    """Allow half a gigabyte more of logs a day. This is a change in place."""
    cap = environment.observability.daily_cap_gb + 0.5
    observability = environment.observability.model_copy(update={"daily_cap_gb": cap})
    return environment.model_copy(update={"observability": observability})


def switch_geo_backup(environment: Environment) -> Environment:
    """Make the other choice of geo-redundant backup. PostgreSQL takes it only at creation, so this is a replacement."""
    switched = not environment.database.geo_redundant_backup
    database = environment.database.model_copy(update={"geo_redundant_backup": switched})
    return environment.model_copy(update={"database": database})


def remove_prevent_destroy(stack: Json) -> Json:
    """Return a copy of a stack's Terraform JSON without any `prevent_destroy`, as if somebody had removed them all."""
    copy = cast(Json, json.loads(json.dumps(stack)))
    for resources in copy["resource"].values():
        for resource in resources.values():
            resource.get("lifecycle", {}).pop("prevent_destroy", None)
    return copy
