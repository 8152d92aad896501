"""Reads the statistics packet, as `packet.write` or another billing system has written it. Pure, like `packet`.

The form is taken strictly: what is missing, unknown or in another place is refused with its line, never passed over.
"""

import re
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

from lxml import etree

from app.cloud.packet import Element, Packet, PacketDisc, PacketNet, PacketState, PacketVApp, PacketVm
from app.errors import AppError

# Enough for 50,000 machines, and little enough for the memory: a tree costs that by its tags rather than by its bytes.
SIZE_MOST_MB = 32
TAGS_MOST = 400_000

# What stands in each element, in this order; a star means any number. Others hold nothing.
_HOLDS = {"item": ("net*", "vapp*"), "vapp": ("vm*",), "vm": ("os", "password", "disc*", "cpu", "mem")}
_UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_UUID_LIKE = "9fdc0391-4a27-4a6c-9b9f-91137849c1da"
T = TypeVar("T")


def read(text: str) -> Packet:
    """The packet in this text.

    Raises AppError (400): `packet_too_large`, `packet_not_xml` (also for any DOCTYPE, so there are no entities), and
    with the line `packet_element_bad`, `packet_attribute_missing`, `packet_attribute_unknown`, `packet_value_bad`.
    """
    item = _parse(text)
    if _tag(item) != "item":
        raise _misplaced(item, f"<{_tag(item)}>", "<item>")
    identity, status, vdc = _attributes(item, "id", "status", "vdcid")
    inside = _children(item)
    return Packet(
        id=identity,
        is_enabled=_value(item, "status", status, "true|false", "true", lambda word: word == "true"),
        vdc_id=_value(item, "vdcid", vdc, _UUID, _UUID_LIKE, uuid.UUID),
        nets=tuple(map(_net, inside["net"])),
        vapps=tuple(map(_vapp, inside["vapp"])),
    )


def _parse(text: str) -> Element:
    if len(text) > SIZE_MOST_MB * 2**20 or text.count("<") > TAGS_MOST:
        raise AppError("packet_too_large", 400, most_mb=SIZE_MOST_MB)
    if "<!DOCTYPE" in text:  # what it declares could grow without end, or lead to files
        raise AppError("packet_not_xml", 400, reason="<!DOCTYPE>")
    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        encoding="utf-8",
        remove_comments=True,
        remove_pis=True,
    )
    try:
        return etree.fromstring(text.strip("\ufeff \t\r\n").encode(), parser)
    except (etree.LxmlError, ValueError) as error:
        raise AppError("packet_not_xml", 400, reason=str(error)[:200]) from None


# ---- elements ----------------------------------------------------------------------------------------------------


def _net(net: Element) -> PacketNet:
    (name,) = _attributes(net, "name")
    for inner in net:
        raise _misplaced(inner, f"<{_tag(inner)}>", "</net>")
    return PacketNet(name=name, id=_value(net, "net", (net.text or "").strip(), _UUID, _UUID_LIKE, uuid.UUID))


def _vapp(vapp: Element) -> PacketVApp:
    identity, name, status = _attributes(vapp, "id", "name", "status")
    machines = tuple(map(_vm, _children(vapp)["vm"]))
    return PacketVApp(id=_named_id(vapp, identity), name=name, state=_state(vapp, status), vms=machines)


def _vm(vm: Element) -> PacketVm:
    names = ("id", "name", "status", "ext_ip", "int_ip", "vapp_template")
    identity, name, status, ext_ip, int_ip, template = _attributes(vm, *names)
    inside = _children(vm)
    return PacketVm(
        id=_named_id(vm, identity),
        name=name,
        state=_state(vm, status),
        ext_ip=ext_ip,
        int_ip=int_ip,
        template_id=_value(vm, "vapp_template", template, _UUID, _UUID_LIKE, uuid.UUID) if template else None,
        os=_leaf(inside["os"][0], "value")[0],
        password=_leaf(inside["password"][0], "value")[0],
        discs=tuple(map(_disc, inside["disc"])),
        cpu_count=_reserved(inside["cpu"][0], *_leaf(inside["cpu"][0], "reserved")),
        memory_mb=_reserved(inside["mem"][0], *_leaf(inside["mem"][0], "reserved")),
    )


def _disc(disc: Element) -> PacketDisc:
    identity, reserved = _leaf(disc, "id", "reserved")
    return PacketDisc(id=identity, reserved_mb=_reserved(disc, reserved))


def _leaf(element: Element, *names: str) -> list[str]:
    _children(element)
    return _attributes(element, *names)


def _children(parent: Element) -> dict[str, list[Element]]:
    """The elements inside, by tag; AppError unless they are what the form wants, in its order, without text between."""
    end = f"</{_tag(parent)}>"
    for text in (parent.text, *(child.tail for child in parent)):
        if text and text.strip():
            raise _misplaced(parent, repr(text.strip()[:60]), end)
    rest, found = list(parent)[::-1], {}
    for rule in _HOLDS.get(_tag(parent), ()):
        tag = rule.removesuffix("*")
        found[tag] = taken = [rest.pop()] if rest and rest[-1].tag == tag else []
        while taken and rule != tag and rest and rest[-1].tag == tag:
            taken.append(rest.pop())
        if rule == tag and not taken:
            raise _misplaced(rest[-1] if rest else parent, f"<{_tag(rest[-1])}>" if rest else end, f"<{tag}>")
    if rest:
        raise _misplaced(rest[-1], f"<{_tag(rest[-1])}>", end)
    return found


def _misplaced(element: Element, found: str, wanted: str) -> AppError:
    return AppError("packet_element_bad", 400, line=element.sourceline, found=found, wanted=wanted)


def _tag(element: Element) -> str:
    return str(element.tag)[:60]


# ---- attributes --------------------------------------------------------------------------------------------------


def _attributes(element: Element, *names: str) -> list[str]:
    """The values of exactly these attributes."""
    place: dict[str, Any] = {"line": element.sourceline, "element": _tag(element)}
    for name in names:
        if name not in element.attrib:
            raise AppError("packet_attribute_missing", 400, attribute=name, **place)
    for name in map(str, element.attrib):
        if name not in names:
            raise AppError("packet_attribute_unknown", 400, attribute=name[:60], **place)
    return [str(element.attrib[name]) for name in names]


def _value(element: Element, name: str, value: str, form: str, like: str, take: Callable[[str], T]) -> T:
    """What `take` makes of a value of this form (a regular expression); `like` is an example of it."""
    if not re.fullmatch(form, value):
        raise AppError(
            "packet_value_bad",
            400,
            line=element.sourceline,
            element=_tag(element),
            attribute=name,
            value=repr(value[:60]),
            like=like,
        )
    return take(value)


def _named_id(element: Element, value: str) -> uuid.UUID:
    """The UUID behind the name of the element: `vm-9fdc…`."""
    start = f"{_tag(element)}-"
    return _value(element, "id", value, start + _UUID, start + _UUID_LIKE, lambda text: uuid.UUID(text[len(start) :]))


def _state(element: Element, value: str) -> PacketState:
    return _value(element, "status", value, "[3468]", "8", lambda digit: PacketState(int(digit)))


def _reserved(element: Element, value: str) -> int:
    return _value(element, "reserved", value, "0|[1-9][0-9]{0,17}", "1024", int)
