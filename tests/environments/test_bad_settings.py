"""What may not be: a row is a mistake, and exactly what its author reads. Ranges and choices have a table of their own.

Each row changes what is written in one way, so that a rule which is removed makes its row fail.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple, cast

import pytest

from environments import ENVIRONMENTS, SettingsError
from environments.settings import AlertSettings, Environment, Shared
from environments.shared import ACCOUNT, SHARED
from environments.validation import validate
from tests.environments.changes import ABSENT, Changes, changed, check

GUID = "a GUID in lower case, 00000000-0000-0000-0000-000000000000"
DOMAIN = "a domain you have registered, lower case, without a trailing dot"
NAME = "2 to 16 lower-case letters or digits; the stack's name"
SHORT_NAME = "2 to 4 lower-case letters or digits, for names"
SUFFIX = "3 to 5 lower-case letters or digits, yours alone: globally unique names end in it"
LABEL = "one DNS label in lower case"
OWNER_ID = (
    "digits, together with github_repository_id, for repositories created since 2026-07-15, "
    "whose OIDC subjects carry ids; empty for older ones"
)
CIDR = "an IPv4 range in CIDR form without host bits, 10.10.0.0/16"
WORKERS = "workers before autoscale, if any, takes over"
START = "the first of a month; fixed at creation"
FIXED = "fixed at creation: a change replaces the cache"
MAIL_DOMAIN = "'azure' sends from a domain of Azure's, 'customer' from the environment's own zone"
SLOT = "True adds a 'staging' slot for deployments without downtime"
TEAMS = "True posts to the Teams webhook whose address the vault holds as 'teams-webhook-url'"
SERVER = "None composes the name; a restored server is adopted by naming it here"
VERIFIED = "True once the verification script reports the customer domain verified"
FORM = "has the wrong form"
ITEMS = "tuple should have"
GROUP = "an Entra group's display name"
ADDRESSES = "mail addresses, name@domain"
PRIVATE = "must lie in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16"
TERRAFORM = "must not contain ${ or %{: Terraform would evaluate it"
ADDRESS = f"{FORM} (a mail address, name@domain)"
AZURES_SENDER = "must be 'donotreply', the one sender of a domain of Azure's"
MORE_THAN_BURSTABLE = "needs a General Purpose or Memory Optimized sku"
STORAGE = "input should be a valid dictionary or instance of StorageSettings"


class Bad(NamedTuple):
    """Where, what is changed there, and the one line that comes of it."""

    where: str
    changes: Changes
    line: str


def one(where: str, field: str, value: object, right: str, **beside: object) -> Bad:
    """A row whose line names the field that is changed. `beside`: more changes, "." written as "__"."""
    others = {name.replace("__", "."): each for name, each in beside.items()}
    return Bad(where, {**others, field: value}, f"{where}: {field} = {value!r}: {right}")


NAMES = (
    one("dev", "name", "Dev", f"{FORM} ({NAME})"),
    one("dev", "name", "d", f"{FORM} ({NAME})"),
    one("dev", "name", "d" * 17, f"{FORM} ({NAME})"),
    one("dev", "name", "1dev", f"{FORM} ({NAME})"),
    one("dev", "name", "de-v", f"{FORM} ({NAME})"),
    one("dev", "name", "dev\n", f"{FORM} ({NAME})"),
    one("dev", "name", "", f"{FORM} ({NAME})"),
    one("dev", "name", "shared", f"'shared' is the shared stack's own name ({NAME})"),
    one("dev", "short_name", "d", f"{FORM} ({SHORT_NAME})"),
    one("dev", "short_name", "devel", f"{FORM} ({SHORT_NAME})"),
    one("dev", "short_name", "DEV", f"{FORM} ({SHORT_NAME})"),
    one("dev", "short_name", "1de", f"{FORM} ({SHORT_NAME})"),
    one("dev", "domain.label", "dev.eu", f"{FORM} ({LABEL})"),
    one("dev", "domain.label", "-dev", f"{FORM} ({LABEL})"),
    one("dev", "domain.label", "dev-", f"{FORM} ({LABEL})"),
    one("dev", "domain.label", "Dev", f"{FORM} ({LABEL})"),
    one("dev", "domain.label", "d" * 64, f"{FORM} ({LABEL})"),
    one("dev", "domain.label", "", f"{FORM} ({LABEL})"),
    one("dev", "database.server_name", "pg", f"{FORM} ({SERVER})"),
    one("dev", "database.server_name", "1pg", f"{FORM} ({SERVER})"),
    one("dev", "database.server_name", "pg-restored-", f"{FORM} ({SERVER})"),
    one("dev", "database.server_name", "Pg-restored", f"{FORM} ({SERVER})"),
    one("dev", "database.server_name", "p" * 64, f"{FORM} ({SERVER})"),
    one("dev", "email.sender", "noreply", f"{AZURES_SENDER} (the part before the @)"),
    one("dev", "email.sender", "do not reply", f"{FORM} (the part before the @)"),
    one("dev", "email.sender", ".noreply", f"{FORM} (the part before the @)"),
    one("dev", "email.sender", "n" * 65, f"{FORM} (the part before the @)"),
    one("dev", "email.sender_name", "", "string should have at least 1 character"),
    one("dev", "email.sender_name", "A" * 65, "string should have at most 64 characters"),
    one("dev", "email.sender_name", "Augeo\0", "must not contain control characters"),
    Bad(
        "dev",
        {"domain.label": "d" * 45},
        f"dev: the host 'admin.{'d' * 45}.augeo.example' has 65 characters, certificates take 64: "
        "shorten domain.label or domain",
    ),
    Bad(
        "dev",
        {"database.server_name": "psql-augeo-stg-x7k2"},
        "dev: database.server_name = 'psql-augeo-stg-x7k2': is the name that staging's server is given",
    ),
)
ACCOUNTS = (
    one("shared", "account.workload", "a", f"{FORM} (2 to 10 letters and digits)"),
    one("shared", "account.workload", "augeoaugeo1", f"{FORM} (2 to 10 letters and digits)"),
    one("shared", "account.workload", "Augeo", f"{FORM} (2 to 10 letters and digits)"),
    one("shared", "account.workload", "4geo", f"{FORM} (2 to 10 letters and digits)"),
    one("shared", "account.name_suffix", "x7", f"{FORM} ({SUFFIX})"),
    one("shared", "account.name_suffix", "x7k2zz", f"{FORM} ({SUFFIX})"),
    one("shared", "account.name_suffix", "x-7k", f"{FORM} ({SUFFIX})"),
    one("shared", "account.subscription_id", "", f"{FORM} ({GUID})"),
    one("shared", "account.subscription_id", "my subscription", f"{FORM} ({GUID})"),
    one("shared", "account.subscription_id", "0000000g-0000-0000-0000-000000000000", f"{FORM} ({GUID})"),
    one("shared", "account.tenant_id", "ABCDEF00-0000-0000-0000-000000000000", f"{FORM} ({GUID})"),
    one("shared", "account.tenant_id", "00000000000000000000000000000000", f"{FORM} ({GUID})"),
    one("shared", "account.database_admins_object_id", "{00000000-0000-0000-0000-000000000000}", f"{FORM} ({GUID})"),
    one(
        "shared",
        "account.database_admins_name",
        "",
        "string should have at least 1 character (an Entra group's display name)",
    ),
    one("shared", "account.domain", "augeo", f"{FORM} ({DOMAIN})"),
    one("shared", "account.domain", "augeo.example.", f"{FORM} ({DOMAIN})"),
    one("shared", "account.domain", "https://augeo.example", f"{FORM} ({DOMAIN})"),
    one("shared", "account.domain", "Augeo.example", f"{FORM} ({DOMAIN})"),
    one("shared", "account.domain", "au_geo.example", f"{FORM} ({DOMAIN})"),
    one("shared", "account.domain", "augeo..example", f"{FORM} ({DOMAIN})"),
    one("shared", "account.domain", "-augeo.example", f"{FORM} ({DOMAIN})"),
    one("shared", "account.domain", "10.0.0.1", f"{FORM} ({DOMAIN})"),
    one("shared", "account.domain", "a" * 40 + "-.example", f"{FORM} ({DOMAIN})"),
    one("shared", "account.domain", "a." * 25 + "uk.coms", f"string should have at most 56 characters ({DOMAIN})"),
    one("shared", "account.super_admin_email", "admin", ADDRESS),
    one("shared", "account.super_admin_email", "admin@augeo", ADDRESS),
    one("shared", "account.super_admin_email", "ad min@augeo.example", ADDRESS),
    one("shared", "account.super_admin_email", "a@b@augeo.example", ADDRESS),
    one("shared", "account.super_admin_email", "a@augeo.example,b@augeo.example", ADDRESS),
    one("shared", "account.github_repository", "platform", f"{FORM} (owner/name)"),
    one("shared", "account.github_repository", "augeo/platform/infra", f"{FORM} (owner/name)"),
    one("shared", "account.github_repository", "https://github.com/augeo/platform", f"{FORM} (owner/name)"),
    one("shared", "account.github_repository", "-augeo/platform", f"{FORM} (owner/name)"),
    one("shared", "account.github_repository", "augeo/", f"{FORM} (owner/name)"),
    one("shared", "account.github_owner_id", "augeo", f"{FORM} ({OWNER_ID})"),
    one("shared", "account.github_repository_id", "12a", f"{FORM} (digits, or empty)"),
    one(
        "shared",
        "account.github_repository_id",
        "67890",
        "github_owner_id and github_repository_id go together: fill both or neither (digits, or empty)",
    ),
    one(
        "shared",
        "account.github_repository_id",
        "",
        "github_owner_id and github_repository_id go together: fill both or neither (digits, or empty)",
        account__github_owner_id="12345",
    ),
    one("shared", "account.owner_tag", "", "string should have at least 1 character"),
    one("shared", "account.owner_tag", "o" * 257, "string should have at most 256 characters"),
    one("shared", "account.cost_center_tag", "", "string should have at least 1 character"),
    one("shared", "account.cost_center_tag", "c" * 257, "string should have at most 256 characters"),
)
NETWORKS = (
    one("dev", "network.address_space", "10.10.0.0/33", f"is no IPv4 range: '33' is not a valid netmask ({CIDR})"),
    one("dev", "network.address_space", "fd00::/64", f"is no IPv4 range: Expected 4 octets in 'fd00::' ({CIDR})"),
    one("dev", "network.address_space", "10.10.0.1/16", f"is no IPv4 range: 10.10.0.1/16 has host bits set ({CIDR})"),
    one(
        "dev",
        "network.app_subnet",
        "10.10.256.0/24",
        f"is no IPv4 range: Octet 256 (> 255) not permitted in '10.10.256.0' ({CIDR})",
    ),
    one("dev", "network.endpoints_subnet", "", f"is no IPv4 range: Address cannot be empty ({CIDR})"),
    one("dev", "network.app_subnet", "10.11.0.0/24", f"lies outside the address space 10.10.0.0/16 ({CIDR})"),
    one("dev", "network.endpoints_subnet", "10.9.255.0/24", f"lies outside the address space 10.10.0.0/16 ({CIDR})"),
    one(
        "dev",
        "network.app_subnet",
        "10.10.0.0/27",
        f"must be /26 or larger, so that App Service can scale out and upgrade in it ({CIDR})",
    ),
    one(
        "dev",
        "network.endpoints_subnet",
        "10.10.1.0/30",
        f"must be /29 or larger: Azure keeps 5 addresses of each subnet ({CIDR})",
    ),
    one("dev", "network.endpoints_subnet", "10.10.0.0/24", f"overlaps the app subnet 10.10.0.0/24 ({CIDR})"),
    one("dev", "network.endpoints_subnet", "10.10.0.128/25", f"overlaps the app subnet 10.10.0.0/24 ({CIDR})"),
    one("dev", "network.endpoints_subnet", "10.10.0.0/16", f"overlaps the app subnet 10.10.0.0/24 ({CIDR})"),
)
COMPUTE = (
    one("dev", "web_app.workers", 4, f"must be at most 3 on B1 ({WORKERS})"),
    one("dev", "web_app.workers", 11, f"must be at most 10 on S1 ({WORKERS})", web_app__sku="S1"),
    one("dev", "web_app.zone_balanced", True, "needs a Premium plan (P0v3 and up); B1 is Basic", web_app__workers=2),
    Bad(
        "production",
        {"web_app.sku": "S1"},
        "production: web_app.zone_balanced = True: needs a Premium plan (P0v3 and up); S1 is Standard",
    ),
    Bad(
        "production",
        {"web_app.workers": 1, "web_app.autoscale": None},
        "production: web_app.zone_balanced = True: needs at least 2 workers, one a zone",
    ),
    one("dev", "web_app.slot", True, f"needs a Standard or Premium plan; B1 is Basic ({SLOT})"),
    Bad(
        "production",
        {"web_app.sku": "B3", "web_app.zone_balanced": False, "web_app.slot": False},
        "production: web_app.autoscale: needs a Standard or Premium plan; B3 is Basic",
    ),
    Bad(
        "production",
        {"web_app.autoscale.minimum": 1},
        "production: web_app.autoscale: needs a minimum of at least 2 while the plan is zone balanced",
    ),
    Bad(
        "production",
        {"web_app.sku": "S3", "web_app.zone_balanced": False, "web_app.autoscale.maximum": 11},
        "production: web_app.autoscale: needs a maximum of at most 10 on S3",
    ),
    one(
        "production",
        "web_app.autoscale.default",
        2,
        "must be at least minimum (3): minimum <= default <= maximum (the count while no metric can be read)",
        web_app__autoscale__minimum=3,
    ),
    one(
        "production",
        "web_app.autoscale.maximum",
        3,
        "must be at least default (4): minimum <= default <= maximum",
        web_app__autoscale__default=4,
    ),
    one(
        "production",
        "web_app.autoscale.scale_in_below_cpu_percent",
        36,
        "must be at most half of scale_out_above_cpu_percent (70), or the plan flaps",
    ),
    Bad(
        "production",
        {"web_app.autoscale.scale_out_above_cpu_percent": 59},
        "production: web_app.autoscale.scale_in_below_cpu_percent = 30: "
        "must be at most half of scale_out_above_cpu_percent (59), or the plan flaps",
    ),
    one("production", "front_door", None, "is missing: a zone balanced API is reached through Front Door alone"),
    one(
        "staging",
        "front_door.sign_in_requests_a_minute",
        1000,
        "must be below api_requests_a_minute (1000): signing in has the stricter limit",
    ),
)
DATA = (
    one("dev", "database.high_availability", "ZoneRedundant", f"{MORE_THAN_BURSTABLE}; B_Standard_B1ms is Burstable"),
    one(
        "dev",
        "database.high_availability",
        "SameZone",
        f"{MORE_THAN_BURSTABLE}; B_Standard_B2ms is Burstable",
        database__sku="B_Standard_B2ms",
    ),
    one("dev", "database.pgbouncer", True, f"{MORE_THAN_BURSTABLE}; B_Standard_B1ms is Burstable"),
    one(
        "dev",
        "cache.persistence",
        "1h",
        "needs high_availability=True: a lone node is away while it restores. To do without, say in loss_accepted "
        "what is lost (how often a snapshot (RDB) is kept)",
    ),
    one(
        "dev",
        "cache.loss_accepted",
        "a lot",
        "string should have at least 10 characters "
        "(what a node failure loses, in a sentence: persistence without high availability)",
    ),
    one(
        "dev",
        "email.verified",
        True,
        f"is for a customer domain: Azure verifies its own, so leave it False ({VERIFIED})",
    ),
    Bad(
        "staging",
        {"email.verified": True},
        "staging: email.verified = True: needs domain.delegated=True: nobody can look up the records before that",
    ),
    one("dev", "budget.start", date(2026, 12, 2), f"must be the first of a month: 2026-12-01 ({START})"),
    one("dev", "budget.start", "soon", f"input should be a valid date ({START})"),
    Bad(
        "production",
        {
            "disposable": True,
            "database.high_availability": None,
            "database.geo_redundant_backup": False,
            "cache.high_availability": False,
            "cache.persistence": None,
        },
        "production: web_app.zone_balanced = True: is production sizing, which a disposable environment may not have",
    ),
    Bad(
        "dev",
        {"disposable": True, "cache.high_availability": True},
        "dev: cache.high_availability = True: is production sizing, which a disposable environment may not have",
    ),
    Bad(
        "staging",
        {"disposable": True, "database.high_availability": "SameZone"},
        "staging: database.high_availability = 'SameZone': "
        "is production sizing, which a disposable environment may not have",
    ),
    Bad(
        "dev",
        {"disposable": True, "database.geo_redundant_backup": True},
        "dev: database.geo_redundant_backup = True: is production sizing, which a disposable environment may not have",
    ),
)
# What a rule compares with is itself wrong: one line, and the rule waits for the next run.
WAITING = (
    one("production", "network.address_space", "10.30", f"is no IPv4 range: Expected 4 octets in '10.30' ({CIDR})"),
    one("staging", "network.app_subnet", "10.20", f"is no IPv4 range: Expected 4 octets in '10.20' ({CIDR})"),
    Bad(
        "production",
        {"web_app.sku": "P9v9"},
        "production: web_app.sku = 'P9v9': must be one of 'B1', 'B2', 'B3', 'S1', 'S2', 'S3', "
        "'P0v3', 'P1v3', 'P2v3' or 'P3v3'",
    ),
    one("production", "web_app.workers", 0, f"must be at least 1 ({WORKERS})"),
    one("production", "web_app.autoscale.minimum", 0, "must be at least 1"),
    one("production", "web_app.autoscale.default", 31, "must be at most 30 (the count while no metric can be read)"),
    one("production", "web_app.autoscale.scale_out_above_cpu_percent", 96, "must be at most 95"),
    one("production", "front_door.api_requests_a_minute", 9, "must be at least 10"),
    Bad(
        "production",
        {"database.sku": "D2"},
        "production: database.sku = 'D2': must be one of 'B_Standard_B1ms', 'B_Standard_B2s', 'B_Standard_B2ms', "
        "'GP_Standard_D2ds_v5', 'GP_Standard_D4ds_v5', 'GP_Standard_D8ds_v5', 'MO_Standard_E2ds_v5' or "
        "'MO_Standard_E4ds_v5'",
    ),
    Bad(
        "production", {"cache.high_availability": ABSENT}, f"production: cache.high_availability: is missing ({FIXED})"
    ),
    Bad("production", {"web_app": ABSENT, "front_door": None}, "production: web_app: is missing"),
    Bad(
        "production",
        {"location": ABSENT},
        "production: location: is missing",
    ),
    Bad("shared", {"location": ABSENT}, "shared: location: is missing"),
    Bad("staging", {"domain": ABSENT, "email.verified": True}, "staging: domain: is missing"),
    Bad("staging", {"email.domain": ABSENT}, f"staging: email.domain: is missing ({MAIL_DOMAIN})"),
    Bad(
        "shared",
        {"account.github_owner_id": ABSENT, "account.github_repository_id": "1"},
        f"shared: account.github_owner_id: is missing ({OWNER_ID})",
    ),
)
TERRAFORMS = (
    one("shared", "account.owner_tag", "${path.module}", TERRAFORM),
    one("shared", "account.cost_center_tag", "%{ if x }", TERRAFORM),
    one("shared", "account.database_admins_name", "%{ if x }", f"{TERRAFORM} ({GROUP})"),
    one(
        "shared",
        "account.database_admins_name",
        "g" * 257,
        f"string should have at most 256 characters ({GROUP})",
    ),
    one("dev", "email.sender_name", "${path.module}", TERRAFORM),
    one("shared", "account.super_admin_email", "${x}@a.io", ADDRESS),
)
LIMITS = (
    one("dev", "name", "qa", "must be 'dev', as ENVIRONMENTS calls it"),
    one("dev", "name", "staging", "must be 'dev', as ENVIRONMENTS calls it"),
    one("shared", "account", 5, "input should be a valid dictionary or instance of Account"),
    one("dev", "network.address_space", "10.10.0.0/255.255.0.0", f"must be written as 10.10.0.0/16 ({CIDR})"),
    one("dev", "network.app_subnet", "10.10.0.0/0.0.0.255", f"must be written as 10.10.0.0/24 ({CIDR})"),
    one("dev", "network.address_space", "0.0.0.0/0", f"{PRIVATE} ({CIDR})"),
    one("dev", "network.address_space", "172.32.0.0/16", f"{PRIVATE} ({CIDR})"),
    one("dev", "network.address_space", "192.0.0.0/8", f"{PRIVATE} ({CIDR})"),
    one("dev", "budget.start", date(2017, 5, 1), f"must not be before 2017-06-01, Azure's first ({START})"),
    one("shared", "account.alert_emails", ("a@a.io", "A@a.io"), f"names an address twice ({ADDRESSES})"),
    Bad(
        "shared",
        {"account.alert_emails": ("a@a.io", "nobody")},
        f"shared: account.alert_emails.1 = 'nobody': {FORM} ({ADDRESSES})",
    ),
)
PAIRS = (
    Bad(
        "staging",
        {"location": "italynorth", "database.geo_redundant_backup": True},
        "staging: database.geo_redundant_backup = True: needs a location with a pair; italynorth has none",
    ),
    *(
        Bad(
            "staging",
            {"location": "italynorth", "storage.replication": replication},
            f"staging: storage.replication = '{replication}': needs a location with a pair; italynorth has none",
        )
        for replication in ("GRS", "GZRS")
    ),
    *(
        Bad(
            "shared",
            {"location": "italynorth", "state.replication": replication},
            f"shared: state.replication = '{replication}': needs a location with a pair; italynorth has none",
        )
        for replication in ("GRS", "GZRS", "RAGZRS")
    ),
)
SHAPES = (
    Bad("dev", {"budget": ABSENT}, "dev: budget: is missing"),
    Bad("dev", {"front_door": ABSENT}, "dev: front_door: is missing"),
    Bad(
        "dev",
        {"application_environment": ABSENT},
        "dev: application_environment: is missing (the application's ENVIRONMENT)",
    ),
    Bad("dev", {"web_app.workers": ABSENT}, f"dev: web_app.workers: is missing ({WORKERS})"),
    Bad("production", {"web_app.autoscale.minimum": ABSENT}, "production: web_app.autoscale.minimum: is missing"),
    Bad("shared", {"registry": ABSENT}, "shared: registry: is missing"),
    Bad("shared", {"account": ABSENT}, "shared: account: is missing"),
    Bad("shared", {"account.tenant_id": ABSENT}, f"shared: account.tenant_id: is missing ({GUID})"),
    one("dev", "alert", AlertSettings(teams=True), "no such setting; did you mean alerts?"),
    one("dev", "database.backup_retension_days", 7, "no such setting; did you mean backup_retention_days?"),
    one("production", "web_app.autoscale.max", 7, "no such setting; did you mean maximum?"),
    one("dev", "alerts.zzz", 1, "no such setting; there are teams"),
    one("shared", "account.github_repo", "augeo/platform", "no such setting; did you mean github_repository?"),
    one(
        "dev",
        "web_app.workers",
        "many",
        f"input should be a valid integer ({WORKERS})",
    ),
    one(
        "dev",
        "web_app.workers",
        1.5,
        f"input should be a valid integer ({WORKERS})",
    ),
    one("dev", "web_app.workers", None, f"input should be a valid integer ({WORKERS})"),
    one("dev", "web_app.workers", True, f"input should be a valid integer ({WORKERS})"),
    one("dev", "alerts.teams", "maybe", f"input should be a valid boolean ({TEAMS})"),
    one("dev", "domain.label", 5, f"input should be a valid string ({LABEL})"),
    one("dev", "storage", None, STORAGE),
    Bad("dev", {"storage": AlertSettings(teams=True)}, f"dev: storage: {STORAGE}"),
    one("shared", "account.alert_emails", "oncall@augeo.example", f"input should be a valid tuple ({ADDRESSES})"),
    one("shared", "account.alert_emails", (), f"{ITEMS} at least 1 item after validation, not 0 ({ADDRESSES})"),
    one(
        "shared",
        "account.alert_emails",
        tuple(f"{at}@augeo.example" for at in range(11)),
        f"tuple should have at most 10 items after validation, not 11 ({ADDRESSES})",
    ),
)


@pytest.mark.parametrize(
    "row",
    [*NAMES, *ACCOUNTS, *NETWORKS, *COMPUTE, *DATA, *WAITING, *TERRAFORMS, *LIMITS, *PAIRS, *SHAPES],
    ids=lambda row: f"{row.where}-{'-'.join(row.changes)}",
)
def test_a_mistake_is_refused_in_words(row: Bad) -> None:
    with pytest.raises(SettingsError) as refused:
        check({row.where: row.changes})
    assert refused.value.problems == [row.line]


class Twins(NamedTuple):
    """What is changed in which environments, and what is said of it."""

    changes: Mapping[str, Changes]
    lines: list[str]


TWINS = (
    Twins(
        {"staging": {"short_name": "dev"}},
        ["staging: short_name = 'dev': is dev's already; each environment needs its own"],
    ),
    Twins(
        {"production": {"domain.label": "staging"}},
        ["production: domain.label = 'staging': is staging's already; each environment needs its own"],
    ),
    Twins(
        {"dev": {"database.server_name": "psql-restored"}, "production": {"database.server_name": "psql-restored"}},
        ["production: database.server_name = 'psql-restored': is dev's already; each environment needs its own"],
    ),
    Twins(
        {"shared": {"account.workload": "augeoaugeo"}},
        [
            f"{name}: the storage name '{composed}' has {len(composed)} characters, Azure takes 24: "
            "shorten workload, short_name or name_suffix"
            for name, composed in (
                ("shared", "staugeoaugeostatesharedx7k2"),
                ("dev", "staugeoaugeouploadsdevx7k2"),
                ("dev", "staugeoaugeoevidencedevx7k2"),
                ("staging", "staugeoaugeouploadsstgx7k2"),
                ("staging", "staugeoaugeoevidencestgx7k2"),
                ("production", "staugeoaugeouploadsprodx7k2"),
                ("production", "staugeoaugeoevidenceprodx7k2"),
            )
        ],
    ),
)


@pytest.mark.parametrize("row", TWINS, ids=lambda row: "-".join(row.changes))
def test_what_does_not_go_together_across_environments(row: Twins) -> None:
    with pytest.raises(SettingsError) as refused:
        check(row.changes)
    assert refused.value.problems == row.lines


def test_every_mistake_of_every_environment_in_one_run() -> None:
    with pytest.raises(SettingsError) as refused:
        check(
            {
                "shared": {"account.domain": "augeo", "state.deleted_kept_days": 1},
                "dev": {"web_app.workers": 9, "web_app.slot": True, "budget": ABSENT},
                "production": {"databse": None, "network.app_subnet": "10.31.0.0/24", "cache.sku": "Standard_C1"},
            }
        )
    lines = refused.value.problems
    assert [line.split(":", 2)[:2] for line in lines] == [
        ["shared", " state.deleted_kept_days = 1"],
        ["shared", " account.domain = 'augeo'"],
        ["dev", " web_app.workers = 9"],
        ["dev", " web_app.slot = True"],
        ["dev", " budget"],
        ["production", " network.app_subnet = '10.31.0.0/24'"],
        ["production", " cache.sku = 'Standard_C1'"],
        ["production", " databse = None"],
    ]
    assert str(refused.value) == "\n".join(
        ["8 settings are wrong; nothing was synthesized.", *(f"  {line}" for line in lines)]
    )


def test_one_mistake_is_counted_as_one() -> None:
    assert str(SettingsError(["dev: wrong"])) == "1 setting is wrong; nothing was synthesized.\n  dev: wrong"


@pytest.mark.parametrize("name", ["domain", "database_admins_object_id", "github_repository", "super_admin_email"])
def test_a_bad_variable_is_refused_like_a_bad_setting(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"AUGEO_{name.upper()}", "?")
    with pytest.raises(SettingsError) as refused:
        check({})
    [line] = refused.value.problems
    assert line.startswith(f"shared: account.{name} = '?' from AUGEO_{name.upper()}: has the wrong form (")


def test_a_bad_address_among_those_of_a_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_ALERT_EMAILS", "oncall@augeo.example,nobody")
    with pytest.raises(SettingsError) as refused:
        check({})
    [line] = refused.value.problems
    assert line.startswith("shared: account.alert_emails.1 = 'nobody' from AUGEO_ALERT_EMAILS: has the wrong form")


def test_variables_fill_in_a_forks_account(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every field of the account has one, and it wins over what is written."""
    values = {
        "workload": "fork",
        "name_suffix": "f0rk",
        "subscription_id": "11111111-1111-1111-1111-111111111111",
        "tenant_id": "22222222-2222-2222-2222-222222222222",
        "domain": "fork.example",
        "alert_emails": "one@fork.example,two@fork.example,",
        "super_admin_email": "admin@fork.example",
        "database_admins_name": "fork-admins",
        "database_admins_object_id": "33333333-3333-3333-3333-333333333333",
        "github_repository": "fork/platform",
        "github_owner_id": "12345",
        "github_repository_id": "67890",
        "owner_tag": "fork team",
        "cost_center_tag": "42",
    }
    for name, value in values.items():
        monkeypatch.setenv(f"AUGEO_{name.upper()}", value)
    account = check({}).shared.account
    assert account.model_dump() == {**values, "alert_emails": ("one@fork.example", "two@fork.example")}
    assert set(values) == set(vars(ACCOUNT))
    assert ACCOUNT.domain == "augeo.example", "what is written is left as it is"


