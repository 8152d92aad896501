"""The statistics packet of one virtual data center: its values, and how it is written; `packet_reader` reads it.

The form is that of BILLmanager's handler for vCloud, element for element and attribute for attribute; docs/packet.md
has the table. All of it is one line. Pure: no database, no vCloud.
"""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import IntEnum

from lxml import etree

from app.errors import AppError

Element = etree._Element  # noqa: SLF001 -- lxml gives its element class no public name


class PacketState(IntEnum):
    """The state of a vApp or machine, with vCloud's own numbers; 6 is what it calls unknown."""

    SUSPENDED = 3
    ACTIVE = 4
    PROCESS = 6
    STOPPED = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketNet:
    """A network of the organization."""

    id: uuid.UUID
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketDisc:
    """A disk; `id` is its number in the machine."""

    id: str
    reserved_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketVm:
    """A machine. An address or a password that is not known is an empty text, a template that is not known None."""

    id: uuid.UUID
    name: str
    state: PacketState
    ext_ip: str
    int_ip: str
    template_id: uuid.UUID | None
    os: str
    password: str = field(default="", repr=False)
    discs: tuple[PacketDisc, ...]
    cpu_count: int
    memory_mb: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PacketVApp:
    """A vApp with its machines."""

    id: uuid.UUID
    name: str
    state: PacketState
    vms: tuple[PacketVm, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Packet:
    """A virtual data center. `id` is that of the service in the billing system, whatever it looks like there."""

    id: str
    is_enabled: bool
    vdc_id: uuid.UUID
    nets: tuple[PacketNet, ...]
    vapps: tuple[PacketVApp, ...]

    @property
    def vms(self) -> list[PacketVm]:
        """The machines of all vApps."""
        return [vm for vapp in self.vapps for vm in vapp.vms]

    def with_passwords(self, passwords: Mapping[uuid.UUID, str]) -> "Packet":
        """The same packet with these passwords, by the id of the machine."""
        vapps = (
            replace(vapp, vms=tuple(replace(vm, password=passwords.get(vm.id, "")) for vm in vapp.vms))
            for vapp in self.vapps
        )
        return replace(self, vapps=tuple(vapps))


# ---- writing -----------------------------------------------------------------------------------------------------


def write(packet: Packet) -> str:
    """The packet as XML, without a declaration.

    Raises AppError `packet_text_bad` for a control character, which XML cannot hold; names and passwords that came
    from vCloud have none, for they came as XML.
    """
    item = _element("item", id=packet.id, status=str(packet.is_enabled).lower(), vdcid=str(packet.vdc_id))
    _fill(item, [*map(_net, packet.nets), *map(_vapp, packet.vapps)])
    return etree.tostring(item, encoding="unicode")


def _net(net: PacketNet) -> Element:
    element = _element("net", name=net.name)
    element.text = str(net.id)
    return element


def _vapp(vapp: PacketVApp) -> Element:
    element = _element("vapp", id=f"vapp-{vapp.id}", name=vapp.name, status=str(vapp.state.value))
    _fill(element, map(_vm, vapp.vms))
    return element


def _vm(vm: PacketVm) -> Element:
    element = _element(
        "vm",
        id=f"vm-{vm.id}",
        name=vm.name,
        status=str(vm.state.value),
        ext_ip=vm.ext_ip,
        int_ip=vm.int_ip,
        vapp_template=str(vm.template_id or ""),
    )
    discs = [_element("disc", id=disc.id, reserved=str(disc.reserved_mb)) for disc in vm.discs]
    cpu, mem = _element("cpu", reserved=str(vm.cpu_count)), _element("mem", reserved=str(vm.memory_mb))
    _fill(element, [_element("os", value=vm.os), _element("password", value=vm.password), *discs, cpu, mem])
    return element


def _element(tag: str, **attributes: str) -> Element:
    element = etree.Element(tag)
    for name, value in attributes.items():
        try:
            element.set(name, value)
        except ValueError:
            raise AppError("packet_text_bad", element=tag, attribute=name) from None
    return element


def _fill(parent: Element, children: Iterable[Element]) -> None:
    """One space around each element, as the story has it."""
    for child in children:
        child.tail = " "
        parent.append(child)
    parent.text = " " if len(parent) else None
