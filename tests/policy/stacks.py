"""The stacks that the rules are run over: as they are written, with every phase on, and a disposable one."""

from collections.abc import Iterable, Mapping
from functools import cache

from constructs_lib.place import AzureStack
from stacks.platform import PlatformStack
from stacks.shared import SharedStack

from cdktf import Testing

from environments import Environment, Platform
from environments.settings import AlertSettings, validate
from tests.policy.rule import Stack
from tests.support import Json, platform, synthesize, synthesized


@cache
def stacks() -> Mapping[str, Stack]:
    """Every stack to check, by what it is: "production", "production, every phase on", "dev, disposable"."""
    written = platform().environments
    every_phase = _changed(_every_phase(each) for each in written.values())
    disposable = _changed([written["dev"].model_copy(update={"disposable": True})])
    return {
        **_checked("", synthesized(), platform()),
        **_checked(", every phase on", _synthesize(every_phase), every_phase),
        **_checked(", disposable", _synthesize(disposable), disposable),
    }


def _every_phase(written: Environment) -> Environment:
    """Delegated, mail verified, alerts in Teams: what an environment grows into (design, section 4)."""
    return written.model_copy(
        update={
            "domain": written.domain.model_copy(update={"delegated": True}),
            "email": written.email.model_copy(update={"verified": written.email.domain == "customer"}),
            "alerts": AlertSettings(teams=True),
        }
    )


def _changed(environments: Iterable[Environment]) -> Platform:
    return validate(platform().shared, {each.name: each for each in environments})


def _synthesize(changed: Platform) -> Mapping[str, Json]:
    app = Testing.app()
    built: list[AzureStack] = [
        SharedStack(app, platform=changed),
        *(PlatformStack(app, environment=each, platform=changed) for each in changed.environments.values()),
    ]
    return {stack.node.id: synthesize(stack) for stack in built}


def _checked(variant: str, bodies: Mapping[str, Json], settings: Platform) -> dict[str, Stack]:
    return {f"{name}{variant}": Stack(name, body, settings, bodies) for name, body in bodies.items()}
