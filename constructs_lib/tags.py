"""The tags of every resource."""

from collections.abc import Mapping

from environments.settings import Account

REQUIRED = ("environment", "owner", "cost-center", "repository")


def compose_tags(account: Account, environment: str) -> Mapping[str, str]:
    """Return the required tags of one environment."""
    values = (environment, account.owner_tag, account.cost_center_tag, account.github_repository)
    return dict(zip(REQUIRED, values, strict=True))
