"""Synthesizes one construct alone, together with only those other constructs that it needs."""

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import cast

from cdktf import App
from cdktf_cdktf_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktf_cdktf_provider_azurerm.log_analytics_workspace import LogAnalyticsWorkspace

from constructs_lib.alerts import Alerts
from constructs_lib.availability import Availability
from constructs_lib.cache import Cache
from constructs_lib.database import Database
from constructs_lib.dns import Dns
from constructs_lib.edge import Edge
from constructs_lib.email import Email
from constructs_lib.jobs import Jobs
from constructs_lib.key_vault import KeyVault
from constructs_lib.network import Network
from constructs_lib.observability import Observability, add_log_workspace
from constructs_lib.place import AzureStack, Capability, Place, StateLocation
from constructs_lib.static_site import StaticSite
from constructs_lib.storage import Storage
from constructs_lib.teams import Teams
from constructs_lib.web_app import WebApp
from constructs_lib.workload_identity import look_up_identity
from environments import Environment
from tests.snapshots import make_readable, synthesize_files
from tests.support import TerraformJson, load_platform


def make_environment(name: str, **changes: object) -> Environment:
    """Return an environment as it is written, with some settings changed, and check it.

    A mapping changes settings of a slice: `make_environment("dev", database={"storage_gb": 64})`.
    """
    written = dict(load_platform().environments[name])
    for field, value in changes.items():
        written[field] = {**dict(written[field] or {}), **value} if isinstance(value, Mapping) else value
    return Environment.model_validate(written)


class Neighbours:
    """The constructs of an environment, in the stack under test. A construct is built when it is first used."""

    def __init__(self, stack: AzureStack, settings: Environment) -> None:
        self.stack = stack
        self.settings = settings

    @cached_property
    def observability(self) -> Observability:
        """The workspace and Application Insights."""
        return Observability(self.stack, "observability", settings=self.settings.observability)

    @property
    def workspace(self) -> LogAnalyticsWorkspace:
        """Where logs go."""
        return self.observability.workspace

    @cached_property
    def network(self) -> Network:
        """The subnets and private zones."""
        return Network(
            self.stack, "network", settings=self.settings.network, jobs=self.settings.jobs, workspace=self.workspace
        )

    @cached_property
    def jobs(self) -> Jobs:
        """The jobs, and the vault of the database's owner."""
        assert self.settings.jobs is not None
        assert self.network.jobs_subnet_id is not None
        identity = look_up_identity(self.stack, "jobs", resource_group=self.stack.place.resource_group)
        return Jobs(
            self.stack,
            "jobs",
            settings=self.settings.jobs,
            subnet_id=self.network.jobs_subnet_id,
            identity=identity,
            registry="registry.azurecr.io",
            vault=self.key_vault,
            owner_vault=KeyVault(
                self.stack,
                "owner-key-vault",
                role="db",
                settings=self.settings.key_vault,
                subnets=[self.network.jobs_subnet_id],
                readers={"jobs": identity},
                workspace=self.workspace,
            ),
            workspace=self.workspace,
        )

    @cached_property
    def dns(self) -> Dns:
        """The environment's zone."""
        return Dns(self.stack, "dns", settings=self.settings.domain)

    @cached_property
    def identity(self) -> DataAzurermUserAssignedIdentity:
        """The API's identity, which the shared stack creates."""
        return look_up_identity(self.stack, "api", resource_group=self.stack.place.resource_group)

    @cached_property
    def delivery(self) -> DataAzurermUserAssignedIdentity:
        """The delivery's identity, which the shared stack creates."""
        return look_up_identity(self.stack, "delivery", resource_group="rg-shared")

    @cached_property
    def teams(self) -> Teams:
        """The Logic App that posts alerts."""
        return Teams(self.stack, "teams", workspace=self.workspace)

    @cached_property
    def key_vault(self) -> KeyVault:
        """The vault, which only the API reads."""
        return KeyVault(
            self.stack,
            "key-vault",
            settings=self.settings.key_vault,
            subnets=self.network.code_subnet_ids,
            readers={"api": self.identity},
            workspace=self.workspace,
        )

    @cached_property
    def database(self) -> Database:
        """PostgreSQL."""
        return Database(
            self.stack, "database", settings=self.settings.database, network=self.network, workspace=self.workspace
        )

    @cached_property
    def cache(self) -> Cache:
        """Redis."""
        return Cache(self.stack, "cache", settings=self.settings.cache, network=self.network, workspace=self.workspace)

    @cached_property
    def storage(self) -> Storage:
        """Uploads, backups and evidence."""
        return Storage(
            self.stack,
            "storage",
            settings=self.settings.storage,
            network=self.network,
            api=self.identity,
            delivery=self.delivery,
            workspace=self.workspace,
        )

    @cached_property
    def email(self) -> Email:
        """Mail."""
        return Email(self.stack, "email", settings=self.settings.email, dns=self.dns, workspace=self.workspace)

    @cached_property
    def static_site(self) -> StaticSite:
        """The admin site."""
        return StaticSite(self.stack, "static-site", settings=self.settings.static_site, dns=self.dns)

    @cached_property
    def edge(self) -> Edge | None:
        """Front Door; None if the environment has none."""
        if self.settings.front_door is None:
            return None
        return Edge(self.stack, "edge", settings=self.settings.front_door, workspace=self.workspace)

    @cached_property
    def web_app(self) -> WebApp:
        """The API's app."""
        return WebApp(
            self.stack,
            "web-app",
            settings=self.settings.web_app,
            application_environment=self.settings.application_environment,
            registry="crtest.azurecr.io",
            front_ends={"admin": ["admin.test.example"], "donor": ["test.example"]},
            network=self.network,
            identity=self.identity,
            key_vault=self.key_vault,
            storage=self.storage,
            email=self.email,
            observability=self.observability,
            edge=self.edge,
        )

    @cached_property
    def availability(self) -> Availability:
        """The web tests."""
        return Availability(
            self.stack,
            "availability",
            api_host="api.test.example",
            admin_host="admin.test.example",
            minutes=self.settings.alerts.web_test_minutes,
            observability=self.observability,
        )

    @cached_property
    def alerts(self) -> Alerts:
        """The alert rules and their action group."""
        return Alerts(
            self.stack,
            "alerts",
            settings=self.settings.alerts,
            edge=self.edge,
            teams=self.teams if self.settings.alerts.teams else None,
            web_app=self.web_app,
            database=self.database,
            cache=self.cache,
            observability=self.observability,
            availability=self.availability,
        )