def test_composed_names_are_told_beside_what_is_wrong_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_NAME_SUFFIX", "x7k2z")
    with pytest.raises(SettingsError) as refused:
        check({"shared": {"account.workload": "augeoxy"}, "dev": {"database.backup_retention_days": 40}})
    assert refused.value.problems[0] == "dev: database.backup_retention_days = 40: must be at most 35"
    assert any("'staugeoxyevidencedevx7k2z' has 25" in line for line in refused.value.problems)


def test_every_part_that_is_production_sizing_is_told() -> None:
    with pytest.raises(SettingsError) as refused:
        check({"production": {"disposable": True}})
    assert [line.split(" = ")[0] for line in refused.value.problems] == [
        "production: web_app.zone_balanced",
        "production: database.high_availability",
        "production: database.geo_redundant_backup",
        "production: cache.high_availability",
    ]


def test_a_value_without_a_name_is_refused_in_words() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {"dev": ENVIRONMENTS["dev"].model_copy(update={"alerts": AlertSettings(True)})})  # pyright: ignore[reportCallIssue]
    assert "dev: alerts.without a name = (True,): no such setting; there are teams" in refused.value.problems


def test_an_empty_variable_is_an_unset_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GitHub workflow that passes on a variable nobody has set passes on an empty one."""
    monkeypatch.setenv("AUGEO_DOMAIN", "")
    assert check({}).shared.account.domain == ACCOUNT.domain


def test_a_misspelt_variable_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_DOMIAN", "fork.example")
    with pytest.raises(SettingsError) as refused:
        check({})
    assert refused.value.problems == ["environment variable AUGEO_DOMIAN: no such setting; did you mean AUGEO_DOMAIN?"]


def test_a_variable_stands_in_for_what_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_DOMAIN", "fork.example")
    assert check({"shared": {"account.domain": ABSENT}}).shared.account.domain == "fork.example"


def test_nothing_is_checked_where_it_is_written() -> None:
    """So that one run can show every error; `load()` alone checks."""
    wrong = changed(SHARED, {"account.domain": 5})
    with pytest.raises(SettingsError):
        validate(wrong, ENVIRONMENTS)


def test_settings_are_frozen_once_checked() -> None:
    shared: Shared = check({}).shared
    with pytest.raises(ValueError, match="frozen"):
        shared.location = "westeurope"


def test_mistakes_within_and_across_environments_in_one_run() -> None:
    with pytest.raises(SettingsError) as refused:
        check({"dev": {"web_app.workers": 9}, "staging": {"short_name": "dev"}})
    assert refused.value.problems == [
        f"dev: web_app.workers = 9: must be at most 3 on B1 ({WORKERS})",
        "staging: short_name = 'dev': is dev's already; each environment needs its own",
    ]


def test_an_environment_may_be_called_environments() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {"environments": changed(ENVIRONMENTS["dev"], {"name": "environments", "location": "mars"})})
    [line] = refused.value.problems
    assert line.startswith("environments: location = 'mars': must be one of ")


def test_an_environment_that_is_none_at_all() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {"dev": cast(Environment, None)})
    assert refused.value.problems == ["dev: Input should be a valid dictionary or instance of Environment"]
