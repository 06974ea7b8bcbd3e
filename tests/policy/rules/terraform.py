"""What is around the resources: provider, backend, references, and the borders between stacks."""

import re
from collections.abc import Iterator

from tests.policy.rule import (
    Stack,
    Violation,
    find_references,
    format_choices,
    get_value,
    load_binding,
    rule,
    walk_stack_strings,
)

PROVIDER_VERSION = "4.81.0"
PROVIDER = {
    "storage_use_azuread": True,
    "resource_provider_registrations": "none",
    "features.storage.data_plane_available": False,
    "features.key_vault.purge_soft_delete_on_destroy": False,
    "features.key_vault.recover_soft_deleted_key_vaults": True,
    "features.postgresql_flexible_server.restart_server_on_configuration_value_change": False,
    "features.resource_group.prevent_deletion_if_contains_resources": True,
}
"""What the provider block says, by path."""
CREDENTIALS = ("client_secret", "client_certificate", "client_certificate_password", "client_secret_file_path")
BACKEND_KEYS = ("access_key", "sas_token", "client_secret", "client_certificate_password")
NEWER = {"azurerm_federated_identity_credential": ("user_assigned_identity_id",)}
"""By type: arguments that the pinned provider has, and that the older schema of the bindings has not."""
GROUP = "resource_group_name"
META = frozenset({"depends_on", "lifecycle", "provider", "provisioner", "connection", "count", "for_each", "//"})


@rule()
def the_provider_is_pinned(stack: Stack) -> Iterator[Violation]:
    """The provider is azurerm 4.81.0 exactly, and Terraform is 1.11 or newer, which has write-only arguments.

    docs/adr/0002-provider-newer-than-bindings.md; docs/design.md#decisions, "Terraform version";
    https://developer.hashicorp.com/terraform/language/providers/requirements
    """
    expected = {"required_providers.azurerm.version": PROVIDER_VERSION, "required_version": ">= 1.11.0"}
    for path, right in expected.items():
        if (value := get_value(stack.body, f"terraform.{path}")) != right:
            yield Violation(f"{stack.name}: terraform", path, value, f"must be {format_choices([right])}")
    for name in stack.body.get("provider", {}):
        if name != "azurerm":
            yield Violation(f"{stack.name}: provider.{name}", "name", name, "must be azurerm, the only provider")


@rule()
def the_provider_is_configured_safely(stack: Stack) -> Iterator[Violation]:
    """The provider uses Entra instead of keys, and calls no data plane.

    It never purges a vault, restarts a database server, or deletes a group with its contents.
    docs/design.md#decisions, "Data plane"; docs/design.md#traps;
    https://registry.terraform.io/providers/hashicorp/azurerm/4.81.0/docs/guides/features-block
    """
    address = f"{stack.name}: provider.azurerm"
    for path, right in PROVIDER.items():
        if (value := get_value(stack.body, f"provider.azurerm.{path}")) != right:
            yield Violation(address, path, value, f"must be {format_choices([right])}")
    for path in CREDENTIALS:
        if (value := get_value(stack.body, f"provider.azurerm.{path}")) is not None:
            yield Violation(address, path, value, "must be absent: GitHub logs in by OIDC")
    account = stack.platform.shared.account
    for path, right in (("subscription_id", account.subscription_id), ("tenant_id", account.tenant_id)):
        if (value := get_value(stack.body, f"provider.azurerm.{path}")) != right:
            yield Violation(address, path, value, f"must be {format_choices([right])}")


@rule()
def each_stack_has_its_own_state(stack: Stack) -> Iterator[Violation]:
    """Each stack keeps its state in a container of its own, and reaches it with Entra only.

    Rights on state end at a container, and the account has no keys. docs/design.md#decisions, "State";
    https://developer.hashicorp.com/terraform/language/backend/azurerm
    """
    shared = stack.platform.shared.names
    expected = {
        "use_azuread_auth": True,
        "storage_account_name": shared.compose("storage", "state"),
        "container_name": f"tfstate-{stack.name}",
        "key": "terraform.tfstate",
    }
    address = f"{stack.name}: terraform.backend.azurerm"
    for path, right in expected.items():
        if (value := get_value(stack.body, f"terraform.backend.azurerm.{path}")) != right:
            yield Violation(address, path, value, f"must be {format_choices([right])}")
    for path in BACKEND_KEYS:
        if (value := get_value(stack.body, f"terraform.backend.azurerm.{path}")) is not None:
            yield Violation(address, path, value, "must be absent: Entra alone")


