"""The stacks that the rules run on: from the settings as they are, with every phase on, and a disposable one."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from environments import Environment, Platform
from environments.settings import AlertSettings
from environments.validation import validate
from tests.policy.rule import Stack
from tests.support import load_platform, synthesize_application, synthesize_platform


def switch_every_phase_on() -> Platform:
    """Return the settings with the domain delegated, mail verified, its quota raised, and alerts in Teams.

    Domain and mail have phases (docs/design.md#decisions), and every environment ends in the last one.
    """
    return _replace_environments(
        environment.model_copy(
            update={
                "domain": environment.domain.model_copy(update={"delegated": True}),
                "email": environment.email.model_copy(
                    update=dict.fromkeys(("verified", "quota_raised"), environment.email.domain == "customer")
                ),
                "alerts": AlertSettings(pages=False, teams=True),
            }
        )
        for environment in load_platform().environments.values()
    )


def make_dev_disposable() -> Platform:
    """Return the settings with a disposable dev alone, as rehearsals and pull requests use it."""
    return _replace_environments([load_platform().environments["dev"].model_copy(update={"disposable": True})])


def _replace_environments(environments: Iterable[Environment]) -> Platform:
    return validate(load_platform().shared, {environment.name: environment for environment in environments})


VARIANTS: Mapping[str, Callable[[], Platform]] = {
    "": load_platform,
    ", every phase on": switch_every_phase_on,
    ", disposable": make_dev_disposable,
}
"""What follows a stack's name, and the settings that the stack is made from."""
NAMES = [f"{name}{variant}" for variant, settings in VARIANTS.items() for name in ("shared", *settings().environments)]
"""`production`; `production, every phase on`; `dev, disposable`; and so on. Known before anything is synthesized."""


@cache
def synthesize_checked_stacks() -> Mapping[str, Stack]:
    """Return every stack to check, by the names in `NAMES`. They are shared by all tests: do not change them."""
    by_name: dict[str, Stack] = {}
    for variant, make_settings in VARIANTS.items():
        settings = make_settings()
        bodies = synthesize_application() if make_settings is load_platform else synthesize_platform(settings)
        by_name |= {f"{name}{variant}": Stack(name, body, settings, bodies) for name, body in bodies.items()}
    return by_name
