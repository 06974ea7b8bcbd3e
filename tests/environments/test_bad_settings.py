"""What may not be: a row is a mistake, and exactly what its author reads. Ranges and choices have a table of their own.

Each row changes what is written in one way, so that a rule which is removed makes its row fail.
"""

from collections.abc import Mapping
from datetime import date
from typing import NamedTuple, cast

import pytest

from environments import ENVIRONMENTS, SettingsError
from environments.settings import AlertSettings, Environment, Settings, Shared
from environments.shared import ACCOUNT, SHARED
from environments.validation import validate
from tests.environments.changes import ABSENT, Changes, changed, check

GUID = "a GUID in lower case, 00000000-0000-0000-0000-000000000000"
DOMAIN = "a domain you have registered, lower case, without a trailing dot"
NAME = "2 to 16 lower-case letters or digits, a letter first: the stack's name"
SHORT_NAME = "2 to 4 lower-case letters or digits, a letter first: names hold it"
WORKLOAD = "2 to 10 lower-case letters or digits, a letter first: names hold it"
SUFFIX = "3 to 5 lower-case letters or digits, yours alone: globally unique names end in it"
LABEL = "one DNS label: lower-case letters and digits, hyphens inside"
OWNER_ID = (
    "digits, together with github_repository_id, for repositories created since 2026-07-15, "
    "whose OIDC subjects carry ids; empty for older ones"
)
NO_RANGE = "is no IPv4 range as 10.10.0.0/16 is"
WORKERS = "workers before autoscale, if any, takes over"
START = "the first of the month of the first apply, '2026-12-01'; fixed at creation: a change replaces the budget"
FIXED = "fixed at creation: a change replaces the cache"
MAIL_DOMAIN = "'azure' sends from a domain of Azure's, 'customer' from the environment's own zone"
SLOT = "True adds a 'staging' slot for deployments without downtime"
TEAMS = "True posts to the Teams webhook whose address the vault holds as 'teams-webhook-url'"
SERVER = (
    "None composes the name; a restored server is adopted by naming it here: 3 to 63 lower-case letters or digits, "
    "hyphens inside, a letter first"
)
SENDER = "the part before the @: lower-case letters and digits, then also . _ -"
SENDER_NAME = "the name that recipients see"
OWNER_TAG = "the tag `owner` of every resource"
COST_CENTER_TAG = "the tag `cost-center` of every resource"
LOCATIONS = "one of 'eastus2', 'centralus', 'westeurope', 'northeurope' or 'italynorth'"
SKU = "size of a worker"
VERIFIED = "True once the verification script reports the customer domain verified"
FORM = "has the wrong form"
GROUP = "an Entra group's display name"
ADDRESSES = "mail addresses, name@domain"
PRIVATE = "must lie in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16"
TERRAFORM = "must not contain ${ or %{: Terraform would evaluate it"
ADDRESS = f"{FORM} (a mail address, name@domain)"
AZURES_SENDER = "must be 'donotreply', the one sender of a domain of Azure's"
MORE_THAN_BURSTABLE = "needs a General Purpose or Memory Optimized sku"


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
    one("dev", "name", "shared", "is the shared stack's own name"),
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
    one("dev", "email.sender", "noreply", AZURES_SENDER),
    one("dev", "email.sender", "do not reply", f"{FORM} ({SENDER})"),
    one("dev", "email.sender", ".noreply", f"{FORM} ({SENDER})"),
    one("dev", "email.sender", "n" * 65, f"{FORM} ({SENDER})"),
    one("dev", "email.sender_name", "", f"must have a length of at least 1 ({SENDER_NAME})"),
    one("dev", "email.sender_name", "A" * 65, f"must have a length of at most 64 ({SENDER_NAME})"),
    one("dev", "email.sender_name", "Augeo\0", r"must not contain '\x00', which does not print"),
    one("shared", "account.owner_tag", "the\xa0platform", r"must not contain '\xa0', which does not print"),
    Bad(
        "dev",
        {"domain.label": "d" * 45},
        f"dev: the host 'admin.{'d' * 45}.augeo.example' has 65 characters, certificates take 64: "
        "shorten domain.label or account.domain by 1",
    ),
    Bad(
        "dev",
        {"database.server_name": "psql-augeo-stg-x7k2"},
        "dev: database.server_name = 'psql-augeo-stg-x7k2': is the name that staging's server is given",
    ),
)
ACCOUNTS = (
    one("shared", "account.workload", "a", f"{FORM} ({WORKLOAD})"),
    one("shared", "account.workload", "augeoaugeo1", f"{FORM} ({WORKLOAD})"),
    one("shared", "account.workload", "Augeo", f"{FORM} ({WORKLOAD})"),
    one("shared", "account.workload", "4geo", f"{FORM} ({WORKLOAD})"),
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
        "must have a length of at least 1 (an Entra group's display name)",
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
    one("shared", "account.domain", "a." * 25 + "uk.coms", f"must have a length of at most 56 ({DOMAIN})"),
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
        "github_owner_id and github_repository_id go together: fill both or neither",
    ),
    one(
        "shared",
        "account.github_repository_id",
        "",
        "github_owner_id and github_repository_id go together: fill both or neither",
        account__github_owner_id="12345",
    ),
    one("shared", "account.owner_tag", "", f"must have a length of at least 1 ({OWNER_TAG})"),
    one("shared", "account.owner_tag", "o" * 257, f"must have a length of at most 256 ({OWNER_TAG})"),
    one("shared", "account.cost_center_tag", "", f"must have a length of at least 1 ({COST_CENTER_TAG})"),
    one("shared", "account.cost_center_tag", "c" * 257, f"must have a length of at most 256 ({COST_CENTER_TAG})"),
)
RESERVED = (
    one("shared", "account.workload", "azure", "contains 'azure', which Azure reserves: choose another"),
    one("shared", "account.workload", "windowsill", "contains 'windows', which Azure reserves: choose another"),
    one("shared", "account.workload", "amicrosoft", "contains 'microsoft', which Azure reserves: choose another"),
    one("shared", "account.name_suffix", "skype", "contains 'skype', which Azure reserves: choose another"),
    one("shared", "account.name_suffix", "1xbox", "contains 'xbox', which Azure reserves: choose another"),
    one("dev", "short_name", "bing", "contains 'bing', which Azure reserves: choose another"),
    one("dev", "database.server_name", "psql-azure", "contains 'azure', which Azure reserves: choose another"),
    one("dev", "database.server_name", "psql-mswindows", "contains 'windows', which Azure reserves: choose another"),
    one("dev", "database.server_name", "logins", "starts with 'login', which Azure reserves: choose another"),
)
NETWORKS = (
    one("dev", "network.address_space", "10.10.0.0/33", f"{NO_RANGE}: '33' is not a valid netmask"),
    one("dev", "network.address_space", "fd00::/64", f"{NO_RANGE}: Expected 4 octets in 'fd00::'"),
    one("dev", "network.address_space", "10.10.0.1/16", f"{NO_RANGE}: 10.10.0.1/16 has host bits set"),
    one(
        "dev",
        "network.app_subnet",
        "10.10.256.0/24",
        f"{NO_RANGE}: Octet 256 (> 255) not permitted in '10.10.256.0'",
    ),
    one("dev", "network.endpoints_subnet", "", f"{NO_RANGE}: Address cannot be empty"),
    one("dev", "network.app_subnet", "10.11.0.0/24", "lies outside the address space 10.10.0.0/16"),
    one("dev", "network.endpoints_subnet", "10.9.255.0/24", "lies outside the address space 10.10.0.0/16"),
    one(
        "dev",
        "network.app_subnet",
        "10.10.0.0/27",
        "must be /26 or larger, so that App Service can scale out and upgrade in it",
    ),
    one(
        "dev",
        "network.endpoints_subnet",
        "10.10.1.0/30",
        "must be /29 or larger: Azure keeps 5 addresses of each subnet",
    ),
    one("dev", "network.endpoints_subnet", "10.10.0.0/24", "overlaps the app subnet 10.10.0.0/24"),
    one("dev", "network.endpoints_subnet", "10.10.0.128/25", "overlaps the app subnet 10.10.0.0/24"),
    one("dev", "network.endpoints_subnet", "10.10.0.0/16", "overlaps the app subnet 10.10.0.0/24"),
)
COMPUTE = (
    one("dev", "web_app.workers", 4, "must be at most 3 on B1"),
    one("dev", "web_app.workers", 11, "must be at most 10 on S1", web_app__sku="S1"),
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
    one("dev", "web_app.slot", True, "needs a Standard or Premium plan; B1 is Basic"),
    Bad(
        "production",
        {"web_app.sku": "B3", "web_app.zone_balanced": False, "web_app.slot": False},
        "production: web_app.autoscale = Autoscale(...): needs a Standard or Premium plan; B3 is Basic",
    ),
    Bad(
        "production",
        {"web_app.autoscale.minimum": 1},
        "production: web_app.autoscale.minimum = 1: must be at least 2 while the plan is zone balanced",
    ),
    Bad(
        "production",
        {"web_app.sku": "S3", "web_app.zone_balanced": False, "web_app.autoscale.maximum": 11},
        "production: web_app.autoscale.maximum = 11: must be at most 10 on S3",
    ),
    one(
        "production",
        "web_app.autoscale.default",
        2,
        "must be at least minimum (3): minimum <= default <= maximum",
        web_app__autoscale__minimum=3,
        web_app__workers=3,
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
    one(
        "production",
        "front_door",
        None,
        "must be FrontDoorSettings(...): a zone balanced API is reached through Front Door alone",
    ),
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
        "what is lost",
    ),
    one(
        "dev",
        "cache.loss_accepted",
        "a lot",
        "must have a length of at least 10 "
        "(what a node failure loses, in a sentence: persistence without high availability)",
    ),
    one(
        "dev",
        "email.verified",
        True,
        "is for a customer domain: Azure verifies its own, so leave it False",
    ),
    Bad(
        "staging",
        {"email.verified": True},
        "staging: email.verified = True: needs domain.delegated=True: nobody can look up the records before that",
    ),
    one("dev", "budget.start", "2026-12-02", "must be the first of a month: '2026-12-01'"),
    one("dev", "budget.start", "2026-02-30", "is no day of the calendar"),
    one("dev", "budget.start", "2026-13-01", "is no day of the calendar"),
    one("dev", "budget.start", "soon", f"{FORM} ({START})"),
    one("dev", "budget.start", "2026-12", f"{FORM} ({START})"),
    one("dev", "budget.start", "20261201", f"{FORM} ({START})"),
    one("dev", "budget.start", date(2026, 12, 1), f"must be text in quotes ({START})"),
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
    one("production", "network.address_space", "10.30", f"{NO_RANGE}: Expected 4 octets in '10.30'"),
    one("staging", "network.app_subnet", "10.20", f"{NO_RANGE}: Expected 4 octets in '10.20'"),
    Bad(
        "production",
        {"web_app.sku": "P9v9"},
        "production: web_app.sku = 'P9v9': must be one of 'B1', 'B2', 'B3', 'S1', 'S2', 'S3', "
        "'P0v3', 'P1v3', 'P2v3' or 'P3v3' (size of a worker)",
    ),
    one("production", "web_app.workers", 0, f"must be at least 1 ({WORKERS})"),
    one("production", "web_app.autoscale.minimum", 0, "must be at least 1 (never fewer workers)"),
    one("production", "web_app.autoscale.default", 31, "must be at most 30 (the count while no metric can be read)"),
    one(
        "production", "web_app.autoscale.scale_out_above_cpu_percent", 96, "must be at most 95 (one worker more, above)"
    ),
    one("production", "front_door.api_requests_a_minute", 9, "must be at least 10 (to every path with `/api/` in it)"),
    Bad(
        "production",
        {"database.sku": "D2"},
        "production: database.sku = 'D2': must be one of 'B_Standard_B1ms', 'B_Standard_B2s', 'B_Standard_B2ms', "
        "'GP_Standard_D2ds_v5', 'GP_Standard_D4ds_v5', 'GP_Standard_D8ds_v5', 'MO_Standard_E2ds_v5' or "
        "'MO_Standard_E4ds_v5' (compute: the part before the first underscore is the tier)",
    ),
    Bad(
        "production",
        {"cache.high_availability": ABSENT},
        f"production: cache.high_availability: is missing: True or False ({FIXED})",
    ),
    Bad("production", {"web_app": ABSENT, "front_door": None}, "production: web_app: is missing: WebAppSettings(...)"),
    Bad(
        "production",
        {"location": ABSENT},
        f"production: location: is missing: {LOCATIONS} "
        "(the Azure region of everything but the static site's own choice)",
    ),
    Bad(
        "shared",
        {"location": ABSENT},
        f"shared: location: is missing: {LOCATIONS} (the Azure region of the shared stack)",
    ),
    Bad("staging", {"domain": ABSENT, "email.verified": True}, "staging: domain: is missing: Domain(...)"),
    Bad(
        "staging",
        {"email.domain": ABSENT},
        f"staging: email.domain: is missing: one of 'azure' or 'customer' ({MAIL_DOMAIN})",
    ),
    Bad(
        "shared",
        {"account.github_owner_id": ABSENT, "account.github_repository_id": "1"},
        f"shared: account.github_owner_id: is missing: text in quotes ({OWNER_ID})",
    ),
)
TERRAFORMS = (
    one("shared", "account.owner_tag", "${path.module}", TERRAFORM),
    one("shared", "account.cost_center_tag", "%{ if x }", TERRAFORM),
    one("shared", "account.database_admins_name", "%{ if x }", TERRAFORM),
    one(
        "shared",
        "account.database_admins_name",
        "g" * 257,
        f"must have a length of at most 256 ({GROUP})",
    ),
    one("dev", "email.sender_name", "${path.module}", TERRAFORM),
    one("shared", "account.super_admin_email", "${x}@a.io", ADDRESS),
)
LIMITS = (
    one("dev", "name", "qa", "must be 'dev', as ENVIRONMENTS calls it"),
    one("dev", "name", "staging", "must be 'dev', as ENVIRONMENTS calls it"),
    one("shared", "account", 5, "must be Account(...)"),
    one("dev", "network.address_space", "10.10.0.0/255.255.0.0", "must be written as 10.10.0.0/16"),
    one("dev", "network.app_subnet", "10.10.0.0/0.0.0.255", "must be written as 10.10.0.0/24"),
    one("dev", "network.address_space", "0.0.0.0/0", PRIVATE),
    one("dev", "network.address_space", "172.32.0.0/16", PRIVATE),
    one("dev", "network.address_space", "192.0.0.0/8", PRIVATE),
    one("dev", "budget.start", "2017-05-01", "must not be before '2017-06-01', Azure's first"),
    one("shared", "account.alert_emails", ("a@a.io", "A@a.io"), "names an address twice"),
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
    Bad("dev", {"budget": ABSENT}, "dev: budget: is missing: BudgetSettings(...)"),
    Bad("dev", {"front_door": ABSENT}, "dev: front_door: is missing: FrontDoorSettings(...) or None"),
    Bad(
        "dev",
        {"application_environment": ABSENT},
        "dev: application_environment: is missing: one of 'development', 'staging' or 'production' "
        "(the application's ENVIRONMENT)",
    ),
    Bad("dev", {"web_app.workers": ABSENT}, f"dev: web_app.workers: is missing: a whole number ({WORKERS})"),
    Bad(
        "production",
        {"web_app.autoscale.minimum": ABSENT},
        "production: web_app.autoscale.minimum: is missing: a whole number (never fewer workers)",
    ),
    Bad("shared", {"registry": ABSENT}, "shared: registry: is missing: RegistrySettings(...)"),
    Bad("shared", {"account": ABSENT}, "shared: account: is missing: Account(...)"),
    Bad("shared", {"account.tenant_id": ABSENT}, f"shared: account.tenant_id: is missing: text in quotes ({GUID})"),
    Bad(
        "dev",
        {"alert": AlertSettings(teams=True)},
        "dev: alert = AlertSettings(...): no such setting; did you mean alerts?",
    ),
    one("dev", "database.backup_retension_days", 7, "no such setting; did you mean backup_retention_days?"),
    one("production", "web_app.autoscale.max", 7, "no such setting; did you mean maximum?"),
    one("dev", "alerts.zzz", 1, "no such setting; known: teams"),
    one("shared", "account.github_repo", "augeo/platform", "no such setting; did you mean github_repository?"),
    one(
        "dev",
        "web_app.workers",
        "many",
        f"must be a whole number ({WORKERS})",
    ),
    one(
        "dev",
        "web_app.workers",
        1.5,
        f"must be a whole number ({WORKERS})",
    ),
    one("dev", "web_app.workers", None, f"must be a whole number ({WORKERS})"),
    one("dev", "web_app.workers", True, f"must be a whole number ({WORKERS})"),
    one("dev", "alerts.teams", "maybe", f"must be True or False ({TEAMS})"),
    one("dev", "domain.label", 5, f"must be text in quotes ({LABEL})"),
    one("dev", "storage", None, "must be StorageSettings(...)"),
    Bad(
        "dev", {"storage": AlertSettings(teams=True)}, "dev: storage = AlertSettings(...): must be StorageSettings(...)"
    ),
    one(
        "shared",
        "account.alert_emails",
        "oncall@augeo.example",
        f"must be a tuple: ('one', 'two') or ('one',) ({ADDRESSES})",
    ),
    one(
        "shared",
        "account.alert_emails",
        ["oncall@augeo.example"],
        f"must be a tuple: ('one', 'two') or ('one',) ({ADDRESSES})",
    ),
    Bad(
        "shared",
        {"account.alert_emails": ("nobody",)},
        f"shared: account.alert_emails.0 = 'nobody': {FORM} ({ADDRESSES})",
    ),
    Bad(
        "shared",
        {"account.alert_emails": (5,)},
        f"shared: account.alert_emails.0 = 5: must be text in quotes ({ADDRESSES})",
    ),
    one("dev", "email.sender_name", "Augeo \ud800", f"has a character that is none in Unicode ({SENDER_NAME})"),
    one("shared", "account.alert_emails", (), f"must name at least 1 ({ADDRESSES})"),
    one(
        "shared",
        "account.alert_emails",
        tuple(f"{at}@augeo.example" for at in range(11)),
        f"must name at most 10 ({ADDRESSES})",
    ),
)


