"""Valid settings synthesize into stacks that Azure and Terraform accept. All other settings are refused in words.

The examples are the same on every run and every machine. `HYPOTHESIS_PROFILE=search` draws other and more examples.
"""

import os
import re
from collections.abc import Iterator, Mapping
from types import NoneType
from typing import Any, NamedTuple, get_args

from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from constructs_lib.budget import FIRST_OF_THE_MONTH
from environments import ENVIRONMENTS, Environment, Platform, SettingsError
from environments.naming import GZRS_LOCATIONS, PAIRED_LOCATIONS, ZONED_LOCATIONS, Location
from environments.settings import (
    Account,
    AlertSettings,
    Autoscale,
    BudgetSettings,
    CacheSettings,
    DatabaseSettings,
    Domain,
    EmailSettings,
    FrontDoorSettings,
    JobsSettings,
    KeyVaultSettings,
    NetworkSettings,
    ObservabilitySettings,
    RegistrySettings,
    Settings,
    Shared,
    StateSettings,
    StaticSiteSettings,
    StorageSettings,
    WebAppSettings,
)
from environments.shared import SHARED
from environments.validation import validate
from tests.environments.azure_names import AZURE_NAMES
from tests.environments.changes import ABSENT, change_settings
from tests.support import SynthesizedResource, TerraformJson, resources, synthesize_platform

COMMON: dict[str, Any] = {
    "deadline": None,  # the first example starts the jsii kernel
    "database": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("same", **COMMON, derandomize=True, phases=[Phase.explicit, Phase.generate], max_examples=10)
settings.register_profile("search", **COMMON, max_examples=200)
PROFILE = settings.get_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))
MORE = settings(PROFILE, max_examples=PROFILE.max_examples * 10)

# ---------------------------------------------------------------------------------------------- settings that are valid
LOWER, DIGITS = "abcdefghijklmnopqrstuvwxyz", "0123456789"
CAP = st.one_of(st.integers(1, 100), st.floats(0.05, 100))
GUIDS = st.uuids().map(str)


def choice(model: type[Settings], field: str) -> st.SearchStrategy[Any]:
    """Return a strategy for the values of a closed choice, without None."""
    parts = get_args(model.model_fields[field].annotation)
    return st.sampled_from([value for part in parts for value in get_args(part) or [part] if value is not NoneType])


def word(shortest: int, longest: int, first: str = LOWER) -> st.SearchStrategy[str]:
    """Return a strategy for words of lower-case letters and digits."""
    following = st.text(LOWER + DIGITS, min_size=shortest - 1, max_size=longest - 1)
    return st.builds("{}{}".format, st.sampled_from(first), following)


def text(longest: int) -> st.SearchStrategy[str]:
    """Return a strategy for names and tags: any letters and signs, on one line."""
    return st.text(
        st.characters(categories=["L", "M", "N", "P", "S"], include_characters=" ", exclude_characters="${%"),
        min_size=1,
        max_size=longest,
    )


@st.composite
def networks(draw: st.DrawFn) -> NetworkSettings:
    block, app, endpoints = draw(st.integers(0, 255)), draw(st.integers(16, 26)), draw(st.integers(17, 29))
    app = max(app, 17)
    return NetworkSettings(
        address_space=f"10.{block}.0.0/16",
        app_subnet=f"10.{block}.0.0/{app}",
        endpoints_subnet=f"10.{block}.128.0/{max(endpoints, 18)}",
    )


@st.composite
def jobs(draw: st.DrawFn, network: NetworkSettings) -> JobsSettings:
    block = network.address_space.split(".")[1]
    return JobsSettings(
        subnet=f"10.{block}.192.0/{draw(st.integers(20, 27))}",
        cpu=draw(choice(JobsSettings, "cpu")),
        migrate_minutes=draw(st.integers(1, 240)),
        console_minutes=draw(st.integers(1, 480)),
    )