@rule()
def every_reference_resolves(stack: Stack) -> Iterator[Violation]:
    """Every reference names a resource of the same stack, and an attribute that its type has.

    References inside strings, in `depends_on` and in outputs count too.
    https://developer.hashicorp.com/terraform/language/expressions/references
    """
    addresses = {f"{resource.type}.{resource.name}" for resource in stack.find_resources()}
    addresses |= {f"data.{type_}.{name}" for type_, bodies in stack.body.get("data", {}).items() for name in bodies}
    for address, path, text in walk_stack_strings(stack):
        for target, attribute in find_references(text):
            if target not in addresses:
                yield Violation(address, path, text, f"must speak of a resource of this stack; there is no {target}")
            elif attribute and not hasattr(load_binding(target.rpartition(".")[0]), re.split(r"\W", attribute)[0]):
                yield Violation(address, path, text, f"must name an attribute; {target} has no {attribute}")


@rule()
def stacks_do_not_read_each_other(stack: Stack) -> Iterator[Violation]:
    """A stack reads no other stack's state, and an environment names nothing that belongs to another environment.

    Only names and ids of the shared stack, derived from settings, pass between stacks. To read a remote state takes
    rights on it, and gives away everything in it. docs/design.md#decisions, "Ownership";
    https://developer.hashicorp.com/terraform/language/state/remote-state-data
    """
    for type_ in stack.body.get("data", {}):
        if type_ == "terraform_remote_state":
            yield Violation(
                f"{stack.name}: data.{type_}", "type", type_, "must be absent: derive the name from settings"
            )
    if stack.environment is None:
        return
    other_groups = {
        stack.platform.make_names(environment).compose("resource_group"): name
        for name, environment in stack.platform.environments.items()
        if name != stack.name
    }
    for address, path, text in walk_stack_strings(stack):
        for group, name in other_groups.items():
            if group in text:
                yield Violation(address, path, text, f"must not name anything of {name}'s")


@rule("azurerm_user_assigned_identity", "azurerm_dns_ns_record")
def resources_are_in_their_own_group(stack: Stack) -> Iterator[Violation]:
    """Everything that belongs to an environment is in the environment's resource group.

    Rights, the budget and disposal end at that group. The shared stack makes some of it: each zone with its delegation,
    which is in the parent zone, and each API's identity. docs/design.md#decisions, "Ownership";
    https://learn.microsoft.com/azure/azure-resource-manager/management/overview#resource-groups
    """
    shared = stack.platform.shared.names.compose("resource_group")
    for resource in stack.find_resources():
        group = get_value(resource.body, GROUP)
        if group is None or resource.type == "azurerm_resource_group":
            continue
        group_resource = stack.resolve(group)
        name = group_resource.body["name"] if group_resource else group
        tag = str(get_value(resource.body, "tags.environment"))
        environment = stack.platform.environments.get(tag, stack.environment)
        own = stack.platform.make_names(environment).compose("resource_group") if environment else shared
        may_be_shared = stack.environment is None
        if name != own and not (may_be_shared and name == shared):
            yield Violation.of(resource, GROUP, f"must be {own}")


@rule()
def no_unknown_argument(stack: Stack) -> Iterator[Violation]:
    """Every argument is one that the resource's type has.

    An override can write any argument, and `terraform validate` would show it much later.
    docs/adr/0002-provider-newer-than-bindings.md;
    https://developer.hashicorp.com/terraform/cdktf/concepts/resources#escape-hatch
    """
    for resource in stack.find_resources():
        for argument in resource.body:
            is_expected = argument in META or argument in NEWER.get(resource.type, ())
            if not is_expected and not hasattr(load_binding(resource.type), argument):
                yield Violation(
                    resource.address, argument, get_value(resource.body, argument), "is no argument of this type"
                )


@rule()
def images_have_no_moving_tag(stack: Stack) -> Iterator[Violation]:
    """Images are named by digest, never by `latest`, which is another image tomorrow.

    Only the first image has a tag, and the first delivery replaces it by a digest. docs/design.md#decisions, "Images";
    https://learn.microsoft.com/azure/container-registry/container-registry-image-tag-version
    """
    for address, path, text in walk_stack_strings(stack):
        if text.endswith(":latest"):
            yield Violation(address, path, text, "must not be :latest")
        elif path.endswith("docker_image_name") and text != "augeo-api:bootstrap" and "@sha256:" not in text:
            yield Violation(address, path, text, "must be augeo-api:bootstrap, or a digest")
