"""Names by the Cloud Adoption Framework, and Azure's rules for them.

A name is `<abbreviation>-<workload>[-<role>]-<environment>[-<region>|-<suffix>]`: names that must be unique in all of
Azure end in the account's suffix, the others in the region. The rules are Azure's own:
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
The abbreviations: https://learn.microsoft.com/azure/cloud-adoption-framework/ready/azure-best-practices/resource-abbreviations
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Location = Literal["eastus2", "centralus", "westeurope", "northeurope", "italynorth"]
LOCATION_CODES: dict[Location, str] = {
    "eastus2": "eus2",
    "centralus": "cus",
    "westeurope": "weu",
    "northeurope": "neu",
    "italynorth": "itn",
}
# As Azure Service Health writes them.
LOCATION_NAMES: dict[Location, str] = {
    "eastus2": "East US 2",
    "centralus": "Central US",
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "italynorth": "Italy North",
}
# Not every region has a pair: https://learn.microsoft.com/azure/reliability/regions-list
PAIRED_LOCATIONS: dict[Location, Location] = {
    "eastus2": "centralus",
    "centralus": "eastus2",
    "westeurope": "northeurope",
    "northeurope": "westeurope",
}

Kind = Literal[
    "action_group",
    "application_insights",
    "communication_service",
    "container_registry",
    "email_service",
    "front_door",
    "front_door_endpoint",
    "front_door_firewall",
    "identity",
    "key_vault",
    "log_analytics",
    "logic_app",
    "managed_redis",
    "network_security_group",
    "postgresql",
    "private_endpoint",
    "resource_group",
    "service_plan",
    "static_site",
    "storage",
    "subnet",
    "virtual_network",
    "web_app",
]


class Rule(NamedTuple):
    """Azure's rule for one kind of name: the abbreviation before it, how long it may be, of what it is made."""

    abbreviation: str
    longest: int
    pattern: str = r"[a-z][a-z0-9-]*[a-z0-9]"
    unique: bool = False
    """Unique in all of Azure: the name ends in the account's suffix."""
    compact: bool = False
    """Azure takes letters and digits alone: the parts are joined without a hyphen."""


RULES: dict[Kind, Rule] = {
    "action_group": Rule("ag", 260),
    "application_insights": Rule("appi", 260),
    "communication_service": Rule("acs", 63, unique=True),
    "container_registry": Rule("cr", 50, r"[a-z0-9]{5,}", unique=True, compact=True),
    "email_service": Rule("acs-email", 63, unique=True),
    "front_door": Rule("afd", 90),
    "front_door_endpoint": Rule("fde", 46, unique=True),
    "front_door_firewall": Rule("fdfp", 128, r"[a-z][a-z0-9]*", compact=True),
    "identity": Rule("id", 128),
    "key_vault": Rule("kv", 24, r"[a-z](?!.*--)[a-z0-9-]+[a-z0-9]", unique=True),
    "log_analytics": Rule("log", 63),
    "logic_app": Rule("logic", 43),
    "managed_redis": Rule("amr", 60, r"[a-z](?!.*--)[a-z0-9-]*[a-z0-9]", unique=True),
    "network_security_group": Rule("nsg", 80),
    "postgresql": Rule("psql", 63, unique=True),
    "private_endpoint": Rule("pep", 64),
    "resource_group": Rule("rg", 90),
    "service_plan": Rule("asp", 60),
    "static_site": Rule("stapp", 40),
    "storage": Rule("st", 24, r"[a-z0-9]{3,}", unique=True, compact=True),
    "subnet": Rule("snet", 80),
    "virtual_network": Rule("vnet", 64),
    "web_app": Rule("app", 60, unique=True),
}

# https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-reserved-resource-name
# What ends a word the page does not say; Azure's message is "the resource name or a part of the name", so a hyphen does
# here. "xbox" is a whole word there, but was refused within 'kv-oxkymednnqtltmfonxbox':
# https://github.com/openshift/openshift-azure/issues/1662
RESERVED = re.compile(
    r"microsoft|windows|xbox|\b(access|azure|bing|bizspark|biztalk|cortana|directx|dotnet|dynamics|excel|exchange|"
    r"forefront|groove|hololens|hyperv|kinect|lync|msdn|o365|office|office365|onedrive|onenote|outlook|powerpoint|"
    r"sharepoint|skype|visio|visualstudio)\b"
)
# Only there; a composed name starts with an abbreviation.
RESERVED_START = "login"


def reserved_word(name: str) -> str | None:
    """The word for which Azure refuses a name, or a part of one, wherever it stands; None if there is none."""
    found = RESERVED.search(name)
    return found and found.group()


# Every name the stacks compose, so that a workload, a short name or a suffix that is too long is refused before synth.
ENVIRONMENT_NAMES: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("action_group", ("",)),
    ("application_insights", ("api", "browser")),
    ("communication_service", ("",)),
    ("email_service", ("",)),
    ("front_door", ("",)),
    ("front_door_endpoint", ("",)),
    ("front_door_firewall", ("",)),
    ("identity", ("api", "teams", "plan", "apply", "delivery")),
    ("key_vault", ("",)),
    ("log_analytics", ("",)),
    ("logic_app", ("",)),
    ("managed_redis", ("",)),
    ("network_security_group", ("app", "endpoints")),
    ("postgresql", ("",)),
    ("private_endpoint", ("database", "cache")),
    ("resource_group", ("",)),
    ("service_plan", ("",)),
    ("static_site", ("",)),
    ("storage", ("uploads", "evidence")),
    ("subnet", ("app", "endpoints")),
    ("virtual_network", ("",)),
    ("web_app", ("",)),
)
SHARED_NAMES: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("action_group", ("",)),
    ("container_registry", ("",)),
    ("identity", ("plan",)),
    ("log_analytics", ("",)),
    ("resource_group", ("",)),
    ("storage", ("state",)),
)


@dataclass(frozen=True)
class Names:
    """The names of one environment: `names.compose("key_vault")`, `names.compose("subnet", "app")`."""

    workload: str
    environment: str
    location: Location
    suffix: str

    def compose(self, kind: Kind, role: str = "") -> str:
        """The name of the one resource of this kind, or of the one that plays this role."""
        rule = RULES[kind]
        last = self.suffix if rule.unique else LOCATION_CODES[self.location]
        return ("" if rule.compact else "-").join(
            part for part in (rule.abbreviation, self.workload, role, self.environment, last) if part
        )

    def problems(self, composed: Iterable[tuple[Kind, tuple[str, ...]]], parts: str) -> Iterator[str]:
        """What Azure would refuse among the names that a stack composes. `parts`: the settings to change."""
        for kind, roles in composed:
            rule = RULES[kind]
            for name in (self.compose(kind, role) for role in roles):
                if (over := len(name) - rule.longest) > 0:
                    yield (
                        f"the {kind} name '{name}' has {len(name)} characters, Azure takes {rule.longest}: "
                        f"shorten {parts} by {over}"
                    )
                elif not re.fullmatch(rule.pattern, name):
                    yield f"the {kind} name '{name}' has characters that Azure refuses there ({rule.pattern})"
                elif word := reserved_word(name):
                    yield f"the {kind} name '{name}' contains '{word}', which Azure reserves: change {parts}"
