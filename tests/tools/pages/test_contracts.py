"""tools/pages/contracts.py: tables of a few settings, outputs and rights, with the expected text written by hand."""

from constructs_lib.app_settings import AppSetting
from tools.pages.contracts import render_app_settings, render_ci_rights, render_outputs, render_trusted_subjects

SHARED = {
    "resource": {
        "azurerm_user_assigned_identity": {
            "prod-apply": {"name": "id-x-apply-prod-eus2"},
            "dev-apply": {"name": "id-x-apply-dev-eus2"},
        },
        "azurerm_federated_identity_credential": {
            "prod": {
                "user_assigned_identity_id": "${azurerm_user_assigned_identity.prod-apply.id}",
                "subject": "repo:x/y:environment:production",
            },
            "dev": {
                "user_assigned_identity_id": "${azurerm_user_assigned_identity.dev-apply.id}",
                "subject": "repo:x/y:environment:dev",
            },
        },
        "azurerm_role_definition": {"delegation": {"name": "augeo x7k2 delegation"}},
        "azurerm_role_assignment": {
            "one": {
                "principal_id": "${azurerm_user_assigned_identity.prod-apply.principal_id}",
                "role_definition_id": "${azurerm_role_definition.delegation.role_definition_resource_id}",
                "description": "Writes its NS record.",
            },
            "two": {
                "principal_id": "${azurerm_user_assigned_identity.prod-apply.principal_id}",
                "role_definition_id": "/subscriptions/0/providers/Microsoft.Authorization/roleDefinitions/"
                "b24988ac-6180-42a0-ab88-20f7382dd24c",
                "description": "Changes its group.",
            },
            "three": {
                "principal_id": "${azurerm_user_assigned_identity.dev-apply.principal_id}",
                "role_definition_id": "/roleDefinitions/b24988ac-6180-42a0-ab88-20f7382dd24c",
                "description": "Changes its group.",
            },
        },
    }
}


def test_app_settings() -> None:
    settings = [
        AppSetting(name="PORT", purpose="Where it listens.", value="8000"),
        AppSetting(name="ROLE", purpose="What telemetry bears.", value="api", slot_value="api-slot"),
        AppSetting(name="DATABASE_URL", purpose="The database's address.", secret="database-url"),  # noqa: S106  a name
        AppSetting(name="ENVIRONMENT", purpose="Which environment.", source="application_environment"),
    ]
    assert render_app_settings(settings) == (
        "\n| name | value | purpose |\n"
        "|---|---|---|\n"
        "| `PORT` | `8000` | Where it listens. |\n"
        "| `ROLE` | `api`; the slot's own is `api-slot` | What telemetry bears. |\n"
        "| `DATABASE_URL` | secret `database-url` | The database's address. |\n"
        "| `ENVIRONMENT` | by the stack: application_environment | Which environment. |\n\n"
    )


def test_outputs_are_in_the_order_of_their_names() -> None:
    stack = {"output": {"b": {"description": "second", "value": 1}, "a": {"description": "first", "value": 2}}}
    assert render_outputs(stack) == "\n| output | what it is |\n|---|---|\n| `a` | first |\n| `b` | second |\n\n"


def test_trusted_subjects() -> None:
    assert render_trusted_subjects(SHARED) == (
        "\n| identity | subject of the token |\n"
        "|---|---|\n"
        "| `id-x-apply-dev-eus2` | `repo:x/y:environment:dev` |\n"
        "| `id-x-apply-prod-eus2` | `repo:x/y:environment:production` |\n\n"
    )


def test_rights_show_custom_and_built_in_roles_of_one_environment() -> None:
    assert render_ci_rights(SHARED) == (
        "\n| identity | role | why |\n"
        "|---|---|---|\n"
        "| `id-x-apply-prod-eus2` | Contributor | Changes its group. |\n"
        "| `id-x-apply-prod-eus2` | custom: delegation | Writes its NS record. |\n\n"
    )
