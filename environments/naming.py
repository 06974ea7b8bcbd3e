"""Composes the names of Azure resources, and checks them against Azure's rules.

A name is `<abbreviation>-<workload>[-<role>]-<environment>-<region or suffix>`. Names that must be unique in all of
Azure end in the account's suffix, all others in the region. The form and the abbreviations are those of the Cloud
Adoption Framework; the rules are Azure's own:
https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules
https://learn.microsoft.com/azure/cloud-adoption-framework/ready/azure-best-practices/resource-abbreviations
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

Location = Literal[
    "eastus2",
    "centralus",
    "eastus",
    "westus",
    "westus2",
    "westcentralus",
    "westus3",
    "southcentralus",
    "northcentralus",
    "canadacentral",
    "canadaeast",
    "westeurope",
    "northeurope",
    "uksouth",
    "ukwest",
    "francecentral",
    "germanywestcentral",
    "italynorth",
    "polandcentral",
    "spaincentral",
    "swedencentral",
    "australiaeast",
    "australiasoutheast",
    "southeastasia",
    "eastasia",
    "japaneast",
    "japanwest",
]
# https://learn.microsoft.com/azure/backup/scripts/geo-code-list
LOCATION_CODES: dict[Location, str] = {
    "eastus2": "eus2",
    "centralus": "cus",
    "eastus": "eus",
    "westus": "wus",
    "westus2": "wus2",
    "westcentralus": "wcus",
    "westus3": "wus3",
    "southcentralus": "scus",
    "northcentralus": "ncus",
    "canadacentral": "cnc",
    "canadaeast": "cne",
    "westeurope": "weu",
    "northeurope": "neu",
    "uksouth": "uks",
    "ukwest": "ukw",
    "francecentral": "frc",
    "germanywestcentral": "gwc",
    "italynorth": "itn",
    "polandcentral": "plc",
    "spaincentral": "spc",
    "swedencentral": "sdc",
    "australiaeast": "ae",
    "australiasoutheast": "ase",
    "southeastasia": "sea",
    "eastasia": "ea",
    "japaneast": "jpe",
    "japanwest": "jpw",
}
# The names that Azure Service Health uses.
LOCATION_NAMES: dict[Location, str] = {
    "eastus2": "East US 2",
    "centralus": "Central US",
    "eastus": "East US",
    "westus": "West US",
    "westus2": "West US 2",
    "westcentralus": "West Central US",
    "westus3": "West US 3",
    "southcentralus": "South Central US",
    "northcentralus": "North Central US",
    "canadacentral": "Canada Central",
    "canadaeast": "Canada East",
    "westeurope": "West Europe",
    "northeurope": "North Europe",
    "uksouth": "UK South",
    "ukwest": "UK West",
    "francecentral": "France Central",
    "germanywestcentral": "Germany West Central",
    "italynorth": "Italy North",
    "polandcentral": "Poland Central",
    "spaincentral": "Spain Central",
    "swedencentral": "Sweden Central",
    "australiaeast": "Australia East",
    "australiasoutheast": "Australia Southeast",
    "southeastasia": "Southeast Asia",
    "eastasia": "East Asia",
    "japaneast": "Japan East",
    "japanwest": "Japan West",
}
# Not every region has a pair that anybody can use, and West US 3 is nobody's own pair:
# https://learn.microsoft.com/azure/reliability/regions-paired
PAIRED_LOCATIONS: dict[Location, Location] = {
    "eastus2": "centralus",
    "centralus": "eastus2",
    "eastus": "westus",
    "westus": "eastus",
    "westus2": "westcentralus",
    "westcentralus": "westus2",
    "southcentralus": "northcentralus",
    "northcentralus": "southcentralus",
    "canadacentral": "canadaeast",
    "canadaeast": "canadacentral",
    "westeurope": "northeurope",
    "northeurope": "westeurope",
    "uksouth": "ukwest",
    "ukwest": "uksouth",
    "australiaeast": "australiasoutheast",
    "australiasoutheast": "australiaeast",
    "southeastasia": "eastasia",
    "eastasia": "southeastasia",
    "japaneast": "japanwest",
    "japanwest": "japaneast",
}
# Microsoft's lists of the regions with geo-zone-redundant and with zone-redundant storage. A region can have the first
# without being half of a pair above, because storage has pairs of its own, such as West US 3 with East US:
# https://learn.microsoft.com/azure/storage/common/redundancy-regions-gzrs
# https://learn.microsoft.com/azure/storage/common/redundancy-regions-zrs
GZRS_LOCATIONS = frozenset[Location](
    {
        "eastus2", "centralus", "eastus", "westus2", "westus3", "southcentralus", "canadacentral", "westeurope",
        "northeurope", "uksouth", "francecentral", "germanywestcentral", "swedencentral", "australiaeast",
        "southeastasia", "eastasia", "japaneast",
    }
)  # fmt: skip
ZONED_LOCATIONS = GZRS_LOCATIONS | frozenset[Location](("italynorth", "polandcentral", "spaincentral"))

Kind = Literal[
    "action_group",
    "application_insights",
    "communication_service",
    "container_app_environment",
    "container_app_job",
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


class NameRule(NamedTuple):
    """How the names of one kind of resource are composed, and what Azure accepts of them."""

    abbreviation: str
    """What the name begins with."""
    longest: int
    """The most characters that the name may have."""
    pattern: str = r"[a-z][a-z0-9-]*[a-z0-9]"
    """A regular expression that matches the whole name."""
    unique: bool = False
    """True if the name must be unique in all of Azure. It ends in the account's suffix then."""
    compact: bool = False
    """True if Azure allows only letters and digits. The parts are joined without hyphens then."""


