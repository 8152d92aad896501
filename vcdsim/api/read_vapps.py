"""Instantiate, compose and reconfigure bodies to the orders the rules take."""

from __future__ import annotations

from lxml import etree

from vcdsim.api import read_sections as sections
from vcdsim.api import xml
from vcdsim.api.hrefs import id_in
from vcdsim.assembly import VAppOrder, VmOrder
from vcdsim.entities import VApp, Vm
from vcdsim.hardware import VmChange
from vcdsim.refusals import RefusalError
from vcdsim.world import World


def sourced_order(element: etree._Element) -> tuple[VAppOrder, str]:
    """(order, id of the source) of an InstantiateVAppTemplateParams or CloneVAppParams."""
    order = vapp_order(element)
    order.is_move = xml.yes(element, "IsSourceDelete")
    source = xml.child(element, "Source")
    return order, id_in(None if source is None else source.get("href"))


def recompose_order(element: etree._Element) -> tuple[VAppOrder, list[str]]:
    """(what comes in, ids of the VMs that go) of a RecomposeVAppParams."""
    return vapp_order(element), [id_in(one.get("href")) for one in xml.children(element, "DeleteItem")]


def reconfigure_items(world: World, vapp: VApp, element: etree._Element) -> dict[str, VmChange]:
    """VM -> what is to be different, of the ReconfigureItems of a RecomposeVAppParams; only VMs of the vApp."""
    changes = {}
    for item in xml.children(element, "ReconfigureItem"):
        vm_id = id_in(item.get("href"))
        if vm_id not in vapp.vm_ids or vm_id in changes:
            raise RefusalError(f'The VM {vm_id} is not part of vApp "{vapp.name}", or named twice.')
        changes[vm_id] = vm_change(item, world.vms[vm_id])
    return changes


def template_vm_order(element: etree._Element) -> VAppOrder:
    """An InstantiateVmTemplateParams: one VM of a template, on its own."""
    item = xml.child(element, "SourcedVmTemplateItem")
    if item is None:
        raise RefusalError("Bad request: no VM of a template is named.")
    vm = _vm_order(item)
    vm.name = element.get("name") or vm.name
    is_on = xml.boolean(element.get("powerOn")) is True
    return VAppOrder("", xml.value(element, "Description") or "", vms=[vm], deploy=is_on, power_on=is_on)


def blank_vm_order(element: etree._Element) -> VAppOrder:
    """A CreateVmParams: one VM from nothing."""
    (item,) = xml.children(element, "CreateVm")
    is_on = xml.boolean(element.get("powerOn")) is True
    return VAppOrder("", "", blanks=[vm_change(item, None)], deploy=is_on, power_on=is_on)


def vapp_order(element: etree._Element) -> VAppOrder:
    """What instantiate, compose, recompose and clone have in common."""
    params = xml.child(element, "InstantiationParams")
    network_section = None if params is None else xml.child(params, "NetworkConfigSection")
    return VAppOrder(
        name=element.get("name") or "",
        description=xml.value(element, "Description") or "",
        networks=[] if network_section is None else sections.network_orders(network_section),
        deploy=xml.boolean(element.get("deploy")) is not False,
        power_on=xml.boolean(element.get("powerOn")) is not False,
        vms=[_vm_order(item) for item in xml.children(element, "SourcedItem")],
        blanks=[vm_change(item, None) for item in xml.children(element, "CreateItem")],
    )