@pytest.mark.parametrize(
    "row",
    [*NAMES, *ACCOUNTS, *RESERVED, *NETWORKS, *COMPUTE, *DATA, *WAITING, *TERRAFORMS, *LIMITS, *PAIRS, *SHAPES],
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
            f"shorten {'' if name == 'shared' else 'short_name, '}account.workload or account.name_suffix by "
            f"{len(composed) - 24}"
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


TOGETHER = (
    # What is wrong by itself hides nothing that is wrong between settings which are right.
    Twins(
        {
            "staging": {
                "location": "italynorth",
                "database.backup_retention_days": 40,
                "database.geo_redundant_backup": True,
                "storage.replication": "GRS",
                "storage.deleted_kept_days": "a week",
                "domain.label": "-",
                "email.verified": True,
            }
        },
        [
            f"staging: domain.label = '-': {FORM} ({LABEL})",
            (
                "staging: database.backup_retention_days = 40: must be at most 35 "
                "(days back that the server can be restored to)"
            ),
            (
                "staging: storage.deleted_kept_days = 'a week': must be a whole number "
                "(days that deleted blobs can be brought back)"
            ),
            "staging: database.geo_redundant_backup = True: needs a location with a pair; italynorth has none",
            "staging: storage.replication = 'GRS': needs a location with a pair; italynorth has none",
            "staging: email.verified = True: needs domain.delegated=True: nobody can look up the records before that",
        ],
    ),
    # Whether the loss is accepted is not known before the sentence is right.
    Twins(
        {"dev": {"cache.persistence": "1h", "cache.loss_accepted": "a lot"}},
        [
            (
                "dev: cache.loss_accepted = 'a lot': must have a length of at least 10 "
                "(what a node failure loses, in a sentence: persistence without high availability)"
            )
        ],
    ),
    # Every rule that one setting breaks.
    Twins(
        {
            "production": {
                "web_app.sku": "S1",
                "web_app.workers": 1,
                "web_app.web_concurrency": 0,
                "web_app.autoscale.minimum": 2,
                "web_app.autoscale.maximum": 11,
                "web_app.autoscale.scale_out_above_cpu_percent": 99,
                "front_door": None,
            }
        },
        [
            (
                "production: web_app.autoscale.scale_out_above_cpu_percent = 99: must be at most 95 "
                "(one worker more, above)"
            ),
            "production: web_app.web_concurrency = 0: must be at least 1 (Uvicorn processes a container)",
            "production: web_app.autoscale.maximum = 11: must be at most 10 on S1",
            "production: web_app.zone_balanced = True: needs a Premium plan (P0v3 and up); S1 is Standard",
            "production: web_app.zone_balanced = True: needs at least 2 workers, one a zone",
            "production: web_app.autoscale.minimum = 2: must be at most workers (1): the plan starts with its workers",
        ],
    ),
    Twins(
        {"dev": {"network.app_subnet": "10.11.0.0/28", "network.endpoints_subnet": "10.11.0.0/30"}},
        [
            "dev: network.app_subnet = '10.11.0.0/28': lies outside the address space 10.10.0.0/16",
            "dev: network.endpoints_subnet = '10.11.0.0/30': lies outside the address space 10.10.0.0/16",
            (
                "dev: network.app_subnet = '10.11.0.0/28': must be /26 or larger, "
                "so that App Service can scale out and upgrade in it"
            ),
            (
                "dev: network.endpoints_subnet = '10.11.0.0/30': must be /29 or larger: "
                "Azure keeps 5 addresses of each subnet"
            ),
            "dev: network.endpoints_subnet = '10.11.0.0/30': overlaps the app subnet 10.11.0.0/28",
        ],
    ),
    # Names are composed of what is right, though the rest of the account, or of an environment, is wrong.
    Twins(
        {
            "shared": {"account.workload": "augeoxyz", "account.tenant_id": "contoso"},
            "dev": {"short_name": "DEV"},
            "staging": {"short_name": "s1", "domain": None},
            "production": {"short_name": "p1"},
        },
        [
            f"shared: account.tenant_id = 'contoso': {FORM} ({GUID})",
            (
                "shared: the storage name 'staugeoxyzstatesharedx7k2' has 25 characters, Azure takes 24: "
                "shorten account.workload or account.name_suffix by 1"
            ),
            f"dev: short_name = 'DEV': {FORM} ({SHORT_NAME})",
            "staging: domain = None: must be Domain(...)",
        ],
    ),
)


@pytest.mark.parametrize("row", TOGETHER, ids=lambda row: "-".join(row.changes))
def test_no_mistake_hides_another(row: Twins) -> None:
    with pytest.raises(SettingsError) as refused:
        check(row.changes)
    assert refused.value.problems == row.lines


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


@pytest.mark.parametrize("value", [" fork.example", "fork.example\n", "\tfork.example "])
def test_a_variable_may_have_white_space_around_it(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_DOMAIN", value)
    assert check({}).shared.account.domain == "fork.example"


@pytest.mark.parametrize("value", [" a@fork.example , b@fork.example,", "a@fork.example,b@fork.example"])
def test_addresses_of_a_variable_may_have_white_space_around_them(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_ALERT_EMAILS", value)
    assert check({}).shared.account.alert_emails == ("a@fork.example", "b@fork.example")


def test_a_variable_that_names_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_ALERT_EMAILS", ",")
    with pytest.raises(SettingsError) as refused:
        check({})
    assert refused.value.problems == [
        f"shared: account.alert_emails = () from AUGEO_ALERT_EMAILS: must name at least 1 ({ADDRESSES})"
    ]


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
    assert (
        "dev: database.backup_retention_days = 40: must be at most 35 (days back that the server can be restored to)"
        in refused.value.problems
    )
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
    assert "dev: alerts = (True,): stands there without a setting's name; known: teams" in refused.value.problems


@pytest.mark.parametrize("nothing", ["", " ", "\n"])
def test_an_empty_variable_is_an_unset_one(nothing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A GitHub workflow that passes on a variable nobody has set passes on an empty one."""
    monkeypatch.setenv("AUGEO_DOMAIN", nothing)
    assert check({}).shared.account.domain == ACCOUNT.domain


def test_a_variable_like_none_is_told_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_LOCATION", "eastus2")
    with pytest.raises(SettingsError) as refused:
        check({})
    [line] = refused.value.problems
    assert line.startswith("environment variable AUGEO_LOCATION: no such setting; known: AUGEO_ALERT_EMAILS, AUGEO_")


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
        "dev: web_app.workers = 9: must be at most 3 on B1",
        "staging: short_name = 'dev': is dev's already; each environment needs its own",
    ]


def test_an_environment_may_be_called_environments() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {"environments": changed(ENVIRONMENTS["dev"], {"name": "environments", "location": "mars"})})
    [line] = refused.value.problems
    assert line.startswith("environments: location = 'mars': must be one of ")


@pytest.mark.parametrize(
    "environment", [None, Environment, "dev", ENVIRONMENTS["staging"].web_app], ids=["None", "class", "text", "slice"]
)
def test_an_environment_that_is_none_at_all(environment: object) -> None:
    shown = "WebAppSettings(...)" if isinstance(environment, Settings) else repr(environment)
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {"dev": cast(Environment, environment)})
    assert refused.value.problems == [f"dev: itself = {shown}: must be Environment(...)"]


def test_an_environment_under_a_key_that_is_no_text() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {cast(str, 5): ENVIRONMENTS["dev"]})
    assert refused.value.problems == ["5: name = 'dev': must be '5', as ENVIRONMENTS calls it"]


def test_settings_that_are_none_at_all() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(cast(Shared, None), ENVIRONMENTS)
    assert refused.value.problems == ["shared: itself = None: must be Shared(...)"]


def test_an_environment_with_a_value_without_a_name() -> None:
    whole = changed(ENVIRONMENTS["dev"], {})
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {"dev": Environment("dev", **vars(whole))})  # pyright: ignore[reportCallIssue]
    [line] = refused.value.problems
    assert line.startswith("dev: itself = ('dev',): stands there without a setting's name; known: name, short_name, ")


def test_a_literal_may_take_over_what_another_has_by_default() -> None:
    key_vault = ENVIRONMENTS["dev"].key_vault
    assert check({"staging": {"key_vault": key_vault}}).environments["staging"].key_vault.soft_delete_days == 90
