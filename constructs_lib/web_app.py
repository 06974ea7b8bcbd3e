"""The API: a container on App Service, with a slot for deployments without downtime, and autoscale."""

from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypedDict, TypeVar

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktf_cdktf_provider_azurerm.linux_web_app import (
    LinuxWebApp,
    LinuxWebAppSiteConfig,
    LinuxWebAppSiteConfigAutoHealSettingTriggerStatusCode,
    LinuxWebAppSiteConfigIpRestriction,
    LinuxWebAppSiteConfigIpRestrictionHeaders,
    LinuxWebAppStickySettings,
)
from cdktf_cdktf_provider_azurerm.linux_web_app_slot import (
    LinuxWebAppSlot,
    LinuxWebAppSlotSiteConfig,
    LinuxWebAppSlotSiteConfigAutoHealSettingTriggerStatusCode,
    LinuxWebAppSlotSiteConfigIpRestriction,
    LinuxWebAppSlotSiteConfigIpRestrictionHeaders,
)
from cdktf_cdktf_provider_azurerm.monitor_autoscale_setting import (
    MonitorAutoscaleSetting,
    MonitorAutoscaleSettingNotification,
    MonitorAutoscaleSettingNotificationEmail,
    MonitorAutoscaleSettingProfile,
    MonitorAutoscaleSettingProfileCapacity,
    MonitorAutoscaleSettingProfileRule,
    MonitorAutoscaleSettingProfileRuleMetricTrigger,
    MonitorAutoscaleSettingProfileRuleScaleAction,
)
from cdktf_cdktf_provider_azurerm.service_plan import ServicePlan

from constructs_lib.app_settings import read_app_settings, resolve
from constructs_lib.checkov_exceptions import except_check
from constructs_lib.diagnostics import send_diagnostics
from constructs_lib.edge import Edge
from constructs_lib.email import Email
from constructs_lib.key_vault import KeyVault
from constructs_lib.network import Network
from constructs_lib.observability import Observability
from constructs_lib.place import AzureStack, Capability
from constructs_lib.storage import UPLOADS, Storage
from environments.settings import Autoscale, WebAppSettings

IMAGE = "augeo-api"
FIRST_TAG = "bootstrap"
"""The tag before the first delivery; from then on deliveries set the image, by digest, and Terraform looks away."""
IMAGE_ATTRIBUTE = "site_config[0].application_stack[0].docker_image_name"

UNMET = {
    "CKV_AZURE_13": "The API signs its users in itself, with its own tokens.",
    "CKV_AZURE_17": "Browsers have no client certificates.",
    "CKV_AZURE_222": "The API is public; behind Front Door the access restrictions admit that Front Door alone.",
    "CKV_AZURE_88": "The container keeps nothing on disk; uploads go to blob storage.",
}

Config = TypeVar("Config")


class Blocks(NamedTuple, Generic[Config]):
    """The bindings' classes for one and the same block, which the app and the slot each have under their own name."""

    config: Callable[..., Config]
    restriction: Callable[..., object]
    headers: Callable[..., object]
    status_code: Callable[..., object]


APP = Blocks(
    LinuxWebAppSiteConfig,
    LinuxWebAppSiteConfigIpRestriction,
    LinuxWebAppSiteConfigIpRestrictionHeaders,
    LinuxWebAppSiteConfigAutoHealSettingTriggerStatusCode,
)
SLOT = Blocks(
    LinuxWebAppSlotSiteConfig,
    LinuxWebAppSlotSiteConfigIpRestriction,
    LinuxWebAppSlotSiteConfigIpRestrictionHeaders,
    LinuxWebAppSlotSiteConfigAutoHealSettingTriggerStatusCode,
)


class Common(TypedDict):
    """What the app and its slot have alike."""

    client_affinity_enabled: bool
    ftp_publish_basic_authentication_enabled: bool
    https_only: bool
    identity: dict[str, object]
    key_vault_reference_identity_id: str
    logs: dict[str, object]
    public_network_access_enabled: bool
    tags: Mapping[str, str]
    virtual_network_subnet_id: str
    vnet_image_pull_enabled: bool
    webdeploy_publish_basic_authentication_enabled: bool


