"""A VM's document, in a vApp or in a template, to values of `types`."""

import re
from dataclasses import replace

from app.vcloud import entities, xml
from app.vcloud.ids import urn_from_href
from app.vcloud.types import AdminPassword, Disk, GuestCustomization, Nic, Snapshot, TemplateVm, Vm
from app.vcloud.xml import OVF, RASD, VMW, Element, boolean, child, children, integer, moment, text

_CPU, _MEMORY, _DISK = "3", "4", "17"
UNPLUGGED = "none"
_UNITS = re.compile(r"byte(?:\s*\*\s*(2|10)\s*\^\s*(\d{1,2}))?")
_WORDS = {"kilobyte": 2**10, "megabyte": 2**20, "gigabyte": 2**30}  # what clouds before 1.5 said, and imports still may


def vm(element: Element) -> Vm:
    """Read a Vm, a document of its own or inside its vApp's."""
    items = hardware_items(element)
    cpu, memory = items.get(_CPU), items.get(_MEMORY)
    capabilities = child(element, "VmCapabilities")
    return Vm(
        id=xml.required_urn(element),
        name=element.get("name", ""),
        description=text(element, "Description") or "",
        status=entities.status(element),
        deployed=boolean(element.get("deployed")) or False,
        cpu_count=_quantity(cpu),
        cores_per_socket=integer(text(cpu[0], "CoresPerSocket", namespace=VMW)) if cpu else None,
        memory_mb=_memory_mb(memory),
        disks=tuple(disk(item) for item in items.get(_DISK, [])),
        nics=_nics(element),
        guest_os=_guest_os(element),
        customization=_customization(element),
        needs_customization=boolean(element.get("needsCustomization")) or False,
        cpu_hot_add=boolean(text(capabilities, "CpuHotAddEnabled")) or False,
        memory_hot_add=boolean(text(capabilities, "MemoryHotAddEnabled")) or False,
        snapshot=_snapshot(child(element, "SnapshotSection", "Snapshot")),
        vapp_id=entities.up(element, "vapp"),
        storage_profile=entities.reference(child(element, "StorageProfile")),
        links=entities.links(element),
        tasks=entities.tasks(element),
        created_at=moment(text(element, "DateCreated")),
    )


def admin_passwords(vapp: Element) -> list[AdminPassword]:
    """Read nothing but the passwords of a VApp's VMs; a VM that has none, or that we may not read, is left out."""
    found = []
    for element in children(child(vapp, "Children"), "Vm"):
        told = child(element, "GuestCustomizationSection", "AdminPassword")
        if told is not None and told.text:  # as it is: white space is a part of it
            found.append(AdminPassword(xml.required_urn(element), told.text))
    return found


def template_vm(element: Element) -> TemplateVm:
    """Read a Vm inside a VAppTemplate; without hardware on old servers."""
    items = hardware_items(element)
    disks = tuple(disk(item) for item in items.get(_DISK, []))
    section = child(element, "NetworkConnectionSection")
    names = [item.get("network") or UNPLUGGED for item in children(section, "NetworkConnection")]
    return TemplateVm(
        id=xml.required_urn(element),
        name=element.get("name", ""),
        cpu_count=_quantity(items.get(_CPU)),
        memory_mb=_memory_mb(items.get(_MEMORY)),
        disk_mb=disks[0].size_mb if disks else None,
        disks=disks,
        guest_os=_guest_os(element),
        network_names=tuple(dict.fromkeys(name for name in names if name != UNPLUGGED)),
        customization_enabled=_customization(element).enabled or False,
    )


def with_hardware(vm: TemplateVm, envelope: Element) -> TemplateVm:
    """Return the VM with what its template's OVF descriptor says of its hardware, as it is if that has no such VM."""
    for system in envelope.iter(f"{{{OVF}}}VirtualSystem"):
        if vm.name in {system.get(f"{{{OVF}}}id"), text(system, "Name", namespace=OVF)}:
            items = hardware_items(system)
            disks = tuple(disk(item) for item in items.get(_DISK, []))
            return replace(
                vm,
                cpu_count=_quantity(items.get(_CPU)),
                memory_mb=_memory_mb(items.get(_MEMORY)),
                disk_mb=disks[0].size_mb if disks else None,
                disks=disks,
                guest_os=_guest_os(system) or vm.guest_os,
            )
    return vm


