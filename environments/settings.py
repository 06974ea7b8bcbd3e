"""The models of all settings: what an environment may choose, and which choices go together.

The values in `dev.py`, `staging.py`, `production.py` and `shared.py` are not checked where they are written.
`environments.load()` checks them all at once; see `base.py` and `validation.py`.
"""

import ipaddress
from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, get_args

from pydantic import AfterValidator, Field, field_validator

from environments.base import CheckedValues, Conflict, Settings
from environments.naming import (
    GZRS_LOCATIONS,
    PAIRED_LOCATIONS,
    RESERVED_START,
    ZONED_LOCATIONS,
    Location,
    Names,
    find_reserved_word,
)
from environments.zone_file import find_taken_names, read_zone_file

Guid = Annotated[
    str,
    Field(
        pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$",
        description="a GUID in lower case, 00000000-0000-0000-0000-000000000000",
    ),
]
EmailAddress = Annotated[
    str,
    Field(
        pattern=r"^[A-Za-z0-9.!#&'*+/=?^_~-]+@([A-Za-z0-9-]+\.)+[A-Za-z]{2,}$",
        description="a mail address, name@domain",
    ),
]


def _check_text(value: str) -> str:
    if "${" in value or "%{" in value:
        raise ValueError("must not contain ${ or %{: Terraform would evaluate it")
    if hidden := next((character for character in value if not character.isprintable()), None):
        raise ValueError(f"must not contain {hidden!r}, which does not print")
    return value


def _check_no_reserved_word(value: str) -> str:
    if word := find_reserved_word(value):
        raise ValueError(f"contains '{word}', which Azure reserves: choose another")
    return value


Text = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_check_text)]
Tier = Literal["Burstable", "General Purpose", "Memory Optimized"]


# ---------------------------------------------------------------------------------------------- one slice a capability
def _check_zone_file(value: str) -> str:
    if "${" in value or "%{" in value:
        raise ValueError("must not contain ${ or %{: Terraform would evaluate it")
    read_zone_file(value, "zone.example")
    return value


ZoneFile = Annotated[
    str,
    Field(description='lines of a zone file, such as "@ MX 10 mail.example.com.": records that nothing else makes'),
    AfterValidator(_check_zone_file),
]


class Domain(Settings):
    """The environment's DNS zone, `<label>.<account.domain>`."""

    label: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
            description="one DNS label: lower-case letters and digits, hyphens inside",
        ),
    ]
    delegated: Annotated[
        bool,
        Field(
            description="False makes the zones alone; True, once the registrar delegates the parent domain, "
            "adds host names and certificates"
        ),
    ]
    own_names: Annotated[
        Literal["beside", "first", "only"],
        Field(
            description="once delegated: the zone's host names answer `beside` Azure's, which stay in use; come "
            "`first`, in links, builds and tests, while Azure's still answer; or are the `only` ones"
        ),
    ] = "beside"
    records: ZoneFile = ""

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield a use of names that nobody can look up yet."""
        own_names = values.get("own_names", str)
        if own_names in ("first", "only") and values.get("delegated", bool) is False:
            yield Conflict("own_names", own_names, "needs delegated=True: nobody can look the names up before that")


PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


def _check_cidr_form(value: str) -> str:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"is no IPv4 range as 10.10.0.0/16 is: {error}") from None
    if str(network) != value:
        raise ValueError(f"must be written as {network}")
    return value


class NetworkSettings(Settings):
    """The virtual network and its two subnets."""

    address_space: Annotated[
        str,
        Field(description="the virtual network's private IPv4 range, in CIDR form without host bits"),
        AfterValidator(_check_cidr_form),
    ]
    app_subnet: Annotated[
        str, Field(description="App Service's part of the address space"), AfterValidator(_check_cidr_form)
    ]
    endpoints_subnet: Annotated[
        str, Field(description="the private endpoints' part of the address space"), AfterValidator(_check_cidr_form)
    ]

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield ranges that lie outside the range they belong to, are too small or overlap."""
        space = _parse_network(values.get("address_space", str))
        app = _parse_network(values.get("app_subnet", str))
        endpoints = _parse_network(values.get("endpoints_subnet", str))
        if space and not any(space.subnet_of(ipaddress.IPv4Network(private)) for private in PRIVATE_RANGES):
            yield Conflict("address_space", str(space), f"must lie in {', '.join(PRIVATE_RANGES)}")
            space = None  # a wrong range says nothing about the subnets
        for path, subnet in (("app_subnet", app), ("endpoints_subnet", endpoints)):
            if space and subnet and not subnet.subnet_of(space):
                yield Conflict(path, str(subnet), f"lies outside the address space {space}")
        # App Service accepts a /28 subnet, but Microsoft recommends /26. Azure keeps 5 addresses of each subnet.
        # https://learn.microsoft.com/azure/app-service/overview-vnet-integration#subnet-requirements
        if app and app.prefixlen > 26:
            advice = "must be /26 or larger, so that App Service can scale out and upgrade in it"
            yield Conflict("app_subnet", str(app), advice)
        if endpoints and endpoints.prefixlen > 29:
            advice = "must be /29 or larger: Azure keeps 5 addresses of each subnet"
            yield Conflict("endpoints_subnet", str(endpoints), advice)
        if app and endpoints and endpoints.overlaps(app):
            yield Conflict("endpoints_subnet", str(endpoints), f"overlaps the app subnet {app}")