class WebApp(Capability):
    """The plan (`plan`), the app (`app`), its slot (`slot`, None where the plan has none).

    Args:
        settings: Sku, workers, slot, autoscale.
        application_environment: The application's ENVIRONMENT.
        registry: The registry's login server, `<name>.azurecr.io`.
        front_ends: The hosts of the sites that may call the API from a browser, "admin" and "donor".
        network, identity, key_vault, storage, email, observability: What the app uses.
        edge: The Front Door that alone may reach the app; None opens it to all.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        settings: WebAppSettings,
        application_environment: str,
        registry: str,
        front_ends: Mapping[str, str],
        network: Network,
        identity: DataAzurermUserAssignedIdentity,
        key_vault: KeyVault,
        storage: Storage,
        email: Email,
        observability: Observability,
        edge: Edge | None,
    ) -> None:
        super().__init__(scope, id_)
        origins = [f"https://{host}" for host in front_ends.values()]
        app_settings = resolve(
            read_app_settings(),
            reference=key_vault.reference,
            known={
                "application_environment": application_environment,
                "application_insights_connection_string": observability.api.connection_string,
                "cors_origins": ",".join(origins),
                "email_from_address": email.from_address,
                "email_from_name": email.from_name,
                "front_end_admin_url": f"https://{front_ends['admin']}",
                "front_end_donor_url": f"https://{front_ends['donor']}",
                "identity_client_id": identity.client_id,
                "storage_account_name": storage.uploads.name,
                "storage_container_name": UPLOADS,
                "super_admin_email": self.place.account.super_admin_email,
                "web_concurrency": str(settings.web_concurrency),
            },
        )
        self.telemetry_role = app_settings.app["OTEL_SERVICE_NAME"]
        self.plan = ServicePlan(
            self,
            "plan",
            **self.place.arguments("service_plan"),
            os_type="Linux",
            sku_name=settings.sku,
            worker_count=settings.workers,
            zone_balancing_enabled=settings.zone_balanced,
            lifecycle=TerraformResourceLifecycle(ignore_changes=["worker_count"]) if settings.autoscale else None,
        )
        self._except_plan(settings)
        send_diagnostics(self.plan, observability.workspace)
        common = Common(
            client_affinity_enabled=False,
            ftp_publish_basic_authentication_enabled=False,
            https_only=True,
            identity={"type": "UserAssigned", "identity_ids": [identity.id]},
            key_vault_reference_identity_id=identity.id,
            logs={
                "detailed_error_messages": True,
                "failed_request_tracing": True,
                "http_logs": {"file_system": {"retention_in_days": 7, "retention_in_mb": 35}},
            },
            public_network_access_enabled=True,  # who may come in is said by the restrictions in site_config
            tags=self.place.tags,
            virtual_network_subnet_id=network.app_subnet.id,
            vnet_image_pull_enabled=True,
            webdeploy_publish_basic_authentication_enabled=False,
        )
        self.app = LinuxWebApp(
            self,
            "app",
            **common,
            name=self.place.names.compose("web_app"),
            location=self.place.location,
            resource_group_name=self.place.resource_group,
            service_plan_id=self.plan.id,
            site_config=self._site_config(APP, registry=registry, identity=identity, origins=origins, edge=edge),
            app_settings=app_settings.app,
            sticky_settings=LinuxWebAppStickySettings(app_setting_names=app_settings.sticky),
            lifecycle=TerraformResourceLifecycle(ignore_changes=[IMAGE_ATTRIBUTE]),
            # Secrets are resolved at start, so the right to them must be there before.
            depends_on=[key_vault.reads["api"]],
        )
        for check, reason in UNMET.items():
            except_check(self.app, check, reason)
        send_diagnostics(self.app, observability.workspace)
        self.slot: LinuxWebAppSlot | None = None
        if settings.slot:
            self.slot = LinuxWebAppSlot(
                self,
                "slot",
                **common,
                name="staging",
                app_service_id=self.app.id,
                site_config=self._site_config(SLOT, registry=registry, identity=identity, origins=origins, edge=edge),
                app_settings=app_settings.slot,
                lifecycle=TerraformResourceLifecycle(ignore_changes=[IMAGE_ATTRIBUTE]),
            )
            send_diagnostics(self.slot, observability.workspace)
        if settings.autoscale:
            send_diagnostics(self._autoscale(settings.autoscale), observability.workspace)

    def _except_plan(self, settings: WebAppSettings) -> None:
        cheap = "An outage of this environment is affordable; production's plan meets the rule."
        for check, met in (
            ("CKV_AZURE_211", settings.tier != "Basic"),
            ("CKV_AZURE_212", settings.workers > 1),
            ("CKV_AZURE_225", settings.zone_balanced),
        ):
            if not met:
                except_check(self.plan, check, cheap)

    def _site_config(
        self,
        blocks: Blocks[Config],
        *,
        registry: str,
        identity: DataAzurermUserAssignedIdentity,
        origins: Sequence[str],
        edge: Edge | None,
    ) -> Config:
        return blocks.config(
            always_on=True,
            application_stack={
                "docker_image_name": f"{IMAGE}:{FIRST_TAG}",
                "docker_registry_url": f"https://{registry}",
            },
            container_registry_managed_identity_client_id=identity.client_id,
            container_registry_use_managed_identity=True,
            cors={"allowed_origins": list(origins), "support_credentials": True},
            ftps_state="Disabled",
            # The process alone: a database that is away must not have every instance taken out one by one.
            health_check_path="/health/live",
            health_check_eviction_time_in_min=2,
            # Not 503: the API answers that while the database is away, and recycling would not bring it back.
            auto_heal_setting={
                "action": {"action_type": "Recycle", "minimum_process_execution_time": "00:05:00"},
                "trigger": {
                    "status_code": [blocks.status_code(status_code_range="500-502", count=50, interval="00:05:00")]
                },
            },
            http2_enabled=True,
            ip_restriction_default_action="Deny" if edge else "Allow",
            ip_restriction=[self._only(edge, blocks)] if edge else None,
            load_balancing_mode="LeastRequests",
            minimum_tls_version="1.2",
            remote_debugging_enabled=False,
            # Nobody needs Kudu: images come from the registry, logs go to the workspace.
            scm_ip_restriction_default_action="Deny",
            scm_minimum_tls_version="1.2",
            scm_use_main_ip_restriction=False,
            vnet_route_all_enabled=True,
            websockets_enabled=True,
        )

    def _only(self, edge: Edge, blocks: Blocks[Config]) -> object:
        """Let Front Door in, and of all Front Doors this one: the tag alone admits everybody's.

        https://learn.microsoft.com/azure/frontdoor/origin-security
        """
        return blocks.restriction(
            name="front-door",
            priority=100,
            action="Allow",
            service_tag="AzureFrontDoor.Backend",
            # Terraform wants every member of this block written, the empty ones too.
            headers=[
                blocks.headers(
                    x_azure_fdid=[edge.profile.resource_guid],
                    x_fd_health_probe=[],
                    x_forwarded_for=[],
                    x_forwarded_host=[],
                )
            ],
        )

    def _autoscale(self, settings: Autoscale) -> MonitorAutoscaleSetting:
        rows = (
            ("GreaterThan", settings.scale_out_above_cpu_percent, "Increase", "PT5M"),
            ("LessThan", settings.scale_in_below_cpu_percent, "Decrease", "PT10M"),
        )
        return MonitorAutoscaleSetting(
            self,
            "autoscale",
            name=f"{self.place.names.compose('service_plan')}-autoscale",
            resource_group_name=self.place.resource_group,
            location=self.place.location,
            target_resource_id=self.plan.id,
            enabled=True,
            tags=self.place.tags,
            profile=[
                MonitorAutoscaleSettingProfile(
                    name="cpu",
                    capacity=MonitorAutoscaleSettingProfileCapacity(
                        minimum=settings.minimum, default=settings.default, maximum=settings.maximum
                    ),
                    rule=[
                        MonitorAutoscaleSettingProfileRule(
                            metric_trigger=MonitorAutoscaleSettingProfileRuleMetricTrigger(
                                metric_name="CpuPercentage",
                                metric_namespace="microsoft.web/serverfarms",
                                metric_resource_id=self.plan.id,
                                operator=operator,
                                statistic="Average",
                                threshold=threshold,
                                time_aggregation="Average",
                                time_grain="PT1M",
                                time_window="PT10M",
                            ),
                            scale_action=MonitorAutoscaleSettingProfileRuleScaleAction(
                                direction=direction, type="ChangeCount", value=1, cooldown=cooldown
                            ),
                        )
                        for operator, threshold, direction, cooldown in rows
                    ],
                )
            ],
            notification=MonitorAutoscaleSettingNotification(
                email=MonitorAutoscaleSettingNotificationEmail(custom_emails=list(self.place.account.alert_emails))
            ),
        )
