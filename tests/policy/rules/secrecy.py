"""Terraform never sees a secret: none is in the source, in a plan, in the state or in an output."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from constructs_lib.app_settings import read_app_settings
from tests.policy.rule import (
    EXPRESSION,
    REFERENCE,
    Stack,
    Violation,
    find_references,
    get_value,
    rule,
    walk_stack_strings,
)
from tests.policy.rules.transport import WEB_APPS

PASSWORD = "Aa1-${uuid()}"  # noqa: S105  an expression: Terraform makes up a password at each apply
SECRET_ARGUMENT = re.compile(
    r"password|secret|token|_key$|access_key|connection_string|credential|webhook", re.IGNORECASE
)
"""Arguments that hold a secret. Their value must be a reference."""
SECRET_TEXT = re.compile(
    r"AccountKey=|SharedAccessKey|AccessKey=|InstrumentationKey=|Password=|Pwd=|[?&]sig=|-----BEGIN|\bgh[pousr]_\w{20}|"
    r"\bey[JK]\w{10,}\.ey|\b[0-9a-f]{32,}\b|[a-z+]://[^/\s:@{}]+:[^/\s@{}]+@",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z0-9+_=-]{20,}")
DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
"""The end of an image's address that names its content."""
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
VAULT_REFERENCE = re.compile(r"@Microsoft\.KeyVault\(VaultName=(?P<vault>[\w-]+);SecretName=(?P<secret>[\w-]+)\)")
SENSITIVE = re.compile(r"key$|keys$|secret|password|token$|connection_string|credential|verification_id|callback_url")
"""Attributes that azurerm 4.81 marks as sensitive (`terraform providers schema`), and the callback's signed address."""
SENSITIVE_IN_STATE = {
    ("azurerm_application_insights", "connection_string"): (
        "app_settings.APPLICATIONINSIGHTS_CONNECTION_STRING",
        "lets one send telemetry, not read it",
    ),
    ("azurerm_linux_web_app", "custom_domain_verification_id"): ("record.0.value", "is published in DNS"),
    ("azurerm_cdn_frontdoor_custom_domain", "validation_token"): ("record.0.value", "is published in DNS"),
    ("azurerm_logic_app_trigger_http_request", "callback_url"): (
        "logic_app_receiver.0.callback_url",
        "lets one post an alert to Teams; Azure Monitor takes nothing else",
    ),
}
"""By type and attribute: the only argument that may use a sensitive attribute, and why it may.

Azure returns these attributes, so that they are in the state in any case.
"""
SECRET_SETTING = re.compile(r"SECRET|PASSWORD|_KEY$|TOKEN$|CONNECTION_STRING|DATABASE_URL|REDIS_URL")
"""App settings whose name says that they are secret."""
DATA_PLANE = re.compile(
    r"azurerm_(key_vault_(secret|key|certificate|access_policy)\w*|storage_(blob|queue|table|share)\w*|"
    r"storage_account_(static_website|queue_properties|network_rules)|storage_data_lake\w*|app_configuration_(key|feature))"
)
"""Types that the provider manages through a data plane."""
DATA_PLANE_ARGUMENTS = {
    "azurerm_storage_container": ("storage_account_name",),
    "azurerm_storage_account": ("queue_properties", "share_properties", "static_website"),
    "azurerm_storage_container_immutability_policy": ("storage_container_name",),
}
"""By type: the arguments that make the provider call a storage account's data plane."""


@rule()
def no_secret_looking_literal(stack: Stack) -> Iterator[Violation]:
    """No literal looks like a secret. A literal is in Git, in the plan and in the state, for everybody to read.

    The rule looks for literals in arguments that hold secrets, for the forms of well-known secrets, and for words that
    look random. Only the expression `PASSWORD` is allowed. docs/design.md#decisions, "Secrets";
    https://docs.github.com/code-security/secret-scanning
    """
    for address, path, text in walk_stack_strings(stack):
        argument = path.rpartition(".")[2]
        literal = text
        for harmless in (EXPRESSION, REFERENCE, VAULT_REFERENCE, DIGEST, GUID):
            literal = harmless.sub("", literal)
        is_suspicious = (
            (SECRET_ARGUMENT.search(argument) and literal and not literal.isdecimal())
            or SECRET_TEXT.search(literal)
            or any(_looks_random(word) for word in WORD.findall(literal))
        )
        if is_suspicious and text != PASSWORD:
            yield Violation(address, path, text, "looks like a secret: must come from Key Vault, by reference")


def _looks_random(word: str) -> bool:
    """Return whether a word mixes cases and digits, and has more than 4 bits of entropy a character, as keys have."""
    frequencies = [count / len(word) for count in Counter(word).values()]
    entropy = -sum(frequency * math.log2(frequency) for frequency in frequencies)
    is_mixed = all(re.search(characters, word) for characters in ("[a-z]", "[A-Z]", "[0-9]"))
    return is_mixed and entropy > 4