class JobsSettings(Settings):
    """What runs inside the network besides the API: migrations, and commands of the console, in Container Apps."""

    subnet: Annotated[
        str, Field(description="the jobs' part of the address space, /27 or larger"), AfterValidator(_check_cidr_form)
    ]
    cpu: Annotated[
        Literal["0.25", "0.5", "1", "2"], Field(description="cores of a job; it has twice as many GB of memory")
    ] = "0.5"
    migrate_minutes: Annotated[int, Field(ge=1, le=240, description="minutes after which a migration is stopped")] = 30
    console_minutes: Annotated[int, Field(ge=1, le=480, description="minutes after which a command is stopped")] = 60

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield a subnet that is too small: https://learn.microsoft.com/azure/container-apps/custom-virtual-networks."""
        subnet = _parse_network(values.get("subnet", str))
        if subnet and subnet.prefixlen > 27:
            yield Conflict("subnet", str(subnet), "must be /27 or larger: Container Apps takes no smaller one")


class Autoscale(Settings):
    """How many workers the plan may run, and when it adds or removes one (CPU percentage over ten minutes)."""

    minimum: Annotated[int, Field(ge=1, le=30, description="never fewer workers")]
    default: Annotated[int, Field(ge=1, le=30, description="the count while no metric can be read")]
    maximum: Annotated[int, Field(ge=1, le=30, description="never more workers")]
    scale_out_above_cpu_percent: Annotated[int, Field(ge=20, le=95, description="one worker more, above")] = 70
    scale_in_below_cpu_percent: Annotated[int, Field(ge=5, le=80, description="one worker less, below")] = 30

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield limits that are not in order, and CPU percentages that would make the plan flap."""
        minimum, default, maximum = values.get("minimum", int), values.get("default", int), values.get("maximum", int)
        order = "minimum <= default <= maximum"
        if minimum and default and default < minimum:
            yield Conflict("default", default, f"must be at least minimum ({minimum}): {order}")
        lower_limits = {path: limit for path in ("minimum", "default") if (limit := values.get(path, int))}
        if maximum and lower_limits:
            highest = max(lower_limits, key=lower_limits.__getitem__)
            if maximum < lower_limits[highest]:
                yield Conflict("maximum", maximum, f"must be at least {highest} ({lower_limits[highest]}): {order}")
        scale_out = values.get("scale_out_above_cpu_percent", int)
        scale_in = values.get("scale_in_below_cpu_percent", int)
        # With two workers, removing one doubles the load of the other.
        if scale_out and scale_in and scale_in * 2 > scale_out:
            half = f"must be at most half of scale_out_above_cpu_percent ({scale_out}), or the plan flaps"
            yield Conflict("scale_in_below_cpu_percent", scale_in, half)


class WebAppSettings(Settings):
    """The App Service plan of the API, and what runs on it."""

    sku: Annotated[
        Literal["B1", "B2", "B3", "S1", "S2", "S3", "P0v3", "P1v3", "P2v3", "P3v3"],
        Field(description="size of a worker"),
    ]
    workers: Annotated[int, Field(ge=1, le=30, description="workers before autoscale, if any, takes over")]
    zone_balanced: Annotated[bool, Field(description="True spreads the workers over the region's zones")]
    slot: Annotated[bool, Field(description="True adds a 'staging' slot for deployments without downtime")]
    autoscale: Autoscale | None
    web_concurrency: Annotated[int, Field(ge=1, le=16, description="Uvicorn processes a container")] = 2

    @property
    def tier(self) -> Literal["Basic", "Standard", "Premium"]:
        """App Service's pricing tier that the sku belongs to."""
        return _get_plan_tier(self.sku)

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield what the plan's tier does not offer, and limits that contradict the number of workers."""
        workers, zone_balanced = values.get("workers", int), values.get("zone_balanced", bool)
        minimum, maximum = values.get("autoscale.minimum", int), values.get("autoscale.maximum", int)
        if sku := values.get("sku", str):
            yield from _find_tier_conflicts(values, sku)
        if zone_balanced and workers and workers < 2:
            yield Conflict("zone_balanced", True, "needs at least 2 workers, one a zone")
        if zone_balanced and minimum and minimum < 2:
            yield Conflict("autoscale.minimum", minimum, "must be at least 2 while the plan is zone balanced")
        reason = "the plan starts with its workers"
        if minimum and workers and minimum > workers:
            yield Conflict("autoscale.minimum", minimum, f"must be at most workers ({workers}): {reason}")
        if maximum and workers and maximum < workers:
            yield Conflict("autoscale.maximum", maximum, f"must be at least workers ({workers}): {reason}")


