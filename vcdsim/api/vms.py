"""VMs: read, change as a whole or by section, delete."""

from __future__ import annotations

from vcdsim import hardware as rules
from vcdsim import vapps
from vcdsim.api import hrefs, read_vapps, xml
from vcdsim.api import read_sections as sections
from vcdsim.api.context import Answer, Context
from vcdsim.api.documents import write_capabilities, write_vm
from vcdsim.api.hardware import (
    card_items,
    cpu_item,
    disk_items,
    drive_item,
    memory_item,
    write_item,
    write_items,
)
from vcdsim.api.routing import route
from vcdsim.api.sections import write_runtime
from vcdsim.api.tasks import task_answer
from vcdsim.entities import Vm
from vcdsim.hardware import VmChange
from vcdsim.refusals import not_found

_HARDWARE = "/api/vApp/vm-{entity_id}/virtualHardwareSection"
#: Sections are read alike from a VM and from a template's VM.
_READ = "/api/{tree}/vm-{entity_id}"


def _any_vm(ctx: Context, tree: str, entity_id: str) -> tuple[Vm, str]:
    """(VM, its address) in the tree `vApp` or `vAppTemplate`."""
    if tree == "vAppTemplate":
        return ctx.world.template_vm(entity_id, ctx.user), ctx.href("templatevm", entity_id)
    if tree == "vApp":
        return ctx.world.vm(entity_id, ctx.user), ctx.href("vm", entity_id)
    raise not_found()


@route("GET", "/api/vApp/vm-{entity_id}", "vm")
def get_vm(ctx: Context, entity_id: str) -> Answer:
    """A VM."""
    return ctx.xml(write_vm(ctx, None, ctx.world.vm(entity_id, ctx.user)), hrefs.MEDIA["vm"])


@route("PUT", "/api/vApp/vm-{entity_id}", "update")
def put_vm(ctx: Context, entity_id: str) -> Answer:
    """Rename, or change the description; sections are left alone."""
    vm = ctx.world.vm(entity_id, ctx.user)
    element = ctx.parse("Vm")
    change = VmChange(name=element.get("name"), description=xml.value(element, "Description"))
    return _changed(ctx, vm, change)


@route("DELETE", "/api/vApp/vm-{entity_id}", "delete")
def delete_vm(ctx: Context, entity_id: str) -> Answer:
    """Delete an undeployed VM, with `?force=true` any."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return task_answer(ctx, vapps.delete_vm(ctx.world, ctx.user, vm, force=ctx.is_forced))


@route("POST", "/api/vApp/vm-{entity_id}/action/reconfigureVm", "reconfigure")
def reconfigure(ctx: Context, entity_id: str) -> Answer:
    """Change everything the body has a section for, in one task."""
    vm = ctx.world.vm(entity_id, ctx.user)
    element = ctx.parse("Vm")
    if not element.get("name"):
        raise xml.bad_body("cvc-complex-type.4: Attribute 'name' must appear on element 'Vm'.")
    return _changed(ctx, vm, read_vapps.vm_change(element, vm))


@route("PUT", _HARDWARE, "reconfigure")
def put_hardware(ctx: Context, entity_id: str) -> Answer:
    """Replace the whole hardware."""
    vm = ctx.world.vm(entity_id, ctx.user)
    element = ctx.parse("ovf:VirtualHardwareSection")
    return _changed(ctx, vm, sections.hardware(list(xml.children(element, "ovf:Item")), vm))


@route("GET", _READ + "/virtualHardwareSection/{part}", "section")
def get_hardware_part(ctx: Context, tree: str, entity_id: str, part: str) -> Answer:
    """Processors or memory as one item; disks or cards as a list of items."""
    vm, address = _any_vm(ctx, tree, entity_id)
    address = f"{address}/virtualHardwareSection/{part}"
    if part in ("cpu", "memory"):
        item = write_item(ctx, None, "Item", cpu_item(vm) if part == "cpu" else memory_item(vm))
        item.set("href", address)
        item.set("type", hrefs.media("rasdItem"))
        return ctx.xml(item, hrefs.media("rasdItem"))
    if part not in ("disks", "networkCards", "media"):
        raise not_found()
    items = {"disks": disk_items(ctx, vm), "networkCards": card_items(vm), "media": [drive_item(ctx, vm)]}[part]
    return ctx.xml(write_items(ctx, items, address), hrefs.media("rasdItemsList"))


@route("PUT", _HARDWARE + "/cpu", "reconfigure")
@route("PUT", _HARDWARE + "/memory", "reconfigure")
def put_item(ctx: Context, entity_id: str) -> Answer:
    """Change processors or memory with the item that was read."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return _changed(ctx, vm, sections.hardware([ctx.parse("Item")], vm))


