"""Settings that are refused: a row is a mistake, and exactly the line that its author reads.

Each row breaks one rule, so that its row fails if a rule is removed. Ranges and choices are in
test_ranges_and_choices.py, environment variables in test_variables.py.
"""

from collections.abc import Mapping
from typing import NamedTuple, cast

import pytest

from environments import ENVIRONMENTS, SettingsError
from environments.settings import AlertSettings, Environment, Settings, Shared
from environments.shared import ACCOUNT, SHARED
from environments.validation import validate
from tests.environments.changes import ABSENT, Changes, change_settings, check, find_problems
from tests.environments.fields import fill

# `<description>` and `<choices>` stand for those of the field, which `fill` reads from the model.
FORM = "has the wrong form (<description>)"
NO_RANGE = "is no IPv4 range as 10.10.0.0/16 is"
PRIVATE = "must lie in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16"
TERRAFORM = "must not contain ${ or %{: Terraform would evaluate it"
AZURES_SENDER = "must be 'donotreply', the one sender of a domain of Azure's"
MORE_THAN_BURSTABLE = "needs a General Purpose or Memory Optimized sku"


AUTOSCALE = {"minimum": 1, "default": 1, "maximum": 2}


class Bad(NamedTuple):
    """The changes in one place that make the settings wrong, and the one line that reports them."""

    where: str
    changes: Changes
    line: str


def refuse(where: str, field: str, value: object, right: str, **others: object) -> Bad:
    """Return a row whose line names the field that is changed. `others` are more changes, with "__" in place of "."."""
    other_changes = {name.replace("__", "."): other_value for name, other_value in others.items()}
    return Bad(where, {**other_changes, field: value}, f"{where}: {field} = {value!r}: {right}")