class StaticSiteSettings(Settings):
    """The admin site on Static Web Apps."""

    tier: Annotated[Literal["Free", "Standard"], Field(description="Standard comes with a service level agreement")]
    location: Annotated[
        Literal["eastus2", "centralus", "westus2", "westeurope", "eastasia"],
        Field(description="where the site's API and staging environments live; its content is served worldwide"),
    ]


class DatabaseSettings(Settings):
    """The PostgreSQL flexible server."""

    server_name: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z][a-z0-9-]{1,61}[a-z0-9]$",
            description="None composes the name; a restored server is adopted by naming it here: 3 to 63 lower-case "
            "letters or digits, hyphens inside, a letter first",
        ),
    ] = None
    sku: Annotated[
        Literal[
            "B_Standard_B1ms",
            "B_Standard_B2s",
            "B_Standard_B2ms",
            "GP_Standard_D2ds_v5",
            "GP_Standard_D4ds_v5",
            "GP_Standard_D8ds_v5",
            "MO_Standard_E2ds_v5",
            "MO_Standard_E4ds_v5",
        ],
        Field(description="compute: the part before the first underscore is the tier"),
    ]
    storage_gb: Annotated[
        Literal[32, 64, 128, 256, 512, 1024, 2048],
        Field(description="the size at creation; the server grows by itself and never shrinks"),
    ]
    backup_retention_days: Annotated[
        int, Field(ge=7, le=35, description="days back that the server can be restored to")
    ]
    high_availability: Annotated[
        Literal["SameZone", "ZoneRedundant"] | None,
        Field(description="a standby in the same or in another zone; failover by itself"),
    ]
    geo_redundant_backup: Annotated[bool, Field(description="fixed at creation: a change replaces the server")]
    pgbouncer: Annotated[bool, Field(description="a connection pool on port 6432, by transaction")]
    maintenance_day: Annotated[
        Literal["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] | None,
        Field(
            description="when Azure may patch the server; None leaves it to Azure, which patches such servers at least "
            "seven days before those with a day"
        ),
    ]
    maintenance_hour_utc: Annotated[int, Field(ge=0, le=23, description="the hour at which the window opens, UTC")] = 0

    @property
    def tier(self) -> Tier:
        """The compute tier that the sku belongs to."""
        return _get_compute_tier(self.sku)

    @field_validator("server_name")
    @classmethod
    def _check_reserved_words(cls, value: str | None) -> str | None:
        if value is None:
            return None
        if value.startswith(RESERVED_START):
            raise ValueError(f"starts with '{RESERVED_START}', which Azure reserves: choose another")
        return _check_no_reserved_word(value)

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield what the Burstable tier does not offer."""
        sku = values.get("sku", str)
        for path in ("high_availability", "pgbouncer"):
            if sku and _get_compute_tier(sku) == "Burstable" and (value := values.get(path, object)):
                yield Conflict(path, value, f"needs a General Purpose or Memory Optimized sku; {sku} is Burstable")


class CacheSettings(Settings):
    """Azure Managed Redis."""

    sku: Annotated[
        Literal["Balanced_B0", "Balanced_B1", "Balanced_B3", "Balanced_B5", "Balanced_B10"],
        Field(description="size of the cache: 0.5, 1, 3, 6, 12 GB"),
    ]
    high_availability: Annotated[bool, Field(description="fixed at creation: a change replaces the cache")]
    eviction: Annotated[
        Literal["VolatileLRU", "AllKeysLRU", "NoEviction"],
        Field(description="the keys that go when memory is full: those with an expiry, any, none (writes fail)"),
    ]
    loss_accepted: Annotated[
        str | None,
        Field(
            min_length=10, description="what a node failure loses, in a sentence: persistence without high availability"
        ),
    ] = None
    persistence: Annotated[Literal["1h", "6h", "12h"] | None, Field(description="how often a snapshot (RDB) is kept")]

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield persistence without a second node, unless `loss_accepted` says what may be lost."""
        persistence = values.get("persistence", str)
        if persistence and values.get("high_availability", bool) is False and values.read("loss_accepted") is None:
            yield Conflict(
                "persistence",
                persistence,
                "needs high_availability=True: a lone node is away while it restores. "
                "To do without, say in loss_accepted what is lost",
            )


class KeyVaultSettings(Settings):
    """The vault that holds the application's secrets."""

    soft_delete_days: Annotated[int, Field(ge=7, le=90, description="fixed at creation")] = 90


class EmailSettings(Settings):
    """Mail through Communication Services."""

    domain: Annotated[
        Literal["azure", "customer"],
        Field(description="'azure' sends from a domain of Azure's, 'customer' from the environment's own zone"),
    ]
    verified: Annotated[
        bool, Field(description="True once the verification script reports the customer domain verified")
    ]
    sender: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
            description="the part before the @: lower-case letters and digits, then also . _ -",
        ),
    ]
    quota_raised: Annotated[
        bool,
        Field(
            description="True once Microsoft has raised the domain's sending limits; until then Azure refuses another "
            "sender, and mail comes from DoNotReply"
        ),
    ] = False
    sender_name: Annotated[
        str, Field(min_length=1, max_length=64, description="the name that recipients see"), AfterValidator(_check_text)
    ]
    data_location: Annotated[
        Literal["United States", "Europe", "UK"], Field(description="fixed at creation: a change replaces the service")
    ]

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield what a domain of Azure's does not have."""
        if values.get("domain", str) != "azure":
            return
        if (sender := values.get("sender", str)) not in {None, "donotreply"}:
            yield Conflict("sender", sender, "must be 'donotreply', the one sender of a domain of Azure's")
        for phase in ("verified", "quota_raised"):
            if values.get(phase, bool):
                yield Conflict(phase, True, "is for a customer domain: Azure verifies its own, so leave it False")


