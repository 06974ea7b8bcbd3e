"""The stacks that the rules are run over: as they are written, with every phase on, and a disposable one."""

from collections.abc import Callable, Iterable, Mapping
from functools import cache

from environments import Environment, Platform
from environments.settings import AlertSettings
from environments.validation import validate
from tests.policy.rule import Stack
from tests.support import platform, synthesized, synthesized_from


def every_phase_on() -> Platform:
    """Delegated, mail verified, alerts in Teams: what every environment grows into (design section 4)."""
    return _with(
        each.model_copy(
            update={
                "domain": each.domain.model_copy(update={"delegated": True}),
                "email": each.email.model_copy(update={"verified": each.email.domain == "customer"}),
                "alerts": AlertSettings(teams=True),
            }
        )
        for each in platform().environments.values()
    )


def disposable() -> Platform:
    """A dev that may go, as rehearsals and pull requests have it (design section 4)."""
    return _with([platform().environments["dev"].model_copy(update={"disposable": True})])


def _with(environments: Iterable[Environment]) -> Platform:
    return validate(platform().shared, {each.name: each for each in environments})


# What follows a stack's name, and the settings that it comes from.
VARIANTS: Mapping[str, Callable[[], Platform]] = {
    "": platform,
    ", every phase on": every_phase_on,
    ", disposable": disposable,
}
NAMES = [f"{name}{variant}" for variant, settings in VARIANTS.items() for name in ("shared", *settings().environments)]
"""`production`; `production, every phase on`; `dev, disposable`; and so on. Known before anything is synthesized."""


@cache
def stacks() -> Mapping[str, Stack]:
    """Every stack to check, by `NAMES`. Read them, do not change them."""
    checked: dict[str, Stack] = {}
    for variant, make in VARIANTS.items():
        settings = make()
        bodies = synthesized() if make is platform else synthesized_from(settings)
        checked |= {f"{name}{variant}": Stack(name, body, settings, bodies) for name, body in bodies.items()}
    return checked