NAMES = (
    refuse("dev", "name", "Dev", FORM),
    refuse("dev", "name", "d", FORM),
    refuse("dev", "name", "d" * 17, FORM),
    refuse("dev", "name", "1dev", FORM),
    refuse("dev", "name", "de-v", FORM),
    refuse("dev", "name", "dev\n", FORM),
    refuse("dev", "name", "", FORM),
    refuse("dev", "name", "shared", "is the shared stack's own name"),
    refuse("dev", "short_name", "d", FORM),
    refuse("dev", "short_name", "devel", FORM),
    refuse("dev", "short_name", "DEV", FORM),
    refuse("dev", "short_name", "1de", FORM),
    refuse("dev", "domain.label", "dev.eu", FORM),
    refuse("dev", "domain.label", "-dev", FORM),
    refuse("dev", "domain.label", "dev-", FORM),
    refuse("dev", "domain.label", "Dev", FORM),
    refuse("dev", "domain.label", "d" * 64, FORM),
    refuse("dev", "domain.label", "", FORM),
    refuse("dev", "database.server_name", "pg", FORM),
    refuse("dev", "database.server_name", "1pg", FORM),
    refuse("dev", "database.server_name", "pg-restored-", FORM),
    refuse("dev", "database.server_name", "Pg-restored", FORM),
    refuse("dev", "database.server_name", "p" * 64, FORM),
    refuse("dev", "email.sender", "noreply", AZURES_SENDER),
    refuse("dev", "email.quota_raised", True, "is for a customer domain: Azure verifies its own, so leave it False"),
    refuse("dev", "email.sender", "do not reply", FORM),
    refuse("dev", "email.sender", ".noreply", FORM),
    refuse("dev", "email.sender", "n" * 65, FORM),
    refuse("dev", "email.sender_name", "", "must have a length of at least 1 (<description>)"),
    refuse("dev", "email.sender_name", "A" * 65, "must have a length of at most 64 (<description>)"),
    refuse("dev", "email.sender_name", "Augeo\0", r"must not contain '\x00', which does not print"),
    refuse("shared", "account.owner_tag", "the\xa0platform", r"must not contain '\xa0', which does not print"),
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
    refuse("shared", "account.workload", "a", FORM),
    refuse("shared", "account.workload", "augeoaugeo1", FORM),
    refuse("shared", "account.workload", "Augeo", FORM),
    refuse("shared", "account.workload", "4geo", FORM),
    refuse("shared", "account.name_suffix", "x7", FORM),
    refuse("shared", "account.name_suffix", "x7k2zz", FORM),
    refuse("shared", "account.name_suffix", "x-7k", FORM),
    refuse("shared", "account.subscription_id", "", FORM),
    refuse("shared", "account.subscription_id", "my subscription", FORM),
    refuse("shared", "account.subscription_id", "0000000g-0000-0000-0000-000000000000", FORM),
    refuse("shared", "account.tenant_id", "ABCDEF00-0000-0000-0000-000000000000", FORM),
    refuse("shared", "account.tenant_id", "00000000000000000000000000000000", FORM),
    refuse("shared", "account.database_admins_object_id", "{00000000-0000-0000-0000-000000000000}", FORM),
    refuse(
        "shared",
        "account.database_admins_name",
        "",
        "must have a length of at least 1 (<description>)",
    ),
    refuse("shared", "account.domain", "augeo", FORM),
    refuse("shared", "account.domain", "augeo.example.", FORM),
    refuse("shared", "account.domain", "https://augeo.example", FORM),
    refuse("shared", "account.domain", "Augeo.example", FORM),
    refuse("shared", "account.domain", "au_geo.example", FORM),
    refuse("shared", "account.domain", "augeo..example", FORM),
    refuse("shared", "account.domain", "-augeo.example", FORM),
    refuse("shared", "account.domain", "10.0.0.1", FORM),
    refuse("shared", "account.domain", "a" * 40 + "-.example", FORM),
    refuse("shared", "account.domain", "a." * 25 + "uk.coms", "must have a length of at most 56 (<description>)"),
    refuse("shared", "account.super_admin_email", "admin", FORM),
    refuse("shared", "account.super_admin_email", "admin@augeo", FORM),
    refuse("shared", "account.super_admin_email", "ad min@augeo.example", FORM),
    refuse("shared", "account.super_admin_email", "a@b@augeo.example", FORM),
    refuse("shared", "account.super_admin_email", "a@augeo.example,b@augeo.example", FORM),
    refuse("shared", "account.github_repository", "platform", FORM),
    refuse("shared", "account.github_repository", "augeo/platform/infra", FORM),
    refuse("shared", "account.github_repository", "https://github.com/augeo/platform", FORM),
    refuse("shared", "account.github_repository", "-augeo/platform", FORM),
    refuse("shared", "account.github_repository", "augeo/", FORM),
    refuse("shared", "account.github_owner_id", "augeo", FORM),
    refuse("shared", "account.github_repository_id", "12a", FORM),
    refuse(
        "shared",
        "account.github_repository_id",
        "67890",
        "github_owner_id and github_repository_id go together: fill both or neither",
    ),
    refuse(
        "shared",
        "account.github_repository_id",
        "",
        "github_owner_id and github_repository_id go together: fill both or neither",
        account__github_owner_id="12345",
    ),
    refuse("shared", "account.owner_tag", "", "must have a length of at least 1 (<description>)"),
    refuse("shared", "account.owner_tag", "o" * 257, "must have a length of at most 256 (<description>)"),
    refuse("shared", "account.cost_center_tag", "", "must have a length of at least 1 (<description>)"),
    refuse("shared", "account.cost_center_tag", "c" * 257, "must have a length of at most 256 (<description>)"),
)
RESERVED = (
    refuse("shared", "account.workload", "azure", "contains 'azure', which Azure reserves: choose another"),
    refuse("shared", "account.workload", "windowsill", "contains 'windows', which Azure reserves: choose another"),
    refuse("shared", "account.workload", "amicrosoft", "contains 'microsoft', which Azure reserves: choose another"),
    refuse("shared", "account.name_suffix", "skype", "contains 'skype', which Azure reserves: choose another"),
    refuse("shared", "account.name_suffix", "1xbox", "contains 'xbox', which Azure reserves: choose another"),
    refuse("dev", "short_name", "bing", "contains 'bing', which Azure reserves: choose another"),
    refuse("dev", "database.server_name", "psql-azure", "contains 'azure', which Azure reserves: choose another"),
    refuse("dev", "database.server_name", "psql-mswindows", "contains 'windows', which Azure reserves: choose another"),
    refuse("dev", "database.server_name", "logins", "starts with 'login', which Azure reserves: choose another"),
)
NETWORKS = (
    refuse("dev", "network.address_space", "10.10.0.0/33", f"{NO_RANGE}: '33' is not a valid netmask"),
    refuse("dev", "network.address_space", "fd00::/64", f"{NO_RANGE}: Expected 4 octets in 'fd00::'"),
    refuse("dev", "network.address_space", "10.10.0.1/16", f"{NO_RANGE}: 10.10.0.1/16 has host bits set"),
    refuse(
        "dev",
        "network.app_subnet",
        "10.10.256.0/24",
        f"{NO_RANGE}: Octet 256 (> 255) not permitted in '10.10.256.0'",
    ),
    refuse("dev", "network.endpoints_subnet", "", f"{NO_RANGE}: Address cannot be empty"),
    refuse("dev", "network.app_subnet", "10.11.0.0/24", "lies outside the address space 10.10.0.0/16"),
    refuse("dev", "network.endpoints_subnet", "10.9.255.0/24", "lies outside the address space 10.10.0.0/16"),
    refuse(
        "dev",
        "network.app_subnet",
        "10.10.0.0/27",
        "must be /26 or larger, so that App Service can scale out and upgrade in it",
    ),
    refuse(
        "dev",
        "network.endpoints_subnet",
        "10.10.1.0/30",
        "must be /29 or larger: Azure keeps 5 addresses of each subnet",
    ),
    refuse("dev", "network.endpoints_subnet", "10.10.0.0/24", "overlaps the app subnet 10.10.0.0/24"),
    refuse("dev", "network.endpoints_subnet", "10.10.0.128/25", "overlaps the app subnet 10.10.0.0/24"),
    refuse("dev", "network.endpoints_subnet", "10.10.0.0/16", "overlaps the app subnet 10.10.0.0/24"),
)
JOBS = (
    refuse("dev", "jobs.subnet", "10.11.0.0/27", "lies outside the address space 10.10.0.0/16"),
    refuse("dev", "jobs.subnet", "10.10.3.0/28", "must be /27 or larger: Container Apps takes no smaller one"),
    refuse("dev", "jobs.subnet", "10.10.0.32/27", "overlaps network.app_subnet 10.10.0.0/24"),
    refuse("dev", "jobs.subnet", "10.10.1.0/27", "overlaps network.endpoints_subnet 10.10.1.0/24"),
    refuse("dev", "jobs.subnet", "10.10.3", f"{NO_RANGE}: Expected 4 octets in '10.10.3'"),
)
COMPUTE = (
    refuse("dev", "web_app.workers", 4, "must be at most 3 on B1"),
    refuse("dev", "web_app.workers", 11, "must be at most 10 on S1", web_app__sku="S1"),
    refuse("dev", "web_app.zone_balanced", True, "needs a Premium plan (P0v3 and up); B1 is Basic", web_app__workers=2),
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
    refuse("dev", "web_app.slot", True, "needs a Standard or Premium plan; B1 is Basic"),
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
    refuse(
        "production",
        "web_app.autoscale.default",
        2,
        "must be at least minimum (3): minimum <= default <= maximum",
        web_app__autoscale__minimum=3,
        web_app__workers=3,
    ),
    refuse(
        "production",
        "web_app.autoscale.maximum",
        3,
        "must be at least default (4): minimum <= default <= maximum",
        web_app__autoscale__default=4,
    ),
    refuse("production", "web_app.autoscale.maximum", 1, "must be at least minimum (2): minimum <= default <= maximum"),
    refuse(
        "production",
        "web_app.autoscale.minimum",
        3,
        "must be at most workers (2): the plan starts with its workers",
        web_app__autoscale__default=3,
    ),
    Bad(
        "production",
        {"web_app.workers": 6},
        "production: web_app.autoscale.maximum = 5: must be at least workers (6): the plan starts with its workers",
    ),
    refuse(
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
    refuse(
        "production",
        "front_door",
        None,
        "must be FrontDoorSettings(...): a zone balanced API is reached through Front Door alone",
    ),
    refuse(
        "staging",
        "front_door.sign_in_requests_a_minute",
        1000,
        "must be below api_requests_a_minute (1000): signing in has the stricter limit",
        front_door__api_requests_a_minute=1000,
    ),
)
DATA = (
    refuse(
        "dev", "database.high_availability", "ZoneRedundant", f"{MORE_THAN_BURSTABLE}; B_Standard_B1ms is Burstable"
    ),
    refuse(
        "dev",
        "database.high_availability",
        "SameZone",
        f"{MORE_THAN_BURSTABLE}; B_Standard_B2ms is Burstable",
        database__sku="B_Standard_B2ms",
    ),
    refuse("dev", "database.pgbouncer", True, f"{MORE_THAN_BURSTABLE}; B_Standard_B1ms is Burstable"),
    refuse(
        "dev",
        "cache.persistence",
        "1h",
        "needs high_availability=True: a lone node is away while it restores. To do without, say in loss_accepted "
        "what is lost",
    ),
    refuse(
        "dev",
        "cache.loss_accepted",
        "a lot",
        "must have a length of at least 10 (<description>)",
    ),
    refuse(
        "dev",
        "email.verified",
        True,
        "is for a customer domain: Azure verifies its own, so leave it False",
    ),
    Bad(
        "staging",
        {"domain.own_names": "only"},
        "staging: domain.own_names = 'only': needs delegated=True: nobody can look the names up before that",
    ),
    Bad(
        "staging",
        {"domain.records": "api A 203.0.113.4\n@ TXT x"},
        "staging: domain.records = 'api A 203.0.113.4\\n@ TXT x': has records for @, api, where the platform makes its "
        "own",
    ),
    Bad(
        "dev",
        {"domain.records": "www A 1.2.3"},
        "dev: domain.records = 'www A 1.2.3': is no zone file: line 1, 'www A 1.2.3': Text input is malformed.",
    ),
    Bad(
        "shared",
        {"account.records": "www.dev A 203.0.113.4"},
        "shared: account.records = 'www.dev A 203.0.113.4': has a record for 'www.dev', for which dev's zone answers: "
        "set it in dev's domain.records",
    ),
    Bad(
        "staging",
        {"email.verified": True},
        "staging: email.verified = True: needs domain.delegated=True: nobody can look up the records before that",
    ),
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
# A setting that a rule compares with is wrong by itself: that is the only line, and the rule says nothing yet.
WAITING = (
    refuse("production", "network.address_space", "10.30", f"{NO_RANGE}: Expected 4 octets in '10.30'"),
    refuse("staging", "network.app_subnet", "10.20", f"{NO_RANGE}: Expected 4 octets in '10.20'"),
    refuse("production", "web_app.sku", "P9v9", "must be one of <choices> (<description>)"),
    refuse("production", "web_app.workers", 0, "must be at least 1 (<description>)"),
    refuse("production", "web_app.autoscale.minimum", 0, "must be at least 1 (<description>)"),
    refuse("production", "web_app.autoscale.default", 31, "must be at most 30 (<description>)"),
    refuse("production", "web_app.autoscale.scale_out_above_cpu_percent", 96, "must be at most 95 (<description>)"),
    refuse("production", "front_door.api_requests_a_minute", 9, "must be at least 10 (<description>)"),
    refuse("production", "database.sku", "D2", "must be one of <choices> (<description>)"),
    Bad(
        "production",
        {"cache.high_availability": ABSENT},
        "production: cache.high_availability: is missing: True or False (<description>)",
    ),
    Bad("production", {"web_app": ABSENT, "front_door": None}, "production: web_app: is missing: WebAppSettings(...)"),
    Bad("production", {"front_door": ABSENT}, "production: front_door: is missing: FrontDoorSettings(...) or None"),
    refuse("production", "front_door", 20, "must be FrontDoorSettings(...) or None"),
    refuse(
        "shared",
        "state.replication",
        "LRS",
        "must be one of <choices> (<description>)",
        location="italynorth",
    ),
    Bad(
        "production",
        {"location": ABSENT},
        "production: location: is missing: one of <choices> (<description>)",
    ),
    Bad(
        "shared",
        {"location": ABSENT},
        "shared: location: is missing: one of <choices> (<description>)",
    ),
    Bad("staging", {"domain": ABSENT, "email.verified": True}, "staging: domain: is missing: Domain(...)"),
    Bad(
        "staging",
        {"email.domain": ABSENT},
        "staging: email.domain: is missing: one of <choices> (<description>)",
    ),
    refuse(
        "shared",
        "account.github_repository_id",
        "12a",
        FORM,
        account__github_owner_id="12345",
    ),
    Bad(
        "shared",
        {"account.github_owner_id": ABSENT, "account.github_repository_id": "1"},
        "shared: account.github_owner_id: is missing: text in quotes (<description>)",
    ),
)
TERRAFORMS = (
    refuse("shared", "account.owner_tag", "${path.module}", TERRAFORM),
    refuse("shared", "account.cost_center_tag", "%{ if x }", TERRAFORM),
    refuse("shared", "account.database_admins_name", "%{ if x }", TERRAFORM),
    refuse(
        "shared",
        "account.database_admins_name",
        "g" * 257,
        "must have a length of at most 256 (<description>)",
    ),
    refuse("dev", "email.sender_name", "${path.module}", TERRAFORM),
    refuse("shared", "account.super_admin_email", "${x}@a.io", FORM),
)
LIMITS = (
    refuse("dev", "name", "qa", "must be 'dev', as ENVIRONMENTS calls it"),
    refuse("dev", "name", "staging", "must be 'dev', as ENVIRONMENTS calls it"),
    refuse("shared", "account", 5, "must be Account(...)"),
    refuse("dev", "network.address_space", "10.10.0.0/255.255.0.0", "must be written as 10.10.0.0/16"),
    refuse("dev", "network.app_subnet", "10.10.0.0/0.0.0.255", "must be written as 10.10.0.0/24"),
    refuse("dev", "network.address_space", "0.0.0.0/0", PRIVATE),
    refuse("dev", "network.address_space", "172.32.0.0/16", PRIVATE),
    refuse("dev", "network.address_space", "192.0.0.0/8", PRIVATE),
    refuse("shared", "account.alert_emails", ("a@a.io", "A@a.io"), "names an address twice"),
    Bad(
        "shared",
        {"account.alert_emails": ("a@a.io", "nobody")},
        f"shared: account.alert_emails.1 = 'nobody': {FORM}",
    ),
)
A_PAIR, GEO_ZONES = "needs a location with a pair", "needs a location with geo-zone-redundant storage"
ZONES = "needs a location with availability zones"
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
            f"staging: storage.replication = '{replication}': {reason}; italynorth has none",
        )
        for replication, reason in (("GRS", A_PAIR), ("GZRS", GEO_ZONES))
    ),
    *(
        Bad(
            "shared",
            {"location": "italynorth", "state.replication": replication},
            f"shared: state.replication = '{replication}': {reason}; italynorth has none",
        )
        for replication, reason in (("GRS", A_PAIR), ("GZRS", GEO_ZONES), ("RAGZRS", GEO_ZONES))
    ),
    *(
        Bad(
            "shared",
            {"location": location, "state.replication": replication},
            f"shared: state.replication = '{replication}': {reason}; {location} has none",
        )
        for location in ("westus", "canadaeast", "ukwest")
        for replication, reason in (("ZRS", ZONES), ("GZRS", GEO_ZONES))
    ),
    Bad(
        "production",
        {"location": "westus", "storage.replication": "GRS"},
        f"production: web_app.zone_balanced = True: {ZONES}; westus has none",
    ),
)
SHAPES = (
    Bad("dev", {"budget": ABSENT}, "dev: budget: is missing: BudgetSettings(...)"),
    Bad("dev", {"front_door": ABSENT}, "dev: front_door: is missing: FrontDoorSettings(...) or None"),
    Bad(
        "dev",
        {"application_environment": ABSENT},
        "dev: application_environment: is missing: one of <choices> (<description>)",
    ),
    Bad("dev", {"web_app.workers": ABSENT}, "dev: web_app.workers: is missing: a whole number (<description>)"),
    Bad(
        "production",
        {"web_app.autoscale.minimum": ABSENT},
        "production: web_app.autoscale.minimum: is missing: a whole number (<description>)",
    ),
    Bad("shared", {"registry": ABSENT}, "shared: registry: is missing: RegistrySettings(...)"),
    Bad("shared", {"account": ABSENT}, "shared: account: is missing: Account(...)"),
    Bad(
        "shared", {"account.tenant_id": ABSENT}, "shared: account.tenant_id: is missing: text in quotes (<description>)"
    ),
    Bad(
        "dev",
        {"alert": AlertSettings(pages=False, teams=True)},
        "dev: alert = AlertSettings(...): no such setting; did you mean alerts?",
    ),
    refuse("dev", "database.backup_retension_days", 7, "no such setting; did you mean backup_retention_days?"),
    refuse("production", "web_app.autoscale.max", 7, "no such setting; did you mean maximum?"),
    refuse("dev", "alerts.zzz", 1, "no such setting; known: emails, pages, teams, web_test_minutes"),
    refuse("shared", "account.github_repo", "augeo/platform", "no such setting; did you mean github_repository?"),
    refuse(
        "dev",
        "web_app.workers",
        "many",
        "must be a whole number (<description>)",
    ),
    refuse(
        "dev",
        "web_app.workers",
        1.5,
        "must be a whole number (<description>)",
    ),
    refuse("dev", "web_app.workers", None, "must be a whole number (<description>)"),
    refuse("dev", "web_app.workers", True, "must be a whole number (<description>)"),
    refuse("dev", "alerts.teams", "maybe", "must be True or False (<description>)"),
    refuse("dev", "observability.daily_cap_gb", "a lot", "must be a number (<description>)"),
    Bad("dev", {"alerts": {"teams": True, 5: 5}}, "dev: alerts.5 = 5: keys should be strings"),
    refuse("dev", "domain.label", 5, "must be text in quotes (<description>)"),
    refuse("dev", "storage", None, "must be StorageSettings(...)"),
    Bad(
        "dev",
        {"storage": AlertSettings(pages=False, teams=True)},
        "dev: storage = AlertSettings(...): must be StorageSettings(...)",
    ),
    refuse(
        "shared",
        "account.alert_emails",
        "oncall@augeo.example",
        "must be a tuple: ('one', 'two') or ('one',) (<description>)",
    ),
    refuse(
        "shared",
        "account.alert_emails",
        ["oncall@augeo.example"],
        "must be a tuple: ('one', 'two') or ('one',) (<description>)",
    ),
    Bad(
        "shared",
        {"account.alert_emails": ("nobody",)},
        f"shared: account.alert_emails.0 = 'nobody': {FORM}",
    ),
    Bad(
        "shared",
        {"account.alert_emails": (5,)},
        "shared: account.alert_emails.0 = 5: must be text in quotes (<description>)",
    ),
    refuse("dev", "email.sender_name", "Augeo \ud800", "has a character that is none in Unicode (<description>)"),
    refuse("shared", "account.alert_emails", (), "must name at least 1 (<description>)"),
    refuse(
        "shared",
        "account.alert_emails",
        tuple(f"{at}@augeo.example" for at in range(11)),
        "must name at most 10 (<description>)",
    ),
)


