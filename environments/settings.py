"""The typed settings of the platform: what an environment may choose, and which choices go together.

A literal in `environments/` is not checked where it is written but all at once, by `environments.load()`; see
`validation.py`.
"""

import ipaddress
import os
from datetime import date
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar, cast

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationInfo,
    field_validator,
    model_validator,
)

from environments.naming import PAIRED_LOCATIONS, Location, Names

T = TypeVar("T")


class Settings(BaseModel):
    """A slice of an environment: frozen, closed (an unknown name is refused), checked with its whole environment."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, revalidate_instances="always"
    )

    if not TYPE_CHECKING:  # the type checker keeps pydantic's own signature

        def __init__(self, *unnamed: object, **given: object) -> None:
            """Keep what was written, unchecked: `load()` validates the tree, so that one run shows every error."""
            given |= {"without a name": unnamed} if unnamed else {}
            for name, value in {
                "__dict__": given,
                "__pydantic_fields_set__": set(given),
                "__pydantic_extra__": None,
                "__pydantic_private__": None,
            }.items():
                object.__setattr__(self, name, value)

        # pydantic-core validates into a class with an __init__ of its own by calling it, unless it bears this mark.
        __init__.__pydantic_base_init__ = True


class InsideError(ValueError):
    """What is wrong inside the setting that is being checked: by name, the value and what would be right."""

    def __init__(self, *problems: tuple[str, object, str]) -> None:
        super().__init__(problems)
        self.problems = problems


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


def _plain(value: str) -> str:
    if "${" in value or "%{" in value:
        raise ValueError("must not contain ${ or %{: Terraform would evaluate it")
    if not value.isprintable():
        raise ValueError("must not contain control characters")
    return value


Text = Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_plain)]
Cidr = Annotated[str, Field(description="an IPv4 range in CIDR form without host bits, 10.10.0.0/16")]
Tier = Literal["Burstable", "General Purpose", "Memory Optimized"]


# ---------------------------------------------------------------------------------------------- one slice a capability
class Domain(Settings):
    """The environment's DNS zone, `<label>.<account.domain>`."""

    label: Annotated[
        str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", description="one DNS label in lower case")
    ]
    delegated: Annotated[
        bool,
        Field(
            description="False makes the zones alone; True, once the registrar delegates the parent domain, "
            "adds host names and certificates"
        ),
    ]


PRIVATE_RANGES = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16")


class NetworkSettings(Settings):
    """The virtual network and its two subnets."""

    address_space: Cidr
    app_subnet: Cidr
    endpoints_subnet: Cidr

    @field_validator("address_space")
    @classmethod
    def _private(cls, value: str) -> str:
        space = _network(value)
        if not any(space.subnet_of(_network(private)) for private in PRIVATE_RANGES):
            raise ValueError(f"must lie in {', '.join(PRIVATE_RANGES)}")
        return value

    @field_validator("app_subnet", "endpoints_subnet")
    @classmethod
    def _inside(cls, value: str, info: ValidationInfo) -> str:
        space, subnet = info.data.get("address_space"), _network(value)
        if space and not subnet.subnet_of(_network(space)):
            raise ValueError(f"lies outside the address space {space}")
        # App Service integrates with /28 at the least and Microsoft advises /26; Azure keeps 5 addresses of each.
        # https://learn.microsoft.com/azure/app-service/overview-vnet-integration#subnet-requirements
        if info.field_name == "app_subnet" and subnet.prefixlen > 26:
            raise ValueError("must be /26 or larger, so that App Service can scale out and upgrade in it")
        if subnet.prefixlen > 29:
            raise ValueError("must be /29 or larger: Azure keeps 5 addresses of each subnet")
        return value

    @field_validator("endpoints_subnet")
    @classmethod
    def _apart(cls, value: str, info: ValidationInfo) -> str:
        other = info.data.get("app_subnet")
        if other and _network(value).overlaps(_network(other)):
            raise ValueError(f"overlaps the app subnet {other}")
        return value


