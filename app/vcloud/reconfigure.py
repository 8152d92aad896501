"""The body of reconfigureVm: sections of the VM as vCloud gave them, with our changes made in place.

Editing the fetched document is what keeps the rest: a disk left out of the section would be deleted with its data.
"""

import copy
import math
from collections.abc import Mapping

from lxml import etree

from app.vcloud import machines, xml
from app.vcloud.types import GuestCustomization
from app.vcloud.xml import OVF, RASD, VCLOUD, VMW, XSI, Element, child, children, integer, text

# Orders of the schema; a new element goes behind those that stand before it here.
_CUSTOMIZATION_ORDER = [
    "Enabled",
    "ChangeSid",
    "VirtualMachineId",
    "JoinDomainEnabled",
    "UseOrgSettings",
    "DomainName",
    "DomainUserName",
    "DomainUserPassword",
    "MachineObjectOU",
    "AdminPasswordEnabled",
    "AdminPasswordAuto",
    "AdminPassword",
    "AdminAutoLogonEnabled",
    "AdminAutoLogonCount",
    "ResetPasswordRequired",
    "CustomizationScript",
    "ComputerName",
    "Link",
]
_CPU, _MEMORY, _DISK = "3", "4", "17"


def body(
    vm: Element,
    *,
    name: str | None,
    cpu_count: int | None,
    memory_mb: int | None,
    disk_mb: Mapping[str, int],
    networks: Mapping[int, str],
    customization: GuestCustomization | None,
) -> bytes:
    """Return the Vm to post, made from the fetched one: its name, its description and the sections that change.

    ValueError for a disk or a card that the VM does not have, and when nothing would change at all.
    """
    root = etree.Element(
        f"{{{VCLOUD}}}Vm", name=xml.required(name or vm.get("name"), "name"), nsmap={None: VCLOUD, "ovf": OVF}
    )
    # Sent along because a Vm without one would lose it.
    etree.SubElement(root, f"{{{VCLOUD}}}Description").text = text(vm, "Description")
    if cpu_count is not None or memory_mb is not None or disk_mb:
        root.append(_hardware(vm, cpu_count=cpu_count, memory_mb=memory_mb, disk_mb=disk_mb))
    if networks:
        root.append(_connections(vm, networks))
    if customization is not None:
        root.append(_customization(vm, customization))
    if name is None and len(root) == 1:
        raise ValueError("a reconfiguration that changes nothing")
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _hardware(vm: Element, *, cpu_count: int | None, memory_mb: int | None, disk_mb: Mapping[str, int]) -> Element:
    section = _section(vm, "VirtualHardwareSection", OVF)
    scratch = etree.Element(f"{{{VCLOUD}}}Vm")
    scratch.append(section)
    items = machines.hardware_items(scratch)
    if cpu_count is not None:
        _set_cpu(_first(items, _CPU), cpu_count)
    if memory_mb is not None:
        memory = _first(items, _MEMORY)
        _set_rasd(memory, "AllocationUnits", "byte * 2^20")
        _set_rasd(memory, "ElementName", f"{memory_mb} MB of memory")
        _set_rasd(memory, "VirtualQuantity", str(memory_mb))
    disks = {text(item, "InstanceID", namespace=RASD): item for item in items.get(_DISK, [])}
    if unknown := set(disk_mb) - set(disks):
        raise ValueError(f"the VM has no disk {', '.join(sorted(unknown))}")
    for instance_id, size_mb in disk_mb.items():
        _set_disk(disks[instance_id], size_mb)
    return section


def _set_cpu(item: Element, cpu_count: int) -> None:
    """Keep the cores per socket, unless the count is no multiple of it, which vCloud always refuses."""
    _set_rasd(item, "ElementName", f"{cpu_count} virtual CPU(s)")
    _set_rasd(item, "VirtualQuantity", str(cpu_count))
    cores = child(item, "CoresPerSocket", namespace=VMW)
    if cores is not None:
        cores.text = str(math.gcd(cpu_count, integer(cores.text) or 1))


def _set_disk(item: Element, size_mb: int) -> None:
    """Write both places that hold the size: old versions read the first, new ones would keep the second."""
    host = child(item, "HostResource", namespace=RASD)
    if host is None:
        raise xml.MalformedError("a disk without HostResource")
    host.set(f"{{{VCLOUD}}}capacity", str(size_mb))
    _set_rasd(item, "VirtualQuantity", str(size_mb * 2**20))
    _set_rasd(item, "VirtualQuantityUnits", "byte")


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


def _connections(vm: Element, networks: Mapping[int, str]) -> Element:
    """Plug cards into networks of the vApp, with an address of their pool; the others stay, and all keep their MAC."""
    section = _section(vm, "NetworkConnectionSection", VCLOUD)
    cards = {integer(text(item, "NetworkConnectionIndex")): item for item in children(section, "NetworkConnection")}
    if unknown := set(networks) - set(cards):
        raise ValueError(f"the VM has no network card {sorted(unknown)}")
    for index, network in networks.items():
        card = cards[index]
        card.set("network", network)
        for stale in ("IpAddress", "ExternalIpAddress"):
            for found in list(children(card, stale)):
                card.remove(found)
        for name, value in {"IsConnected": "true", "IpAddressAllocationMode": "POOL"}.items():
            setting = child(card, name)
            if setting is None:
                raise xml.MalformedError(f"a network card without {name}")
            setting.text = value
    return section


def _customization(vm: Element, wish: GuestCustomization) -> Element:
    section = _section(vm, "GuestCustomizationSection", VCLOUD)
    password = wish.password is not None
    values: dict[str, str | bool | None] = {
        "Enabled": wish.enabled,
        "ChangeSid": wish.change_sid,
        "AdminPasswordEnabled": True if password and wish.password_enabled is None else wish.password_enabled,
        "AdminPasswordAuto": False if password and wish.password_auto is None else wish.password_auto,
        "AdminPassword": wish.password,
        "ResetPasswordRequired": wish.reset_password_required,
        "ComputerName": wish.computer_name,
    }
    for name, value in values.items():
        if value is not None:
            _set_customization(section, name, value if isinstance(value, str) else str(value).lower())
    return section


def _set_customization(section: Element, name: str, value: str) -> None:
    found = child(section, name)
    if found is None:
        found = etree.Element(f"{{{VCLOUD}}}{name}")
        behind = {f"{{{VCLOUD}}}{later}" for later in _CUSTOMIZATION_ORDER[_CUSTOMIZATION_ORDER.index(name) + 1 :]}
        places = [section.index(old) for old in section if old.tag in behind]
        section.insert(places[0] if places else len(section), found)
    found.text = value


def _section(vm: Element, name: str, namespace: str) -> Element:
    """Return a copy of a section of the VM without its links, which lead nowhere in a request."""
    found = child(vm, name, namespace=namespace)
    if found is None:
        raise xml.MalformedError(f"a VM without {name}")
    section = copy.deepcopy(found)
    for link in list(section.iter(f"{{{VCLOUD}}}Link")):
        parent = link.getparent()
        if parent is not None:
            parent.remove(link)
    section.tail = None
    return section


def _first(items: dict[str, list[Element]], kind: str) -> Element:
    if not items.get(kind):
        raise xml.MalformedError(f"a VM without hardware of type {kind}")
    return items[kind][0]
