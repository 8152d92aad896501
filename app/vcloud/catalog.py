"""The templates of the catalogs, with the hardware of their VMs from wherever the server's version tells it."""

from dataclasses import replace

from app.vcloud import machines, parse, query
from app.vcloud.errors import NotFound, Refused
from app.vcloud.ids import path_of
from app.vcloud.listings import Listings
from app.vcloud.query import Condition
from app.vcloud.types import TemplateLimits, TemplateVm, VappTemplate, VmRecord
from app.vcloud.wire import Wire
from app.vcloud.xml import OVF, Element


def templates(wire: Wire, listings: Listings) -> list[VappTemplate]:
    """Return the templates in catalogs that the user may read."""
    rows = listings.rows("vAppTemplate", query.catalog_template, lambda row: row[0])
    found = [_template(wire, urn, catalog_name) for urn, catalog_name in rows if catalog_name]
    return _with_hardware(listings, [template for template in found if template])


def _template(wire: Wire, urn: str, catalog_name: str) -> VappTemplate | None:
    """Return a template, None if it is gone since the listing."""
    path = path_of(urn, "vapptemplate")
    try:
        limits = _limits(wire, path)
        found = wire.get(path, "VAppTemplate", lambda root: parse.template(root, catalog_name, limits))
        return found if all(vm.disks for vm in found.vms) else _with_descriptor(wire, path, found)
    except NotFound:
        return None


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


def _with_hardware(listings: Listings, found: list[VappTemplate]) -> list[VappTemplate]:
    """Complete VMs whose hardware nothing else told from the query service, which does not know their disks."""
    if all(vm.cpu_count for template in found for vm in template.vms):
        return found
    rows = listings.rows("vm", query.vm_record, lambda row: row.id, Condition("isVAppTemplate", "true"))
    known = {row.id: row for row in rows}
    return [replace(item, vms=tuple(_completed(vm, known.get(vm.id)) for vm in item.vms)) for item in found]


def _completed(vm: TemplateVm, row: VmRecord | None) -> TemplateVm:
    if vm.cpu_count or row is None:
        return vm
    return replace(vm, cpu_count=row.cpu_count, memory_mb=row.memory_mb, guest_os=vm.guest_os or row.guest_os)