@pytest.mark.parametrize(
    "row",
    [*NAMES, *ACCOUNTS, *RESERVED, *NETWORKS, *JOBS, *COMPUTE, *DATA, *WAITING, *TERRAFORMS, *LIMITS, *PAIRS, *SHAPES],
    ids=lambda row: f"{row.where}-{'-'.join(row.changes)}",
)
def test_a_mistake_is_refused_in_words(row: Bad) -> None:
    assert find_problems({row.where: row.changes}) == [fill(row.line)]


def test_a_whole_line_is_as_it_was_written_by_hand() -> None:
    """The other rows read the descriptions and the choices from the models, so this one does not."""
    assert find_problems({"dev": {"cache.eviction": "None", "database.storage_gb": 20}}) == [
        (
            "dev: database.storage_gb = 20: must be one of 32, 64, 128, 256, 512, 1024 or 2048 "
            "(the size at creation; the server grows by itself and never shrinks)"
        ),
        (
            "dev: cache.eviction = 'None': must be one of 'VolatileLRU', 'AllKeysLRU' or 'NoEviction' "
            "(the keys that go when memory is full: those with an expiry, any, none (writes fail))"
        ),
    ]


class Combination(NamedTuple):
    """The changes in several places, or several in one, and the lines that report them."""

    changes: Mapping[str, Changes]
    lines: list[str]


