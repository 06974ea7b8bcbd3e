"""docs/contracts/ against what is synthesized and configured. Their tables are in tools/pages/contracts.py."""

from constructs_lib.app_settings import read_app_settings
from tests.contract import CONTRACT
from tests.support import load_platform, synthesize_application

SECRET_PARTS = ("password", "_key}", "connection_string", "callback", "shared_key", "api_key")


def test_the_application_gets_every_setting_that_it_reads() -> None:
    assert {setting.name for setting in read_app_settings()} >= CONTRACT


def test_every_environment_has_the_same_outputs() -> None:
    assert len({tuple(sorted(synthesize_application()[name]["output"])) for name in load_platform().environments}) == 1


def test_no_output_is_secret() -> None:
    values = [
        str(output["value"]) for stack in synthesize_application().values() for output in stack["output"].values()
    ]
    assert values
    assert [value for value in values if any(part in value for part in SECRET_PARTS)] == []
