"""VMs: read, change as a whole or by section, delete."""

from __future__ import annotations

from lxml import etree

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
    memory_item,
    write_hardware,
    write_item,
    write_items,
)
from vcdsim.api.networks import write_connections
from vcdsim.api.routing import route
from vcdsim.api.sections import write_customization, write_os, write_snapshot
from vcdsim.api.tasks import task_answer
from vcdsim.entities import Vm
from vcdsim.hardware import VmChange

_HARDWARE = "/api/vApp/vm-{entity_id}/virtualHardwareSection"


@route("GET", "/api/vApp/vm-{entity_id}", "vm")
def get_vm(ctx: Context, entity_id: str) -> Answer:
    """A VM."""
    return ctx.xml(write_vm(ctx, None, ctx.world.vm(entity_id, ctx.user)), hrefs.MEDIA["vm"])


@route("PUT", "/api/vApp/vm-{entity_id}", "update")
def put_vm(ctx: Context, entity_id: str) -> Answer:
    """Rename, or change the description; sections are left alone."""
    vm = ctx.world.vm(entity_id, ctx.user)
    element = xml.parse(ctx.body, "Vm")
    change = VmChange(name=element.get("name"), description=xml.value(element, "Description"))
    return _changed(ctx, vm, change)


@route("DELETE", "/api/vApp/vm-{entity_id}", "delete")
def delete_vm(ctx: Context, entity_id: str) -> Answer:
    """Delete an undeployed VM."""
    return task_answer(ctx, vapps.delete_vm(ctx.world, ctx.user, ctx.world.vm(entity_id, ctx.user)))


@route("POST", "/api/vApp/vm-{entity_id}/action/reconfigureVm", "reconfigure")
def reconfigure(ctx: Context, entity_id: str) -> Answer:
    """Change everything the body has a section for, in one task."""
    vm = ctx.world.vm(entity_id, ctx.user)
    element = xml.parse(ctx.body, "Vm")
    if not element.get("name"):
        raise xml.bad_body("cvc-complex-type.4: Attribute 'name' must appear on element 'Vm'.")
    return _changed(ctx, vm, read_vapps.vm_change(element, vm))


@route("GET", _HARDWARE, "section")
def get_hardware(ctx: Context, entity_id: str) -> Answer:
    """The whole hardware."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return ctx.xml(write_hardware(ctx, None, vm, ctx.href("vm", vm.id)), hrefs.media("virtualHardwareSection"))


@route("PUT", _HARDWARE, "reconfigure")
def put_hardware(ctx: Context, entity_id: str) -> Answer:
    """Replace the whole hardware."""
    vm = ctx.world.vm(entity_id, ctx.user)
    element = xml.parse(ctx.body, "ovf:VirtualHardwareSection")
    return _changed(ctx, vm, sections.hardware(list(xml.children(element, "ovf:Item")), vm))


@route("GET", _HARDWARE + "/cpu", "section")
def get_cpu(ctx: Context, entity_id: str) -> Answer:
    """The processors as one item."""
    return _item(ctx, ctx.world.vm(entity_id, ctx.user), "cpu")


@route("GET", _HARDWARE + "/memory", "section")
def get_memory(ctx: Context, entity_id: str) -> Answer:
    """The memory as one item."""
    return _item(ctx, ctx.world.vm(entity_id, ctx.user), "memory")


@route("PUT", _HARDWARE + "/cpu", "reconfigure")
@route("PUT", _HARDWARE + "/memory", "reconfigure")
def put_item(ctx: Context, entity_id: str) -> Answer:
    """Change processors or memory with the item that was read."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return _changed(ctx, vm, sections.hardware([xml.parse(ctx.body, "Item")], vm))


@route("GET", _HARDWARE + "/disks", "section")
def get_disks(ctx: Context, entity_id: str) -> Answer:
    """Controllers and disks."""
    vm = ctx.world.vm(entity_id, ctx.user)
    address = f"{ctx.href('vm', vm.id)}/virtualHardwareSection/disks"
    return ctx.xml(write_items(ctx, disk_items(ctx, vm), address), hrefs.media("rasdItemsList"))


@route("PUT", _HARDWARE + "/disks", "reconfigure")
def put_disks(ctx: Context, entity_id: str) -> Answer:
    """Replace the list of disks: one left out is deleted with its data."""
    vm = ctx.world.vm(entity_id, ctx.user)
    items = list(xml.children(xml.parse(ctx.body, "RasdItemsList"), "Item"))
    return _changed(ctx, vm, VmChange(disks=sections.disks(items, vm)))


