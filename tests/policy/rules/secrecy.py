"""Terraform never sees a secret: none in the source, in the plan, in the state, in an output."""

import math
import re
from collections import Counter
from collections.abc import Iterator

from constructs_lib.app_settings import read_app_settings
from tests.policy.rule import EXPRESSION, REFERENCE, Problem, Stack, at, references, rule, texts, wrong
from tests.policy.rules.transport import WEB_APPS

PASSWORD = "Aa1-${uuid()}"  # noqa: S105  an expression: Terraform makes one up at each apply
KEPT_SECRET = re.compile(r"password|secret|token|_key$|access_key|connection_string|credential|webhook", re.IGNORECASE)
"""Arguments that hold a secret. Only a reference may stand there."""
SECRET_TEXT = re.compile(
    r"AccountKey=|SharedAccessKey|AccessKey=|InstrumentationKey=|Password=|Pwd=|[?&]sig=|-----BEGIN|\bgh[pousr]_\w{20}|"
    r"\bey[JK]\w{10,}\.ey|\b[0-9a-f]{32,}\b|[a-z+]://[^/\s:@{}]+:[^/\s@{}]+@",
    re.IGNORECASE,
)
WORD = re.compile(r"[A-Za-z0-9+_=-]{20,}")
GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
VAULT_REFERENCE = re.compile(r"@Microsoft\.KeyVault\(VaultName=(?P<vault>[\w-]+);SecretName=(?P<secret>[\w-]+)\)")
SENSITIVE = re.compile(r"key$|keys$|secret|password|token$|connection_string|credential|verification_id|callback_url")
"""Attributes that azurerm 4.81 marks as sensitive (`terraform providers schema`), and the callback's signed address."""
# Every place that a sensitive attribute may go, by type and attribute it comes from: the argument, and why.
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
# App settings that carry a secret by their name.
SECRET_SETTING = re.compile(r"SECRET|PASSWORD|_KEY$|TOKEN$|CONNECTION_STRING|DATABASE_URL|REDIS_URL")
DATA_PLANE = re.compile(
    r"azurerm_(key_vault_(secret|key|certificate|access_policy)\w*|storage_(blob|queue|table|share)\w*|"
    r"storage_account_(static_website|queue_properties|network_rules)|storage_data_lake\w*|app_configuration_(key|feature))"
)
# Arguments that have the provider ask a storage account's data plane, by type.
DATA_PLANE_ARGUMENTS = {
    "azurerm_storage_container": ("storage_account_name",),
    "azurerm_storage_account": ("queue_properties", "share_properties", "static_website"),
    "azurerm_storage_container_immutability_policy": ("storage_container_name",),
}


@rule()
def no_secret_looking_literal(stack: Stack) -> Iterator[Problem]:
    """What is written here stands in Git, in the plan and in the state, issue 3 section 4.

    Looks for a literal in an argument that holds a secret, for the forms of known secrets, and for words that look
    random. Of `PASSWORD` alone it is known that it is none. https://docs.github.com/code-security/secret-scanning
    """
    for address, path, text in texts(stack):
        argument = path.rpartition(".")[2]
        literal = text
        for known in (EXPRESSION, REFERENCE, VAULT_REFERENCE, GUID):
            literal = known.sub("", literal)
        suspicious = (
            (KEPT_SECRET.search(argument) and literal and not literal.isdecimal())
            or SECRET_TEXT.search(literal)
            or any(_looks_random(word) for word in WORD.findall(literal))
        )
        if suspicious and text != PASSWORD:
            yield Problem(address, path, text, "looks like a secret: must come from Key Vault, by reference")


