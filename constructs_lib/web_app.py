"""The API: a container on App Service, with a deployment slot for releases without downtime, and autoscale."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from cdktf import TerraformResourceLifecycle
from cdktf_cdktf_provider_azurerm.data_azurerm_user_assigned_identity import DataAzurermUserAssignedIdentity
from cdktf_cdktf_provider_azurerm.linux_web_app import (
    LinuxWebApp,
    LinuxWebAppSiteConfigAutoHealSettingTriggerStatusCode,
    LinuxWebAppSiteConfigIpRestriction,
    LinuxWebAppSiteConfigIpRestrictionHeaders,
    LinuxWebAppStickySettings,
)
from cdktf_cdktf_provider_azurerm.linux_web_app_slot import (
    LinuxWebAppSlot,
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

from constructs_lib.app_settings import read_app_settings, resolve_app_settings
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
"""The tag until the first delivery. From then on deliveries set the image, by digest, and Terraform ignores it."""
IMAGE_ATTRIBUTE = "site_config[0].application_stack[0].docker_image_name"

APP_CHECKOV_EXCEPTIONS = {
    "CKV_AZURE_13": "The API signs its users in itself, with its own tokens.",
    "CKV_AZURE_17": "Browsers have no client certificates.",
    "CKV_AZURE_222": "The API is public; behind Front Door the access restrictions admit that Front Door alone.",
    "CKV_AZURE_88": "The container keeps nothing on disk; uploads go to blob storage.",
}

Arguments = dict[str, Any]
"""Keyword arguments of a resource of the bindings, with a dictionary for each block.

The bindings turn a block's dictionary into the class that the app or the slot has for it, and check names and types.
"""


class ListedBlocks(NamedTuple):
    """The classes of the blocks that stand in lists.

    The bindings do not convert a dictionary that is an item of a list, and the app and the slot have different classes.
    """

    ip_restriction: type
    ip_restriction_headers: type
    status_code: type


APP_BLOCKS = ListedBlocks(
    ip_restriction=LinuxWebAppSiteConfigIpRestriction,
    ip_restriction_headers=LinuxWebAppSiteConfigIpRestrictionHeaders,
    status_code=LinuxWebAppSiteConfigAutoHealSettingTriggerStatusCode,
)
SLOT_BLOCKS = ListedBlocks(
    ip_restriction=LinuxWebAppSlotSiteConfigIpRestriction,
    ip_restriction_headers=LinuxWebAppSlotSiteConfigIpRestrictionHeaders,
    status_code=LinuxWebAppSlotSiteConfigAutoHealSettingTriggerStatusCode,
)


class WebApp(Capability):
    """The App Service plan (`plan`), the app (`app`) and its deployment slot (`slot`; None without one).

    The app and the slot get the same arguments, because a swap exchanges them. They differ only in their sticky app
    settings, which stay where they are.

    Args:
        settings: Sku, workers, slot, autoscale.
        application_environment: The value of the application's ENVIRONMENT.
        registry: The registry's login server, `<name>.azurecr.io`.
        front_ends: The host names of the sites that may call the API from a browser, by "admin" and "donor"; first the
            one that links use.
        network, identity, key_vault, storage, email, observability: What the app uses.
        edge: The only Front Door that may reach the app; None opens the app to everybody.
    """

    def __init__(
        self,
        scope: AzureStack,
        id_: str,
        *,
        settings: WebAppSettings,
        application_environment: str,
        registry: str,
        front_ends: Mapping[str, Sequence[str]],
        network: Network,
        identity: DataAzurermUserAssignedIdentity,
        key_vault: KeyVault,
        storage: Storage,
        email: Email,
        observability: Observability,
        edge: Edge | None,
    ) -> None:
        super().__init__(scope, id_)
        origins = [f"https://{host}" for hosts in front_ends.values() for host in hosts]
        app_settings = resolve_app_settings(
            read_app_settings(),
            compose_reference=key_vault.compose_reference,
            sources={
                "application_environment": application_environment,
                "application_insights_connection_string": observability.api.connection_string,
                "cors_origins": ",".join(origins),
                "email_from_address": email.from_address,
                "email_from_name": email.from_name,
                "front_door_id": edge.profile.resource_guid if edge else "",
                "front_end_admin_url": f"https://{front_ends['admin'][0]}",
                "front_end_donor_url": f"https://{front_ends['donor'][0]}",
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
            **self.place.compose_arguments("service_plan"),
            os_type="Linux",
            sku_name=settings.sku,
            worker_count=settings.workers,
            zone_balancing_enabled=settings.zone_balanced,
            lifecycle=TerraformResourceLifecycle(ignore_changes=["worker_count"]) if settings.autoscale else None,
        )
        self._except_plan_checks(settings)
        send_diagnostics(self.plan, observability.workspace)

        def describe_site(blocks: ListedBlocks) -> Arguments:
            """Return the arguments that the app and the slot have in common."""
            site_config = _describe_site_config(
                blocks, registry=registry, identity=identity, origins=origins, edge=edge
            )
            return self._describe_hosting(network=network, identity=identity) | {"site_config": site_config}

        self.app = LinuxWebApp(
            self,
            "app",
            **describe_site(APP_BLOCKS),
            name=self.place.names.compose("web_app"),
            location=self.place.location,
            resource_group_name=self.place.resource_group,
            service_plan_id=self.plan.id,
            app_settings=app_settings.app,
            sticky_settings=LinuxWebAppStickySettings(app_setting_names=app_settings.sticky),
            # App Service resolves secrets when the app starts, so the app needs the right to read them before that.
            depends_on=[key_vault.reader_assignments["api"]],
        )
        for check, reason in APP_CHECKOV_EXCEPTIONS.items():
            except_check(self.app, check, reason)
        send_diagnostics(self.app, observability.workspace)
        self.slot: LinuxWebAppSlot | None = None
        if settings.slot:
            self.slot = LinuxWebAppSlot(
                self,
                "slot",
                **describe_site(SLOT_BLOCKS),
                name="staging",
                app_service_id=self.app.id,
                app_settings=app_settings.slot,
            )
            send_diagnostics(self.slot, observability.workspace)
        if settings.autoscale:
            send_diagnostics(self._add_autoscale(settings.autoscale), observability.workspace)

    def _except_plan_checks(self, settings: WebAppSettings) -> None:
        reason = "An outage of this environment is affordable; production's plan meets the rule."
        for check, passes in (
            ("CKV_AZURE_211", settings.tier != "Basic"),
            ("CKV_AZURE_212", settings.workers > 1),
            ("CKV_AZURE_225", settings.zone_balanced),
        ):
            if not passes:
                except_check(self.plan, check, reason)

    def _describe_hosting(self, *, network: Network, identity: DataAzurermUserAssignedIdentity) -> Arguments:
        """Return identity, network, logs and publishing, for the app and the slot alike."""
        return {
            "client_affinity_enabled": False,
            "ftp_publish_basic_authentication_enabled": False,
            "https_only": True,
            "identity": {"type": "UserAssigned", "identity_ids": [identity.id]},
            "key_vault_reference_identity_id": identity.id,
            # Deliveries set the image.
            "lifecycle": TerraformResourceLifecycle(ignore_changes=[IMAGE_ATTRIBUTE]),
            "logs": {
                "detailed_error_messages": True,
                "failed_request_tracing": True,
                "http_logs": {"file_system": {"retention_in_days": 7, "retention_in_mb": 35}},
            },
            # The restrictions in site_config decide who may reach the app.
            "public_network_access_enabled": True,
            "tags": self.place.tags,
            "virtual_network_subnet_id": network.app_subnet_id,
            "vnet_image_pull_enabled": True,
            "webdeploy_publish_basic_authentication_enabled": False,
        }

    def _add_autoscale(self, settings: Autoscale) -> MonitorAutoscaleSetting:
        """Add or remove one worker at a time, by the plan's average CPU over ten minutes."""
        rules = (
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
                        for operator, threshold, direction, cooldown in rules
                    ],
                )
            ],
            notification=MonitorAutoscaleSettingNotification(
                email=MonitorAutoscaleSettingNotificationEmail(custom_emails=list(self.place.account.alert_emails))
            ),
        )