class Autoscale(Settings):
    """How many workers the plan may run, and when it adds or removes one (CPU percentage over ten minutes)."""

    minimum: Annotated[int, Field(ge=1, le=30)]
    default: Annotated[int, Field(ge=1, le=30, description="the count while no metric can be read")]
    maximum: Annotated[int, Field(ge=1, le=30)]
    scale_out_above_cpu_percent: Annotated[int, Field(ge=20, le=95)] = 70
    scale_in_below_cpu_percent: Annotated[int, Field(ge=5, le=80)] = 30

    @field_validator("default")
    @classmethod
    def _not_below(cls, value: int, info: ValidationInfo) -> int:
        return _ordered("minimum", value, info)

    @field_validator("maximum")
    @classmethod
    def _not_above(cls, value: int, info: ValidationInfo) -> int:
        return _ordered("default", _ordered("minimum", value, info), info)

    @field_validator("scale_in_below_cpu_percent")
    @classmethod
    def _no_flapping(cls, value: int, info: ValidationInfo) -> int:
        out = info.data.get("scale_out_above_cpu_percent")
        if out is not None and value * 2 > out:
            # At two workers, removing one doubles the load of the other.
            raise ValueError(f"must be at most half of scale_out_above_cpu_percent ({out}), or the plan flaps")
        return value


class WebAppSettings(Settings):
    """The App Service plan of the API, and what runs on it."""

    sku: Literal["B1", "B2", "B3", "S1", "S2", "S3", "P0v3", "P1v3", "P2v3", "P3v3"]
    workers: Annotated[int, Field(ge=1, le=30, description="workers before autoscale, if any, takes over")]
    zone_balanced: bool
    slot: Annotated[bool, Field(description="True adds a 'staging' slot for deployments without downtime")]
    autoscale: Autoscale | None
    web_concurrency: Annotated[int, Field(ge=1, le=16, description="Uvicorn processes a container")] = 2

    @property
    def tier(self) -> Literal["Basic", "Standard", "Premium"]:
        """App Service's pricing tier of the sku."""
        return _plan_tier(self.sku)

    @field_validator("workers")
    @classmethod
    def _within_tier(cls, value: int, info: ValidationInfo) -> int:
        if sku := info.data.get("sku"):
            most = {"Basic": 3, "Standard": 10, "Premium": 30}[_plan_tier(sku)]
            if value > most:
                raise ValueError(f"must be at most {most} on {sku}")
        return value

    @field_validator("zone_balanced")
    @classmethod
    def _zones(cls, value: bool, info: ValidationInfo) -> bool:
        sku, workers = info.data.get("sku"), info.data.get("workers")
        if value and sku and _plan_tier(sku) != "Premium":
            raise ValueError(f"needs a Premium plan (P0v3 and up); {sku} is {_plan_tier(sku)}")
        if value and workers and workers < 2:
            raise ValueError("needs at least 2 workers, one a zone")
        return value

    @field_validator("slot")
    @classmethod
    def _slot(cls, value: bool, info: ValidationInfo) -> bool:
        return _more_than_basic(value, info)

    @field_validator("autoscale")
    @classmethod
    def _scales(cls, value: Autoscale | None, info: ValidationInfo) -> Autoscale | None:
        workers = info.data.get("workers")
        if value and workers and not value.minimum <= workers <= value.maximum:
            raise ValueError(f"needs minimum <= workers ({workers}) <= maximum: the plan starts with its workers")
        if value and info.data.get("zone_balanced") and value.minimum < 2:
            raise ValueError("needs a minimum of at least 2 while the plan is zone balanced")
        if value and info.data.get("sku") and _plan_tier(info.data["sku"]) == "Standard" and value.maximum > 10:
            raise ValueError(f"needs a maximum of at most 10 on {info.data['sku']}")
        return _more_than_basic(value, info)


class StaticSiteSettings(Settings):
    """The admin site on Static Web Apps."""

    tier: Literal["Free", "Standard"]
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
            description="None composes the name; a restored server is adopted by naming it here",
        ),
    ] = None
    sku: Literal[
        "B_Standard_B1ms",
        "B_Standard_B2s",
        "B_Standard_B2ms",
        "GP_Standard_D2ds_v5",
        "GP_Standard_D4ds_v5",
        "GP_Standard_D8ds_v5",
        "MO_Standard_E2ds_v5",
        "MO_Standard_E4ds_v5",
    ]
    storage_gb: Annotated[
        Literal[32, 64, 128, 256, 512, 1024, 2048],
        Field(description="the size at creation; the server grows by itself and never shrinks"),
    ]
    backup_retention_days: Annotated[int, Field(ge=7, le=35)]
    high_availability: Literal["SameZone", "ZoneRedundant"] | None
    geo_redundant_backup: Annotated[bool, Field(description="fixed at creation: a change replaces the server")]
    pgbouncer: bool
    maintenance_day: Literal["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"]
    maintenance_hour_utc: Annotated[int, Field(ge=0, le=23)]

    @property
    def tier(self) -> Tier:
        """The compute tier that the sku belongs to."""
        return _compute_tier(self.sku)

    @field_validator("high_availability", "pgbouncer")
    @classmethod
    def _needs_more_than_burstable(cls, value: T, info: ValidationInfo) -> T:
        sku = info.data.get("sku")
        if value and sku and _compute_tier(sku) == "Burstable":
            raise ValueError(f"needs a General Purpose or Memory Optimized sku; {sku} is Burstable")
        return value


