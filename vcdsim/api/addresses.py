"""Who holds which address of a network: the old list without pages, and the new one with them."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import dataclass
from urllib.parse import parse_qs

from vcdsim.api import hrefs, xml
from vcdsim.api.context import Answer, Context, link
from vcdsim.api.routing import route
from vcdsim.api.version import text as version_text
from vcdsim.entities import OrgNetwork, VApp, Vm
from vcdsim.refusals import RefusalError

DEFAULT_PAGE, LARGEST_PAGE = 25, 128


@dataclass(frozen=True)
class Allocation:
    """One address in use: of a VM's card, of a VM's outer side, or of a vApp's router."""

    ip: str
    kind: str
    vapp: VApp
    vm: Vm | None
    is_deployed: bool


def allocations(ctx: Context, network: OrgNetwork) -> list[Allocation]:
    """All of them, by number."""
    routers = {one.id: vapp for vapp in ctx.world.vapps.values() for one in vapp.networks}
    found = []
    for ip, holder in network.used.items():
        vm = ctx.world.vms.get(holder)
        if vm is not None:
            is_outer = any(nic.external_ip == ip for nic in vm.nics)
            vapp = ctx.world.vapps[vm.container_id]
            found.append(Allocation(ip, "natRouted" if is_outer else "vmAllocated", vapp, vm, vm.is_deployed))
        elif holder in routers:
            found.append(Allocation(ip, "vsmAllocated", routers[holder], None, is_deployed=True))
    return sorted(found, key=lambda one: ipaddress.IPv4Address(one.ip))


@route("GET", "/api/network/{entity_id}/allocatedAddresses", "allocatedAddresses")
@route("GET", "/api/admin/network/{entity_id}/allocatedAddresses", "allocatedAddresses")
def get_allocated(ctx: Context, entity_id: str) -> Answer:
    """All addresses in use, in one answer; the fault `most_rows` ends it early, as vCD does at 128."""
    network = ctx.world.network(entity_id, ctx.user)
    address, media_type = ctx.href("network", network.id), hrefs.media("allocatedNetworkAddress")
    element = ctx.root("AllocatedIpAddresses", media_type, {"href": f"{address}/allocatedAddresses/"})
    link(element, "up", address, hrefs.MEDIA["network"])
    for one in allocations(ctx, network)[: ctx.most_rows]:
        attributes = {"isDeployed": xml.flag(one.is_deployed), "allocationType": one.kind}
        box = xml.sub(element, "IpAddress", None, attributes)
        link(box, "up", address, hrefs.MEDIA["network"])
        link(box, "up", ctx.href("org", network.org_id), hrefs.MEDIA["org"])
        link(box, "down", ctx.href("vapp", one.vapp.id), hrefs.MEDIA["vapp"], one.vapp.name)
        if one.vm is not None:
            link(box, "down", ctx.href("vm", one.vm.id), hrefs.MEDIA["vm"], one.vm.name)
        xml.sub(box, "IpAddress", one.ip)
    return ctx.xml(element, media_type)


@route(
    "GET",
    "/cloudapi/1.0.0/orgVdcNetworks/{urn}/allocatedIpAddresses",
    "allocatedIpAddresses",
    since=(33, 0),
)
def get_allocated_page(ctx: Context, urn: str) -> Answer:
    """One page of them, with how many there are."""
    network = ctx.world.network(hrefs.id_in(urn), ctx.user)
    page, size = _number(ctx, "page", 1), _number(ctx, "pageSize", DEFAULT_PAGE)
    if size > LARGEST_PAGE:
        raise RefusalError(f"Page size cannot be more than {LARGEST_PAGE}.")
    everything = allocations(ctx, network)
    body = {
        "resultTotal": len(everything),
        "pageCount": -(-len(everything) // size),
        "page": page,
        "pageSize": size,
        "associations": None,
        "values": [_as_json(one) for one in everything[(page - 1) * size : page * size]],
    }
    headers = {"Content-Type": f"application/json;version={version_text(ctx.version)}"}
    return Answer(200, headers, json.dumps(body).encode())


def _as_json(one: Allocation) -> dict[str, object]:
    kinds = {"vmAllocated": "VM_ALLOCATED", "natRouted": "NAT_ROUTED", "vsmAllocated": "VSM_ALLOCATED"}
    entity = {"name": one.vapp.name, "id": hrefs.urn("vapp", one.vapp.id)}
    if one.vm is not None:
        entity = {"name": one.vm.name, "id": hrefs.urn("vm", one.vm.id)}
    return {"entity": entity, "ipAddress": one.ip, "allocationType": kinds[one.kind], "deployed": one.is_deployed}


def _number(ctx: Context, name: str, default: int) -> int:
    text = parse_qs(ctx.query).get(name, [str(default)])[0]
    if not (text.isascii() and text.isdecimal() and 1 <= len(text) <= 9 and int(text) > 0):
        raise RefusalError(f"{name} must be a positive number.")
    return int(text)
