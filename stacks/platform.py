"""The stack of one environment. It builds the constructs in the order of the picture in the README."""

from constructs import Construct

from constructs_lib.alerts import Alerts
from constructs_lib.availability import Availability
from constructs_lib.budget import Budget
from constructs_lib.cache import Cache
from constructs_lib.dashboard import Dashboard
from constructs_lib.database import Database
from constructs_lib.dns import AppServiceHost, Dns
from constructs_lib.edge import Edge
from constructs_lib.email import Email
from constructs_lib.jobs import Jobs
from constructs_lib.key_vault import KeyVault
from constructs_lib.network import Network
from constructs_lib.observability import LOG_WORKSPACES, Observability
from constructs_lib.outputs import add_outputs
from constructs_lib.place import AzureStack, Place
from constructs_lib.state_backend import locate_state
from constructs_lib.static_site import StaticSite
from constructs_lib.storage import Storage
from constructs_lib.teams import Teams
from constructs_lib.web_app import WebApp
from constructs_lib.workload_identity import look_up_identity
from environments import Environment, Platform


class PlatformStack(AzureStack):
    """One environment.

    It refers to the shared stack by names and ids that are derived from the settings, never by its constructs.
    """

    def __init__(self, scope: Construct, *, environment: Environment, platform: Platform) -> None:
        shared = Place.of_shared(platform)
        place = Place.of_environment(environment, platform)
        state = locate_state(environment.name, shared=shared)
        super().__init__(scope, environment.name, place=place, state=state)

        logs = Observability(self, "observability", settings=environment.observability)
        workspace = logs.workspace
        network = Network(self, "network", settings=environment.network, jobs=environment.jobs, workspace=workspace)
        dns = Dns(self, "dns", settings=environment.domain)
        identity = look_up_identity(self, "api", resource_group=place.resource_group)
        jobs_identity = (
            look_up_identity(self, "jobs", resource_group=place.resource_group) if environment.jobs else None
        )
        delivery = look_up_identity(self, "delivery", resource_group=shared.resource_group)
        registry = f"{shared.names.compose('container_registry')}.azurecr.io"
        teams = Teams(self, "teams", workspace=workspace) if environment.alerts.teams else None
        vault = KeyVault(
            self,
            "key-vault",
            settings=environment.key_vault,
            subnets=network.code_subnet_ids,
            readers={"api": identity}
            | ({"jobs": jobs_identity} if jobs_identity else {})
            | ({"teams": teams.identity} if teams else {}),
            # The Logic App runs outside the network and is not a trusted service, so the firewall admits its addresses.
            admitted_addresses=teams.workflow.workflow_outbound_ip_addresses if teams else None,
            workspace=workspace,
        )
        owner_vault: KeyVault | None = None
        if environment.jobs and jobs_identity and network.jobs_subnet_id:
            owner_vault = KeyVault(
                self,
                "owner-key-vault",
                role="db",
                settings=environment.key_vault,
                subnets=[network.jobs_subnet_id],
                readers={"jobs": jobs_identity},
                workspace=workspace,
            )
            Jobs(
                self,
                "jobs",
                settings=environment.jobs,
                subnet_id=network.jobs_subnet_id,
                identity=jobs_identity,
                registry=registry,
                vault=vault,
                owner_vault=owner_vault,
                workspace=workspace,
            )
        database = Database(self, "database", settings=environment.database, network=network, workspace=workspace)
        cache = Cache(self, "cache", settings=environment.cache, network=network, workspace=workspace)
        storage = Storage(
            self,
            "storage",
            settings=environment.storage,
            network=network,
            api=identity,
            delivery=delivery,
            workspace=workspace,
        )
        email = Email(self, "email", settings=environment.email, dns=dns, workspace=workspace)
        site = StaticSite(self, "static-site", settings=environment.static_site, dns=dns)
        edge = (
            Edge(self, "edge", settings=environment.front_door, workspace=workspace) if environment.front_door else None
        )
        web_app = WebApp(
            self,
            "web-app",
            settings=environment.web_app,
            application_environment=environment.application_environment,
            registry=registry,
            front_ends={"admin": site.hosts, "donor": [dns.zone_name]},
            network=network,
            identity=identity,
            key_vault=vault,
            storage=storage,
            email=email,
            observability=logs,
            edge=edge,
        )
        if edge:
            edge.publish(web_app.app, dns=dns)
        elif dns.delegated:
            AppServiceHost(self, "api-host", label="api", app=web_app.app, dns=dns)
        api_host = dns.list_hosts("api", edge.endpoint.host_name if edge else web_app.app.default_hostname)[0]
        admin_host = site.hosts[0]
        availability = Availability(
            self,
            "availability",
            api_host=api_host,
            admin_host=admin_host,
            minutes=environment.alerts.web_test_minutes,
            observability=logs,
        )
        alerts = Alerts(
            self,
            "alerts",
            settings=environment.alerts,
            teams=teams,
            edge=edge,
            web_app=web_app,
            database=database,
            cache=cache,
            observability=logs,
            availability=availability,
        )
        Dashboard(
            self,
            "dashboard",
            observability=logs,
            activity_log_id=shared.compose_resource_id(LOG_WORKSPACES, shared.names.compose("log_analytics")),
        )
        Budget(self, "budget", settings=environment.budget)
        add_outputs(
            self,
            {
                "resource_group": (place.resource_group, "The environment's resource group"),
                "api_hostname": (api_host, "Where the API answers"),
                "admin_hostname": (admin_host, "Where the admin site answers"),
                "web_app_name": (web_app.app.name, "The App Service app"),
                "web_app_hostname": (web_app.app.default_hostname, "The app's own host name, behind the edge"),
                "slot_name": (web_app.slot.name if web_app.slot else "", "The deployment slot, or empty"),
                "static_site_name": (site.site.name, "The Static Web App of the admin site"),
                "key_vault_name": (vault.vault.name, "The vault of the application's secrets"),
                "owner_key_vault_name": (
                    owner_vault.vault.name if owner_vault else "",
                    "The vault of the database owner's URL, or empty",
                ),
                "database_server_name": (database.server.name, "The PostgreSQL server"),
                "database_hostname": (database.server.fqdn, "Where PostgreSQL answers inside the network"),
                "database_name": (database.database.name, "The application's database"),
                "cache_name": (cache.redis.name, "The Managed Redis cluster"),
                "cache_hostname": (cache.redis.hostname, "Where Redis answers inside the network, on port 10000"),
                "communication_service_name": (email.service.name, "The Communication Services resource"),
                "email_service_name": (email.email.name, "The mail service that the domain belongs to"),
                "email_domain_id": (email.domain.id, "The mail domain, for its verification"),
                "uploads_storage_account": (storage.uploads.name, "The account of uploads and backups"),
                "evidence_storage_account": (storage.evidence.name, "The account of deployment evidence"),
                "front_door_profile": (edge.profile.name if edge else "", "The Front Door profile, or empty"),
                "front_door_endpoint": (edge.endpoint.name if edge else "", "The Front Door endpoint, or empty"),
                "zone_name": (dns.zone_name, "The environment's DNS zone"),
                "application_insights_browser": (logs.browser.name, "The browser's Application Insights"),
                "log_workspace_id": (workspace.id, "The Log Analytics workspace"),
                "action_group_id": (alerts.action_group.id, "Whom alerts go to"),
            },
        )