class CacheSettings(Settings):
    """Azure Managed Redis."""

    sku: Literal["Balanced_B0", "Balanced_B1", "Balanced_B3", "Balanced_B5", "Balanced_B10"]
    high_availability: Annotated[bool, Field(description="fixed at creation: a change replaces the cache")]
    eviction: Literal["VolatileLRU", "AllKeysLRU", "NoEviction"]
    loss_accepted: Annotated[
        str | None,
        Field(
            min_length=10, description="what a node failure loses, in a sentence: persistence without high availability"
        ),
    ] = None
    persistence: Annotated[Literal["1h", "6h", "12h"] | None, Field(description="how often a snapshot (RDB) is kept")]

    @field_validator("persistence")
    @classmethod
    def _kept_safe(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and info.data.get("high_availability") is False and info.data.get("loss_accepted") is None:
            raise ValueError(
                "needs high_availability=True: a lone node is away while it restores. "
                "To do without, say in loss_accepted what is lost"
            )
        return value


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
    sender: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$", description="the part before the @")]
    sender_name: Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_plain)]
    data_location: Annotated[
        Literal["United States", "Europe", "UK"], Field(description="fixed at creation: a change replaces the service")
    ]

    @field_validator("sender")
    @classmethod
    def _azures_own(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("domain") == "azure" and value != "donotreply":
            raise ValueError("must be 'donotreply', the one sender of a domain of Azure's")
        return value

    @field_validator("verified")
    @classmethod
    def _only_customers(cls, value: bool, info: ValidationInfo) -> bool:
        if value and info.data.get("domain") == "azure":
            raise ValueError("is for a customer domain: Azure verifies its own, so leave it False")
        return value


class ObservabilitySettings(Settings):
    """Where logs and metrics go, for how long, and how much a day."""

    retention_days: Literal[30, 60, 90, 120, 180, 270, 365, 550, 730]
    daily_cap_gb: Annotated[
        float, Field(ge=0.05, le=100, allow_inf_nan=False, description="gigabytes a day; past it nothing is recorded")
    ]


class AlertSettings(Settings):
    """Who hears of an alert besides the account's mail addresses."""

    teams: Annotated[
        bool, Field(description="True posts to the Teams webhook whose address the vault holds as 'teams-webhook-url'")
    ]


class FrontDoorSettings(Settings):
    """Azure Front Door Standard before the API: requests a minute that one client address may make."""

    api_requests_a_minute: Annotated[int, Field(ge=10, le=100_000)]
    sign_in_requests_a_minute: Annotated[int, Field(ge=10, le=1_000)]

    @field_validator("sign_in_requests_a_minute")
    @classmethod
    def _stricter(cls, value: int, info: ValidationInfo) -> int:
        api = info.data.get("api_requests_a_minute")
        if api is not None and value >= api:
            raise ValueError(f"must be below api_requests_a_minute ({api}): signing in has the stricter limit")
        return value


class StorageSettings(Settings):
    """Uploads, backups and deployment evidence."""

    replication: Literal["LRS", "ZRS", "GRS", "GZRS"]
    deleted_kept_days: Annotated[int, Field(ge=7, le=365, description="days that deleted blobs can be brought back")]
    backups_kept_days: Annotated[int, Field(ge=7, le=3650)]
    evidence_kept_days: Annotated[
        int, Field(ge=1, le=3650, description="days that deployment evidence can be neither changed nor deleted")
    ]


FIRST_BUDGET = date(2017, 6, 1)


class BudgetSettings(Settings):
    """The monthly budget of the environment's resource group."""

    monthly_usd: Annotated[int, Field(ge=1, le=1_000_000)]
    start: Annotated[date, Field(description="the first of a month; fixed at creation")]

    @field_validator("start")
    @classmethod
    def _first_of_a_month(cls, value: date) -> date:
        if value.day != 1:
            raise ValueError(f"must be the first of a month: {value.replace(day=1)}")
        if value < FIRST_BUDGET:
            raise ValueError(f"must not be before {FIRST_BUDGET}, Azure's first")
        return value


class RegistrySettings(Settings):
    """The container registry of all environments."""

    sku: Literal["Basic", "Standard", "Premium"]


class StateSettings(Settings):
    """The storage account that holds every stack's Terraform state."""

    replication: Literal["ZRS", "GRS", "GZRS", "RAGZRS"]
    deleted_kept_days: Annotated[int, Field(ge=30, le=365)]


# ------------------------------------------------------------------------------------------------------------ the whole
VARIABLES = "AUGEO_"


class Account(Settings):
    """What belongs to the user's own Azure, GitHub and registrar."""

    workload: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]{1,9}$", description="2 to 10 letters and digits")]
    name_suffix: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9]{3,5}$",
            description="3 to 5 lower-case letters or digits, yours alone: globally unique names end in it",
        ),
    ]
    subscription_id: Guid
    tenant_id: Guid
    domain: Annotated[
        str,
        Field(
            pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$",
            max_length=56,  # a managed certificate names 64 characters at most, "admin." and a label among them
            description="a domain you have registered, lower case, without a trailing dot",
        ),
    ]
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
            description="digits, together with github_repository_id, for repositories created since 2026-07-15, "
            "whose OIDC subjects carry ids; empty for older ones",
        ),
    ]
    github_repository_id: Annotated[str, Field(pattern=r"^[0-9]*$", description="digits, or empty")]
    owner_tag: Text
    cost_center_tag: Text

    @field_validator("alert_emails")
    @classmethod
    def _once_each(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        if len({address.lower() for address in value}) < len(value):
            raise ValueError("names an address twice")
        return value

    @field_validator("github_repository_id")
    @classmethod
    def _both_ids(cls, value: str, info: ValidationInfo) -> str:
        owner = info.data.get("github_owner_id")
        if owner is not None and bool(owner) != bool(value):
            raise ValueError("github_owner_id and github_repository_id go together: fill both or neither")
        return value

    @property
    def github_subject(self) -> str:
        """How an OIDC subject of this repository begins.

        https://docs.github.com/actions/reference/security/oidc
        """
        owner, name = self.github_repository.split("/")
        if self.github_repository_id:
            return f"repo:{owner}@{self.github_owner_id}/{name}@{self.github_repository_id}"
        return f"repo:{owner}/{name}"

    @model_validator(mode="before")
    @classmethod
    def _from_environment_variables(cls, given: object) -> object:
        """`AUGEO_<FIELD>`, if not empty, replaces what is written, for CI of a fork. Lists: commas between."""
        if not isinstance(given, (dict, cls)):
            return given  # for pydantic to refuse
        written = cast(dict[str, object], given if isinstance(given, dict) else vars(given))
        replaced = dict(written)
        for name in cls.model_fields:
            # An unset variable of a GitHub workflow is an empty one.
            if value := os.environ.get(f"{VARIABLES}{name.upper()}"):
                replaced[name] = tuple(filter(None, value.split(","))) if name == "alert_emails" else value
        return replaced


class Shared(Settings):
    """What the environments share: state, registry, parent zone, CI identities."""

    location: Location
    registry: RegistrySettings
    state: StateSettings
    observability: ObservabilitySettings
    account: Account

    @field_validator("state")
    @classmethod
    def _replication_pair(cls, value: StateSettings, info: ValidationInfo) -> StateSettings:
        location = info.data.get("location")
        if value.replication != "ZRS" and location and location not in PAIRED_LOCATIONS:
            raise InsideError(("replication", value.replication, f"needs a location with a pair; {location} has none"))
        return value

    @property
    def names(self) -> Names:
        """Names of the shared stack's resources."""
        return Names(self.account.workload, "shared", self.location, self.account.name_suffix)


class Environment(Settings):
    """One environment, complete: reads like a price list."""

    name: Annotated[
        str,
        Field(pattern=r"^[a-z][a-z0-9]{1,15}$", description="2 to 16 lower-case letters or digits; the stack's name"),
    ]
    short_name: Annotated[
        str, Field(pattern=r"^[a-z][a-z0-9]{1,3}$", description="2 to 4 lower-case letters or digits, for names")
    ]
    application_environment: Annotated[
        Literal["development", "staging", "production"], Field(description="the application's ENVIRONMENT")
    ]
    location: Location
    disposable: Annotated[
        bool,
        Field(description="True drops deletion protection, locks and locked immutability; refused at production size"),
    ] = False
    domain: Domain
    network: NetworkSettings
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
    def _not_shared(cls, value: str) -> str:
        if value == "shared":
            raise ValueError("'shared' is the shared stack's own name")
        return value

    @field_validator("web_app", "database", "cache")
    @classmethod
    def _not_disposable(cls, value: T, info: ValidationInfo) -> T:
        """A protection that is dropped by one flag must not be within reach of data that people need."""
        too_much = [
            (option, getattr(value, option), "is production sizing, which a disposable environment may not have")
            for option in ("zone_balanced", "high_availability", "geo_redundant_backup")
            if info.data.get("disposable") and getattr(value, option, None)
        ]
        if too_much:
            raise InsideError(*too_much)
        return value

    @field_validator("database")
    @classmethod
    def _backup_pair(cls, value: DatabaseSettings, info: ValidationInfo) -> DatabaseSettings:
        location = info.data.get("location")
        if value.geo_redundant_backup and location and location not in PAIRED_LOCATIONS:
            raise InsideError(("geo_redundant_backup", True, f"needs a location with a pair; {location} has none"))
        return value

    @field_validator("storage")
    @classmethod
    def _replication_pair(cls, value: StorageSettings, info: ValidationInfo) -> StorageSettings:
        location = info.data.get("location")
        if value.replication in {"GRS", "GZRS"} and location and location not in PAIRED_LOCATIONS:
            raise InsideError(("replication", value.replication, f"needs a location with a pair; {location} has none"))
        return value

    @field_validator("front_door")
    @classmethod
    def _behind_front_door(cls, value: FrontDoorSettings | None, info: ValidationInfo) -> FrontDoorSettings | None:
        web_app = info.data.get("web_app")
        if value is None and web_app is not None and web_app.zone_balanced:
            raise ValueError("is missing: a zone balanced API is reached through Front Door alone")
        return value

    @field_validator("email")
    @classmethod
    def _mail_needs_a_zone(cls, value: EmailSettings, info: ValidationInfo) -> EmailSettings:
        domain = info.data.get("domain")
        if value.verified and domain is not None and not domain.delegated:
            raise InsideError(
                ("verified", True, "needs domain.delegated=True: nobody can look up the records before that")
            )
        return value


class Platform(Settings):
    """Everything: the shared stack and every environment, by name."""

    shared: Shared
    environments: dict[str, Environment]

    def names(self, environment: Environment) -> Names:
        """Names of one environment's resources."""
        account = self.shared.account
        return Names(account.workload, environment.short_name, environment.location, account.name_suffix)


# -------------------------------------------------------------------------------------------------------- small helpers
def _network(value: str) -> ipaddress.IPv4Network:
    try:
        network = ipaddress.IPv4Network(value)
    except ValueError as error:
        raise ValueError(f"is no IPv4 range: {error}") from None
    if str(network) != value:
        raise ValueError(f"must be written as {network}")
    return network


def _ordered(lower: str, value: int, info: ValidationInfo) -> int:
    bound = info.data.get(lower)
    if bound is not None and value < bound:
        raise ValueError(f"must be at least {lower} ({bound}): minimum <= default <= maximum")
    return value


def _plan_tier(sku: str) -> Literal["Basic", "Standard", "Premium"]:
    return {"B": "Basic", "S": "Standard", "P": "Premium"}[sku[0]]  # pyright: ignore[reportReturnType]


def _more_than_basic(value: T, info: ValidationInfo) -> T:
    sku = info.data.get("sku")
    if value and sku and _plan_tier(sku) == "Basic":
        raise ValueError(f"needs a Standard or Premium plan; {sku} is Basic")
    return value


def _compute_tier(sku: str) -> Tier:
    tiers: dict[str, Tier] = {"B": "Burstable", "GP": "General Purpose", "MO": "Memory Optimized"}
    return tiers[sku.split("_", maxsplit=1)[0]]
