"""The program around the resources: provider, backend, references, and the borders between stacks."""

import re
from collections.abc import Iterator

from tests.policy.rule import Problem, Stack, at, binding, either, references, rule, texts, wrong

PROVIDER_VERSION = "4.81.0"
# What the provider block says, by path.
PROVIDER = {
    "storage_use_azuread": True,
    "resource_provider_registrations": "none",
    "features.storage.data_plane_available": False,
    "features.key_vault.purge_soft_delete_on_destroy": False,
    "features.key_vault.recover_soft_deleted_key_vaults": True,
    "features.postgresql_flexible_server.restart_server_on_configuration_value_change": False,
    "features.resource_group.prevent_deletion_if_contains_resources": True,
}
CREDENTIALS = ("client_secret", "client_certificate", "client_certificate_password", "client_secret_file_path")
BACKEND_KEYS = ("access_key", "sas_token", "client_secret", "client_certificate_password")
# What the pinned provider has, and the bindings' older schema does not.
NEWER = {"azurerm_federated_identity_credential": ("user_assigned_identity_id",)}
GROUP = "resource_group_name"
META = frozenset({"depends_on", "lifecycle", "provider", "provisioner", "connection", "count", "for_each", "//"})


@rule()
def the_provider_is_pinned(stack: Stack) -> Iterator[Problem]:
    """4.81.0 exactly: the last 4.x, tried with this design; what Terraform is at least knows write-only arguments.

    Design section 4; https://developer.hashicorp.com/terraform/language/providers/requirements
    """
    wanted = {"required_providers.azurerm.version": PROVIDER_VERSION, "required_version": ">= 1.11.0"}
    for path, right in wanted.items():
        if (value := at(stack.body, f"terraform.{path}")) != right:
            yield Problem(f"{stack.name}: terraform", path, value, f"must be {either([right])}")
    for name in stack.body.get("provider", {}):
        if name != "azurerm":
            yield Problem(f"{stack.name}: provider.{name}", "name", name, "must be azurerm, the only provider")


@rule()
def the_provider_keeps_off_the_data(stack: Stack) -> Iterator[Problem]:
    """Entra instead of keys, no data plane, no purge, no restart, no group deleted with its contents (design, 4).

    https://registry.terraform.io/providers/hashicorp/azurerm/4.81.0/docs/guides/features-block
    """
    address = f"{stack.name}: provider.azurerm"
    for path, right in PROVIDER.items():
        if (value := at(stack.body, f"provider.azurerm.{path}")) != right:
            yield Problem(address, path, value, f"must be {either([right])}")
    for path in CREDENTIALS:
        if (value := at(stack.body, f"provider.azurerm.{path}")) is not None:
            yield Problem(address, path, value, "must be absent: GitHub logs in by OIDC")
    account = stack.platform.shared.account
    for path, right in (("subscription_id", account.subscription_id), ("tenant_id", account.tenant_id)):
        if (value := at(stack.body, f"provider.azurerm.{path}")) != right:
            yield Problem(address, path, value, f"must be {either([right])}")


@rule()
def the_state_is_its_own(stack: Stack) -> Iterator[Problem]:
    """One container a stack, so that rights end at it; Entra alone, because the account has no keys (design section 4).

    https://developer.hashicorp.com/terraform/language/backend/azurerm
    """
    shared = stack.platform.shared.names
    wanted = {
        "use_azuread_auth": True,
        "storage_account_name": shared.compose("storage", "state"),
        "container_name": f"tfstate-{stack.name}",
        "key": "terraform.tfstate",
    }
    address = f"{stack.name}: terraform.backend.azurerm"
    for path, right in wanted.items():
        if (value := at(stack.body, f"terraform.backend.azurerm.{path}")) != right:
            yield Problem(address, path, value, f"must be {either([right])}")
    for path in BACKEND_KEYS:
        if (value := at(stack.body, f"terraform.backend.azurerm.{path}")) is not None:
            yield Problem(address, path, value, "must be absent: Entra alone")


