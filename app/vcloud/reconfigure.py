"""The body of reconfigureVm: sections of the VM as vCloud gave them, with our changes made in place."""

import copy

from lxml import etree

from app.vcloud import hardware, xml
from app.vcloud.customization import customize
from app.vcloud.wiring import wire
from app.vcloud.wishes import VmChange
from app.vcloud.xml import OVF, VCLOUD, Element, child, text


def body(vm: Element, change: VmChange) -> bytes:
    """Return the Vm to post, made from the fetched one: its name, its description and the sections that change.

    Refused for a disk or a card that the VM does not have and for a disk that would shrink: it may have changed since
    the caller looked. ValueError when nothing would change at all.
    """
    if change == VmChange():
        raise ValueError("a reconfiguration that changes nothing")
    name = xml.required(change.name or vm.get("name"), "name")
    root = etree.Element(f"{{{VCLOUD}}}Vm", name=name, nsmap={None: VCLOUD, "ovf": OVF})
    # Sent along because a Vm without one would lose it.
    description = text(vm, "Description") if change.description is None else change.description
    etree.SubElement(root, f"{{{VCLOUD}}}Description").text = description
    if hardware.is_touched(change):
        section = _section(vm, "VirtualHardwareSection", OVF)
        hardware.reshape(section, change)
        root.append(section)
    if change.cards:
        section = _section(vm, "NetworkConnectionSection", VCLOUD)
        wire(section, change.cards)
        root.append(section)
    if change.customization is not None:
        section = _section(vm, "GuestCustomizationSection", VCLOUD)
        customize(section, change.customization)
        root.append(section)
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def _section(vm: Element, name: str, namespace: str) -> Element:
    """Return a copy of a section of the VM without its links, which lead nowhere in a request."""
    found = child(vm, name, namespace=namespace)
    if found is None:
        raise xml.MalformedError(f"a VM without {name}")
    return without_links(found)


def without_links(found: Element) -> Element:
    """Return a copy of what vCloud gave, as it may be sent back."""
    section = copy.deepcopy(found)
    for link in list(section.iter(f"{{{VCLOUD}}}Link")):
        parent = link.getparent()
        if parent is not None:
            parent.remove(link)
    section.tail = None
    return section
