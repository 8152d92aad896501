"""Processors, memory and disks, changed in a copy of the VirtualHardwareSection that vCloud gave.

Editing the fetched section is what keeps the rest: a disk that is left out of it is deleted with its data.
"""

import itertools
import math
from collections.abc import Mapping

from lxml import etree

from app.vcloud import machines, xml
from app.vcloud.errors import Refused
from app.vcloud.wishes import VmChange
from app.vcloud.xml import OVF, RASD, VCLOUD, VMW, XSI, Element, child, integer, text

_CPU, _MEMORY, _DISK = "3", "4", "17"
_FIRST_DISK_ID, _RESERVED_UNIT = 2000, 7  # unit 7 of a SCSI bus is the controller itself
_NEW_BUS = {"busType": "6", "busSubType": "lsilogicsas"}


def is_touched(change: VmChange) -> bool:
    """Whether the change is about hardware at all."""
    sizes = change.cpu_count, change.memory_mb
    return sizes != (None, None) or bool(change.disk_mb or change.new_disks_mb or change.removed_disks)


def reshape(section: Element, change: VmChange) -> None:
    """Make the change in the section.

    Refused for a disk that the VM does not have, that is an independent one or that would shrink. MalformedError if
    the disks do not come out as many as they must: then ids are not what they seem, and nothing may be sent.
    """
    items = _items(section)
    if change.cpu_count is not None:
        _set_cpu(_first(items, _CPU), change.cpu_count)
    if change.memory_mb is not None:
        _set_memory(_first(items, _MEMORY), change.memory_mb)
    disks = items.get(_DISK, [])
    by_id = {text(item, "InstanceID", namespace=RASD) or "": item for item in disks}
    own = {instance_id for instance_id, item in by_id.items() if not machines.disk(item).independent}
    if unknown := (set(change.disk_mb) | change.removed_disks) - own:
        raise Refused(f"the VM has no disk {', '.join(sorted(unknown))} of its own")
    for instance_id, size_mb in change.disk_mb.items():
        _grow(by_id[instance_id], size_mb)
    for size_mb in change.new_disks_mb:
        _add_disk(section, size_mb)
    for instance_id in change.removed_disks:
        section.remove(by_id[instance_id])
    expected = len(by_id) + len(change.new_disks_mb) - len(change.removed_disks)
    if len(_items(section).get(_DISK, [])) != expected:
        raise xml.MalformedError("two disks of one id")


def _items(section: Element) -> dict[str, list[Element]]:
    """Return the items of the section by ResourceType."""
    found: dict[str, list[Element]] = {}
    for item in section.iterchildren(f"{{{OVF}}}Item"):
        found.setdefault(text(item, "ResourceType", namespace=RASD) or "", []).append(item)
    return found


def _set_cpu(item: Element, cpu_count: int) -> None:
    """Keep the cores per socket, unless the count is no multiple of it, which vCloud always refuses."""
    _set_rasd(item, "ElementName", f"{cpu_count} virtual CPU(s)")
    _set_rasd(item, "VirtualQuantity", str(cpu_count))
    cores = child(item, "CoresPerSocket", namespace=VMW)
    if cores is not None:
        cores.text = str(math.gcd(cpu_count, integer(cores.text) or 1))


def _set_memory(item: Element, memory_mb: int) -> None:
    _set_rasd(item, "AllocationUnits", "byte * 2^20")
    _set_rasd(item, "ElementName", f"{memory_mb} MB of memory")
    _set_rasd(item, "VirtualQuantity", str(memory_mb))


def _grow(item: Element, size_mb: int) -> None:
    """Write both places that hold the size: old versions read the first, new ones would keep the second."""
    host = child(item, "HostResource", namespace=RASD)
    if host is None:
        raise xml.MalformedError("a disk without HostResource")
    has_mb = machines.disk(item).size_mb
    if size_mb < has_mb:
        raise Refused(f"the size of the disk cannot be reduced from {has_mb} MB to {size_mb} MB")
    named = [name for name in host.attrib if etree.QName(name).localname == "capacity"]
    host.set(named[0] if named else f"{{{VCLOUD}}}capacity", str(size_mb))
    _set_rasd(item, "VirtualQuantity", str(size_mb * 2**20))
    _set_rasd(item, "VirtualQuantityUnits", "byte")


def _add_disk(section: Element, size_mb: int) -> None:
    """Add a disk behind the others, on the controller of the first; without disks on one that vCloud will make."""
    disks = _items(section).get(_DISK, [])
    ids = [integer(text(item, "InstanceID", namespace=RASD)) or 0 for item in disks]
    instance_id = max([_FIRST_DISK_ID - 1, *ids]) + 1
    values = {
        "Description": "Hard disk",
        "ElementName": f"Hard disk {instance_id - _FIRST_DISK_ID + 1}",
        "HostResource": "",
        "InstanceID": str(instance_id),
        "ResourceType": _DISK,
        "VirtualQuantity": str(size_mb * 2**20),
        "VirtualQuantityUnits": "byte",
    }
    bus = dict(_NEW_BUS)
    if disks:
        first = machines.disk(disks[0])
        bus = {"busType": str(first.bus_type or bus["busType"]), "busSubType": first.bus_sub_type or bus["busSubType"]}
        if parent := first.bus_instance_id:
            values |= {"AddressOnParent": str(_free_unit(disks, parent)), "Parent": parent}
    item = _item(values, {"capacity": str(size_mb), **bus})
    section.insert(section.index(disks[-1]) + 1 if disks else len(section), item)


def _item(values: Mapping[str, str], host: Mapping[str, str]) -> Element:
    """Return a hardware item with these properties and these attributes of its HostResource."""
    item = etree.Element(f"{{{OVF}}}Item")
    for name, value in sorted(values.items()):
        found = etree.SubElement(item, f"{{{RASD}}}{name}")
        found.text = value or None
        if name == "HostResource":
            for key, fact in host.items():
                found.set(f"{{{VCLOUD}}}{key}", fact)
    return item


def _free_unit(disks: list[Element], parent: str) -> int:
    taken = {disk.unit_number for disk in map(machines.disk, disks) if disk.bus_instance_id == parent}
    return next(unit for unit in itertools.count() if unit != _RESERVED_UNIT and unit not in taken)


def _set_rasd(item: Element, name: str, value: str) -> None:
    """Set a property of a hardware item; a missing one goes to its place, for they stand in the alphabet's order."""
    found = child(item, name, namespace=RASD)
    if found is None:
        tag = f"{{{RASD}}}{name}"
        found = etree.Element(tag)
        before = [old for old in item if f"{{{RASD}}}" < str(old.tag) < tag]
        item.insert(item.index(before[-1]) + 1 if before else 0, found)
    found.attrib.pop(f"{{{XSI}}}nil", None)
    found.text = value


def _first(items: dict[str, list[Element]], kind: str) -> Element:
    if not items.get(kind):
        raise xml.MalformedError(f"a VM without hardware of type {kind}")
    return items[kind][0]