ACROSS_ENVIRONMENTS = (
    Combination(
        {"staging": {"short_name": "dev"}},
        ["staging: short_name = 'dev': is dev's already; each environment needs its own"],
    ),
    Combination(
        {"production": {"domain.label": "staging"}},
        ["production: domain.label = 'staging': is staging's already; each environment needs its own"],
    ),
    Combination(
        {"dev": {"database.server_name": "psql-restored"}, "production": {"database.server_name": "psql-restored"}},
        ["production: database.server_name = 'psql-restored': is dev's already; each environment needs its own"],
    ),
    Combination(
        {"shared": {"account.workload": "augeoaugeo"}},
        [
            f"{name}: the {kind} name '{composed}' has {len(composed)} characters, Azure takes 24: "
            f"shorten {'' if name == 'shared' else 'short_name, '}account.workload or account.name_suffix by "
            f"{len(composed) - 24}"
            for name, kind, composed in (
                ("shared", "storage", "staugeoaugeostatesharedx7k2"),
                ("dev", "key_vault", "kv-augeoaugeo-db-dev-x7k2"),
                ("dev", "storage", "staugeoaugeouploadsdevx7k2"),
                ("dev", "storage", "staugeoaugeoevidencedevx7k2"),
                ("staging", "key_vault", "kv-augeoaugeo-db-stg-x7k2"),
                ("staging", "storage", "staugeoaugeouploadsstgx7k2"),
                ("staging", "storage", "staugeoaugeoevidencestgx7k2"),
                ("production", "key_vault", "kv-augeoaugeo-db-prod-x7k2"),
                ("production", "storage", "staugeoaugeouploadsprodx7k2"),
                ("production", "storage", "staugeoaugeoevidenceprodx7k2"),
            )
        ],
    ),
)