def hardware_items(element: Element) -> dict[str, list[Element]]:
    """Return the hardware items of a VM by ResourceType, in the order of the document."""
    section = child(element, "VirtualHardwareSection", namespace=OVF)
    found: dict[str, list[Element]] = {}
    for item in children(section, "Item", OVF):
        found.setdefault(text(item, "ResourceType", namespace=RASD) or "", []).append(item)
    return found


def _quantity(items: list[Element] | None) -> int | None:
    return integer(text(items[0], "VirtualQuantity", namespace=RASD)) if items else None


def _memory_mb(items: list[Element] | None) -> int | None:
    quantity = _quantity(items)
    if not items or quantity is None:
        return None
    return quantity * _unit_bytes(text(items[0], "AllocationUnits", namespace=RASD), default=2**20) // 2**20


def _unit_bytes(unit: str | None, *, default: int) -> int:
    said = (unit or "").lower().replace("bytes", "byte")
    found = _UNITS.fullmatch(said)
    if not found:
        return _WORDS.get(said, default)
    return int(found.group(1)) ** int(found.group(2)) if found.group(1) else 1


def disk(item: Element) -> Disk:
    """Read a hardware item that is a disk."""
    host = child(item, "HostResource", namespace=RASD)
    # Their namespace is vCloud's, the one of its version 1, or none.
    said = {} if host is None else {xml.local_name(name): value for name, value in host.attrib.items()}
    size_mb = integer(said.get("capacity"))
    if size_mb is None:
        unit = _unit_bytes(text(item, "VirtualQuantityUnits", namespace=RASD), default=1)
        size_mb = (_quantity([item]) or 0) * unit // 2**20
    return Disk(
        instance_id=xml.required(text(item, "InstanceID", namespace=RASD), "InstanceID of a disk"),
        name=text(item, "ElementName", namespace=RASD) or "",
        size_mb=size_mb,
        bus_type=integer(said.get("busType")),
        bus_sub_type=said.get("busSubType"),
        bus_instance_id=text(item, "Parent", namespace=RASD),
        unit_number=integer(text(item, "AddressOnParent", namespace=RASD)),
        storage_profile_id=urn_from_href(said.get("storageProfileHref", "")),
        independent=bool(said.get("disk")),
    )


def _nics(element: Element) -> tuple[Nic, ...]:
    section = child(element, "NetworkConnectionSection")
    primary = integer(text(section, "PrimaryNetworkConnectionIndex"))
    return tuple(_nic(item, primary) for item in children(section, "NetworkConnection"))


def _nic(item: Element, primary: int | None) -> Nic:
    index = integer(text(item, "NetworkConnectionIndex")) or 0
    network = item.get("network") or UNPLUGGED
    return Nic(
        index=index,
        network=None if network == UNPLUGGED else network,
        mode=text(item, "IpAddressAllocationMode") or "NONE",
        ip=text(item, "IpAddress"),
        external_ip=text(item, "ExternalIpAddress"),
        mac=text(item, "MACAddress"),
        connected=boolean(text(item, "IsConnected")) or False,
        primary=index == primary,
    )


def _guest_os(element: Element) -> str:
    section = child(element, "OperatingSystemSection", namespace=OVF)
    return text(section, "Description", namespace=OVF) or ""


def _snapshot(element: Element | None) -> Snapshot | None:
    if element is None:
        return None
    return Snapshot(
        created_at=moment(element.get("created")),
        size_mb=-(-(integer(element.get("size")) or 0) // 2**20),
        powered_on=boolean(element.get("poweredOn")) or False,
    )


def _customization(element: Element) -> GuestCustomization:
    section = child(element, "GuestCustomizationSection")
    return GuestCustomization(
        enabled=boolean(text(section, "Enabled")),
        computer_name=text(section, "ComputerName"),
        password_enabled=boolean(text(section, "AdminPasswordEnabled")),
        password_auto=boolean(text(section, "AdminPasswordAuto")),
        reset_password_required=boolean(text(section, "ResetPasswordRequired")),
        change_sid=boolean(text(section, "ChangeSid")),
    )