@route("PUT", _HARDWARE + "/disks", "reconfigure")
def put_disks(ctx: Context, entity_id: str) -> Answer:
    """Replace the list of disks: one left out is deleted with its data."""
    vm = ctx.world.vm(entity_id, ctx.user)
    items = list(xml.children(ctx.parse("RasdItemsList"), "Item"))
    return _changed(ctx, vm, VmChange(disks=sections.disks(items, vm)))


@route("PUT", _HARDWARE + "/networkCards", "reconfigure")
def put_cards(ctx: Context, entity_id: str) -> Answer:
    """Replace the list of cards."""
    vm = ctx.world.vm(entity_id, ctx.user)
    items = list(xml.children(ctx.parse("RasdItemsList"), "Item"))
    nics, primary = sections.card_items(items)
    return _changed(ctx, vm, VmChange(nics=nics, primary_nic=primary))


@route("PUT", "/api/vApp/vm-{entity_id}/networkConnectionSection", "reconfigure")
def put_connections(ctx: Context, entity_id: str) -> Answer:
    """Replace the list of cards: one left out is removed."""
    vm = ctx.world.vm(entity_id, ctx.user)
    nics, primary = sections.cards(ctx.parse("NetworkConnectionSection"))
    return _changed(ctx, vm, VmChange(nics=nics, primary_nic=primary))


@route("PUT", "/api/vApp/vm-{entity_id}/guestCustomizationSection", "reconfigure")
def put_customization(ctx: Context, entity_id: str) -> Answer:
    """Replace the guest customization."""
    vm = ctx.world.vm(entity_id, ctx.user)
    element = ctx.parse("GuestCustomizationSection")
    return _changed(ctx, vm, VmChange(customization=sections.customization(element)))


@route("PUT", "/api/vApp/vm-{entity_id}/operatingSystemSection", "reconfigure")
def put_os(ctx: Context, entity_id: str) -> Answer:
    """Change the operating system."""
    vm, change = ctx.world.vm(entity_id, ctx.user), VmChange()
    read_vapps.read_os(change, ctx.parse("ovf:OperatingSystemSection"), vm)
    return _changed(ctx, vm, change)


@route("GET", "/api/vApp/vm-{entity_id}/runtimeInfoSection", "section")
def get_runtime(ctx: Context, entity_id: str) -> Answer:
    """What the tools in the guest report."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return ctx.xml(write_runtime(ctx, None, ctx.href("vm", vm.id)), hrefs.media("virtualHardwareSection"))


@route("GET", "/api/vApp/vm-{entity_id}/vmCapabilities", "section")
def get_capabilities(ctx: Context, entity_id: str) -> Answer:
    """What may grow while the VM runs."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return ctx.xml(write_capabilities(ctx, None, vm), hrefs.media("vmCapabilitiesSection"))


@route("PUT", "/api/vApp/vm-{entity_id}/vmCapabilities", "reconfigure")
def put_capabilities(ctx: Context, entity_id: str) -> Answer:
    """Allow or forbid hot add; only while the VM is off."""
    vm, change = ctx.world.vm(entity_id, ctx.user), VmChange()
    read_vapps.read_capabilities(change, ctx.parse("VmCapabilities"), vm)
    return _changed(ctx, vm, change)


def _changed(ctx: Context, vm: Vm, change: VmChange) -> Answer:
    return task_answer(ctx, rules.reconfigure(ctx.world, ctx.user, vm, change))