@rule("azurerm_postgresql_flexible_server")
def the_first_password_is_write_only(stack: Stack) -> Iterator[Violation]:
    """The database's first password is a write-only argument, with a version.

    A write-only argument is in neither plan nor state. The provider refuses every update of the server while it is
    null. docs/design.md#decisions, "First database password";
    https://developer.hashicorp.com/terraform/language/manage-sensitive-data/write-only
    """
    for server in stack.find_resources("azurerm_postgresql_flexible_server"):
        if get_value(server.body, "administrator_password_wo") != PASSWORD:
            yield Violation.of(
                server, "administrator_password_wo", f"must be {PASSWORD}, which Terraform makes up and forgets"
            )
        if get_value(server.body, "administrator_password_wo_version") is None:
            yield Violation.of(
                server, "administrator_password_wo_version", "must be set: it decides when the password is sent"
            )
        if get_value(server.body, "administrator_password") is not None:
            yield Violation.of(server, "administrator_password", "must be absent: it would be kept in the state")


@rule(*WEB_APPS)
def secret_settings_are_vault_references(stack: Stack) -> Iterator[Violation]:
    """Secret app settings are references to secrets in the vault of the app's own environment.

    The app reads them with its managed identity. docs/design.md#decisions, "Secrets";
    https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
    """
    secrets = {setting.name: setting.secret for setting in read_app_settings() if setting.secret}
    vault = stack.platform.make_names(stack.environment).compose("key_vault") if stack.environment else ""
    for app in stack.find_resources(*WEB_APPS):
        for name, value in app.body.get("app_settings", {}).items():
            reference = VAULT_REFERENCE.fullmatch(str(value))
            if name in secrets:
                if not reference or (reference["vault"], reference["secret"]) != (vault, secrets[name]):
                    yield Violation.of(app, f"app_settings.{name}", f"must be the secret {secrets[name]} of {vault}")
            elif SECRET_SETTING.search(name) and "${" not in str(value):
                yield Violation.of(
                    app, f"app_settings.{name}", "must be a Key Vault reference: its name says that it is secret"
                )


@rule("azurerm_storage_account", "azurerm_storage_container", "azurerm_storage_container_immutability_policy")
def no_resource_uses_a_data_plane(stack: Stack) -> Iterator[Violation]:
    """No resource, data source or argument makes the provider call a data plane.

    The vault and the accounts are closed to the runners of CI, so a plan that calls them would fail.
    docs/design.md#decisions, "Data plane";
    https://registry.terraform.io/providers/hashicorp/azurerm/4.81.0/docs/guides/features-block
    """
    for section, prefix in (("resource", ""), ("data", "data.")):
        for type_, bodies in stack.body.get(section, {}).items():
            for name in bodies:
                if DATA_PLANE.fullmatch(type_):
                    address = f"{stack.name}: {prefix}{type_}.{name}"
                    yield Violation(address, "type", type_, "must go through Resource Manager, or be done by scripts/")
    for resource in stack.find_resources(*DATA_PLANE_ARGUMENTS):
        for argument in DATA_PLANE_ARGUMENTS[resource.type]:
            if get_value(resource.body, argument) is not None:
                yield Violation.of(resource, argument, "must be absent: it makes the provider ask the data plane")


@rule()
def outputs_are_not_secret(stack: Stack) -> Iterator[Violation]:
    """No output is sensitive, or built from a sensitive attribute: scripts and people read outputs, and CI prints them.

    docs/design.md#decisions, "Secrets";
    https://developer.hashicorp.com/terraform/language/block/output#sensitive
    """
    for name, output in stack.body.get("output", {}).items():
        address = f"{stack.name}: output.{name}"
        if output.get("sensitive"):
            yield Violation(address, "sensitive", True, "must be absent: a secret is no output")
        for _, attribute in find_references(str(output["value"])):
            if attribute and SENSITIVE.search(attribute):
                yield Violation(address, "value", output["value"], "must not be built from a sensitive attribute")


@rule(*(type_ for type_, _ in SENSITIVE_IN_STATE))
def sensitive_attributes_are_used_only_where_listed(stack: Stack) -> Iterator[Violation]:
    """A sensitive attribute is used only where `SENSITIVE_IN_STATE` says.

    Azure returns some sensitive attributes, and nothing keeps those out of the state. docs/design.md#decisions,
    "Sensitive attributes";
    https://developer.hashicorp.com/terraform/language/manage-sensitive-data
    """
    for address, path, text in walk_stack_strings(stack):
        for source, attribute in find_references(text):
            if attribute is None or not SENSITIVE.search(attribute):
                continue
            allowed, _ = SENSITIVE_IN_STATE.get((source.split(".")[0], attribute), ("", ""))
            if path != allowed:
                yield Violation(address, path, text, f"must not hold {attribute}, which is sensitive")