@st.composite
def web_apps(draw: st.DrawFn) -> WebAppSettings:
    sku = draw(choice(WebAppSettings, "sku"))
    most = {"B": 3, "S": 10, "P": 30}[sku[0]]
    workers = draw(st.integers(1, most))
    zone_balanced = sku[0] == "P" and workers > 1 and draw(st.booleans())
    minimum = draw(st.integers(2 if zone_balanced else 1, workers))
    maximum = draw(st.integers(workers, most))
    default = draw(st.integers(minimum, maximum))
    out = draw(st.integers(20, 95))
    autoscale = Autoscale(
        minimum=minimum,
        default=default,
        maximum=maximum,
        scale_out_above_cpu_percent=out,
        scale_in_below_cpu_percent=draw(st.integers(5, out // 2)),
    )
    return WebAppSettings(
        sku=sku,
        workers=workers,
        zone_balanced=zone_balanced,
        slot=sku[0] != "B" and draw(st.booleans()),
        autoscale=autoscale if sku[0] != "B" and draw(st.booleans()) else None,
        web_concurrency=draw(st.integers(1, 16)),
    )


@st.composite
def databases(draw: st.DrawFn, *, safe: bool, paired: bool) -> DatabaseSettings:
    sku = draw(choice(DatabaseSettings, "sku"))
    large = not sku.startswith("B_")
    return DatabaseSettings(
        server_name=draw(st.none() | word(3, 63)),
        sku=sku,
        storage_gb=draw(choice(DatabaseSettings, "storage_gb")),
        backup_retention_days=draw(st.integers(7, 35)),
        high_availability=draw(st.none() | choice(DatabaseSettings, "high_availability")) if large and safe else None,
        geo_redundant_backup=safe and paired and draw(st.booleans()),
        pgbouncer=large and draw(st.booleans()),
        maintenance_day=draw(choice(DatabaseSettings, "maintenance_day")),
        maintenance_hour_utc=draw(st.integers(0, 23)),
    )


@st.composite
def caches(draw: st.DrawFn, *, safe: bool) -> CacheSettings:
    high_availability = safe and draw(st.booleans())
    loss_accepted = draw(st.none() | st.just("what was cached in the last hour"))
    kept = high_availability or loss_accepted is not None
    return CacheSettings(
        sku=draw(choice(CacheSettings, "sku")),
        high_availability=high_availability,
        eviction=draw(choice(CacheSettings, "eviction")),
        loss_accepted=loss_accepted,
        persistence=draw(st.none() | choice(CacheSettings, "persistence")) if kept else None,
    )


@st.composite
def front_doors(draw: st.DrawFn) -> FrontDoorSettings:
    sign_in = draw(st.integers(10, 1000))
    return FrontDoorSettings(
        api_requests_a_minute=draw(st.integers(sign_in + 1, 100_000)), sign_in_requests_a_minute=sign_in
    )


def list_replications(location: Location) -> set[str]:
    """Return how storage can be replicated in a region."""
    zones = {"ZRS"} if location in ZONED_LOCATIONS else set[str]()
    geo_zones = {"GZRS", "RAGZRS"} if location in GZRS_LOCATIONS else set[str]()
    pair = {"GRS"} if location in GZRS_LOCATIONS or location in PAIRED_LOCATIONS else set[str]()
    return {"LRS"} | zones | geo_zones | pair


@st.composite
def good_environments(draw: st.DrawFn) -> Environment:
    disposable = draw(st.booleans())
    location = draw(choice(Environment, "location"))
    zones = location in ZONED_LOCATIONS and not disposable
    web_app = draw(web_apps().filter(lambda web_app: zones or not web_app.zone_balanced))
    domain = Domain(label=draw(word(1, 20, LOWER + DIGITS)), delegated=draw(st.booleans()))
    paired = location in PAIRED_LOCATIONS
    email_domain = draw(choice(EmailSettings, "domain"))
    return Environment(
        name=draw(word(2, 16).filter(lambda name: name != "shared")),
        short_name=draw(word(2, 4)),
        application_environment=draw(choice(Environment, "application_environment")),
        location=location,
        disposable=disposable,
        domain=domain,
        network=(network := draw(networks())),
        jobs=draw(st.none() | jobs(network)),
        web_app=web_app,
        front_door=draw(front_doors() if web_app.zone_balanced else st.none() | front_doors()),
        static_site=StaticSiteSettings(
            tier=draw(choice(StaticSiteSettings, "tier")),
            location=draw(choice(StaticSiteSettings, "location")),
        ),
        database=draw(databases(safe=not disposable, paired=paired)),
        cache=draw(caches(safe=not disposable)),
        key_vault=KeyVaultSettings(soft_delete_days=draw(st.integers(7, 90))),
        email=EmailSettings(
            domain=email_domain,
            verified=email_domain == "customer" and domain.delegated and draw(st.booleans()),
            sender=draw(word(1, 64, LOWER + DIGITS)) if email_domain == "customer" else "donotreply",
            sender_name=draw(text(64)),
            quota_raised=email_domain == "customer" and draw(st.booleans()),
            data_location=draw(choice(EmailSettings, "data_location")),
        ),
        storage=StorageSettings(
            replication=draw(
                choice(StorageSettings, "replication").filter(
                    lambda replication: replication in list_replications(location)
                )
            ),
            deleted_kept_days=draw(st.integers(7, 365)),
            backups_kept_days=draw(st.integers(7, 3650)),
            evidence_kept_days=draw(st.integers(1, 3650)),
        ),
        observability=ObservabilitySettings(
            retention_days=draw(choice(ObservabilitySettings, "retention_days")), daily_cap_gb=draw(CAP)
        ),
        alerts=AlertSettings(pages=draw(st.booleans()), teams=draw(st.booleans())),
        budget=BudgetSettings(monthly_usd=draw(st.integers(1, 1_000_000))),
    )


@st.composite
def good_shared(draw: st.DrawFn) -> Shared:
    location, suffix = draw(choice(Shared, "location")), draw(word(3, 5, LOWER + DIGITS))
    ids = draw(st.sampled_from([("", ""), ("12345", "67890")]))
    return Shared(
        location=location,
        registry=RegistrySettings(sku=draw(choice(RegistrySettings, "sku"))),
        state=StateSettings(
            replication=draw(
                choice(StateSettings, "replication").filter(
                    lambda replication: replication in list_replications(location)
                )
            ),
            deleted_kept_days=draw(st.integers(30, 365)),
        ),
        observability=ObservabilitySettings(
            retention_days=draw(choice(ObservabilitySettings, "retention_days")), daily_cap_gb=draw(CAP)
        ),
        account=Account(
            # With more, and a short name of 4, the evidence's storage account outgrows Azure's 24 characters.
            workload=draw(word(2, 10 - len(suffix))),
            name_suffix=suffix,
            subscription_id=draw(GUIDS),
            tenant_id=draw(GUIDS),
            domain=f"{draw(word(1, 20, LOWER + DIGITS))}.{draw(st.sampled_from(['io', 'co.uk', 'example']))}",
            alert_emails=tuple(
                f"{name}@augeo.example" for name in draw(st.lists(word(1, 20), min_size=1, max_size=10, unique=True))
            ),
            super_admin_email=f"{draw(word(1, 20))}@augeo.example",
            database_admins_name=draw(text(64)),
            database_admins_object_id=draw(GUIDS),
            github_repository=f"{draw(word(1, 39))}/{draw(word(1, 40))}",
            github_owner_id=ids[0],
            github_repository_id=ids[1],
            owner_tag=draw(text(256)),
            cost_center_tag=draw(text(256)),
        ),
    )


# -------------------------------------------------------------------------------------- what must be true of the stacks
BY_TYPE = {row.type: row for row in AZURE_NAMES}
REFERENCE = re.compile(r"\b((?:data\.)?azurerm_[a-z0-9_]+\.[A-Za-z0-9_-]+)")
EXPRESSION = re.compile(r"(?<!\$)\$\{([^}]*)\}")
LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"


def find_strings(value: object) -> Iterator[str]:
    """Yield every string in a JSON value, except the keys of objects."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():  # pyright: ignore[reportUnknownVariableType]
            yield from find_strings(item)  # pyright: ignore[reportUnknownArgumentType]
    elif isinstance(value, list):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from find_strings(item)  # pyright: ignore[reportUnknownArgumentType]


def list_addresses(stack: TerraformJson) -> set[str]:
    """Return the addresses of a stack's resources and data sources."""
    return {
        f"{prefix}{type_}.{name}"
        for part, prefix in (("resource", ""), ("data", "data."))
        for type_, named in stack.get(part, {}).items()
        for name in named
    }


FUNCTIONS = ("uuid()", FIRST_OF_THE_MONTH.removeprefix("${").removesuffix("}"))
"""The expressions that refer to nothing."""


def find_dangling_references(stack: TerraformJson) -> list[str]:
    """Return the expressions and dependencies that refer to no resource of the stack."""
    addresses = list_addresses(stack)
    body = {part: value for part, value in stack.items() if part != "//"}
    expressions = [expression for text in find_strings(body) for expression in EXPRESSION.findall(text)]
    dependencies = [
        dependency
        for named in stack["resource"].values()
        for resource in named.values()
        for dependency in resource.get("depends_on", [])
    ]

    def find_target(reference: str) -> str:
        match = REFERENCE.search(reference)
        return match[0] if match else reference

    return [
        reference
        for reference in expressions + dependencies
        if find_target(reference) not in addresses and reference not in FUNCTIONS
    ]


def has_refused_name(resource: SynthesizedResource) -> bool:
    """Return whether Azure would refuse the resource's name, or its short name."""
    name = resource.body.get("name", "")
    if rule := BY_TYPE.get(resource.type):
        return not rule.accepts(name)
    if resource.type == "azurerm_storage_container":
        return re.fullmatch(r"(?!.*--)[a-z0-9][a-z0-9-]{2,62}", name) is None
    if resource.type == "azurerm_dns_zone":
        return len(name) > 253 or any(re.fullmatch(LABEL, label) is None for label in name.split("."))
    return False


def check_stacks(platform: Platform) -> None:
    """Synthesize the platform, and assert that Azure and Terraform would accept the stacks."""
    synthesized = synthesize_platform(platform)
    assert set(synthesized) == {"shared", *platform.environments}
    assert [resource.address for resource in resources(synthesized) if has_refused_name(resource)] == []
    assert [
        resource.address
        for resource in resources(synthesized)
        if resource.type == "azurerm_monitor_action_group" and not 1 <= len(resource.body["short_name"]) <= 12
    ] == []
    for stack in synthesized.values():
        assert len(list_addresses(stack)) > 30
        assert find_dangling_references(stack) == []


@PROFILE
@given(good_environments(), good_shared())
def test_valid_settings_synthesize(environment: Environment, shared: Shared) -> None:
    """Guards against valid settings that a rule refuses, or that give stacks which Terraform cannot read."""
    check_stacks(validate(shared, {environment.name: environment}))


# ------------------------------------------------------------------------------------------------- settings of any kind
class SettingChange(NamedTuple):
    """The path of a setting, which may be misspelt ("shared.account.domain", "web_app.skus"), and its new value."""

    path: str
    value: object


def list_paths(slice_: Settings, prefix: str = "") -> Iterator[str]:
    """Yield the path of every setting, and of every slice."""
    for name, value in vars(slice_).items():
        yield f"{prefix}{name}"
        if isinstance(value, Settings):
            yield from list_paths(value, f"{prefix}{name}.")


PATHS = tuple(list_paths(ENVIRONMENTS["production"]))
SHARED_PATHS = tuple(f"shared.{path}" for path in list_paths(SHARED))
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=20),
    st.text(LOWER + DIGITS + ".-/@", max_size=20),
    st.binary(max_size=5),
    st.dates(),
    st.lists(st.integers() | st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5) | st.integers(), st.integers(), max_size=3),
    st.sampled_from(["${path.module}", "%{ if x }", "a${x}@augeo.example"]),
    st.sampled_from([ABSENT, object(), AlertSettings(pages=False, teams=True), FrontDoorSettings, float, ...]),
)


