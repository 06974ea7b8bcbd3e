"""What rules read: only settings that a model has, and only those that are right by themselves."""

import pytest

from environments import ENVIRONMENTS
from environments.base import UNKNOWN, CheckedValues, Settings, UnknownSettingError
from environments.settings import Environment, Platform, Shared, WebAppSettings
from environments.shared import SHARED


@pytest.mark.parametrize(
    ("model", "path"),
    [
        (WebAppSettings, "worker"),
        (WebAppSettings, ""),
        (WebAppSettings, "autoscale.minimun"),
        (WebAppSettings, "autoscal.minimum"),
        (WebAppSettings, "workers.minimum"),
        (WebAppSettings, "autoscale.minimum.minimum"),
        (Environment, "web_app.autoscale.minimun"),
        (Environment, "front_door.teams"),
        (Shared, "short_name"),
        (Shared, "account.alert_emails.0"),
        (Platform, "environments.name"),
    ],
)
def test_a_rule_that_reads_a_setting_which_no_model_has_fails(model: type[Settings], path: str) -> None:
    """A misspelt path would otherwise turn the rule off in silence. It fails even if the slice is missing or wrong."""
    for values in (CheckedValues(model, {}, set()), CheckedValues(model, None, {()})):
        with pytest.raises(UnknownSettingError, match=rf"^{model.__name__} has no setting '{path}'$"):
            values.get(path, object)
        with pytest.raises(UnknownSettingError, match=rf"^{model.__name__} has no setting '{path}'$"):
            values.read(path)


def test_a_rule_reads_what_is_right_by_itself() -> None:
    production = CheckedValues(
        Environment, ENVIRONMENTS["production"], {("web_app", "autoscale", "minimum"), ("email",)}
    )
    assert production.read("web_app.workers") == 2
    assert production.read("web_app.autoscale.default") == 2
    assert production.read("web_app.autoscale.minimum") is UNKNOWN
    assert production.read("email.verified") is UNKNOWN
    assert CheckedValues(Environment, ENVIRONMENTS["dev"], set()).read("front_door") is None
    assert CheckedValues(Environment, ENVIRONMENTS["dev"], set()).read("web_app.autoscale.minimum") is UNKNOWN
    assert CheckedValues(Environment, ENVIRONMENTS["dev"], {()}).read("name") is UNKNOWN
    assert CheckedValues(Environment, {"alerts": {"teams": True}}, set()).read("alerts.teams") is True


def test_a_rule_that_asks_for_another_type_reads_nothing() -> None:
    shared = CheckedValues(Shared, SHARED, set())
    assert shared.get("account.workload", str) == "augeo"
    assert shared.get("account.workload", int) is None
    assert CheckedValues(Shared, SHARED, {("account", "workload")}).get("account.workload", object) is None
