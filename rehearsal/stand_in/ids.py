"""Resource Manager paths, taken apart.

https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules and
https://learn.microsoft.com/rest/api/resources say how they are built.
"""

import re
from dataclasses import dataclass

GROUP_TYPE = "Microsoft.Resources/resourceGroups"
SUBSCRIPTION_TYPE = "Microsoft.Resources/subscriptions"


@dataclass(frozen=True)
class ResourceId:
    """The path of one resource."""

    path: str
    """As the caller wrote it. Azure compares without regard to case; use `key` for that."""
    type: str
    """Such as `Microsoft.Network/virtualNetworks/subnets`."""
    names: tuple[str, ...]
    """One for each part of the type after the namespace."""
    scope: str
    """What the resource stands in: a resource group, a subscription, or the resource that it extends."""

    @property
    def key(self) -> str:
        """What identifies the resource."""
        return self.path.lower()

    @property
    def name(self) -> str:
        """The last name."""
        return self.names[-1]

    @property
    def parent(self) -> str:
        """The path of what must exist before: the resource one level up, or the scope; empty for a subscription."""
        return self.path.rsplit("/", 2)[0] if len(self.names) > 1 else self.scope

    def child(self, *parts: str) -> "ResourceId":
        """`vault.child("secrets", "a")`."""
        return parse("/".join((self.path, *parts)))

    def sibling(self, provider_type: str, name: str) -> "ResourceId":
        """The top-level resource of another type in the same scope."""
        return parse(f"{self.scope}/providers/{provider_type}/{name}")


_SUBSCRIPTION = re.compile(r"/subscriptions/([^/]+)", re.IGNORECASE)
_GROUP = re.compile(r"(/subscriptions/[^/]+)/resourceGroups/([^/]+)", re.IGNORECASE)


def parse(path: str) -> ResourceId:
    """Take a resource's path apart.

    Raises:
        ValueError: the path is not one of a resource: a collection, an action, or nothing that Azure knows.
    """
    path = "/" + path.strip("/")
    if found := _SUBSCRIPTION.fullmatch(path):
        return ResourceId(path, SUBSCRIPTION_TYPE, (found[1],), "")
    if found := _GROUP.fullmatch(path):
        return ResourceId(path, GROUP_TYPE, (found[2],), found[1])
    marker = path.lower().rfind("/providers/")
    scope, parts = path[:marker], path[marker:].split("/")[2:]
    if marker < 0 or len(parts) < 3 or len(parts) % 2 == 0 or not all(parts):
        raise ValueError(path)
    return ResourceId(path, "/".join([parts[0], *parts[1::2]]), tuple(parts[2::2]), scope)


def within(path: str, scope: str) -> bool:
    """True where `path` is `scope` or stands below it; the root scope is `/`."""
    path, scope = path.lower().rstrip("/"), scope.lower().rstrip("/")
    return path == scope or path.startswith(f"{scope}/")
