"""All environments by name. To add one, write its file in this folder, import it here and add a line below."""

import sys

from environments.settings import Environment, Platform
from environments.validation import SettingsError, validate

try:
    from environments.dev import DEV
    from environments.production import PRODUCTION
    from environments.shared import SHARED
    from environments.staging import STAGING
except SyntaxError as error:
    # Every command imports the settings, so that this is the one place where an unfinished merge can be told.
    sys.exit(f"{error.filename}, line {error.lineno}, is no Python: {(error.text or '').strip()!r} ({error.msg})")

ENVIRONMENTS: dict[str, Environment] = {
    "dev": DEV,
    "staging": STAGING,
    "production": PRODUCTION,
}


def load() -> Platform:
    """Return the checked settings of the shared stack and of every environment.

    Raises:
        SettingsError: with every problem of every environment.
    """
    return validate(SHARED, ENVIRONMENTS)


__all__ = ["ENVIRONMENTS", "Environment", "Platform", "SettingsError", "load"]
