"""Which resources say in `properties.provisioningState` how far they are."""

from rehearsal.stand_in.model import Resource

_WITHOUT_STATE = frozenset(
    type_.lower()
    for type_ in (
        "Microsoft.Authorization/locks",
        "Microsoft.Authorization/roleAssignments",
        "Microsoft.Authorization/roleDefinitions",
        "Microsoft.Consumption/budgets",
        "Microsoft.DBforPostgreSQL/flexibleServers",
        "Microsoft.DBforPostgreSQL/flexibleServers/administrators",
        "Microsoft.DBforPostgreSQL/flexibleServers/configurations",
        "Microsoft.DBforPostgreSQL/flexibleServers/databases",
        "Microsoft.Insights/actionGroups",
        "Microsoft.Insights/activityLogAlerts",
        "Microsoft.Insights/autoscaleSettings",
        "Microsoft.Insights/diagnosticSettings",
        "Microsoft.Insights/metricAlerts",
        "Microsoft.Insights/scheduledQueryRules",
        "Microsoft.Insights/workbooks",
        "Microsoft.KeyVault/locations/deletedVaults",
        "Microsoft.KeyVault/vaults/secrets",
        "Microsoft.ManagedIdentity/userAssignedIdentities",
        "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "Microsoft.Network/dnsZones",
        "Microsoft.Network/privateDnsZones/SOA",
        "Microsoft.Storage/storageAccounts/blobServices",
        "Microsoft.Storage/storageAccounts/blobServices/containers",
        "Microsoft.Storage/storageAccounts/blobServices/containers/immutabilityPolicies",
        "Microsoft.Storage/storageAccounts/fileServices",
        "Microsoft.Storage/storageAccounts/managementPolicies",
        "Microsoft.Web/certificates",
        "Microsoft.Web/sites",
        "Microsoft.Web/sites/basicPublishingCredentialsPolicies",
        "Microsoft.Web/sites/config",
        "Microsoft.Web/sites/hostNameBindings",
        "Microsoft.Web/sites/slots",
        "Microsoft.Web/sites/slots/basicPublishingCredentialsPolicies",
        "Microsoft.Web/sites/slots/config",
        "Microsoft.Web/staticSites",
        "Microsoft.Web/staticSites/basicAuth",
        "Microsoft.Web/staticSites/config",
        "Microsoft.Web/staticSites/customDomains",
    )
)
"""The resource types without a `provisioningState`, as Azure's own types have it at the api-versions in use.

`test_the_types_without_a_state_are_azures` compares them, where the file of types is there.
"""


_OWN_WORDS = {
    "microsoft.app/managedenvironments": {
        "Creating": "InfrastructureSetupInProgress",
        "Updating": "Waiting",
        "Deleting": "ScheduledForDelete",
    },
    "microsoft.app/jobs": {"Creating": "InProgress", "Updating": "InProgress"},
}
"""What these types call a state, as Azure's own types have it."""


def has_provisioning_state(type_: str) -> bool:
    """Return whether resources of this type have a `provisioningState`."""
    return type_.lower() not in _WITHOUT_STATE


def set_provisioning_state(resource: Resource, state: str) -> None:
    """Set the state of a resource, such as `Updating`, and show it if its type has one."""
    resource.state = state
    if has_provisioning_state(resource.id.type):
        words = _OWN_WORDS.get(resource.id.type.lower(), {})
        resource.properties["provisioningState"] = words.get(state, state)