@route("GET", _HARDWARE + "/networkCards", "section")
def get_cards(ctx: Context, entity_id: str) -> Answer:
    """The cards as items."""
    vm = ctx.world.vm(entity_id, ctx.user)
    address = f"{ctx.href('vm', vm.id)}/virtualHardwareSection/networkCards"
    return ctx.xml(write_items(ctx, card_items(vm), address), hrefs.media("rasdItemsList"))


@route("GET", "/api/vApp/vm-{entity_id}/networkConnectionSection", "section")
def get_connections(ctx: Context, entity_id: str) -> Answer:
    """The cards and their addresses."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return ctx.xml(write_connections(ctx, None, vm, ctx.href("vm", vm.id)), hrefs.media("networkConnectionSection"))


@route("PUT", "/api/vApp/vm-{entity_id}/networkConnectionSection", "reconfigure")
def put_connections(ctx: Context, entity_id: str) -> Answer:
    """Replace the list of cards: one left out is removed."""
    vm = ctx.world.vm(entity_id, ctx.user)
    nics, primary = sections.cards(xml.parse(ctx.body, "NetworkConnectionSection"))
    return _changed(ctx, vm, VmChange(nics=nics, primary_nic=primary))


@route("GET", "/api/vApp/vm-{entity_id}/guestCustomizationSection", "section")
def get_customization(ctx: Context, entity_id: str) -> Answer:
    """Guest customization, with the password in clear."""
    vm = ctx.world.vm(entity_id, ctx.user)
    section = write_customization(ctx, None, vm, ctx.href("vm", vm.id))
    return ctx.xml(section, hrefs.media("guestCustomizationSection"))


@route("PUT", "/api/vApp/vm-{entity_id}/guestCustomizationSection", "reconfigure")
def put_customization(ctx: Context, entity_id: str) -> Answer:
    """Replace the guest customization."""
    vm = ctx.world.vm(entity_id, ctx.user)
    element = xml.parse(ctx.body, "GuestCustomizationSection")
    return _changed(ctx, vm, VmChange(customization=sections.customization(element)))


@route("GET", "/api/vApp/vm-{entity_id}/operatingSystemSection", "section")
def get_os(ctx: Context, entity_id: str) -> Answer:
    """The operating system."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return ctx.xml(write_os(ctx, None, vm, ctx.href("vm", vm.id)), hrefs.media("operatingSystemSection"))


@route("PUT", "/api/vApp/vm-{entity_id}/operatingSystemSection", "reconfigure")
def put_os(ctx: Context, entity_id: str) -> Answer:
    """Change the operating system."""
    vm, change = ctx.world.vm(entity_id, ctx.user), VmChange()
    read_vapps.read_os(change, xml.parse(ctx.body, "ovf:OperatingSystemSection"), vm)
    return _changed(ctx, vm, change)


@route("GET", "/api/vApp/vm-{entity_id}/snapshotSection", "section")
def get_snapshot(ctx: Context, entity_id: str) -> Answer:
    """Whether there is a snapshot."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return ctx.xml(write_snapshot(ctx, None, vm, ctx.href("vm", vm.id)), hrefs.media("snapshotSection"))


@route("GET", "/api/vApp/vm-{entity_id}/vmCapabilities", "section")
def get_capabilities(ctx: Context, entity_id: str) -> Answer:
    """What may grow while the VM runs."""
    vm = ctx.world.vm(entity_id, ctx.user)
    return ctx.xml(write_capabilities(ctx, None, vm), hrefs.media("vmCapabilitiesSection"))


@route("PUT", "/api/vApp/vm-{entity_id}/vmCapabilities", "reconfigure")
def put_capabilities(ctx: Context, entity_id: str) -> Answer:
    """Allow or forbid hot add; only while the VM is off."""
    vm, change = ctx.world.vm(entity_id, ctx.user), VmChange()
    read_vapps.read_capabilities(change, xml.parse(ctx.body, "VmCapabilities"), vm)
    return _changed(ctx, vm, change)


def _changed(ctx: Context, vm: Vm, change: VmChange) -> Answer:
    return task_answer(ctx, rules.reconfigure(ctx.world, ctx.user, vm, change))


def _item(ctx: Context, vm: Vm, name: str) -> Answer:
    item: etree._Element = write_item(ctx, None, "Item", cpu_item(vm) if name == "cpu" else memory_item(vm))
    address = f"{ctx.href('vm', vm.id)}/virtualHardwareSection/{name}"
    item.set("href", address)
    item.set("type", hrefs.media("rasdItem"))
    return ctx.xml(item, hrefs.media("rasdItem"))
