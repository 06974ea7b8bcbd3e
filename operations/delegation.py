"""Asks DNS whether the registrar delegates the domain to Azure, before anything relies on it."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from dns.exception import DNSException
from dns.resolver import Resolver

from environments import Environment
from environments.settings import Account

AZURE_DNS = (".azure-dns.com", ".azure-dns.net", ".azure-dns.org", ".azure-dns.info")
"""What the names of Azure's name servers end in: https://learn.microsoft.com/azure/dns/dns-delegate-domain-azure-dns."""
LookUp = Callable[[str], Sequence[str]]
"""Returns the name servers of a domain, without a dot at the end; none if it has none or cannot be looked up."""


def look_up_name_servers(domain: str) -> Sequence[str]:
    """Return the name servers of a domain, as the public DNS names them. It waits for five seconds at most."""
    try:
        resolver = Resolver()  # it fails on a machine without a resolv.conf
        resolver.lifetime = 5.0
        return sorted(str(record).rstrip(".").lower() for record in resolver.resolve(domain, "NS"))
    except DNSException:
        return []


def find_delegation_problems(
    account: Account, environments: Mapping[str, Environment], *, look_up: LookUp = look_up_name_servers
) -> Iterator[str]:
    """Yield a sentence if an environment has `delegated=True`, and DNS does not lead to Azure yet."""
    waiting = [name for name, environment in environments.items() if environment.domain.delegated]
    if not waiting:
        return
    servers = look_up(account.domain)
    if not any(server.endswith(AZURE_DNS) for server in servers):
        found = f"its name servers are {', '.join(servers)}" if servers else "it has no name servers that can be found"
        yield (
            f"{', '.join(waiting)}: domain.delegated=True, but {account.domain} does not lead to Azure DNS: {found}. "
            "Give the registrar the name servers of the parent zone (docs/quickstart.md), or set delegated=False."
        )
