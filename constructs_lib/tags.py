"""The tags that every resource bears."""

from collections.abc import Mapping

from environments.settings import Account

REQUIRED = ("environment", "owner", "cost-center", "repository")


def tags(account: Account, environment: str) -> Mapping[str, str]:
    """The required tags of one environment."""
    values = (environment, account.owner_tag, account.cost_center_tag, account.github_repository)
    return dict(zip(REQUIRED, values, strict=True))