NAME_RULES: dict[Kind, NameRule] = {
    "action_group": NameRule("ag", 260),
    "application_insights": NameRule("appi", 260),
    "communication_service": NameRule("acs", 63, unique=True),
    "container_app_environment": NameRule("cae", 60),
    "container_app_job": NameRule("caj", 32, r"[a-z](?!.*--)[a-z0-9-]*[a-z0-9]"),
    "container_registry": NameRule("cr", 50, r"[a-z0-9]{5,}", unique=True, compact=True),
    "email_service": NameRule("acs-email", 63, unique=True),
    "front_door": NameRule("afd", 90),
    "front_door_endpoint": NameRule("fde", 46, unique=True),
    "front_door_firewall": NameRule("fdfp", 128, r"[a-z][a-z0-9]*", compact=True),
    "identity": NameRule("id", 128),
    "key_vault": NameRule("kv", 24, r"[a-z](?!.*--)[a-z0-9-]+[a-z0-9]", unique=True),
    "log_analytics": NameRule("log", 63),
    "logic_app": NameRule("logic", 43),
    "managed_redis": NameRule("amr", 60, r"[a-z](?!.*--)[a-z0-9-]*[a-z0-9]", unique=True),
    "network_security_group": NameRule("nsg", 80),
    "postgresql": NameRule("psql", 63, unique=True),
    "private_endpoint": NameRule("pep", 64),
    "resource_group": NameRule("rg", 90),
    "service_plan": NameRule("asp", 60),
    "static_site": NameRule("stapp", 40),
    "storage": NameRule("st", 24, r"[a-z0-9]{3,}", unique=True, compact=True),
    "subnet": NameRule("snet", 80),
    "virtual_network": NameRule("vnet", 64),
    "web_app": NameRule("app", 60, unique=True),
}

# https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/error-reserved-resource-name
# The page does not say where a word ends. Azure's message speaks of "the resource name or a part of the name", so a
# hyphen ends a word here. The page lists "xbox" as a whole word, but Azure refused it within
# 'kv-oxkymednnqtltmfonxbox': https://github.com/openshift/openshift-azure/issues/1662
RESERVED = re.compile(
    r"microsoft|windows|xbox|\b(access|azure|bing|bizspark|biztalk|cortana|directx|dotnet|dynamics|excel|exchange|"
    r"forefront|groove|hololens|hyperv|kinect|lync|msdn|o365|office|office365|onedrive|onenote|outlook|powerpoint|"
    r"sharepoint|skype|visio|visualstudio)\b"
)
RESERVED_START = "login"
"""Reserved at the start of a name only. A composed name starts with an abbreviation, so this matters only if a person
chooses the whole name."""


def find_reserved_word(name: str) -> str | None:
    """Return the word in a name, or in a part of a name, for which Azure refuses it; None if there is none."""
    match = RESERVED.search(name)
    return match.group() if match else None


# The kinds and roles of all names that the stacks compose. They are checked before anything is synthesized, so that a
# workload, a short name or a suffix that is too long is refused then.
ENVIRONMENT_NAMES: tuple[tuple[Kind, tuple[str, ...]], ...] = (
    ("action_group", ("",)),
    ("application_insights", ("api", "browser")),
    ("communication_service", ("",)),
    ("container_app_environment", ("",)),
    ("container_app_job", ("migrate", "console")),
    ("email_service", ("",)),
    ("front_door", ("",)),
    ("front_door_endpoint", ("",)),
    ("front_door_firewall", ("",)),
    ("identity", ("api", "jobs", "teams", "plan", "apply", "delivery")),
    ("key_vault", ("", "db")),
    ("log_analytics", ("",)),
    ("logic_app", ("",)),
    ("managed_redis", ("",)),
    ("network_security_group", ("app", "jobs", "endpoints")),
    ("postgresql", ("",)),
    ("private_endpoint", ("database", "cache")),
    ("resource_group", ("",)),
    ("service_plan", ("",)),
    ("static_site", ("",)),
    ("storage", ("uploads", "evidence")),
    ("subnet", ("app", "jobs", "endpoints")),
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
    """Composes the names of one stack: `names.compose("key_vault")`, `names.compose("subnet", "app")`."""

    workload: str
    environment: str
    location: Location
    suffix: str

    def compose(self, kind: Kind, role: str = "") -> str:
        """Return the name of the stack's resource of this kind, or of the one with this role if there are several."""
        rule = NAME_RULES[kind]
        last = self.suffix if rule.unique else LOCATION_CODES[self.location]
        return ("" if rule.compact else "-").join(
            part for part in (rule.abbreviation, self.workload, role, self.environment, last) if part
        )

    def find_problems(self, roles_by_kind: Iterable[tuple[Kind, tuple[str, ...]]], parts: str) -> Iterator[str]:
        """Yield a sentence for each of these names that Azure would refuse.

        `parts` is what the sentence tells the reader to change, such as "short_name or account.workload".
        """
        for kind, roles in roles_by_kind:
            rule = NAME_RULES[kind]
            for role in roles:
                name = self.compose(kind, role)
                if (excess := len(name) - rule.longest) > 0:
                    yield (
                        f"the {kind} name '{name}' has {len(name)} characters, Azure takes {rule.longest}: "
                        f"shorten {parts} by {excess}"
                    )
                elif not re.fullmatch(rule.pattern, name):
                    yield f"the {kind} name '{name}' has characters that Azure refuses there ({rule.pattern})"
                elif word := find_reserved_word(name):
                    yield f"the {kind} name '{name}' contains '{word}', which Azure reserves: change {parts}"
