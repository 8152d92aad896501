"""Instantiate, compose and reconfigure bodies to the orders the rules take."""

from __future__ import annotations

from lxml import etree

from vcdsim.api import read_sections as sections
from vcdsim.api import xml
from vcdsim.api.hrefs import id_in
from vcdsim.api.version import Version
from vcdsim.assembly import VAppOrder, VmOrder
from vcdsim.entities import Vm
from vcdsim.hardware import VmChange

_INSTANTIATE_ORDER = (
    "Description",
    "VAppParent",
    "InstantiationParams",
    "Source",
    "IsSourceDelete",
    "SourcedVmInstantiationParams",
    "SourcedItem",
    "AllEULAsAccepted",
)
_COMPOSE_ORDER = (
    "Description",
    "VAppParent",
    "InstantiationParams",
    "SourcedItem",
    "CreateItem",
    "AllEULAsAccepted",
)
_ITEM_ORDER = (
    "Source",
    "VmGeneralParams",
    "VAppScopedLocalId",
    "InstantiationParams",
    "NetworkAssignment",
    "StorageProfile",
    "VdcComputePolicy",
    "ComputePolicy",
    "LocalityParams",
    "VmCapabilities",
    "ReplaceTpm",
)
_GENERAL_ORDER = ("Name", "Description", "NeedsCustomization", "RegenerateBiosUuid")


def instantiate_order(body: bytes, version: Version) -> tuple[VAppOrder, str]:
    """(order, id of the template) of an InstantiateVAppTemplateParams."""
    element = xml.parse(body, "InstantiateVAppTemplateParams")
    allowed = tuple(name for name in _INSTANTIATE_ORDER if version >= (5, 6) or name != "SourcedItem")
    xml.check_order(element, allowed)
    source = xml.child(element, "Source")
    if source is None:
        raise xml.bad_body("cvc-complex-type.2.4.b: The content of element 'Source' is not complete.")
    order = _vapp_order(element)
    order.vms = [_vm_order(item) for item in xml.children(element, "SourcedItem")]
    return order, id_in(source.get("href"))


def compose_order(body: bytes) -> VAppOrder:
    """A ComposeVAppParams for an empty vApp."""
    element = xml.parse(body, "ComposeVAppParams")
    xml.check_order(element, _COMPOSE_ORDER)
    if xml.child(element, "SourcedItem") is not None or xml.child(element, "CreateItem") is not None:
        raise xml.bad_body("composeVApp makes empty vApps only.")
    return _vapp_order(element)


def _vapp_order(element: etree._Element) -> VAppOrder:
    params = xml.child(element, "InstantiationParams")
    network_section = None if params is None else xml.child(params, "NetworkConfigSection")
    return VAppOrder(
        name=element.get("name") or "",
        description=xml.value(element, "Description") or "",
        networks=[] if network_section is None else sections.network_orders(network_section),
        deploy=xml.boolean(element.get("deploy")) is not False,
        power_on=xml.boolean(element.get("powerOn")) is not False,
    )


def _vm_order(item: etree._Element) -> VmOrder:
    xml.check_order(item, _ITEM_ORDER)
    source = xml.child(item, "Source")
    order = VmOrder(id_in(None if source is None else source.get("href")))
    general = xml.child(item, "VmGeneralParams")
    if general is not None:
        xml.check_order(general, _GENERAL_ORDER)
        order.name = xml.value(general, "Name") or None
        order.description = xml.value(general, "Description")
        order.needs_customization = xml.boolean(xml.value(general, "NeedsCustomization"))
    params = xml.child(item, "InstantiationParams")
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


def vm_change(element: etree._Element, vm: Vm) -> VmChange:
    """The sections of a `<Vm>` body; what is absent stays as it is.

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
    read_os(change, element, vm)
    return change


def read_capabilities(change: VmChange, element: etree._Element, vm: Vm) -> None:
    """Hot-add flags, only where they differ: a client sends back what it read."""
    memory = xml.boolean(xml.value(element, "MemoryHotAddEnabled"))
    cpu = xml.boolean(xml.value(element, "CpuHotAddEnabled"))
    change.memory_hot_add = memory if memory is not vm.memory_hot_add else None
    change.cpu_hot_add = cpu if cpu is not vm.cpu_hot_add else None


def read_os(change: VmChange, element: etree._Element, vm: Vm) -> None:
    """The operating system section of a body, if there is one and it differs."""
    section = element if element.tag == xml.tag("ovf:OperatingSystemSection") else None
    if section is None:
        section = xml.child(element, "ovf:OperatingSystemSection")
    if section is not None and section.get(xml.tag("vmw:osType"), vm.os_type) != vm.os_type:
        change.os_type = section.get(xml.tag("vmw:osType"))
        change.guest_os = xml.value(section, "ovf:Description")


def _merge(change: VmChange, other: VmChange) -> None:
    for key, value in vars(other).items():
        if value is not None:
            setattr(change, key, value)