class ObservabilitySettings(Settings):
    """Where logs and metrics go, for how long, and how much a day."""

    retention_days: Annotated[
        Literal[30, 60, 90, 120, 180, 270, 365, 550, 730], Field(description="days that logs are kept")
    ]
    daily_cap_gb: Annotated[
        float, Field(ge=0.05, le=100, allow_inf_nan=False, description="gigabytes a day; past it nothing is recorded")
    ]


class AlertSettings(Settings):
    """Who hears of an alert, and how loudly."""

    pages: Annotated[
        bool,
        Field(description="False makes every alert a warning (severity 2) at most, so that a test wakes nobody"),
    ] = True
    web_test_minutes: Annotated[
        Literal[5, 10, 15],
        Field(description="minutes between two web tests from one place; each test bills, see docs/research.md#prices"),
    ] = 5
    emails: Annotated[
        tuple[EmailAddress, ...],
        Field(max_length=10, description="mail addresses for this environment alone; none: the account's"),
    ] = ()
    teams: Annotated[
        bool, Field(description="True posts to the Teams webhook whose address the vault holds as 'teams-webhook-url'")
    ]


class FrontDoorSettings(Settings):
    """Azure Front Door Standard before the API: requests a minute that one client address may make.

    All guests of a venue share one address. 500 guests who open the site within five minutes sign in 100 times a
    minute, and refresh their tokens 33 times a minute (every 15 minutes each). While they bid, each sends some 20
    requests a minute: 10,000. The limits of this repository leave room above that.
    """

    api_requests_a_minute: Annotated[int, Field(ge=10, le=100_000, description="to every path with `/api/` in it")]
    sign_in_requests_a_minute: Annotated[
        int, Field(ge=10, le=1_000, description="to every path with `/api/v1/auth/` in it")
    ]

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield a limit for signing in that is not stricter than the limit for all requests."""
        api, sign_in = values.get("api_requests_a_minute", int), values.get("sign_in_requests_a_minute", int)
        if api and sign_in and sign_in >= api:
            stricter = f"must be below api_requests_a_minute ({api}): signing in has the stricter limit"
            yield Conflict("sign_in_requests_a_minute", sign_in, stricter)


class StorageSettings(Settings):
    """Uploads, backups and deployment evidence."""

    replication: Annotated[
        Literal["LRS", "ZRS", "GRS", "GZRS"],
        Field(description="copies of the blobs: in one place, over zones, in the paired region, or both"),
    ]
    deleted_kept_days: Annotated[int, Field(ge=7, le=365, description="days that deleted blobs can be brought back")]
    backups_kept_days: Annotated[int, Field(ge=7, le=3650, description="days after which a backup is deleted")]
    evidence_kept_days: Annotated[
        int, Field(ge=1, le=3650, description="days that deployment evidence can be neither changed nor deleted")
    ]


class BudgetSettings(Settings):
    """The monthly budget of the environment's resource group."""

    monthly_usd: Annotated[
        int,
        Field(
            ge=1,
            le=1_000_000,
            description="mail goes out at 80 and 100 % of it, and when 100 % is forecast; nothing is stopped",
        ),
    ]