def _looks_random(word: str) -> bool:
    """Whether it mixes cases and digits, with more than 4 bits a character: words have fewer, keys have more."""
    shares = [count / len(word) for count in Counter(word).values()]
    mixed = all(re.search(kind, word) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return mixed and -sum(share * math.log2(share) for share in shares) > 4


@rule("azurerm_postgresql_flexible_server")
def the_first_password_is_write_only(stack: Stack) -> Iterator[Problem]:
    """A write-only argument is in neither plan nor state; the provider refuses updates while it is null (design, 4).

    https://developer.hashicorp.com/terraform/language/manage-sensitive-data/write-only
    """
    for server in stack.of("azurerm_postgresql_flexible_server"):
        if at(server.body, "administrator_password_wo") != PASSWORD:
            yield wrong(
                server, "administrator_password_wo", f"must be {PASSWORD}, which Terraform makes up and forgets"
            )
        if at(server.body, "administrator_password_wo_version") is None:
            yield wrong(
                server, "administrator_password_wo_version", "must be set: it decides when the password is sent"
            )
        if at(server.body, "administrator_password") is not None:
            yield wrong(server, "administrator_password", "must be absent: it would be kept in the state")


@rule(*WEB_APPS)
def secret_settings_are_vault_references(stack: Stack) -> Iterator[Problem]:
    """The app reads its secrets from its own environment's vault, with its identity (design section 4).

    https://learn.microsoft.com/azure/app-service/app-service-key-vault-references
    """
    listed_secrets = {setting.name: setting.secret for setting in read_app_settings() if setting.secret}
    vault = stack.platform.names(stack.environment).compose("key_vault") if stack.environment else ""
    for app in stack.of(*WEB_APPS):
        for name, value in app.body.get("app_settings", {}).items():
            reference = VAULT_REFERENCE.fullmatch(str(value))
            if name in listed_secrets:
                if not reference or (reference["vault"], reference["secret"]) != (vault, listed_secrets[name]):
                    yield wrong(app, f"app_settings.{name}", f"must be the secret {listed_secrets[name]} of {vault}")
            elif SECRET_SETTING.search(name) and "${" not in str(value):
                yield wrong(
                    app, f"app_settings.{name}", "must be a Key Vault reference: its name says that it is secret"
                )


@rule("azurerm_storage_account", "azurerm_storage_container", "azurerm_storage_container_immutability_policy")
def nothing_asks_the_data_plane(stack: Stack) -> Iterator[Problem]:
    """Vault and accounts are closed to the runners of CI, so a plan that asked them would fail (design section 4).

    https://registry.terraform.io/providers/hashicorp/azurerm/4.81.0/docs/guides/features-block
    """
    for section, prefix in (("resource", ""), ("data", "data.")):
        for type_, named in stack.body.get(section, {}).items():
            for name in named:
                if DATA_PLANE.fullmatch(type_):
                    address = f"{stack.name}: {prefix}{type_}.{name}"
                    yield Problem(address, "type", type_, "must go through Resource Manager, or be done by scripts/")
    for resource in stack.of(*DATA_PLANE_ARGUMENTS):
        for argument in DATA_PLANE_ARGUMENTS[resource.type]:
            if at(resource.body, argument) is not None:
                yield wrong(resource, argument, "must be absent: it makes the provider ask the data plane")


@rule()
def outputs_tell_no_secret(stack: Stack) -> Iterator[Problem]:
    """Scripts and people read outputs, and CI prints them, issue 3 section 3.

    https://developer.hashicorp.com/terraform/language/block/output#sensitive
    """
    for name, output in stack.body.get("output", {}).items():
        address = f"{stack.name}: output.{name}"
        if output.get("sensitive"):
            yield Problem(address, "sensitive", True, "must be absent: a secret is no output")
        for _, attribute in references(str(output["value"])):
            if attribute and SENSITIVE.search(attribute):
                yield Problem(address, "value", output["value"], "must not be built from a sensitive attribute")


@rule(*(type_ for type_, _ in SENSITIVE_IN_STATE))
def sensitive_attributes_go_nowhere_else(stack: Stack) -> Iterator[Problem]:
    """What Azure exports into the state all the same goes only where `SENSITIVE_IN_STATE` says (design section 4).

    https://developer.hashicorp.com/terraform/language/manage-sensitive-data
    """
    for address, path, text in texts(stack):
        for source, attribute in references(text):
            if attribute is None or not SENSITIVE.search(attribute):
                continue
            allowed, _ = SENSITIVE_IN_STATE.get((source.split(".")[0], attribute), ("", ""))
            if path != allowed:
                yield Problem(address, path, text, f"must not hold {attribute}, which is sensitive")