TOGETHER = (
    # Settings that are wrong by themselves do not hide contradictions between settings that are right.
    Combination(
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
            f"staging: domain.label = '-': {FORM}",
            ("staging: database.backup_retention_days = 40: must be at most 35 (<description>)"),
            ("staging: storage.deleted_kept_days = 'a week': must be a whole number (<description>)"),
            "staging: database.geo_redundant_backup = True: needs a location with a pair; italynorth has none",
            "staging: storage.replication = 'GRS': needs a location with a pair; italynorth has none",
            "staging: email.verified = True: needs domain.delegated=True: nobody can look up the records before that",
        ],
    ),
    # While the sentence that accepts the loss is wrong, nothing is said about the persistence.
    Combination(
        {"dev": {"cache.persistence": "1h", "cache.loss_accepted": "a lot"}},
        [("dev: cache.loss_accepted = 'a lot': must have a length of at least 10 (<description>)")],
    ),
    # The limits of autoscale are compared only if they are right.
    Combination(
        {"production": {"web_app.autoscale.minimum": 0, "web_app.autoscale.default": 31}},
        [
            "production: web_app.autoscale.minimum = 0: must be at least 1 (<description>)",
            "production: web_app.autoscale.default = 31: must be at most 30 (<description>)",
        ],
    ),
    # A slice is refused as a whole, and a setting in it by itself.
    Combination(
        {
            "production": {
                "web_app.sku": "B3",
                "web_app.zone_balanced": False,
                "web_app.slot": False,
                "web_app.autoscale.default": 0,
            }
        },
        [
            "production: web_app.autoscale.default = 0: must be at least 1 (<description>)",
            "production: web_app.autoscale = Autoscale(...): needs a Standard or Premium plan; B3 is Basic",
        ],
    ),
    # Slices that are written as dictionaries are checked like all others, if the rest is right.
    Combination(
        {"dev": {"web_app": {**vars(ENVIRONMENTS["dev"].web_app), "autoscale": AUTOSCALE}}},
        ["dev: web_app.autoscale = Autoscale(...): needs a Standard or Premium plan; B1 is Basic"],
    ),
    Combination(
        {"shared": {"account": {**vars(ACCOUNT), "workload": "augeoxy", "name_suffix": "x7k2z"}}},
        [
            (
                "shared: the storage name 'staugeoxystatesharedx7k2z' has 25 characters, Azure takes 24: "
                "shorten account.workload or account.name_suffix by 1"
            ),
            (
                "dev: the storage name 'staugeoxyevidencedevx7k2z' has 25 characters, Azure takes 24: "
                "shorten short_name, account.workload or account.name_suffix by 1"
            ),
            (
                "staging: the storage name 'staugeoxyevidencestgx7k2z' has 25 characters, Azure takes 24: "
                "shorten short_name, account.workload or account.name_suffix by 1"
            ),
            (
                "production: the storage name 'staugeoxyuploadsprodx7k2z' has 25 characters, Azure takes 24: "
                "shorten short_name, account.workload or account.name_suffix by 1"
            ),
            (
                "production: the storage name 'staugeoxyevidenceprodx7k2z' has 26 characters, Azure takes 24: "
                "shorten short_name, account.workload or account.name_suffix by 2"
            ),
        ],
    ),
    Combination(
        {"shared": {"account": {**vars(ACCOUNT), "workload": "augeoxyz"}}, "dev": {"web_app.workers": 4}},
        ["dev: web_app.workers = 4: must be at most 3 on B1"],
    ),
    # One setting breaks several rules: each has its line.
    Combination(
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
            ("production: web_app.autoscale.scale_out_above_cpu_percent = 99: must be at most 95 (<description>)"),
            "production: web_app.web_concurrency = 0: must be at least 1 (<description>)",
            "production: web_app.autoscale.maximum = 11: must be at most 10 on S1",
            "production: web_app.zone_balanced = True: needs a Premium plan (P0v3 and up); S1 is Standard",
            "production: web_app.zone_balanced = True: needs at least 2 workers, one a zone",
            "production: web_app.autoscale.minimum = 2: must be at most workers (1): the plan starts with its workers",
        ],
    ),
    Combination(
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
    # Names are checked if their parts are right, even if other settings of the account or the environment are wrong.
    Combination(
        {
            "shared": {"account.workload": "augeoxyz", "account.tenant_id": "contoso"},
            "dev": {"short_name": "DEV"},
            "staging": {"short_name": "s1", "domain": None},
            "production": {"short_name": "p1"},
        },
        [
            f"shared: account.tenant_id = 'contoso': {FORM}",
            (
                "shared: the storage name 'staugeoxyzstatesharedx7k2' has 25 characters, Azure takes 24: "
                "shorten account.workload or account.name_suffix by 1"
            ),
            f"dev: short_name = 'DEV': {FORM}",
            "staging: domain = None: must be Domain(...)",
        ],
    ),
)