def synthesize_construct(construct: str, make: Callable[[Neighbours], object], settings: Environment) -> TerraformJson:
    """Return what a construct adds to an environment's stack, as a snapshot shows it.

    Args:
        construct: The construct's id; an empty id returns the whole stack.
        make: Builds the construct.
        settings: The environment's settings.
    """
    return _synthesize(
        construct, lambda stack: make(Neighbours(stack, settings)), Place.of_environment(settings, load_platform())
    )


def synthesize_in_shared(construct: str, make: Callable[[AzureStack, LogAnalyticsWorkspace], object]) -> TerraformJson:
    """Return what a construct adds to the shared stack. `make` gets that stack and its log workspace."""

    def make_with_workspace(stack: AzureStack) -> None:
        make(stack, add_log_workspace(Capability(stack, "logs"), load_platform().shared.observability))

    return _synthesize(construct, make_with_workspace, Place.of_shared(load_platform()))


def _synthesize(construct: str, make: Callable[[AzureStack], object], place: Place) -> TerraformJson:
    def add(app: App) -> None:
        make(AzureStack(app, "test", place=place, state=StateLocation("sttest", "tfstate-test")))

    return make_readable(synthesize_files(add)["test"], construct)


def find_all(block: TerraformJson, type_: str) -> dict[str, TerraformJson]:
    """Return the resources of a type, by their address without the type."""
    return cast(dict[str, TerraformJson], block["resource"].get(type_, {}))


def find_one(block: TerraformJson, type_: str) -> TerraformJson:
    """Return the only resource of a type."""
    (body,) = find_all(block, type_).values()
    return body
