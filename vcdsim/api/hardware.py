"""The virtual hardware of a VM as OVF items: processors, memory, disks, cards, controllers."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from vcdsim.api import hrefs, xml
from vcdsim.api.context import Context, link
from vcdsim.entities import Disk, Nic, Vm
from vcdsim.media import inserted

#: RASD children in their (alphabetical) schema order, and those never written as nil.
_RASD = (
    "Address",
    "AddressOnParent",
    "AllocationUnits",
    "AutomaticAllocation",
    "AutomaticDeallocation",
    "Caption",
    "ChangeableType",
    "ConfigurationName",
    "Connection",
    "ConsumerVisibility",
    "Description",
    "ElementName",
    "Generation",
    "HostResource",
    "InstanceID",
    "Limit",
    "MappingBehavior",
    "OtherResourceType",
    "Parent",
    "PoolID",
    "Reservation",
    "ResourceSubType",
    "ResourceType",
    "VirtualQuantity",
    "VirtualQuantityUnits",
    "Weight",
)
_LISTS = ("Connection", "HostResource")
_VSSD_NILS_BEFORE = (
    "AutomaticRecoveryAction",
    "AutomaticShutdownAction",
    "AutomaticStartupAction",
    "AutomaticStartupActionDelay",
    "AutomaticStartupActionSequenceNumber",
    "Caption",
    "ChangeableType",
    "ConfigurationDataRoot",
    "ConfigurationFile",
    "ConfigurationID",
    "ConfigurationName",
    "CreationTime",
    "Description",
)
IDE, SCSI, SATA = 5, 6, 20
_CONTROLLERS = {IDE: "IDE", SCSI: "SCSI", SATA: "SATA"}

Facts = Mapping[str, str | int | bool | tuple[str | None, dict[str, str]]]


def write_hardware(ctx: Context, parent: etree._Element | None, vm: Vm, address: str) -> etree._Element:
    """`<ovf:VirtualHardwareSection>`, as a child or as a root."""
    base, media_type = f"{address}/virtualHardwareSection/", hrefs.media("virtualHardwareSection")
    section = xml.ovf_section(ctx.version, parent, "ovf:VirtualHardwareSection", base, media_type)
    section.set(xml.tag("ovf:transport"), "")
    xml.sub(section, "ovf:Info", "Virtual hardware requirements")
    _write_system(ctx, section, vm)
    for facts in (*card_items(vm), *disk_items(ctx, vm), drive_item(ctx, vm)):
        write_item(ctx, section, "ovf:Item", facts)
    for name, facts in (("cpu", cpu_item(vm)), ("memory", memory_item(vm))):
        item = write_item(ctx, section, "ovf:Item", facts)
        if not vm.is_template:
            item.set(xml.tag("vcloud:href"), base + name)
            item.set(xml.tag("vcloud:type"), hrefs.media("rasdItem"))
            link(item, "edit", base + name, hrefs.media("rasdItem"))
    _write_links(section, vm, base, media_type)
    return section


def write_item(ctx: Context, parent: etree._Element | None, tag: str, facts: Facts) -> etree._Element:
    """One item: from 9.0 every RASD child is there, nil when empty; before only what is known."""
    item = xml.root(tag, ctx.version) if parent is None else xml.sub(parent, tag)
    for name in _RASD:
        fact = facts.get(name)
        if isinstance(fact, tuple):
            xml.sub(item, f"rasd:{name}", fact[0], fact[1])
        elif fact is not None:
            xml.sub(item, f"rasd:{name}", fact)
        elif ctx.since(9, 0) and name not in _LISTS:
            xml.sub(item, f"rasd:{name}", None, {"xsi:nil": "true"})
    cores = facts.get("CoresPerSocket")
    if isinstance(cores, int):
        xml.sub(item, "vmw:CoresPerSocket", cores, {"ovf:required": "false"})
    return item


def write_items(ctx: Context, items: list[Facts], address: str) -> etree._Element:
    """`<RasdItemsList>`: the answer of `/disks`, `/networkCards` and `/media`."""
    element = ctx.root("RasdItemsList", hrefs.media("rasdItemsList"), {"href": address})
    if not address.endswith("/media"):
        link(element, "edit", address, hrefs.media("rasdItemsList"))
    for facts in items:
        write_item(ctx, element, "Item", facts)
    return element


def cpu_item(vm: Vm) -> Facts:
    """The processors."""
    return {
        "AllocationUnits": "hertz * 10^6",
        "Description": "Number of Virtual CPUs",
        "ElementName": f"{vm.cpu_count} virtual CPU(s)",
        "InstanceID": 8,
        "Reservation": 0,
        "ResourceType": 3,
        "VirtualQuantity": vm.cpu_count,
        "Weight": 0,
        "CoresPerSocket": vm.cores_per_socket,
    }


def memory_item(vm: Vm) -> Facts:
    """The memory, in MB."""
    return {
        "AllocationUnits": "byte * 2^20",
        "Description": "Memory Size",
        "ElementName": f"{vm.memory_mb} MB of memory",
        "InstanceID": 9,
        "Reservation": 0,
        "ResourceType": 4,
        "VirtualQuantity": vm.memory_mb,
        "Weight": 0,
    }


def card_items(vm: Vm) -> list[Facts]:
    """Network cards."""
    return [_card_item(vm, nic) for nic in vm.nics]


def disk_items(ctx: Context, vm: Vm) -> list[Facts]:
    """Disk controllers, each followed by its disks, then the IDE controller."""
    items: list[Facts] = []
    instance_id = 2
    buses = sorted({(disk.bus_type, disk.bus_number) for disk in vm.disks} | {(SCSI, 0)}, reverse=True)
    for number, (bus_type, bus_number) in enumerate(buses):
        disks = [disk for disk in vm.disks if (disk.bus_type, disk.bus_number) == (bus_type, bus_number)]
        sub_type = disks[0].bus_sub_type if disks else "lsilogicsas"
        controller_id = instance_id + number
        items.append(_controller_item(bus_type, bus_number, sub_type, controller_id))
        items += [_disk_item(ctx, vm, disk, controller_id) for disk in disks]
    return items


def drive_item(ctx: Context, vm: Vm) -> Facts:
    """The drive for media, empty or with the name of what is inserted."""
    medium = inserted(ctx.world, vm)
    facts: dict[str, str | int | tuple[str | None, dict[str, str]]] = {
        "AddressOnParent": 0,
        "AutomaticAllocation": medium is not None,
        "Description": "CD/DVD Drive",
        "ElementName": "CD/DVD Drive 1",
        "HostResource": (None if medium is None else medium.name, {}),
        "InstanceID": 3002,
        "ResourceType": 15,
    }
    if medium is not None:
        facts["ResourceSubType"] = "vmware.cdrom.iso"
    return facts


def _controller_item(bus_type: int, bus_number: int, sub_type: str, instance_id: int) -> Facts:
    name = f"{_CONTROLLERS[bus_type]} Controller"
    facts: dict[str, str | int] = {
        "Address": bus_number,
        "Description": name,
        "ElementName": f"{name} {bus_number}",
        "InstanceID": instance_id,
        "ResourceType": bus_type,
    }
    if bus_type != IDE:
        facts["ResourceSubType"] = sub_type
    return facts


def _disk_item(ctx: Context, vm: Vm, disk: Disk, controller_id: int) -> Facts:
    host = {
        "vcloud:storageProfileHref": ctx.href("vdcstorageProfile", disk.storage_profile_id),
        "vcloud:busType": str(disk.bus_type),
        "vcloud:busSubType": disk.bus_sub_type,
        "vcloud:capacity": str(disk.size_mb),
        "vcloud:storageProfileOverrideVmDefault": "false",
    }
    if disk.independent_id is not None:
        host["vcloud:disk"] = ctx.href("disk", disk.independent_id)
    facts: dict[str, str | int | tuple[str | None, dict[str, str]]] = {
        "AddressOnParent": disk.unit_number,
        "Description": "Hard disk",
        "ElementName": f"Hard disk {1 + sorted(one.instance_id for one in vm.disks).index(disk.instance_id)}",
        "HostResource": (None, host),
        "InstanceID": disk.instance_id,
        "Parent": controller_id,
        "ResourceType": 17,
    }
    if ctx.since(9, 0):
        facts |= {"VirtualQuantity": disk.size_mb * 2**20, "VirtualQuantityUnits": "byte"}
    return facts


def _card_item(vm: Vm, nic: Nic) -> Facts:
    connection = {
        "vcloud:ipAddressingMode": nic.mode,
        "vcloud:primaryNetworkConnection": xml.flag(nic.index == vm.primary_nic),
    }
    if nic.ip is not None:
        connection["vcloud:ipAddress"] = nic.ip
    return {
        "Address": nic.mac,
        "AddressOnParent": nic.index,
        "AutomaticAllocation": nic.is_connected,
        "Connection": (nic.network, connection),
        "Description": f'{nic.adapter} ethernet adapter on "{nic.network}"',
        "ElementName": f"Network adapter {nic.index}",
        "InstanceID": 1 + nic.index if nic.index == 0 else 100 + nic.index,
        "ResourceSubType": nic.adapter,
        "ResourceType": 10,
    }


def _write_system(ctx: Context, section: etree._Element, vm: Vm) -> None:
    system = xml.sub(section, "ovf:System")
    if ctx.since(9, 0):
        for name in _VSSD_NILS_BEFORE:
            xml.sub(system, f"vssd:{name}", None, {"xsi:nil": "true"})
    xml.sub(system, "vssd:ElementName", "Virtual Hardware Family")
    xml.sub(system, "vssd:InstanceID", 0)
    xml.sub(system, "vssd:VirtualSystemIdentifier", vm.name)
    xml.sub(system, "vssd:VirtualSystemType", f"vmx-{vm.hardware_version:02}")


def _write_links(section: etree._Element, vm: Vm, base: str, media_type: str) -> None:
    if not vm.is_template:
        link(section, "edit", base, media_type)
    for name, part_type in (
        ("cpu", "rasdItem"),
        ("memory", "rasdItem"),
        ("disks", "rasdItemsList"),
        ("media", "rasdItemsList"),
        ("networkCards", "rasdItemsList"),
    ):
        link(section, "down", base + name, hrefs.media(part_type))
        if not vm.is_template and name != "media":
            link(section, "edit", base + name, hrefs.media(part_type))