def read_setting(settings: object, path: str) -> object:
    """Return the value at this path; `ABSENT` if there is none."""
    value = settings
    for name in path.split("."):
        value = vars(value).get(name, ABSENT) if isinstance(value, Settings) else ABSENT
    return value


@st.composite
def mixtures(draw: st.DrawFn) -> tuple[Shared, Environment]:
    """Draw a valid environment with some settings of another valid one, which may or may not go together."""
    environment, other = draw(good_environments()), draw(good_environments())
    for path in draw(st.lists(st.sampled_from(PATHS), min_size=1, max_size=12, unique=True)):
        owner, _, _ = path.rpartition(".")
        value = read_setting(other, path)
        if value is not ABSENT and (not owner or isinstance(read_setting(environment, owner), Settings)):
            environment = change_settings(environment, {path: value})
    return SHARED, environment


@st.composite
def nonsense(draw: st.DrawFn) -> tuple[Shared, Environment]:
    """Draw the settings as they are written, with one to three of them misspelt or changed to any value."""
    changes: list[SettingChange] = []
    for path in draw(st.lists(st.sampled_from(PATHS + SHARED_PATHS), min_size=1, max_size=3, unique=True)):
        misspelt = draw(st.sampled_from(["", "", "", "s", "_"]))
        changes.append(
            SettingChange(path + misspelt, draw(JUNK.filter(lambda value: value is not ABSENT) if misspelt else JUNK))
        )
    shared, production = SHARED, ENVIRONMENTS["production"]
    # The deepest changes come first, so that a change of a whole slice replaces the changes in it.
    for path, value in sorted(changes, key=lambda change: -change.path.count(".")):
        if path.startswith("shared."):
            shared = change_settings(shared, {path.removeprefix("shared."): value})
        else:
            production = change_settings(production, {path: value})
    return shared, production


def check_settings(shared: Shared, environment: Environment) -> bool:
    """Return whether the settings are valid, and assert that they synthesize, or that the refusal is in words."""
    name = vars(environment).get("name")
    key = name if isinstance(name, str) else "production"
    try:
        platform = validate(shared, {key: environment})
    except SettingsError as error:
        refusal = error
    else:
        check_stacks(platform)
        return True
    first, *lines = str(refusal).splitlines()
    assert re.fullmatch(r"(1 setting is|[0-9]+ settings are) wrong; nothing was synthesized\.", first)
    assert lines == [f"  {problem}" for problem in refusal.problems]
    assert [
        problem for problem in refusal.problems if not re.match(rf"(shared|{re.escape(key)}): .*: .{{6,}}", problem)
    ] == []
    return False


@PROFILE
@given(mixtures())
def test_settings_that_may_or_may_not_go_together_synthesize_or_are_refused(mixed: tuple[Shared, Environment]) -> None:
    event("synthesized" if check_settings(*mixed) else "refused")


@MORE
@given(nonsense())
def test_nonsense_is_refused_or_synthesizes(drawn: tuple[Shared, Environment]) -> None:
    event("synthesized" if check_settings(*drawn) else "refused")
