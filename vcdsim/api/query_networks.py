"""Attributes of the records of vApp networks, and of which vApp is on which network of its organization."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from vcdsim.api.query_columns import Column, constant
from vcdsim.api.query_vms import VAPP
from vcdsim.entities import VApp, VAppNetwork
from vcdsim.people import User
from vcdsim.world import World


@dataclass(frozen=True)
class Inner:
    """A network and the vApp it is in."""

    vapp: VApp
    network: VAppNetwork

    @property
    def id(self) -> str:
        """That of the network."""
        return self.network.id


VAPP_NETWORK = {
    "name": Column(lambda _, one: one.network.name),
    "isIpScopeInherited": Column(lambda _, one: one.network.fence_mode == "bridged"),
    "gateway": Column(lambda _, one: one.network.scope.gateway),
    "netmask": Column(lambda _, one: one.network.scope.netmask),
    "dns1": Column(lambda _, one: one.network.scope.dns1 or None),
    "dns2": Column(lambda _, one: one.network.scope.dns2 or None),
    "dnsSuffix": Column(lambda _, one: one.network.scope.dns_suffix or None),
    "vApp": Column(lambda _, one: one.vapp.id, kind="vapp"),
    "vAppName": Column(lambda _, one: one.vapp.name),
    "isBusy": Column(constant(False)),
    "parentNetworkId": Column(lambda _, one: one.network.parent_id, (38, 0)),
}
RELATION = {
    "entityType": Column(constant("vapp")),
    "name": Column(lambda _, one: one.vapp.name),
    "org": Column(lambda _, one: one.vapp.org_id, kind="org"),
    "orgVdcNetwork": Column(lambda _, one: one.network.parent_id, kind="network"),
    "orgVdcNetworkName": Column(lambda world, one: world.networks[one.network.parent_id].name),
    "status": Column(lambda world, one: VAPP["status"].get(world, one.vapp)),
    "ownerName": Column(lambda world, one: world.users[one.vapp.owner_id].name),
}


def inner_networks(world: World, user: User) -> Iterator[Inner]:
    """The networks of the vApps the user sees."""
    for vapp in world.visible_vapps(user):
        for network in vapp.networks:
            yield Inner(vapp, network)


def connected(world: World, user: User) -> Iterator[Inner]:
    """Those that lead to a network of the organization."""
    return (one for one in inner_networks(world, user) if one.network.parent_id is not None)
