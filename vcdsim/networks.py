"""Addresses: static pools, manual and DHCP addresses, the outer side of NAT-routed networks.

A bridged vApp network has no pool of its own and takes addresses from its parent; an isolated
or NAT-routed one has its own. An outer address exists only while something is deployed.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from vcdsim.entities import NO_NETWORK, IpScope, Nic, OrgNetwork, VApp, VAppNetwork, Vm
from vcdsim.refusals import RefusalError, address_taken, no_free_address
from vcdsim.world import World


def network_named(vapp: VApp, name: str) -> VAppNetwork | None:
    """The vApp's network of that name."""
    return next((network for network in vapp.networks if network.name == name), None)


def pool_of(world: World, network: VAppNetwork) -> OrgNetwork | VAppNetwork:
    """Where inner addresses of the network come from."""
    if network.fence_mode == "bridged" and network.parent_id is not None:
        return world.networks[network.parent_id]
    return network


def check_scope(scope: IpScope) -> None:
    """Refuse a subnet that is not one, or a pool outside it."""
    try:
        ipaddress.IPv4Network(f"{scope.gateway}/{scope.netmask}", strict=False)
    except ValueError:
        raise RefusalError(f'The gateway "{scope.gateway}" with netmask "{scope.netmask}" is not valid.') from None
    for part in scope.ranges:
        if not (_within(scope, part.start) and _within(scope, part.end)):
            raise RefusalError(
                f'The IP range "{part.start} - {part.end}" is not within the subnet of "{scope.gateway}".'
            )


def addresses(scope: IpScope) -> Iterator[str]:
    """All addresses of the static pool, in order."""
    for part in scope.ranges:
        for number in range(int(ipaddress.IPv4Address(part.start)), int(ipaddress.IPv4Address(part.end)) + 1):
            yield str(ipaddress.IPv4Address(number))


def take(pool: OrgNetwork | VAppNetwork, holder_id: str) -> str:
    """Reserve the first free address of the pool for `holder_id`."""
    for ip in addresses(pool.scope):
        if ip not in pool.used:
            pool.used[ip] = holder_id
            return ip
    raise no_free_address(pool.name)


def connect(world: World, vapp: VApp, vm: Vm) -> None:
    """Give every connected POOL or MANUAL card of the VM its inner address; known at once."""
    for nic in vm.nics:
        if nic.network == NO_NETWORK or nic.mode not in ("POOL", "MANUAL"):
            continue
        pool = pool_of(world, _required(vapp, nic.network))
        if nic.mode == "POOL":
            if nic.ip is None or not _within(pool.scope, nic.ip) or pool.used.setdefault(nic.ip, vm.id) != vm.id:
                nic.ip = take(pool, vm.id)
        else:
            _take_manual(pool, nic, vm.id)


def check_cards(world: World, vapp: VApp, nics: list[Nic], *, vm_id: str = "") -> None:
    """Refuse cards on networks the vApp lacks and manual addresses that are wrong or taken."""
    for nic in nics:
        if nic.network == NO_NETWORK:
            continue
        network = _required(vapp, nic.network)
        if nic.mode == "MANUAL":
            _check_manual(pool_of(world, network), nic, vm_id)


def release(world: World, vapp: VApp, vm: Vm) -> None:
    """Give all addresses of the VM back, as it goes."""
    release_inner(world, vapp, vm)
    for org_network in world.networks.values():
        _free(org_network, vm.id)
    for nic in vm.nics:
        nic.ip = nic.external_ip = None


def release_inner(world: World, vapp: VApp, vm: Vm) -> None:
    """Give the inner addresses of the VM back; its cards still show them."""
    outer = {nic.external_ip for nic in vm.nics}
    for network in vapp.networks:
        pool = pool_of(world, network)
        for ip in [ip for ip, holder in pool.used.items() if holder == vm.id and ip not in outer]:
            del pool.used[ip]


