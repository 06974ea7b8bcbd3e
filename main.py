"""The program that `cdktf` runs. It synthesizes the shared stack, and one platform stack per environment."""

import sys
from collections.abc import Iterator

import bindings

bindings.install()  # before the imports below, which load cdktf

from cdktf import App, TerraformStack

from environments import SettingsError, load
from stacks.platform import PlatformStack
from stacks.shared import SharedStack


def add_stacks(app: App, only: str | None = None) -> Iterator[TerraformStack]:
    """Add every stack to the app, or only the stack named `only`, and yield each one when it is built.

    Raises:
        SettingsError: The settings are wrong, or no stack is called `only`. No stack is built then.
    """
    platform = load()
    names = ["shared", *platform.environments]
    if only is not None and only not in names:
        raise SettingsError([f"ENV = {only!r}: must be one of {', '.join(names)}"])
    if only in (None, "shared"):
        yield SharedStack(app, platform=platform)
    for name, environment in platform.environments.items():
        if only in (None, name):
            yield PlatformStack(app, environment=environment, platform=platform)


def main() -> None:
    """Synthesize every stack into the app's output directory."""
    app = App()
    try:
        for _ in add_stacks(app):
            pass
    except SettingsError as error:
        sys.exit(str(error))
    app.synth()


if __name__ == "__main__":
    main()