class RegistrySettings(Settings):
    """The container registry of all environments."""

    sku: Annotated[
        Literal["Basic", "Standard", "Premium"],
        Field(description="storage and throughput of the container registry"),
    ]


class StateSettings(Settings):
    """The storage account that holds every stack's Terraform state."""

    replication: Annotated[
        Literal["ZRS", "GRS", "GZRS", "RAGZRS"],
        Field(description="copies of the state: over zones, in the paired region, or both"),
    ]
    deleted_kept_days: Annotated[
        int,
        Field(ge=30, le=365, description="days that deleted state, and earlier versions of it, can be brought back"),
    ]


# ------------------------------------------------------------------------------------------------------------ the whole
class Account(Settings):
    """What belongs to the user's own Azure, GitHub and registrar."""

    workload: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9]{1,9}$",
            description="2 to 10 lower-case letters or digits, a letter first: names hold it",
        ),
        AfterValidator(_check_no_reserved_word),
    ]
    name_suffix: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9]{3,5}$",
            description="3 to 5 lower-case letters or digits, yours alone: globally unique names end in it",
        ),
        AfterValidator(_check_no_reserved_word),
    ]
    subscription_id: Guid
    tenant_id: Guid
    domain: Annotated[
        str,
        Field(
            pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
            max_length=56,  # with "admin.", a label of one character and a dot, 64: the most that a certificate takes
            description="a domain you have registered, lower case, without a trailing dot",
        ),
    ]
    records: ZoneFile = ""
    alert_emails: Annotated[
        tuple[EmailAddress, ...], Field(min_length=1, max_length=10, description="mail addresses, name@domain")
    ]
    super_admin_email: EmailAddress
    database_admins_name: Annotated[Text, Field(description="an Entra group's display name")]
    database_admins_object_id: Guid
    github_repository: Annotated[
        str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$", description="owner/name")
    ]
    github_owner_id: Annotated[
        str,
        Field(
            pattern=r"^[0-9]*$",
            description="digits, together with github_repository_id, for repositories created, renamed or transferred "
            "since 2026-07-15, whose OIDC subjects carry ids; empty for older ones",
        ),
    ]
    github_repository_id: Annotated[str, Field(pattern=r"^[0-9]*$", description="digits, or empty")]
    owner_tag: Annotated[Text, Field(description="the tag `owner` of every resource")]
    cost_center_tag: Annotated[Text, Field(description="the tag `cost-center` of every resource")]

    @field_validator("alert_emails")
    @classmethod
    def _check_addresses_differ(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len({address.lower() for address in value}) < len(value):
            raise ValueError("names an address twice")
        return value

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield GitHub's id of the repository if one of the two ids is filled and the other is not."""
        owner, repository = values.get("github_owner_id", str), values.get("github_repository_id", str)
        if owner is not None and repository is not None and bool(owner) != bool(repository):
            both = "github_owner_id and github_repository_id go together: fill both or neither"
            yield Conflict("github_repository_id", repository, both)

    @property
    def github_subject(self) -> str:
        """The beginning of the subject of this repository's OIDC tokens, `repo:owner/name`.

        https://docs.github.com/actions/reference/security/oidc
        """
        owner, name = self.github_repository.split("/")
        if self.github_repository_id:
            return f"repo:{owner}@{self.github_owner_id}/{name}@{self.github_repository_id}"
        return f"repo:{owner}/{name}"

    def make_names(self, stack: "Shared | Environment") -> Names:
        """Return what composes the names of a stack's resources."""
        return Names(self.workload, stack.short_name, stack.location, self.name_suffix)


MADE_RECORDS = {"api": "CNAME", "admin": "CNAME", "asuid.api": "TXT", "_dnsauth.api": "TXT"}
"""By name: the type of the records in an environment's zone that the platform makes itself."""
MAIL_RECORDS = {
    "@": "TXT",
    "_dmarc": "TXT",
    "selector1-azurecomm-prod-net._domainkey": "CNAME",
    "selector2-azurecomm-prod-net._domainkey": "CNAME",
}
"""The same, for an environment that sends mail from its zone."""
UNPAIRED_LOCATIONS = frozenset(get_args(Location)) - frozenset(PAIRED_LOCATIONS)
NO_PAIR = "needs a location with a pair; {} has none"
NO_ZONES = "needs a location with availability zones; {} has none"
NO_GEO_ZONES = "needs a location with geo-zone-redundant storage; {} has none"


def _find_replication_conflict(path: str, location: str | None, replication: str | None) -> Iterator[Conflict]:
    """Yield a conflict if storage cannot be replicated like this in a region."""
    if location is None or replication in {None, "LRS"}:
        return
    reason = {
        "ZRS": NO_ZONES if location not in ZONED_LOCATIONS else "",
        "GRS": NO_PAIR if location not in GZRS_LOCATIONS and location in UNPAIRED_LOCATIONS else "",
    }.get(str(replication), NO_GEO_ZONES if location not in GZRS_LOCATIONS else "")
    if reason:
        yield Conflict(path, replication, reason.format(location))


class Shared(Settings):
    """What the environments share: state, registry, parent zone, CI identities."""

    short_name: ClassVar = "shared"
    location: Annotated[Location, Field(description="the Azure region of the shared stack")]
    registry: RegistrySettings
    state: StateSettings
    observability: ObservabilitySettings
    account: Account

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield the replication of the state's storage if the location does not have it."""
        location, replication = values.get("location", str), values.get("state.replication", str)
        yield from _find_replication_conflict("state.replication", location, replication)

    @property
    def names(self) -> Names:
        """What composes the names of the shared stack's resources."""
        return self.account.make_names(self)


# What only an environment that people depend on needs.
PRODUCTION_SIZING = (
    "web_app.zone_balanced",
    "database.high_availability",
    "database.geo_redundant_backup",
    "cache.high_availability",
)


class Environment(Settings):
    """All settings of one environment."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9]{1,15}$",
            description="2 to 16 lower-case letters or digits, a letter first: the stack's name",
        ),
    ]
    short_name: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9]{1,3}$",
            description="2 to 4 lower-case letters or digits, a letter first: names hold it",
        ),
        AfterValidator(_check_no_reserved_word),
    ]
    application_environment: Annotated[
        Literal["development", "staging", "production"], Field(description="the application's ENVIRONMENT")
    ]
    location: Annotated[Location, Field(description="the Azure region of everything but the static site's own choice")]
    disposable: Annotated[
        bool,
        Field(description="True drops deletion protection, locks and locked immutability; refused at production size"),
    ] = False
    domain: Domain
    network: NetworkSettings
    jobs: JobsSettings | None
    web_app: WebAppSettings
    front_door: FrontDoorSettings | None
    static_site: StaticSiteSettings
    database: DatabaseSettings
    cache: CacheSettings
    key_vault: KeyVaultSettings = KeyVaultSettings()
    email: EmailSettings
    storage: StorageSettings
    observability: ObservabilitySettings
    alerts: AlertSettings
    budget: BudgetSettings

    @field_validator("name")
    @classmethod
    def _check_name(cls, value: str) -> str:
        if value == "shared":
            raise ValueError("is the shared stack's own name")
        return value

    @classmethod
    def find_conflicts(cls, values: CheckedValues) -> Iterator[Conflict]:
        """Yield what another slice, the location or the environment's purpose does not allow."""
        # `disposable` drops every protection against deletion, so data that people need must be out of its reach.
        if values.get("disposable", bool):
            for path in PRODUCTION_SIZING:
                if value := values.get(path, object):
                    yield Conflict(path, value, "is production sizing, which a disposable environment may not have")
        location = values.get("location", str)
        if location in UNPAIRED_LOCATIONS and values.get("database.geo_redundant_backup", bool):
            yield Conflict("database.geo_redundant_backup", True, NO_PAIR.format(location))
        if location and location not in ZONED_LOCATIONS and values.get("web_app.zone_balanced", bool):
            yield Conflict("web_app.zone_balanced", True, NO_ZONES.format(location))
        replication = values.get("storage.replication", str)
        yield from _find_replication_conflict("storage.replication", location, replication)
        if values.get("web_app.zone_balanced", bool) and values.read("front_door") is None:
            yield Conflict(
                "front_door",
                None,
                "must be FrontDoorSettings(...): a zone balanced API is reached through Front Door alone",
            )
        yield from _find_domain_conflicts(values)
        yield from _find_jobs_subnet_conflicts(values)


class Platform(Settings):
    """All settings: those of the shared stack, and those of each environment by its name."""

    shared: Shared
    environments: dict[str, Environment]

    def make_names(self, environment: Environment) -> Names:
        """Return what composes the names of an environment's resources."""
        return self.shared.account.make_names(environment)


# -------------------------------------------------------------------------------------------------------- small helpers
def _parse_network(written: str | None) -> ipaddress.IPv4Network | None:
    return ipaddress.IPv4Network(written) if written else None


def _find_jobs_subnet_conflicts(values: CheckedValues) -> Iterator[Conflict]:
    """Yield a subnet of the jobs that lies outside the network, or overlaps another one."""
    jobs, space = (_parse_network(values.get(path, str)) for path in ("jobs.subnet", "network.address_space"))
    if jobs and space and not jobs.subnet_of(space):
        yield Conflict("jobs.subnet", str(jobs), f"lies outside the address space {space}")
    for path in ("app_subnet", "endpoints_subnet"):
        other = _parse_network(values.get(f"network.{path}", str))
        if jobs and other and jobs.overlaps(other):
            yield Conflict("jobs.subnet", str(jobs), f"overlaps network.{path} {other}")


def _find_domain_conflicts(values: CheckedValues) -> Iterator[Conflict]:
    """Yield records in the place of the platform's own ones, and mail that nobody can verify yet."""
    made = MADE_RECORDS | (MAIL_RECORDS if values.get("email.domain", str) == "customer" else {})
    records = values.get("domain.records", str) or ""
    if taken := find_taken_names(records, made):
        yield Conflict(
            "domain.records", records, f"has records for {', '.join(taken)}, where the platform makes its own"
        )
    if values.get("email.verified", bool) and values.get("domain.delegated", bool) is False:
        yield Conflict(
            "email.verified", True, "needs domain.delegated=True: nobody can look up the records before that"
        )


def _get_plan_tier(sku: str) -> Literal["Basic", "Standard", "Premium"]:
    return {"B": "Basic", "S": "Standard", "P": "Premium"}[sku[0]]  # pyright: ignore[reportReturnType]


def _find_tier_conflicts(values: CheckedValues, sku: str) -> Iterator[Conflict]:
    """Yield what the App Service plan's tier does not offer."""
    tier = _get_plan_tier(sku)
    most = {"Basic": 3, "Standard": 10, "Premium": 30}[tier]
    # On Basic, autoscale as a whole is refused below.
    counts = ("workers",) if tier == "Basic" else ("workers", "autoscale.maximum")
    for path in counts:
        if (count := values.get(path, int)) and count > most:
            yield Conflict(path, count, f"must be at most {most} on {sku}")
    if tier != "Premium" and values.get("zone_balanced", bool):
        yield Conflict("zone_balanced", True, f"needs a Premium plan (P0v3 and up); {sku} is {tier}")
    for path in ("slot", "autoscale"):
        if tier == "Basic" and (value := values.get(path, object)):
            yield Conflict(path, value, f"needs a Standard or Premium plan; {sku} is Basic")


def _get_compute_tier(sku: str) -> Tier:
    tiers: dict[str, Tier] = {"B": "Burstable", "GP": "General Purpose", "MO": "Memory Optimized"}
    return tiers[sku.partition("_")[0]]