def _describe_site_config(
    blocks: ListedBlocks,
    *,
    registry: str,
    identity: DataAzurermUserAssignedIdentity,
    origins: Sequence[str],
    edge: Edge | None,
) -> Arguments:
    """Return the block `site_config`, for the app and the slot alike."""
    return {
        "always_on": True,
        "application_stack": {
            "docker_image_name": f"{IMAGE}:{FIRST_TAG}",
            "docker_registry_url": f"https://{registry}",
        },
        "container_registry_managed_identity_client_id": identity.client_id,
        "container_registry_use_managed_identity": True,
        "cors": {"allowed_origins": list(origins), "support_credentials": True},
        "ftps_state": "Disabled",
        # The check asks for the process only: if the database is down, App Service must not remove every instance.
        "health_check_path": "/health/live",
        "health_check_eviction_time_in_min": 2,
        # 503 is left out: the API answers it while the database is down, and recycling would not bring that back.
        "auto_heal_setting": {
            "action": {"action_type": "Recycle", "minimum_process_execution_time": "00:05:00"},
            "trigger": {
                "status_code": [blocks.status_code(status_code_range="500-502", count=50, interval="00:05:00")]
            },
        },
        "http2_enabled": True,
        "ip_restriction_default_action": "Deny" if edge else "Allow",
        "ip_restriction": [_admit_front_door(edge, blocks)] if edge else None,
        "load_balancing_mode": "LeastRequests",
        "minimum_tls_version": "1.2",
        "remote_debugging_enabled": False,
        # Nobody needs Kudu: images come from the registry, and logs go to the workspace.
        "scm_ip_restriction_default_action": "Deny",
        "scm_minimum_tls_version": "1.2",
        "scm_use_main_ip_restriction": False,
        "vnet_route_all_enabled": True,
        "websockets_enabled": True,
    }


def _admit_front_door(edge: Edge, blocks: ListedBlocks) -> object:
    """Return the restriction that admits this Front Door only. The service tag alone would admit everybody's.

    https://learn.microsoft.com/azure/frontdoor/origin-security
    """
    return blocks.ip_restriction(
        name="front-door",
        priority=100,
        action="Allow",
        service_tag="AzureFrontDoor.Backend",
        # Terraform requires every member of this block, even the empty ones.
        headers=[
            blocks.ip_restriction_headers(
                x_azure_fdid=[edge.profile.resource_guid],
                x_fd_health_probe=[],
                x_forwarded_for=[],
                x_forwarded_host=[],
            )
        ],
    )
