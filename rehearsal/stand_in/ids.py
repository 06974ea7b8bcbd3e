"""Resource Manager's resource ids (paths), and the types that more than one module needs.

How an id is built: https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules and
https://learn.microsoft.com/rest/api/resources.
"""

import re
from dataclasses import dataclass

SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"
GROUP_TYPE = "Microsoft.Resources/resourceGroups"
LOCK_TYPE = "Microsoft.Authorization/locks"
ROLE_TYPE = "Microsoft.Authorization/roleDefinitions"
ASSIGNMENT_TYPE = "Microsoft.Authorization/roleAssignments"
IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"
CREDENTIAL_TYPE = f"{IDENTITY_TYPE}/federatedIdentityCredentials"


@dataclass(frozen=True)
class ResourceId:
    """The id of one resource, split into its parts."""

    path: str
    """The id as the caller wrote it. Azure ignores case when it compares ids; compare by `key`."""
    type: str
    """The full type, such as `Microsoft.Network/virtualNetworks/subnets`."""
    names: tuple[str, ...]
    """One name for each part of the type after the namespace."""
    scope: str
    """The id of what holds the resource: a resource group, a subscription, or the resource that it extends."""

    @property
    def key(self) -> str:
        """The id in lower case, which identifies the resource."""
        return self.path.lower()

    @property
    def name(self) -> str:
        """The last name."""
        return self.names[-1]

    @property
    def parent(self) -> str:
        """The id that must exist first: the resource one level up, or the scope. Empty for a subscription."""
        return self.path.rsplit("/", 2)[0] if len(self.names) > 1 else self.scope


_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_GROUP = re.compile(r"(/subscriptions/[^/]+)/resourceGroups/([^/]+)", re.IGNORECASE)


def parse_id(path: str) -> ResourceId:
    """Split a resource's path into its parts.

    Raises:
        ValueError: The path does not name one resource. It may name a collection, an action, or nothing in Azure.
    """
    path = "/" + path.strip("/")
    if subscription := _SUBSCRIPTION.fullmatch(path):
        return ResourceId(path, SUBSCRIPTION_TYPE, (subscription[1],), "")
    if group := _GROUP.fullmatch(path):
        return ResourceId(path, GROUP_TYPE, (group[2],), group[1])
    marker = path.lower().rfind("/providers/")
    scope, parts = path[:marker], path[marker:].split("/")[2:]
    if marker < 0 or len(parts) < 3 or len(parts) % 2 == 0 or not all(parts):
        raise ValueError(path)
    return ResourceId(path, "/".join([parts[0], *parts[1::2]]), tuple(parts[2::2]), scope)


def is_within(path: str, scope: str) -> bool:
    """Return whether `path` is `scope` or lies below it. The root scope is `/`."""
    path, scope = path.lower().rstrip("/"), scope.lower().rstrip("/")
    return path == scope or path.startswith(f"{scope}/")
