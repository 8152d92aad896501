"""Networks of vApps and the cards of machines on them: what creation and a later change share, and the change itself.

A person chooses an organization network. A card can only be on a network of its vApp, so one that leads to the chosen
network is looked for there, and added if there is none.
"""

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass

from app import vcloud

INNER_NETWORK = ipaddress.IPv4Network("192.168.100.0/24")
"""Addresses inside a vApp network with address translation; every vApp has its own, so all may use the same."""


@dataclass(frozen=True, kw_only=True)
class OrgNetwork:
    """The chosen organization network in vCloud's terms, as it stands in the wish."""

    urn: str
    name: str
    is_isolated: bool


def joined(networks: Iterable[vcloud.VAppNetwork], org_network: OrgNetwork) -> str | None:
    """The name of the first of a vApp's networks that leads to the organization network."""
    return next((network.name for network in networks if network.parent_urn == org_network.urn), None)


def leading_to(org_network: OrgNetwork, taken: Iterable[str] = ()) -> vcloud.VAppNetwork:
    """A new network for a vApp that has networks named `taken`.

    On an isolated network it is joined as it is (the machine gets an address of that network), else it has inner
    addresses of its own and outer ones by NAT.
    """
    if org_network.is_isolated:
        return vcloud.VAppNetwork(
            name=_free_name(org_network.name, taken), parent_urn=org_network.urn, fence_mode="bridged"
        )
    return vcloud.VAppNetwork(
        name=_free_name(f"{org_network.name}-inner", taken),
        parent_urn=org_network.urn,
        fence_mode="natRouted",
        gateway=str(INNER_NETWORK[1]),
        netmask=str(INNER_NETWORK.netmask),
        range_start=str(INNER_NETWORK[100]),
        range_end=str(INNER_NETWORK[199]),
    )


def _free_name(name: str, taken: Iterable[str]) -> str:
    known = set(taken)
    return next(free for free in (name, *(f"{name}-{number}" for number in range(2, 1000))) if free not in known)
