"""Who holds which address of a network, complete on every version.

The old list ends at 128 addresses without saying so, and it has no pages. The younger API (33 and later) has pages; on
older servers a list of 128 or more is not believed, and the cards of all VMs are read instead.
"""

from collections.abc import Callable, Iterable, Iterator

from app.vcloud.ids import urn_from_href, urn_from_text
from app.vcloud.query import PAGE_SIZE, Page
from app.vcloud.types import AllocatedAddress, VApp, VAppNetwork, Vm
from app.vcloud.xml import Element, MalformedError, children, required, text

PAGED_SINCE = (33,)
LIST_LIMIT = 128


def paged_path(network_urn: str, number: int) -> str:
    """Return the address of one page of the younger API."""
    return f"/cloudapi/1.0.0/orgVdcNetworks/{network_urn}/allocatedIpAddresses?page={number}&pageSize={PAGE_SIZE}"


def page(said: dict[str, object]) -> Page[AllocatedAddress]:
    """Read one page of the younger API."""
    total, values = said.get("resultTotal"), said.get("values")
    if type(total) is not int or not isinstance(values, list):
        raise MalformedError("a page of addresses without resultTotal or values")
    return Page(total, tuple(_row(value) for value in values))


def _row(value: object) -> AllocatedAddress:
    if not isinstance(value, dict) or not isinstance(value.get("ipAddress"), str):
        raise MalformedError("a row of addresses without ipAddress")
    entity = value.get("entity")
    urn = urn_from_text(str(entity.get("id"))) if isinstance(entity, dict) else None
    return AllocatedAddress(value["ipAddress"], _of_kind("vapp", [urn]), _of_kind("vm", [urn]))


def short_list(root: Element) -> list[AllocatedAddress] | None:
    """Read AllocatedIpAddresses; None if it is so long that its end may be missing."""
    found = [_held(entry) for entry in children(root, "IpAddress")]
    return found if len(found) < LIST_LIMIT else None


def _held(entry: Element) -> AllocatedAddress:
    urns = [urn_from_href(link.get("href", "")) for link in children(entry, "Link")]
    ip = required(text(entry, "IpAddress"), "IpAddress in a list of them")
    return AllocatedAddress(ip, _of_kind("vapp", urns), _of_kind("vm", urns))


def _of_kind(kind: str, urns: Iterable[str | None]) -> str | None:
    return next((urn for urn in urns if urn and urn.startswith(f"urn:vcloud:{kind}:")), None)


def nothing_known(_vapp_urn: str) -> None:
    """Tell nothing of any vApp, so that each is read."""


def held_by(
    vapps: Iterable[str],
    network_urn: str,
    known: Callable[[str], Iterable[AllocatedAddress] | None],
    read: Callable[[str], VApp | None],
) -> list[AllocatedAddress]:
    """Return what the VMs and routers of these vApps hold; `read` gives None for a vApp that is gone meanwhile."""
    found: set[AllocatedAddress] = set()
    for urn in vapps:
        told = known(urn)
        if told is None:
            vapp = read(urn)
            told = _of_vapp(vapp, network_urn) if vapp else ()
        found.update(told)
    return sorted(found, key=lambda held: held.ip)


def _of_vapp(vapp: VApp, network_urn: str) -> Iterator[AllocatedAddress]:
    ours = {network.name: network for network in vapp.networks if network.parent_urn == network_urn}
    yield from (AllocatedAddress(net.router_ip, vapp.id, None) for net in ours.values() if net.router_ip)
    for vm in vapp.vms:
        yield from (AllocatedAddress(ip, vapp.id, vm.id) for ip in _of_vm(vm, ours))


def _of_vm(vm: Vm, networks: dict[str, VAppNetwork]) -> Iterator[str]:
    for nic in vm.nics:
        network = networks.get(nic.network or "")
        ip = nic.ip if network and network.fence_mode == "bridged" else nic.external_ip
        if network and ip:
            yield ip
