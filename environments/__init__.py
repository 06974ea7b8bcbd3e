"""All environments by name. To add one, write its file in this folder, import it here and add a line below."""

from environments.dev import DEV
from environments.production import PRODUCTION
from environments.settings import Environment, Platform
from environments.shared import SHARED
from environments.staging import STAGING
from environments.validation import SettingsError, validate

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