def _vm_order(item: etree._Element) -> VmOrder:
    source = xml.child(item, "Source")
    # The name of the reference is the new VM's: the only way below 5.6, which has no VmGeneralParams.
    order = VmOrder(
        id_in(None if source is None else source.get("href")), None if source is None else source.get("name")
    )
    general = xml.child(item, "VmGeneralParams")
    if general is not None:
        order.name = xml.value(general, "Name") or order.name
        order.description = xml.value(general, "Description")
        order.needs_customization = xml.boolean(xml.value(general, "NeedsCustomization"))
    order.is_move = xml.boolean(item.get("sourceDelete")) is True
    params = xml.child(item, "InstantiationParams")
    if params is None:
        params = xml.child(item, "VmTemplateInstantiationParams")
    if params is not None:
        _apply_params(order, params)
    for one in xml.children(item, "NetworkAssignment"):
        order.assignments[one.get("innerNetwork") or ""] = one.get("containerNetwork") or ""
    profile = xml.child(item, "StorageProfile")
    if profile is not None:
        order.storage_profile_id = id_in(profile.get("href"))
    return order


def _apply_params(order: VmOrder, params: etree._Element) -> None:
    connection = xml.child(params, "NetworkConnectionSection")
    if connection is not None:
        order.nics, order.primary_nic = sections.cards(connection)
    custom = xml.child(params, "GuestCustomizationSection")
    if custom is not None:
        order.customization = sections.customization(custom)
    hardware = xml.child(params, "ovf:VirtualHardwareSection")
    if hardware is not None:
        change = sections.hardware(list(xml.children(hardware, "ovf:Item")), None)
        order.cpu_count, order.memory_mb = change.cpu_count, change.memory_mb
        for number, disk in enumerate(change.disks or []):
            order.disk_mb[disk.instance_id or 2000 + number] = disk.size_mb


def vm_change(element: etree._Element, vm: Vm | None) -> VmChange:
    """The sections of a `<Vm>` body; what is absent stays as it is. `vm` None is one to be made.

    Disks of the VirtualHardwareSection or the VmSpecSection replace the whole list; cards come from
    the NetworkConnectionSection. A VmSpecSection counts only with `Modified="true"` and then wins.
    """
    change = VmChange()
    hardware = xml.child(element, "ovf:VirtualHardwareSection")
    if hardware is not None:
        change = sections.hardware(list(xml.children(hardware, "ovf:Item")), vm)
    spec = xml.child(element, "VmSpecSection")
    if spec is not None:
        _merge(change, sections.spec(spec, vm))
    change.name = element.get("name")
    change.description = xml.value(element, "Description")
    connection = xml.child(element, "NetworkConnectionSection")
    if connection is not None:
        change.nics, change.primary_nic = sections.cards(connection)
    custom = xml.child(element, "GuestCustomizationSection")
    if custom is not None:
        change.customization = sections.customization(custom)
    capabilities = xml.child(element, "VmCapabilities")
    if capabilities is not None:
        read_capabilities(change, capabilities, vm)
    profile = xml.child(element, "StorageProfile")
    if profile is not None:
        change.storage_profile_id = id_in(profile.get("href"))
    read_os(change, element, vm)
    return change


def read_capabilities(change: VmChange, element: etree._Element, vm: Vm | None) -> None:
    """Hot-add flags, only where they differ: a client sends back what it read."""
    memory = xml.boolean(xml.value(element, "MemoryHotAddEnabled"))
    cpu = xml.boolean(xml.value(element, "CpuHotAddEnabled"))
    change.memory_hot_add = memory if vm is None or memory is not vm.memory_hot_add else None
    change.cpu_hot_add = cpu if vm is None or cpu is not vm.cpu_hot_add else None


def read_os(change: VmChange, element: etree._Element, vm: Vm | None) -> None:
    """The operating system section of a body, if there is one and it differs."""
    section = element if element.tag == xml.tag("ovf:OperatingSystemSection") else None
    if section is None:
        section = xml.child(element, "ovf:OperatingSystemSection")
    os_type = None if section is None else section.get(xml.tag("vmw:osType"))
    if section is not None and os_type is not None and (vm is None or os_type != vm.os_type):
        change.os_type = os_type
        change.guest_os = xml.value(section, "ovf:Description")


def _merge(change: VmChange, other: VmChange) -> None:
    for key, value in vars(other).items():
        if value is not None:
            setattr(change, key, value)