@pytest.mark.parametrize("row", TOGETHER, ids=lambda row: "-".join(row.changes))
def test_no_mistake_hides_another(row: Combination) -> None:
    assert find_problems(row.changes) == [fill(line) for line in row.lines]


@pytest.mark.parametrize("row", ACROSS_ENVIRONMENTS, ids=lambda row: "-".join(row.changes))
def test_settings_that_contradict_across_environments(row: Combination) -> None:
    assert find_problems(row.changes) == row.lines


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


def test_refused_names_are_reported_together_with_other_mistakes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AUGEO_NAME_SUFFIX", "x7k2z")
    problems = find_problems({"shared": {"account.workload": "augeoxy"}, "dev": {"database.backup_retention_days": 40}})
    assert (
        "dev: database.backup_retention_days = 40: must be at most 35 (days back that the server can be restored to)"
        in problems
    )
    assert any("'staugeoxyevidencedevx7k2z' has 25" in line for line in problems)


def test_every_setting_of_production_size_is_reported() -> None:
    problems = find_problems({"production": {"disposable": True}})
    assert [line.split(" = ")[0] for line in problems] == [
        "production: web_app.zone_balanced",
        "production: database.high_availability",
        "production: database.geo_redundant_backup",
        "production: cache.high_availability",
    ]