def deploy(world: World, vapp: VApp, vm: Vm) -> None:
    """Bring up the networks of a VM that is being deployed and give it its outer addresses."""
    for nic in vm.nics:
        network = network_named(vapp, nic.network)
        if network is None:
            continue
        network.is_deployed = True
        if network.fence_mode == "natRouted" and network.parent_id is not None:
            parent = world.networks[network.parent_id]
            if network.router_ip is None:
                network.router_ip = take(parent, network.id)
            if nic.is_connected and nic.external_ip is None:
                nic.external_ip = take(parent, vm.id)


def dhcp_answers(world: World, vapp: VApp, vm: Vm) -> None:
    """The guest's tools report the address that DHCP gave, once the VM runs."""
    for nic in vm.nics:
        network = network_named(vapp, nic.network)
        if nic.mode == "DHCP" and nic.is_connected and network is not None and nic.ip is None:
            nic.ip = take(pool_of(world, network), vm.id)


def undeploy(world: World, vapp: VApp, vm: Vm) -> None:
    """Take the outer addresses of an undeployed VM back, and the networks down with the last VM."""
    _drop_outer(world, vapp, vm)
    for nic in vm.nics:
        network = network_named(vapp, nic.network)
        if nic.mode == "DHCP" and nic.ip is not None and network is not None:
            pool_of(world, network).used.pop(nic.ip, None)
            nic.ip = None
    if any(other.is_deployed for other in world.vms_of(vapp) if other.id != vm.id):
        return
    for network in vapp.networks:
        network.is_deployed = False
        if not network.retain_addresses and network.router_ip is not None and network.parent_id is not None:
            _free(world.networks[network.parent_id], network.id)
            network.router_ip = None


def _drop_outer(world: World, vapp: VApp, vm: Vm) -> None:
    for nic in vm.nics:
        network = network_named(vapp, nic.network)
        if nic.external_ip is None or (network is not None and network.retain_addresses):
            continue
        for org_network in world.networks.values():
            if org_network.used.get(nic.external_ip) == vm.id:
                del org_network.used[nic.external_ip]
        nic.external_ip = None


def _required(vapp: VApp, name: str) -> VAppNetwork:
    network = network_named(vapp, name)
    if network is None:
        raise RefusalError(f'The network "{name}" does not exist in vApp "{vapp.name}".')
    return network


def _within(scope: IpScope, ip: str) -> bool:
    subnet = ipaddress.IPv4Network(f"{scope.gateway}/{scope.netmask}", strict=False)
    try:
        return ipaddress.IPv4Address(ip) in subnet
    except ValueError:
        return False


def _check_manual(pool: OrgNetwork | VAppNetwork, nic: Nic, vm_id: str) -> None:
    if not nic.ip:
        raise RefusalError(f'The network connection {nic.index} on network "{pool.name}" needs an IP address.')
    if nic.ip == pool.scope.gateway:
        raise RefusalError(f'The IP address "{nic.ip}" is the gateway of network "{pool.name}".')
    if not _within(pool.scope, nic.ip):
        raise RefusalError(f'The IP address "{nic.ip}" is not valid for network "{pool.name}".')
    if pool.used.get(nic.ip, vm_id) != vm_id:
        raise address_taken(nic.ip)


def _take_manual(pool: OrgNetwork | VAppNetwork, nic: Nic, vm_id: str) -> None:
    _check_manual(pool, nic, vm_id)
    if nic.ip is not None:
        pool.used[nic.ip] = vm_id


def _free(pool: OrgNetwork | VAppNetwork, holder_id: str) -> None:
    for ip in [ip for ip, holder in pool.used.items() if holder == holder_id]:
        del pool.used[ip]


def pool_size(scope: IpScope) -> int:
    """How many addresses the static pool has."""
    return sum(int(ipaddress.IPv4Address(one.end)) - int(ipaddress.IPv4Address(one.start)) + 1 for one in scope.ranges)