@rule()
def every_reference_resolves(stack: Stack) -> Iterator[Problem]:
    """Also those inside strings, `depends_on` and outputs; and the attribute is one that the type has.

    https://developer.hashicorp.com/terraform/language/expressions/references
    """
    known = {f"{resource.type}.{resource.name}" for resource in stack.of()}
    known |= {f"data.{type_}.{name}" for type_, named in stack.body.get("data", {}).items() for name in named}
    for address, path, text in texts(stack):
        for target, attribute in references(text):
            if target not in known:
                yield Problem(address, path, text, f"must speak of a resource of this stack; there is no {target}")
            elif attribute and not hasattr(binding(target.rpartition(".")[0]), re.split(r"\W", attribute)[0]):
                yield Problem(address, path, text, f"must name an attribute; {target} has no {attribute}")


@rule()
def stacks_keep_to_themselves(stack: Stack) -> Iterator[Problem]:
    """Across stacks go names and ids derived from settings, of the shared stack alone: never state, never constructs.

    A remote state would need rights on it, and hands out everything in it. Design section 4, "Ownership".
    https://developer.hashicorp.com/terraform/language/state/remote-state-data
    """
    for type_ in stack.body.get("data", {}):
        if type_ == "terraform_remote_state":
            yield Problem(f"{stack.name}: data.{type_}", "type", type_, "must be absent: derive the name from settings")
    if stack.environment is None:
        return
    others = {
        stack.platform.names(each).compose("resource_group"): name
        for name, each in stack.platform.environments.items()
        if name != stack.name
    }
    for address, path, text in texts(stack):
        for group, name in others.items():
            if group in text:
                yield Problem(address, path, text, f"must not name anything of {name}'s")


@rule("azurerm_user_assigned_identity", "azurerm_dns_ns_record")
def everything_stands_in_its_own_group(stack: Stack) -> Iterator[Problem]:
    """Rights, budget and disposal end at the environment's resource group, so all that is its own stands in it.

    The delegation alone is written into the parent zone, and the shared stack makes each API's identity.
    https://learn.microsoft.com/azure/azure-resource-manager/management/overview#resource-groups, design section 4.
    """
    shared = stack.platform.shared.names.compose("resource_group")
    for resource in stack.of():
        group = at(resource.body, GROUP)
        if group is None or resource.type == "azurerm_resource_group":
            continue
        made_here = stack.named(group)
        name = made_here.body["name"] if made_here else group
        for_ = stack.platform.environments.get(str(at(resource.body, "tags.environment")), stack.environment)
        own = stack.platform.names(for_).compose("resource_group") if for_ else shared
        common = resource.type == "azurerm_dns_ns_record" or stack.environment is None
        if name != own and not (common and name == shared):
            yield wrong(resource, GROUP, f"must be {own}")


@rule()
def no_unknown_argument(stack: Stack) -> Iterator[Problem]:
    """An override can write an argument that the provider does not have; `terraform validate` comes much later.

    https://developer.hashicorp.com/terraform/cdktf/concepts/resources#escape-hatch
    """
    for resource in stack.of():
        for argument in resource.body:
            known = argument in META or argument in NEWER.get(resource.type, ())
            if not known and not hasattr(binding(resource.type), argument):
                yield Problem(resource.address, argument, at(resource.body, argument), "is no argument of this type")


@rule()
def no_image_by_a_tag_that_moves(stack: Stack) -> Iterator[Problem]:
    """`latest` is another image tomorrow. The first image alone has a tag, which deliveries replace by a digest.

    Design section 4, "Images"; https://learn.microsoft.com/azure/container-registry/container-registry-image-tag-version
    """
    for address, path, text in texts(stack):
        if text.endswith(":latest"):
            yield Problem(address, path, text, "must not be :latest")
        elif path.endswith("docker_image_name") and text != "augeo-api:bootstrap" and "@sha256:" not in text:
            yield Problem(address, path, text, "must be augeo-api:bootstrap, or a digest")