def test_a_value_without_a_name_is_refused_in_words() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {"dev": ENVIRONMENTS["dev"].model_copy(update={"alerts": AlertSettings(True)})})  # pyright: ignore[reportCallIssue]
    assert (
        "dev: alerts = (True,): stands there without a setting's name; known: pages, web_test_minutes, emails, teams"
        in refused.value.problems
    )


def test_nothing_is_checked_where_it_is_written() -> None:
    """Only `load()` checks, so that one run can show every error."""
    wrong = change_settings(SHARED, {"account.domain": 5})
    with pytest.raises(SettingsError):
        validate(wrong, ENVIRONMENTS)


def test_settings_are_frozen_once_checked() -> None:
    shared: Shared = check({}).shared
    with pytest.raises(ValueError, match="frozen"):
        shared.location = "westeurope"


def test_mistakes_within_and_across_environments_in_one_run() -> None:
    assert find_problems({"dev": {"web_app.workers": 9}, "staging": {"short_name": "dev"}}) == [
        "dev: web_app.workers = 9: must be at most 3 on B1",
        "staging: short_name = 'dev': is dev's already; each environment needs its own",
    ]


def test_an_environment_may_be_called_environments() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(
            SHARED, {"environments": change_settings(ENVIRONMENTS["dev"], {"name": "environments", "location": "mars"})}
        )
    [line] = refused.value.problems
    assert line.startswith("environments: location = 'mars': must be one of ")


