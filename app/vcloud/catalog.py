"""The templates of the catalogs, with the hardware of their VMs from wherever the server's version tells it."""

import hashlib
from dataclasses import replace

from app.vcloud import machines, parse, query, xml
from app.vcloud.errors import NotFound, Refused
from app.vcloud.ids import path_of
from app.vcloud.listings import Listings
from app.vcloud.query import Condition
from app.vcloud.types import TemplateLimits, TemplateRecord, TemplateVm, VAppNetwork, VappTemplate, VmRecord
from app.vcloud.wire import Wire
from app.vcloud.xml import OVF, Element, child, children

_NOWHERE = "196.254.254.254"  # the gateway that vCloud itself writes for the network "none"
# What a row tells of a template's content, on one version or another; the last three are in no document.
_TELLING = (
    "name",
    "catalogName",
    "description",
    "status",
    "creationDate",
    "storageProfileName",
    "version",
    "lastSuccessfulSync",
    "lastUpdatedTime",
    "numberOfVMs",
    "storageKB",
    "task",
)


def record(row: Element) -> TemplateRecord:
    """Read VAppTemplateRecord or AdminVAppTemplateRecord."""
    told = "\n".join(f"{name}={row.get(name, '')}" for name in _TELLING)
    return TemplateRecord(
        id=xml.required_urn(row),
        name=row.get("name", ""),
        catalog_name=row.get("catalogName", "").strip(),
        key=hashlib.blake2b(told.encode(), digest_size=16).hexdigest(),
    )


def template(wire: Wire, listings: Listings, record: TemplateRecord) -> VappTemplate | None:
    """Return a template, None if it is gone since the listing."""
    path = path_of(record.id, "vapptemplate")
    try:
        limits = _limits(wire, path)
        found = wire.get(path, "VAppTemplate", lambda root: parse.template(root, record.catalog_name, limits))
        if all(vm.disks for vm in found.vms):
            return found
        return _with_records(listings, _with_descriptor(wire, path, found))
    except NotFound:
        return None


def inner_networks(template: Element) -> dict[str, tuple[VAppNetwork, ...]]:
    """Return, by urn of each VM of a VAppTemplate, the networks inside the template that it is wired to.

    They are isolated ones: what they were connected to where the template was made need not be there where it is used.
    """
    configs = children(child(template, "NetworkConfigSection"), "NetworkConfig")
    known = {network.name: _isolated(network) for network in map(parse.vapp_network, configs)}
    vms = map(machines.template_vm, children(child(template, "Children"), "Vm"))
    return {vm.id: tuple(known.get(name) or _made_up(name) for name in vm.network_names) for vm in vms}


def _isolated(network: VAppNetwork) -> VAppNetwork:
    if network.gateway and network.netmask:
        return replace(network, parent_urn=None, fence_mode="isolated", router_ip=None)
    return _made_up(network.name)


def _made_up(name: str) -> VAppNetwork:
    """Return a network whose addresses nobody will use: its own are not told."""
    return VAppNetwork(name, None, "isolated", _NOWHERE, "255.255.0.0")


def _with_descriptor(wire: Wire, path: str, template: VappTemplate) -> VappTemplate:
    """Complete VMs whose hardware is not in their template's document (5.5 and older) from its OVF descriptor."""

    def completed(envelope: Element) -> VappTemplate:
        return replace(template, vms=tuple(machines.with_hardware(vm, envelope) for vm in template.vms))

    try:
        return wire.get(path + "/ovf", f"{{{OVF}}}Envelope", completed)
    except Refused:  # it may not be downloaded; the listing of VMs still knows CPUs and memory
        return template


def _limits(wire: Wire, path: str) -> TemplateLimits:
    try:
        return wire.get(path + "/metadata", "Metadata", parse.template_limits)
    except Refused:  # not everybody may read metadata of a foreign catalog; then the template has no bounds
        return TemplateLimits()


def _with_records(listings: Listings, template: VappTemplate) -> VappTemplate:
    """Complete VMs whose hardware nothing else told from the query service, which does not know their disks."""
    if all(vm.cpu_count for vm in template.vms):
        return template
    conditions = Condition("container", template.id), Condition("isVAppTemplate", "true")
    known = {row.id: row for row in listings.rows("vm", query.vm_record, lambda row: row.id, *conditions)}
    return replace(template, vms=tuple(_completed(vm, known.get(vm.id)) for vm in template.vms))


def _completed(vm: TemplateVm, row: VmRecord | None) -> TemplateVm:
    if vm.cpu_count or row is None:
        return vm
    return replace(vm, cpu_count=row.cpu_count, memory_mb=row.memory_mb, guest_os=vm.guest_os or row.guest_os)
