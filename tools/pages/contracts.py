"""docs/contracts/: the application's settings, the outputs of the stacks, and the rights of CI's identities."""

from collections.abc import Iterator, Mapping, Sequence

from constructs_lib.app_settings import AppSetting
from constructs_lib.roles import ROLE_IDS
from tools.pages.markdown_table import render_table_block
from tools.pages.stacks import SynthesizedResource, TerraformJson, walk_resources

IDENTITY = "azurerm_user_assigned_identity"


def render_app_settings(settings: Sequence[AppSetting]) -> str:
    """Return a table of the application's settings, with the source of each value."""
    rows = [[f"`{setting.name}`", _describe_value(setting), setting.purpose] for setting in settings]
    return render_table_block(["name", "value", "purpose"], rows)


def _describe_value(setting: AppSetting) -> str:
    if setting.secret:
        return f"secret `{setting.secret}`"
    if setting.source:
        return f"by the stack: {setting.source}"
    slot = f"; the slot's own is `{setting.slot_value}`" if setting.slot_value else ""
    return f"`{setting.value}`{slot}"


def render_outputs(stack: TerraformJson) -> str:
    """Return a table of a stack's outputs, by name."""
    rows = [[f"`{name}`", str(output["description"])] for name, output in sorted(stack["output"].items())]
    return render_table_block(["output", "what it is"], rows)


def render_trusted_subjects(shared: TerraformJson) -> str:
    """Return a table of the subjects of GitHub's tokens that each CI identity trusts."""
    identities = _read_identity_names(shared)
    rows = [
        [
            f"`{identities[_read_target_name(credential, 'user_assigned_identity_id')]}`",
            f"`{credential.body['subject']}`",
        ]
        for credential in _iter_type(shared, "azurerm_federated_identity_credential")
    ]
    return render_table_block(["identity", "subject of the token"], rows)


def render_ci_rights(shared: TerraformJson, *, name_parts: Sequence[str] = ("-prod-", "-shared-")) -> str:
    """Return a table of the roles of CI identities.

    Args:
        shared: The shared stack.
        name_parts: Parts of the names of the identities to list. The identities of the other environments have the same
            roles.
    """
    identities = _read_identity_names(shared)
    built_in = {guid: role for role, guid in ROLE_IDS.items()}
    custom = {
        role.name: str(role.body["name"]).rsplit(maxsplit=1)[-1]
        for role in _iter_type(shared, "azurerm_role_definition")
    }
    rows: list[list[str]] = []
    for assignment in _iter_type(shared, "azurerm_role_assignment"):
        identity = identities[_read_target_name(assignment, "principal_id")]
        guid = str(assignment.body["role_definition_id"]).rsplit("/", maxsplit=1)[-1]
        role = built_in.get(guid) or f"custom: {custom[_read_target_name(assignment, 'role_definition_id')]}"
        if any(part in identity for part in name_parts):
            rows.append([f"`{identity}`", role, str(assignment.body["description"])])
    return render_table_block(["identity", "role", "why"], sorted(rows))


def _read_identity_names(shared: TerraformJson) -> Mapping[str, str]:
    """Return the names of the identities in Azure, by their names in Terraform."""
    return {identity.name: str(identity.body["name"]) for identity in _iter_type(shared, IDENTITY)}


def _iter_type(stack: TerraformJson, type_: str) -> Iterator[SynthesizedResource]:
    """Yield a stack's resources of a type, by name."""
    matching = (resource for resource in walk_resources({"shared": stack}) if resource.type == type_)
    yield from sorted(matching, key=lambda resource: resource.name)


def _read_target_name(resource: SynthesizedResource, argument: str) -> str:
    """Return the name in Terraform of the resource that an argument refers to, as `${TYPE.NAME.ATTRIBUTE}`."""
    return str(resource.body[argument]).removeprefix("${").split(".")[1]