def test_an_environment_that_is_called_shared_is_read_as_an_environment() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {"shared": change_settings(ENVIRONMENTS["dev"], {"name": "shared", "web_app": ABSENT})})
    assert refused.value.problems == [
        "shared: name = 'shared': is the shared stack's own name",
        "shared: web_app: is missing: WebAppSettings(...)",
    ]


@pytest.mark.parametrize(
    "environment", [None, Environment, "dev", ENVIRONMENTS["staging"].web_app], ids=["None", "class", "text", "slice"]
)
def test_an_environment_that_is_no_environment(environment: object) -> None:
    value = "WebAppSettings(...)" if isinstance(environment, Settings) else repr(environment)
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {"dev": cast(Environment, environment)})
    assert refused.value.problems == [f"dev: itself = {value}: must be Environment(...)"]


def test_an_environment_whose_key_is_no_text() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {cast(str, 5): ENVIRONMENTS["dev"]})
    assert refused.value.problems == ["5: name = 'dev': must be '5', as ENVIRONMENTS calls it"]


def test_shared_settings_that_are_no_settings() -> None:
    with pytest.raises(SettingsError) as refused:
        validate(cast(Shared, None), ENVIRONMENTS)
    assert refused.value.problems == ["shared: itself = None: must be Shared(...)"]


def test_an_environment_with_a_value_without_a_name() -> None:
    whole = change_settings(ENVIRONMENTS["dev"], {})
    with pytest.raises(SettingsError) as refused:
        validate(SHARED, {"dev": Environment("dev", **vars(whole))})  # pyright: ignore[reportCallIssue]
    [line] = refused.value.problems
    assert line.startswith("dev: itself = ('dev',): stands there without a setting's name; known: name, short_name, ")


def test_an_environment_may_take_over_a_default_of_another() -> None:
    key_vault = ENVIRONMENTS["dev"].key_vault
    assert check({"staging": {"key_vault": key_vault}}).environments["staging"].key_vault.soft_delete_days == 90
